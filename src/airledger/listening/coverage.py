"""What was heard and what was not: stretches of air time per session. Pure, save for the ids of what begins."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

HEARD, SILENT, LOOPED, GAP = "heard", "silent", "looped", "gap"
JOIN_S = 2.0

NewStretchId = Callable[[str, float], UUID]
"""Gives the id of a stretch by its kind and start."""


def random_stretch_id(kind: str, start_s: float) -> UUID:
    """Give a new id; live sound is heard once."""
    del kind, start_s
    return uuid4()


@dataclass(frozen=True)
class Stretch:
    """A stretch of air time (seconds since 1970)."""

    id: UUID
    kind: str
    start_s: float
    end_s: float
    cause: str | None = None


@dataclass(frozen=True)
class CoverageStep:
    """The stretch that goes on, and those that changed and have to be stored."""

    current: Stretch
    changed: tuple[Stretch, ...]


def extend(
    current: Stretch | None,
    kind: str,
    start_s: float,
    end_s: float,
    *,
    lost_by: str | None = None,
    new_id: NewStretchId = random_stretch_id,
) -> CoverageStep:
    """Take newly heard sound into account.

    Args:
        current: The stretch that was going on.
        kind: `heard`, `silent` or `looped`.
        start_s: Air time at which the new sound begins; a burst may reach back into what was heard already.
        end_s: Air time at which it ends.
        lost_by: Why nothing was heard before it, should a gap turn out.
        new_id: Gives the ids of stretches that begin; for what is heard again, always the same ones.

    Returns:
        The stretch that goes on now; with a gap of more than 2 s, a stretch for that as well.
    """
    if current is None:
        first = Stretch(new_id(kind, start_s), kind, start_s, end_s)
        return CoverageStep(first, (first,))
    if start_s > current.end_s + JOIN_S:
        gap = Stretch(new_id(GAP, current.end_s), GAP, current.end_s, start_s, lost_by)
        fresh = Stretch(new_id(kind, start_s), kind, start_s, end_s)
        return CoverageStep(fresh, (current, gap, fresh))
    if kind != current.kind:
        begin_s = max(start_s, current.end_s)
        fresh = Stretch(new_id(kind, begin_s), kind, begin_s, max(end_s, current.end_s))
        return CoverageStep(fresh, (current, fresh))
    longer = replace(current, end_s=max(current.end_s, end_s))
    return CoverageStep(longer, (longer,))
