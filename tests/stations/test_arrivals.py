import time

import pytest

from airledger.stations.tuner.arrivals import Arrivals


def test_sound_is_dated_by_its_bytes() -> None:
    arrivals = Arrivals()
    begin = time.time() - 100
    for number in range(10):
        arrivals.note((number + 1) * 1_000, begin + number)
    assert arrivals.end_of(0, 1.0) == pytest.approx(begin + 1)
    assert arrivals.end_of(999, 1.0) == pytest.approx(begin + 1)
    assert arrivals.end_of(4_500, 0.5) == pytest.approx(begin + 4.5)


def test_a_burst_has_arrived_by_now() -> None:
    arrivals = Arrivals()
    arrivals.note(64_000, time.time())
    assert arrivals.end_of(0, 1.0) <= time.time()


@pytest.mark.parametrize("position", [-1, 5_000])
def test_what_is_not_known_came_now(position: int) -> None:
    arrivals = Arrivals()
    arrivals.note(1_000, 5.0)
    assert arrivals.end_of(position, 1.0) == pytest.approx(time.time(), abs=5)


def test_nothing_grows() -> None:
    arrivals = Arrivals()
    for number in range(10_000):
        arrivals.note(number, float(number))
    assert arrivals.end_of(0, 0.0) == 10_000 - 4_096
