from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.recognition.usual_speed import UsualSpeed


def test_nothing_is_known_at_first() -> None:
    assert UsualSpeed(None).speed is None
    assert UsualSpeed(1.02).speed == 1.02


@given(st.lists(st.floats(0.9, 1.1), max_size=4))
def test_a_few_songs_in_another_tempo_change_nothing(odd: list[float]) -> None:
    usual = UsualSpeed(None)
    for _ in range(5):
        usual.learn(uuid4(), 1.01, 1.01, 0.999)
    for speed in odd:
        usual.learn(uuid4(), speed, speed, 0.999)
    assert usual.speed == 1.01


def test_a_station_that_changes_is_followed() -> None:
    usual = UsualSpeed(1.0)
    for _ in range(6):
        usual.learn(uuid4(), 1.03, 1.03, 1.0)
    assert usual.speed == pytest.approx(1.03)


def test_what_is_doubtful_or_only_stretched_says_nothing() -> None:
    usual = UsualSpeed(None)
    usual.learn(uuid4(), 1.03, 1.03, 0.7)
    usual.learn(uuid4(), 1.03, 1.0, 1.0)
    usual.learn(uuid4(), 1.3, 1.3, 1.0)
    assert usual.speed is None


def test_many_windows_of_one_recording_count_once() -> None:
    usual, song = UsualSpeed(None), uuid4()
    for _ in range(20):
        usual.learn(song, 1.05, 1.05, 1.0)
    usual.learn(uuid4(), 1.0, 1.0, 1.0)
    usual.learn(uuid4(), 1.0, 1.0, 1.0)
    assert usual.speed == 1.0
