"""What it means that a stream plays at one place and not at another. Values in, values out.

Another place never overrules us: a stream that we cannot play stays failing here. But a stream that plays elsewhere is
not dead, and a refusal that only we get is most likely a fence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from airledger.stations.cause import Cause
from airledger.stations.confidence import agreed
from airledger.stations.proof import MAX_DETAIL_CHARS, Proof

FRESH = timedelta(hours=24)
REFUSALS = frozenset({Cause.GEO_BLOCKED, Cause.FORBIDDEN, Cause.AUTH, Cause.NOT_FOUND, Cause.AGENT_REFUSED})
# That nothing comes through may also be the way there: less sure.
WAYS = frozenset(
    {Cause.TIMEOUT, Cause.REFUSED, Cause.UNREACHABLE, Cause.DEAD_HOST, Cause.TLS, Cause.STALLED, Cause.SLOW}
)
OF_LAW, OF_REFUSAL, OF_WAY = 0.98, 0.8, 0.5


@dataclass(frozen=True, slots=True)
class View:
    """What one place saw last."""

    vantage: str
    checked_at: datetime
    is_healthy: bool
    cause: str | None = None


class Agreement(StrEnum):
    """What all places say together."""

    ALL_PLAY = "all_play"
    NONE_PLAYS = "none_plays"
    BLOCKED_HERE = "blocked_here"
    BLOCKED_ELSEWHERE = "blocked_elsewhere"
    ONLY_HERE = "only_here"


@dataclass(frozen=True, slots=True)
class Blocked:
    """That we are shut out of a stream that plays elsewhere.

    Attributes:
        confidence: That it is a fence, from 0 to 1.
        places: Where it plays.
    """

    confidence: float
    places: tuple[str, ...]

    @property
    def detail(self) -> str:
        """The same for people."""
        return f"It does not play here and plays elsewhere ({', '.join(self.places)})."


def blocked_here(cause: Cause, views: Iterable[View], now: datetime) -> Blocked | None:
    """Tell whether other places show that a failure is a fence around us; None where they do not."""
    places = tuple(sorted(view.vantage for view in views if view.is_healthy and now - view.checked_at <= FRESH))
    if not places:
        return None
    if cause is Cause.GEO_BLOCKED:
        return Blocked(OF_LAW, places)
    if cause in REFUSALS:
        return Blocked(agreed(OF_REFUSAL, len(places) - 1), places)
    if cause in WAYS:
        return Blocked(agreed(OF_WAY, len(places) - 1), places)
    return None


def fenced(proof: Proof, views: Iterable[View], now: datetime) -> Proof:
    """Give a failed proof the cause that other places make likely, where they do."""
    if proof.cause is None:
        return proof
    found = blocked_here(proof.cause, views, now)
    if found is None:
        return proof
    detail = f"{found.detail} {proof.detail or ''}".strip()[:MAX_DETAIL_CHARS]
    return replace(proof, cause=Cause.GEO_BLOCKED, permanent=True, detail=detail, cause_confidence=found.confidence)


def agreement(here: View | None, views: Sequence[View], now: datetime) -> Agreement | None:
    """Sum up what all places say; None while no other place has looked of late."""
    fresh = [view for view in views if now - view.checked_at <= FRESH]
    if here is None or not fresh:
        return None
    playing = [view for view in fresh if view.is_healthy]
    if not here.is_healthy:
        return Agreement.BLOCKED_HERE if playing else Agreement.NONE_PLAYS
    if len(playing) == len(fresh):
        return Agreement.ALL_PLAY
    shut_out = [view for view in fresh if view.cause in REFUSALS]
    return Agreement.BLOCKED_ELSEWHERE if shut_out else Agreement.ONLY_HERE
