"""How fetching from an outside address fails: one enumeration, one error."""

from enum import StrEnum

from airledger.platform.errors import AirledgerError, InputError


class FetchCause(StrEnum):
    """Why an outside address gave no answer, or a useless one."""

    UNKNOWN_HOST = "unknown_host"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    TLS = "tls"
    HTTP_STATUS = "http_status"
    REDIRECT_LOOP = "redirect_loop"
    TOO_LARGE = "too_large"
    ADDRESS_REFUSED = "address_refused"
    BAD_URL = "bad_url"
    PROTOCOL = "protocol"
    CUT = "cut"


PERMANENT_CAUSES = frozenset(
    {
        FetchCause.UNKNOWN_HOST,
        FetchCause.REFUSED,
        FetchCause.UNREACHABLE,
        FetchCause.TLS,
        FetchCause.REDIRECT_LOOP,
        FetchCause.TOO_LARGE,
        FetchCause.ADDRESS_REFUSED,
        FetchCause.BAD_URL,
    }
)
# 403 is left out: tokens, user agents and bans come and go. 451 is the law's.
PERMANENT_STATUSES = frozenset({400, 401, 404, 405, 410, 414, 451, 501})


class AddressRefusedError(InputError):
    """The address lies where strangers' URLs must not lead (loopback, private networks, multicast...)."""

    code = "address_refused"


class FetchError(AirledgerError):
    """An outside address could not be fetched.

    Attributes:
        cause: why.
        http_status: the status, where `cause` is `HTTP_STATUS`.
        permanent: whether trying again soon is pointless.
    """

    code = "fetch_failed"
    status = 502

    def __init__(self, message: str, *, cause: FetchCause, http_status: int | None = None) -> None:
        super().__init__(message, cause=cause.value, http_status=http_status)
        self.cause = cause
        self.http_status = http_status
        self.permanent = cause in PERMANENT_CAUSES or http_status in PERMANENT_STATUSES
