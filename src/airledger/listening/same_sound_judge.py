"""From looks at two streams to a verdict. Values in, values out.

A posterior: before any look, one candidate in a thousand is taken to be one programme. A look that agrees throughout
speaks for it, but two stations may well play one song, or carry the same news, for its three minutes; so no single look
convinces, and looks within a few minutes of each other count once. A look that contradicts weighs more than one that
agrees. Streams that agree at times and not at others share parts of a programme: they are related.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import exp

from airledger.fingerprint.same_sound import Sameness
from airledger.stations.joining.why import HEARD_DIFFERENT, HEARD_RELATED, HEARD_SAME

UNDECIDED = "undecided"
AGREES, RELATED, DISAGREES, NOTHING = "agrees", "related", "disagrees", "nothing"
PRIOR = -7.0
FIRST_AGREES = 5.0
AGAIN_AGREES = 3.5
RELATES = -3.0
CONTRADICTS = -6.0
MOST_ODDS = 9.0
AGREED = 0.5
CONTRADICTED_S = 60.0
SAME = 0.98
DIFFERENT = 0.001
DIFFERENT_LOOKS = 3
APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PairState:
    """What is believed of two streams after the looks so far."""

    log_odds: float = PRIOR
    agreed: int = 0
    related: int = 0
    disagreed: int = 0
    delay_s: float | None = None
    same_since: datetime | None = None
    last_seen: datetime | None = None

    @property
    def probability(self) -> float:
        """That both carry the same programme."""
        return 1 / (1 + exp(-self.log_odds))

    @property
    def verdict(self) -> str:
        """`same`, `related`, `different`, or `undecided`."""
        if self.probability >= SAME:
            return HEARD_SAME
        if self.related or (self.agreed and self.disagreed):
            return HEARD_RELATED if self.log_odds < 0 else UNDECIDED
        is_different = self.disagreed >= DIFFERENT_LOOKS and self.probability <= DIFFERENT
        return HEARD_DIFFERENT if is_different else UNDECIDED


def kind_of(found: Sameness) -> str:
    """What a look says."""
    if found.probability >= AGREED:
        return AGREES
    if found.is_related:
        return RELATED
    return DISAGREES if found.contradicted_s >= CONTRADICTED_S else NOTHING


def after_look(state: PairState, found: Sameness, at: datetime, *, apart: timedelta = APART) -> PairState:
    """The state after one more look.

    Args:
        state: Before it.
        found: What the look has shown.
        at: When it was taken; looks come in order.
        apart: Looks nearer to each other than this are one.
    """
    kind = kind_of(found)
    if kind == NOTHING or (state.last_seen is not None and at - state.last_seen < apart):
        return state
    step = {AGREES: AGAIN_AGREES if state.agreed else FIRST_AGREES, RELATED: RELATES, DISAGREES: CONTRADICTS}[kind]
    is_same = kind == AGREES
    return PairState(
        log_odds=max(-MOST_ODDS, min(MOST_ODDS, state.log_odds + step)),
        agreed=state.agreed + is_same,
        related=state.related + (kind == RELATED),
        disagreed=state.disagreed + (kind == DISAGREES),
        delay_s=found.delay_s if is_same else state.delay_s,
        same_since=(state.same_since or at) if is_same else None,
        last_seen=at,
    )
