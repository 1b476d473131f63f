"""Whether a stream gets worse: robust slopes and change points over its days. Values in, values out.

A stream that degrades still plays; what is looked for is what comes before it fails: slower answers, more failed
checks, less bandwidth than it had. Single bad days move neither medians nor the Theil-Sen slope (Sen 1968: the median
of the slopes of all pairs; it bears 29 % of wild values).
"""

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime
from statistics import median
from typing import NamedTuple

from airledger.stations.watching.rollup import Rolled

LEAST_DAYS = 10
RECENT_DAYS = 7
LEAST_SIDE = 3
SURE = 3.0  # robust standard errors
SLOWER_FACTOR, SLOWER_BY_MS = 1.8, 150.0
LESS_UP_BY, STILL_FINE = 0.03, 0.985
NARROWER_FACTOR = 0.75
MAD_TO_SIGMA = 1.4826  # of a normal distribution


class Point(NamedTuple):
    """A day's value."""

    day: int  # since 1 January of the year 1
    value: float


class Change(NamedTuple):
    """Where a series stepped to another level."""

    day: int
    before: float
    after: float
    sureness: float


class Trend(NamedTuple):
    """What a series does: its slope per day, and its one clearest step where there is one."""

    slope: float
    change: Change | None


class Worse(NamedTuple):
    """One way in which a stream gets worse."""

    what: str
    since: date
    sentence: str


def slope_per_day(points: Sequence[Point]) -> float:
    """Return the Theil-Sen slope; 0 of fewer than two days."""
    slopes = [
        (later.value - earlier.value) / (later.day - earlier.day)
        for place, earlier in enumerate(points)
        for later in points[place + 1 :]
        if later.day != earlier.day
    ]
    return median(slopes) if slopes else 0.0


def clearest_change(points: Sequence[Point]) -> Change | None:
    """Find where a series steps to another level; None where no step is sure.

    The place is the one that leaves the least absolute deviation from the two medians; the step is weighed by the
    scatter about them (MAD) and by how many days lie on each side.
    """
    splits = range(LEAST_SIDE, len(points) - LEAST_SIDE + 1)
    values = [one.value for one in points]
    place = min(splits, key=lambda at: _deviation(values[:at]) + _deviation(values[at:]), default=None)
    if place is None:
        return None
    low, high = median(values[:place]), median(values[place:])
    scatter = median([*(abs(one - low) for one in values[:place]), *(abs(one - high) for one in values[place:])])
    # A level that never moves has no scatter; a hundredth of itself stands in for it.
    floor = max(0.01 * max(abs(low), abs(high)), 1e-9)
    error = max(scatter * MAD_TO_SIGMA, floor) * math.sqrt(1 / place + 1 / (len(values) - place))
    sureness = abs(high - low) / error
    return Change(points[place].day, low, high, sureness) if sureness >= SURE else None


def _deviation(values: Sequence[float]) -> float:
    middle = median(values)
    return sum(abs(one - middle) for one in values)


def trend(points: Sequence[Point]) -> Trend:
    """Describe a series."""
    return Trend(slope_per_day(points), clearest_change(points))


def series(days: Sequence[Rolled], value: Callable[[Rolled], float | None]) -> list[Point]:
    """Return the days that have a value."""
    found = ((day.begins_at.toordinal(), value(day)) for day in days)
    return [Point(ordinal, one) for ordinal, one in found if one is not None]


def response_ms(day: Rolled) -> float | None:
    """Return a day's median response time."""
    return day.response_p50_ms


def up_share(day: Rolled) -> float | None:
    """Return the share of a day's checks that succeeded."""
    return day.successes / day.checks if day.checks else None


def bandwidth_kbps(day: Rolled) -> float | None:
    """Return a day's mean bandwidth."""
    return day.bandwidth_kbps


def what_gets_worse(days: Sequence[Rolled]) -> list[Worse]:
    """Say how a stream gets worse, comparing its last week with the weeks before.

    Args:
        days: Of one stream, oldest first; fewer than ten say nothing.
    """
    rules = (_slower, _less_up, _narrower)
    return [found for rule in rules if (found := rule(days)) is not None]


def _slower(days: Sequence[Rolled]) -> Worse | None:
    points = series(days, response_ms)
    levels = _levels(points)
    if levels is None or levels[1] < max(levels[0] * SLOWER_FACTOR, levels[0] + SLOWER_BY_MS):
        return None
    if slope_per_day(points) <= 0 and clearest_change(points) is None:
        return None
    sentence = f"It answers in {levels[1]:.0f} ms, {levels[0]:.0f} ms before."
    return Worse("response_time", _since(points), sentence)


def _less_up(days: Sequence[Rolled]) -> Worse | None:
    points = series(days, up_share)
    if len(points) < LEAST_DAYS:
        return None
    # Shares are averaged: a median would not see that every third day brings some failures.
    before, after = _mean(points[:-RECENT_DAYS]), _mean(points[-RECENT_DAYS:])
    if after >= STILL_FINE or before - after < LESS_UP_BY:
        return None
    bad_days = sum(one.value < 1 for one in points[-RECENT_DAYS:])
    if bad_days < LEAST_SIDE:  # one outage is no trend
        return None
    causes: dict[str, int] = {}
    for day in days[-RECENT_DAYS:]:
        for cause, count in day.causes.items():
            causes[cause] = causes.get(cause, 0) + count
    most = max(causes, key=lambda cause: (causes[cause], cause)) if causes else "unknown"
    sentence = f"{after:.1%} of its checks succeed, {before:.1%} before; most fail by {most}."
    return Worse("uptime", _since(points), sentence)


def _narrower(days: Sequence[Rolled]) -> Worse | None:
    points = series(days, bandwidth_kbps)
    levels = _levels(points)
    if levels is None or levels[1] > levels[0] * NARROWER_FACTOR or clearest_change(points) is None:
        return None
    sentence = f"It carries {levels[1]:.0f} kbit/s, {levels[0]:.0f} kbit/s before."
    return Worse("bandwidth", _since(points), sentence)


def _levels(points: Sequence[Point]) -> tuple[float, float] | None:
    """Return the medians of the weeks before and of the last week."""
    if len(points) < LEAST_DAYS:
        return None
    return median(one.value for one in points[:-RECENT_DAYS]), median(one.value for one in points[-RECENT_DAYS:])


def _since(points: Sequence[Point]) -> date:
    change = clearest_change(points)
    return date.fromordinal(change.day if change is not None else points[-RECENT_DAYS].day)


def _mean(points: Sequence[Point]) -> float:
    return sum(one.value for one in points) / len(points)


def begins(day: date, like: datetime) -> datetime:
    """Return the moment at which a day (UTC) begins."""
    return like.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0, second=0, microsecond=0)
