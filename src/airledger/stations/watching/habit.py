"""When a stream is usually off: learnt from which hours of the last eight weeks it played and failed in.

Many stations sign off at night or at weekends. A stream that is off when it always is off has no fault. An hour is
*expected off* where the last days agree on it (for stations that close every night), or the same weekday of the last
weeks (for those with a week's programme). A day without any sound teaches nothing: that is an outage, not a habit.

Hours are those of the station's own clock, so that a habit outlives the change to summer time; the caller shifts.
"""

import struct
from typing import NamedTuple

HOUR_S = 3_600
DAY_HOURS = 24
DAYS_KEPT = 56
BRIDGED_S = 26 * HOUR_S  # between two equal checks this close, the hours between them are held to be alike
NIGHTLY_DAYS = 7
NIGHTLY_LEAST = 3
NIGHTLY_SHARE = 0.8
WEEK_DAYS = 7
WEEKLY_LEAST = 2
WEEKLY_SHARE = 0.8
WEEKLY_HALF_LIFE_DAYS = 21
LIVED_HOURS = 3
EDGE_SHARE = 0.1
TOLERANCE_S = 1_200.0
LOOK_AHEAD_HOURS = 24
_DAY = struct.Struct("<III")

Day = tuple[int, int, int]  # days since 1970, a bit for each hour in which it played, likewise in which it failed


class Habit(NamedTuple):
    """What was seen of a stream, hour by hour.

    Attributes:
        today: The newest day.
        past: The days before it in which it was seen, newest first, at most 55.
    """

    today: Day = (0, 0, 0)
    past: tuple[Day, ...] = ()


NO_HABIT = Habit()


def seen(habit: Habit, at_s: float, *, is_on: bool, since_s: float | None = None) -> Habit:
    """Note that a stream played, or failed for certain.

    Args:
        habit: What was seen before.
        at_s: When, in seconds since 1970 by the station's clock.
        is_on: Whether it played.
        since_s: The check before, where that saw the same: the hours between are noted too unless it is long ago.
    """
    last = int(at_s // HOUR_S)
    is_bridged = since_s is not None and 0 <= at_s - since_s <= BRIDGED_S
    first = int(since_s // HOUR_S) if since_s is not None and is_bridged else last
    for hour in range(first, last + 1):
        habit = _noted(habit, hour, is_on=is_on)
    return habit


def has_been_off(habit: Habit) -> bool:
    """Tell whether there is anything to learn from."""
    return bool(habit.today[2]) or any(off for _, _, off in habit.past)


def is_expected_off(habit: Habit, at_s: float) -> bool:
    """Tell whether a stream is usually off at a time, or is so within twenty minutes: nobody signs off to the second.

    Hours at the edge of those count, too, where it has been off in a tenth of the days.
    """
    hours = {int((at_s + beside_s) // HOUR_S) for beside_s in (-TOLERANCE_S, 0.0, TOLERANCE_S)}
    return any(_is_off_hour(habit, hour) for hour in hours)


def _is_off_hour(habit: Habit, hour: int) -> bool:
    share = _share_off(habit, hour)
    if share is None:
        return False
    if _is_habit(share):
        return True
    if max(share) < EDGE_SHARE:
        return False
    return any(_is_habit(beside) for step in (-1, 1) if (beside := _share_off(habit, hour + step)) is not None)


def expected_on_in_s(habit: Habit, at_s: float) -> float:
    """Return the seconds until a stream that is off is expected back, at most a day; 0 where it should be on."""
    for ahead in range(LOOK_AHEAD_HOURS):
        if not _is_off_hour(habit, int(at_s // HOUR_S) + ahead):
            return ahead * HOUR_S - at_s % HOUR_S if ahead else 0.0
    return float(LOOK_AHEAD_HOURS * HOUR_S)


def off_hours(habit: Habit, day_s: float) -> list[bool]:
    """Return for each hour of the week that begins at `day_s` whether it is expected off: 168 values."""
    first = int(day_s // HOUR_S)
    return [_is_off_hour(habit, first + hour) for hour in range(WEEK_DAYS * DAY_HOURS)]


def packed(habit: Habit) -> bytes:
    """Return a habit as bytes: twelve for each day, newest first."""
    return b"".join(_DAY.pack(*day) for day in (habit.today, *habit.past))


def unpacked(data: bytes) -> Habit:
    """Return a habit from its bytes."""
    today, *past = _DAY.iter_unpack(data)
    return Habit(today, tuple(past))


def _noted(habit: Habit, hour: int, *, is_on: bool) -> Habit:
    number, place = divmod(hour, DAY_HOURS)
    bit = 1 << place
    today, on, off = habit.today
    if number < today:  # clocks go back an hour in autumn
        return habit
    past = habit.past
    if number > today:
        if on or off:
            oldest = number - DAYS_KEPT
            past = tuple(day for day in (habit.today, *past[: DAYS_KEPT - 2]) if day[0] > oldest)
        today, on, off = number, 0, 0
    elif (on if is_on else off) & bit:
        return habit
    return Habit((today, on | bit, off) if is_on else (today, on, off | bit), past)


def _is_habit(shares: tuple[float, float]) -> bool:
    return shares[0] >= NIGHTLY_SHARE or shares[1] >= WEEKLY_SHARE


def _share_off(habit: Habit, hour: int) -> tuple[float, float] | None:
    """Return in which share of the last days, and of the same weekdays, an hour was off; None where never."""
    number, place = divmod(hour, DAY_HOURS)
    bit = 1 << place
    lived = {day for day, on, _ in habit.past if on.bit_count() >= LIVED_HOURS}
    nights = nights_off = 0
    weeks, weight_off, weight_all = 0, 0.0, 0.0
    for day, on, off in habit.past:
        if day >= number or not (on | off) & bit:
            continue
        is_off = bool(off & bit)
        if nights < NIGHTLY_DAYS and number - day <= 2 * NIGHTLY_DAYS and day in lived:
            nights, nights_off = nights + 1, nights_off + is_off
        if (number - day) % WEEK_DAYS == 0 and {day - 1, day, day + 1} & lived:
            weight = 0.5 ** ((number - day) / WEEKLY_HALF_LIFE_DAYS)
            weeks, weight_off, weight_all = weeks + 1, weight_off + weight * is_off, weight_all + weight
    if not nights_off and not weight_off:
        return None
    return (
        nights_off / nights if nights >= NIGHTLY_LEAST else 0.0,
        weight_off / weight_all if weeks >= WEEKLY_LEAST else 0.0,
    )
