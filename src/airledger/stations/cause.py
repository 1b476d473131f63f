"""Why a stream could not be heard, or stopped being heard: one enumeration for probe, tuner and page."""

from enum import StrEnum

from airledger.platform.fetch_error import FetchCause

SERVER_ERROR_STATUS = 500


class Cause(StrEnum):
    """What is wrong with a stream. The value is stored and shown, so it never changes.

    `SILENT`, `LOOPED`, `SLOW` and `FALSE_BITRATE` are judgements about sound that was heard, `FROZEN`, `BLACK` and
    `PLACEHOLDER` about pictures that were seen; the tuner itself never reports them. `FALSE_BITRATE` is a warning: the
    stream plays. `TOKEN_EXPIRED` to `OUR_NETWORK` are found by looking further than at one answer
    (`probing/second_look.py`, `probing/together.py`).
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
    FROZEN = "frozen"
    BLACK = "black"
    PLACEHOLDER = "placeholder"
    SLOW = "slow"
    FALSE_BITRATE = "false_bitrate"
    ENDED = "ended"
    ADDRESS_REFUSED = "address_refused"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    DECODER_CRASHED = "decoder_crashed"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  a cause, no secret
    AGENT_REFUSED = "agent_refused"
    SOURCE_OFFLINE = "source_offline"
    BANNED = "banned"
    RATE_LIMITED = "rate_limited"
    OUR_NETWORK = "our_network"

    @property
    def permanent(self) -> bool:
        """Whether trying again soon is pointless (somebody has to change something first)."""
        return self in _PERMANENT

    @property
    def is_ours(self) -> bool:
        """Whether it tells of us and not of the stream, so that it must not count against the stream."""
        return self in _OURS

    @property
    def family(self) -> "CauseFamily":
        """What it means for those who only want to know roughly."""
        return _FAMILIES[self]


class CauseFamily(StrEnum):
    """What a cause comes down to. Stored nowhere; served beside the cause."""

    DEAD = "dead"
    TRANSIENT = "transient"
    GEO_BLOCKED = "geo_blocked"
    AUTH = "auth"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  a cause, no secret
    AGENT_REFUSED = "agent_refused"
    TLS = "tls"
    SOURCE_OFFLINE = "source_offline"
    BANNED = "banned"
    TIMEOUT = "timeout"
    NOT_MEDIA = "not_media"
    BAD_PROGRAMME = "bad_programme"
    NOT_JUDGED = "not_judged"


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
        Cause.TOKEN_EXPIRED,
    }
)

_OURS = frozenset({Cause.BANNED, Cause.RATE_LIMITED, Cause.OUR_NETWORK})

_FAMILY_MEMBERS = {
    CauseFamily.DEAD: (Cause.DEAD_HOST, Cause.REFUSED, Cause.UNREACHABLE, Cause.NOT_FOUND, Cause.REDIRECT_LOOP),
    CauseFamily.TRANSIENT: (Cause.SERVER_ERROR, Cause.HTTP_ERROR, Cause.ENDED, Cause.SLOW, Cause.FORBIDDEN),
    CauseFamily.GEO_BLOCKED: (Cause.GEO_BLOCKED,),
    CauseFamily.AUTH: (Cause.AUTH, Cause.ENCRYPTED),
    CauseFamily.TOKEN_EXPIRED: (Cause.TOKEN_EXPIRED,),
    CauseFamily.AGENT_REFUSED: (Cause.AGENT_REFUSED,),
    CauseFamily.TLS: (Cause.TLS,),
    CauseFamily.SOURCE_OFFLINE: (Cause.SOURCE_OFFLINE,),
    CauseFamily.BANNED: (Cause.BANNED, Cause.RATE_LIMITED),
    CauseFamily.TIMEOUT: (Cause.TIMEOUT, Cause.STALLED),
    CauseFamily.NOT_MEDIA: (Cause.NOT_MEDIA, Cause.UNDECODABLE, Cause.TOO_LARGE, Cause.UNSUPPORTED, Cause.NO_SOUND),
    CauseFamily.NOT_JUDGED: (Cause.ADDRESS_REFUSED, Cause.DECODER_CRASHED, Cause.OUR_NETWORK),
}
_FAMILIES = dict.fromkeys(Cause, CauseFamily.BAD_PROGRAMME) | {
    cause: family for family, causes in _FAMILY_MEMBERS.items() for cause in causes
}

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


_BY_STATUS = {
    401: Cause.AUTH,
    407: Cause.AUTH,
    403: Cause.FORBIDDEN,
    404: Cause.NOT_FOUND,
    410: Cause.NOT_FOUND,
    429: Cause.RATE_LIMITED,
    451: Cause.GEO_BLOCKED,
}


def cause_of_status(status: int) -> Cause:
    """Read an HTTP status of 300 or more as a cause."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return Cause.SERVER_ERROR if status >= SERVER_ERROR_STATUS else Cause.HTTP_ERROR


def cause_of_fetch(cause: FetchCause, status: int | None = None) -> Cause:
    """Translate a failed fetch into the cause that a station is given."""
    if cause is FetchCause.HTTP_STATUS:
        return cause_of_status(status if status is not None else SERVER_ERROR_STATUS)
    return _BY_FETCH_CAUSE[cause]
