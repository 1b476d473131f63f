"""What was heard and what was not: stretches of air time per session. Pure."""

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

HEARD, SILENT, GAP = "heard", "silent", "gap"
JOIN_S = 2.0


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
    current: Stretch | None, kind: str, start_s: float, end_s: float, *, lost_by: str | None = None
) -> CoverageStep:
    """Take newly heard sound into account.

    Args:
        current: The stretch that was going on.
        kind: `heard` or `silent`.
        start_s: Air time at which the new sound begins; a burst may reach back into what was heard already.
        end_s: Air time at which it ends.
        lost_by: Why nothing was heard before it, should a gap turn out.

    Returns:
        The stretch that goes on now; with a gap of more than 2 s, a stretch for that as well.
    """
    if current is None:
        first = Stretch(uuid4(), kind, start_s, end_s)
        return CoverageStep(first, (first,))
    if start_s > current.end_s + JOIN_S:
        gap = Stretch(uuid4(), GAP, current.end_s, start_s, lost_by)
        fresh = Stretch(uuid4(), kind, start_s, end_s)
        return CoverageStep(fresh, (current, gap, fresh))
    if kind != current.kind:
        fresh = Stretch(uuid4(), kind, max(start_s, current.end_s), max(end_s, current.end_s))
        return CoverageStep(fresh, (current, fresh))
    longer = replace(current, end_s=max(current.end_s, end_s))
    return CoverageStep(longer, (longer,))
