"""Why a stream could not be heard, or stopped being heard: one enumeration for probe, tuner and page."""

from enum import StrEnum

from airledger.platform.fetch_error import FetchCause

NOT_FOUND_STATUSES = frozenset({404, 410})
UNAUTHORISED_STATUSES = frozenset({401, 407})
FORBIDDEN_STATUS = 403
GEO_BLOCKED_STATUS = 451
TOO_MANY_REQUESTS_STATUS = 429
SERVER_ERROR_STATUS = 500


class Cause(StrEnum):
    """What is wrong with a stream. The value is stored and shown, so it never changes.

    `SILENT`, `LOOPED`, `SLOW` and `FALSE_BITRATE` are judgements about sound that was heard; the tuner itself never
    reports them. `FALSE_BITRATE` is a warning: the stream plays.
    """

    DEAD_HOST = "dead_host"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    TLS = "tls"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    AUTH = "auth"
    GEO_BLOCKED = "geo_blocked"
    SERVER_ERROR = "server_error"
    HTTP_ERROR = "http_error"
    REDIRECT_LOOP = "redirect_loop"
    NOT_MEDIA = "not_media"
    UNDECODABLE = "undecodable"
    ENCRYPTED = "encrypted"
    NO_SOUND = "no_sound"
    SILENT = "silent"
    LOOPED = "looped"
    SLOW = "slow"
    FALSE_BITRATE = "false_bitrate"
    ENDED = "ended"
    ADDRESS_REFUSED = "address_refused"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    DECODER_CRASHED = "decoder_crashed"

    @property
    def permanent(self) -> bool:
        """Whether trying again soon is pointless (somebody has to change something first)."""
        return self in _PERMANENT


# The field calls these definite: refused, unknown host, unreachable, TLS protocol error, 404, 410. A 403 is not: it may
# be a token, a user agent or our own ban; 5xx are transient.
_PERMANENT = frozenset(
    {
        Cause.DEAD_HOST,
        Cause.REFUSED,
        Cause.UNREACHABLE,
        Cause.TLS,
        Cause.NOT_FOUND,
        Cause.AUTH,
        Cause.GEO_BLOCKED,
        Cause.REDIRECT_LOOP,
        Cause.NOT_MEDIA,
        Cause.ENCRYPTED,
        Cause.NO_SOUND,
        Cause.ADDRESS_REFUSED,
        Cause.TOO_LARGE,
        Cause.UNSUPPORTED,
    }
)

_BY_FETCH_CAUSE = {
    FetchCause.UNKNOWN_HOST: Cause.DEAD_HOST,
    FetchCause.REFUSED: Cause.REFUSED,
    FetchCause.UNREACHABLE: Cause.UNREACHABLE,
    FetchCause.TIMEOUT: Cause.TIMEOUT,
    FetchCause.STALLED: Cause.STALLED,
    FetchCause.TLS: Cause.TLS,
    FetchCause.REDIRECT_LOOP: Cause.REDIRECT_LOOP,
    FetchCause.TOO_LARGE: Cause.TOO_LARGE,
    FetchCause.ADDRESS_REFUSED: Cause.ADDRESS_REFUSED,
    FetchCause.BAD_URL: Cause.UNSUPPORTED,
    FetchCause.PROTOCOL: Cause.HTTP_ERROR,
    FetchCause.CUT: Cause.ENDED,
}


def cause_of_status(status: int) -> Cause:
    """Read an HTTP status of 300 or more as a cause."""
    if status in NOT_FOUND_STATUSES:
        return Cause.NOT_FOUND
    if status in UNAUTHORISED_STATUSES:
        return Cause.AUTH
    if status == FORBIDDEN_STATUS:
        return Cause.FORBIDDEN
    if status == GEO_BLOCKED_STATUS:
        return Cause.GEO_BLOCKED
    if status >= SERVER_ERROR_STATUS or status == TOO_MANY_REQUESTS_STATUS:
        return Cause.SERVER_ERROR
    return Cause.HTTP_ERROR


def cause_of_fetch(cause: FetchCause, status: int | None = None) -> Cause:
    """Translate a failed fetch into the cause that a station is given."""
    if cause is FetchCause.HTTP_STATUS:
        return cause_of_status(status if status is not None else SERVER_ERROR_STATUS)
    return _BY_FETCH_CAUSE[cause]
