"""What is learnt of a week: nights, weekends, and nothing from outages."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.watching.habit import (
    DAYS_KEPT,
    HOUR_S,
    NO_HABIT,
    Habit,
    expected_on_in_s,
    has_been_off,
    is_expected_off,
    off_hours,
    packed,
    seen,
    unpacked,
)

DAY_S = 86_400
MONDAY_S = 4 * DAY_S  # 5 January 1970


def lived(days: int, is_on: Callable[[float], bool], *, every_s: float = 3_500, start_s: float = MONDAY_S) -> Habit:
    habit, at_s, before = NO_HABIT, start_s, None
    while at_s < start_s + days * DAY_S:
        now_on = is_on(at_s)
        habit = seen(habit, at_s, is_on=now_on, since_s=before[0] if before and before[1] == now_on else None)
        before = (at_s, now_on)
        at_s += every_s
    return habit


def hour(at_s: float) -> float:
    return at_s % DAY_S / HOUR_S


def weekday(at_s: float) -> int:
    return int(at_s - MONDAY_S) // DAY_S % 7


def closed_at_night(at_s: float) -> bool:
    return 5.5 <= hour(at_s) < 23.25


def closed_at_weekends(at_s: float) -> bool:
    return weekday(at_s) < 5


@pytest.mark.parametrize("nights", [4, 10, 50])
def test_nights_are_learnt_within_days(nights: int) -> None:
    habit = lived(nights, closed_at_night)
    tonight = MONDAY_S + nights * DAY_S
    assert is_expected_off(habit, tonight + 2 * HOUR_S)
    assert is_expected_off(habit, tonight + 23.9 * HOUR_S)
    assert not is_expected_off(habit, tonight + 12 * HOUR_S)
    assert 2 * HOUR_S <= expected_on_in_s(habit, tonight + 3 * HOUR_S) <= 3 * HOUR_S


def test_weekends_are_learnt_within_weeks() -> None:
    habit = lived(21, closed_at_weekends)
    week = off_hours(habit, MONDAY_S + 21 * DAY_S)
    assert week[5 * 24 + 12]
    assert week[6 * 24 + 3]
    assert not any(week[hour] for hour in range(1, 5 * 24 - 1))


def test_a_habit_that_ends_is_forgotten() -> None:
    habit = lived(30, closed_at_night)
    habit_after = habit
    for at_s in range(MONDAY_S + 30 * DAY_S, MONDAY_S + 38 * DAY_S, 3_000):
        habit_after = seen(habit_after, at_s, is_on=True)
    assert is_expected_off(habit, MONDAY_S + 30 * DAY_S + 2 * HOUR_S)
    assert not is_expected_off(habit_after, MONDAY_S + 38 * DAY_S + 2 * HOUR_S)


def test_an_outage_of_days_is_no_habit() -> None:
    habit = lived(20, lambda at_s: at_s < MONDAY_S + 14 * DAY_S)
    assert not any(off_hours(habit, MONDAY_S + 20 * DAY_S))


def test_scattered_outages_are_no_habit() -> None:
    chance = random.Random(1)  # noqa: S311  a test's own chance
    starts = [MONDAY_S + chance.uniform(0, 56 * DAY_S) for _ in range(12)]
    habit = lived(56, lambda at_s: not any(start <= at_s < start + 4 * HOUR_S for start in starts))
    assert has_been_off(habit)
    assert sum(off_hours(habit, MONDAY_S + 56 * DAY_S)) == 0


SEEN = st.lists(st.tuples(st.floats(0, 400 * DAY_S), st.booleans(), st.booleans()), max_size=80)


@given(SEEN)
def test_whatever_was_seen_a_habit_is_kept_exactly_and_bounded(checks: list[tuple[float, bool, bool]]) -> None:
    habit, before_s = NO_HABIT, None
    for at_s, is_on, is_same in sorted(checks):
        habit = seen(habit, at_s, is_on=is_on, since_s=before_s if is_same else None)
        before_s = at_s
        today, *past = habit.today, *habit.past
        assert [day[0] for day in past] == sorted((day[0] for day in past), reverse=True)
        assert all(today[0] - DAYS_KEPT < day[0] < today[0] for day in past)
        assert unpacked(packed(habit)) == habit
    if checks and not any(is_on for _, is_on, _ in checks):
        assert not any(off_hours(habit, max(at_s for at_s, _, _ in checks)))


def test_seeing_the_same_again_changes_nothing() -> None:
    once = seen(NO_HABIT, 100.0, is_on=True)
    assert seen(once, 200.0, is_on=True) is once
