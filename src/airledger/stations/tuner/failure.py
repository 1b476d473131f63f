"""How tuning fails."""

import time
from typing import Self

from airledger.platform.curl_request import ResponseHead
from airledger.platform.fetch_error import FetchError
from airledger.stations.cause import Cause, cause_of_fetch, cause_of_status
from airledger.stations.retry_after import retry_after_s
from airledger.stations.tuner.listening import TuneEnded


class TuneFailedError(Exception):
    """This address gives no sound (any more); carries what the listener is told."""

    def __init__(
        self, cause: Cause, detail: str, http_status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.end = TuneEnded(cause, cause.permanent, detail, http_status, retry_after_s)

    @classmethod
    def of_fetch(cls, error: FetchError) -> Self:
        """Read a failed fetch."""
        return cls(cause_of_fetch(error.cause, error.http_status), error.message, error.http_status)

    @classmethod
    def of_answer(cls, head: ResponseHead) -> Self:
        """Read an answer of status 300 or more."""
        detail = f"The server answered with status {head.status}."
        wait_s = retry_after_s(head.status, head.headers, time.time())
        return cls(cause_of_status(head.status), detail, head.status, wait_s)
