import numpy as np
import pytest
from numpy.typing import NDArray

from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from airledger.listening.stuck import StuckSound
from listening_house import RATE_HZ, made_song

PARAMS = PROFILES["balanced"]


def hear(stuck: StuckSound, sound: NDArray[np.float32], begin_s: float = 1_000.0) -> list[str | None]:
    said = []
    for at in range(0, len(sound) - 10 * RATE_HZ + 1, 5 * RATE_HZ):
        window = sound[at : at + 10 * RATE_HZ]
        pcm = (window * 32_000).astype(np.int16)
        said.append(stuck.take(begin_s + at / RATE_HZ, pcm, extract(window, PARAMS, dense="query")))
    return said


def noisy(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """As after a codec: never quite the same twice."""
    made: NDArray[np.float32] = (sound + 0.002 * np.random.default_rng(4).standard_normal(len(sound))).astype(
        np.float32
    )
    return made


@pytest.mark.parametrize("period_s", [4, 17])
def test_a_loop_is_noticed_while_it_goes_round(period_s: int) -> None:
    said = hear(StuckSound(), noisy(np.tile(made_song(3, period_s), 260 // period_s)))
    assert said[0] is None
    assert said[-1] == f"the same {period_s:.1f} s again and again"


def test_music_is_not_stuck() -> None:
    assert set(hear(StuckSound(), made_song(5, 300))) == {None}


def test_a_loop_that_ends_is_forgiven() -> None:
    stuck = StuckSound()
    looped = noisy(np.tile(made_song(3, 10), 25))
    assert hear(stuck, looped)[-1] is not None
    assert hear(stuck, made_song(6, 260), 1_245.0)[-1] is None


def test_a_held_tone_is_noticed_and_a_change_ends_it() -> None:
    stuck = StuckSound()
    tone = (0.3 * np.sin(2 * np.pi * 1_000 * np.arange(60 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    said = hear(stuck, tone)
    assert said[0] is None
    assert said[-1] == "tone"
    assert hear(stuck, made_song(6, 30), 1_055.0)[-1] is None


def test_silence_and_gaps_start_anew() -> None:
    stuck = StuckSound()
    looped = noisy(np.tile(made_song(3, 10), 25))
    assert hear(stuck, looped)[-1] is not None
    assert stuck.take(1_250.0, np.zeros(80_000, np.int16), None) is None
    assert hear(stuck, looped, 2_000.0)[0] is None
