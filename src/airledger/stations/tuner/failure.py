"""How tuning fails."""

from typing import Self

from airledger.platform.fetch_error import FetchError
from airledger.stations.cause import Cause, cause_of_fetch, cause_of_status
from airledger.stations.tuner.listening import TuneEnded


class TuneFailedError(Exception):
    """This address gives no sound (any more); carries what the listener is told."""

    def __init__(self, cause: Cause, detail: str, http_status: int | None = None) -> None:
        super().__init__(detail)
        self.end = TuneEnded(cause, cause.permanent, detail, http_status)

    @classmethod
    def of_fetch(cls, error: FetchError) -> Self:
        """Read a failed fetch."""
        return cls(cause_of_fetch(error.cause, error.http_status), error.message, error.http_status)

    @classmethod
    def of_status(cls, status: int) -> Self:
        """Read an HTTP status of 300 or more."""
        return cls(cause_of_status(status), f"The server answered with status {status}.", status)
