from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from airledger.listening.archive_names import AMBIGUOUS, Dated
from airledger.listening.archive_place import Placed, place

TWO = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)
TWO_S = TWO.timestamp()


def named(moment: datetime) -> Dated:
    return Dated(moment, 1.0, "name")


def test_the_first_file_is_where_its_name_says() -> None:
    assert place(None, named(TWO)) == Placed(TWO_S, 0.0, is_joined=False)


def test_a_gap_and_an_overlap() -> None:
    assert place(TWO_S - 10, named(TWO)) == Placed(TWO_S, 0.0, is_joined=False)
    assert place(TWO_S + 10, named(TWO)) == Placed(TWO_S, 10.0, is_joined=False)


@given(st.floats(-1, 2))
def test_near_files_are_joined_within_the_named_second(ahead_s: float) -> None:
    placed = place(TWO_S + ahead_s, named(TWO))
    assert placed.is_joined
    assert TWO_S <= placed.begin_s <= TWO_S + 1.0


def test_padding_does_not_add_up_over_a_day() -> None:
    until_s = TWO_S
    for hour in range(24):
        placed = place(until_s, named(TWO + timedelta(hours=hour)))
        assert placed.is_joined
        assert abs(placed.begin_s - (TWO_S + 3_600 * hour)) < 0.1
        until_s = placed.begin_s + 3_600.052


def test_a_recorder_whose_clock_drifts_is_followed() -> None:
    until_s = TWO_S
    for hour in range(200):
        name = TWO + timedelta(seconds=int(3_599.9 * hour))
        placed = place(until_s, named(name))
        assert placed.is_joined
        until_s = placed.begin_s + 3_599.9


def test_an_ambiguous_hour_is_read_as_it_continues() -> None:
    twice = Dated(TWO, 1.0, "name", AMBIGUOUS, TWO + timedelta(hours=1))
    assert place(None, twice).begin_s == TWO_S
    assert place(TWO_S + 0.01, twice).begin_s == TWO_S
    assert place(TWO_S + 3_600.02, twice).begin_s == TWO_S + 3_600
