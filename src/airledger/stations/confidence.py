"""How sure one look makes us of a cause. Values in, values out.

The numbers order what we know; they are judgements, not measurements. What a protocol says in so many words (451, 410,
a certificate that does not hold, 60 s of digital silence) is near certain; what may also be our network, our address
or the moment (a timeout, a 403, a 5xx) is not. Agreement raises them: each further look, or place, that says the same
takes the rest of the doubt down by half.
"""

from airledger.stations.cause import Cause

_CERTAIN, _CLEAR, _LIKELY, _OPEN, _VAGUE = 0.97, 0.9, 0.75, 0.6, 0.45
_ONE_LOOK = {
    Cause.GEO_BLOCKED: _CERTAIN,
    Cause.ADDRESS_REFUSED: _CERTAIN,
    Cause.SILENT: _CERTAIN,
    Cause.LOOPED: _CERTAIN,
    Cause.NOT_MEDIA: _CERTAIN,
    Cause.UNSUPPORTED: _CERTAIN,
    Cause.TLS: _CLEAR,
    Cause.NOT_FOUND: _CLEAR,
    Cause.AUTH: _CLEAR,
    Cause.ENCRYPTED: _CLEAR,
    Cause.REFUSED: _CLEAR,
    Cause.REDIRECT_LOOP: _CLEAR,
    Cause.NO_SOUND: _CLEAR,
    Cause.SOURCE_OFFLINE: _CLEAR,
    Cause.AGENT_REFUSED: _CLEAR,
    Cause.TOKEN_EXPIRED: _CLEAR,
    Cause.FALSE_BITRATE: _CLEAR,
    Cause.TOO_LARGE: _CLEAR,
    Cause.RATE_LIMITED: _CERTAIN,
    Cause.DEAD_HOST: _LIKELY,
    Cause.BANNED: _LIKELY,
    Cause.UNREACHABLE: _LIKELY,
    Cause.UNDECODABLE: _LIKELY,
    Cause.SERVER_ERROR: _LIKELY,
    Cause.OUR_NETWORK: _LIKELY,
    Cause.SLOW: _LIKELY,
    Cause.HTTP_ERROR: _OPEN,
    Cause.STALLED: _OPEN,
    Cause.ENDED: _OPEN,
    Cause.DECODER_CRASHED: _OPEN,
    Cause.FORBIDDEN: _VAGUE,
    Cause.TIMEOUT: _VAGUE,
}


def of_one_look(cause: Cause) -> float:
    """Return how sure a single look makes us that this is the cause, from 0 to 1."""
    return _ONE_LOOK.get(cause, _OPEN)


def agreed(confidence: float, times: int) -> float:
    """Raise a confidence by further looks that say the same."""
    return 1.0 - (1.0 - confidence) * 0.5 ** max(times, 0)


def doubted(confidence: float, times: int) -> float:
    """Lower a confidence by looks that say otherwise."""
    return confidence * 0.5 ** max(times, 0)
