"""A day's requests shared fairly over stations. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Why = Literal["day", "share", "minute", "concurrent"]


@dataclass(frozen=True)
class Limits:
    """What a provider's account allows to all processes together."""

    per_day: int = 1_800
    per_minute: int = 45
    concurrent: int = 5


@dataclass(frozen=True)
class Usage:
    """What was asked of one provider.

    Attributes:
        by_sharer: Requests since midnight by station.
        last_minute: Requests within the last 60 s.
        out: Requests that have not come back.
        day_passed: Share of the day that is over, 0 to 1.
    """

    by_sharer: Mapping[str, int]
    last_minute: int
    out: int
    day_passed: float


def refusal(usage: Usage, sharer: str, sharers: int, limits: Limits) -> Why | None:
    """Tell why a request may not be made now; None when it may.

    Every station has the same share of the day. What a station has not used of the part of the day that is over, others
    may take: it is returned as the day goes, so at midnight nothing was withheld, and at any moment a station that has
    asked nothing yet still has its share of the hours to come.
    """
    total = sum(usage.by_sharer.values())
    if total >= limits.per_day:
        return "day"
    if usage.last_minute >= limits.per_minute:
        return "minute"
    if usage.out >= limits.concurrent:
        return "concurrent"
    return None if _is_within_share(usage, sharer, sharers, limits, total) else "share"


def _is_within_share(usage: Usage, sharer: str, sharers: int, limits: Limits, total: int) -> bool:
    known = {**dict.fromkeys([sharer], 0), **usage.by_sharer}
    share = limits.per_day / max(sharers, len(known), 1)
    if known[sharer] + 1 <= max(share, 1.0):
        return True
    to_come = share * (1 - min(max(usage.day_passed, 0.0), 1.0))
    silent = max(0, sharers - len(known))
    kept = silent * to_come + sum(
        min(to_come, max(0.0, share - used)) for other, used in known.items() if other != sharer
    )
    return limits.per_day - total - kept >= 1
