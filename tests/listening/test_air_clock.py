import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.listening.air_clock import RATE_HZ, AirClock


def test_a_burst_is_dated_back() -> None:
    clock = AirClock()
    clock.heard(4 * RATE_HZ, 100.0)  # four seconds of sound at once
    for second in range(1, 20):
        clock.heard((4 + second) * RATE_HZ, 100.0 + second)
    assert clock.air_time(0) == pytest.approx(96.0)


def test_a_stall_moves_the_clock_only_after_a_while() -> None:
    clock = AirClock()
    for second in range(1, 30):
        clock.heard(second * RATE_HZ, 100.0 + second)
    clock.heard(30 * RATE_HZ, 150.0)
    assert clock.air_time(0) == pytest.approx(100.0)
    for second in range(31, 140):
        clock.heard(second * RATE_HZ, 120.0 + second)
    assert clock.air_time(0) == pytest.approx(120.0)


def test_a_date_in_the_stream_wins_unless_it_is_absurd() -> None:
    clock = AirClock()
    clock.heard(RATE_HZ, 1_000.0)
    clock.told(0, 990.0, 1_000.0)
    assert clock.air_time(RATE_HZ) == pytest.approx(991.0)
    absurd = AirClock()
    absurd.heard(RATE_HZ, 100_000.0)
    absurd.told(0, 5.0, 100_000.0)
    assert absurd.air_time(0) == pytest.approx(99_999.0)


def test_before_any_sound_it_says_so() -> None:
    with pytest.raises(LookupError):
        AirClock().air_time(0)


@given(st.lists(st.floats(0, 3), min_size=5, max_size=60))
def test_network_jitter_only_ever_makes_it_late(jitter: list[float]) -> None:
    clock = AirClock()
    for second, late_s in enumerate(jitter, start=1):
        clock.heard(second * RATE_HZ, second + late_s)
    assert clock.air_time(0) >= 0
    assert clock.air_time(0) <= min(jitter) + 1e-6


@settings(deadline=None, max_examples=20)
@given(drift=st.floats(-500e-6, 500e-6), hours=st.integers(1, 6))
def test_a_sample_clock_that_runs_fast_or_slow_is_followed(drift: float, hours: int) -> None:
    clock, last_s = AirClock(), hours * 3_600
    for second in range(2, last_s, 2):
        clock.heard(round(second * (1 + drift) * RATE_HZ), 1_000.0 + second + (0.4 if second % 7 else 0.0))
    newest = round((last_s - 2) * (1 + drift) * RATE_HZ)
    assert clock.air_time(newest) == pytest.approx(1_000.0 + last_s - 2, abs=0.1)
