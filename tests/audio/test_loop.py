import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from airledger.audio.loop import find_loop
from made_sound import decoded_8k, encoded, melody

RATE_HZ = 8000


def looped(period_s: float, total_s: float, seed: int = 1) -> NDArray[np.float32]:
    once = melody(period_s, RATE_HZ, seed=seed)
    return np.tile(once, int(total_s / period_s) + 2)[: int(total_s * RATE_HZ)]


@settings(max_examples=15, deadline=None)
@given(st.floats(5.0, 23.0), st.integers(0, 10_000))
def test_a_loop_is_found_wherever_it_is_entered(period_s: float, entered_at: int) -> None:
    samples = int(period_s * RATE_HZ)
    sound = looped(samples / RATE_HZ, 67)[entered_at : entered_at + 65 * RATE_HZ]
    found = find_loop(sound, 3.0, 30.0)
    assert found == pytest.approx(samples / RATE_HZ, abs=0.001)


@pytest.mark.parametrize(("kind", "bit_rate"), [("mp3", 64000), ("aac", 48000), ("opus", 32000)])
def test_a_twenty_second_loop_is_found_through_a_lossy_codec(kind: str, bit_rate: int) -> None:
    once = melody(20.0137)
    sound = np.tile(once, 4)[: 62 * 44100]
    heard = decoded_8k(encoded(sound, kind, bit_rate=bit_rate), kind)
    assert find_loop(heard, 5.0, 30.0) == pytest.approx(20.0137, abs=0.002)


def test_bars_repeated_under_a_changing_melody_are_no_loop() -> None:
    bars = looped(2.0, 65, seed=5)
    above = melody(65.0, RATE_HZ, seed=6)
    assert find_loop(bars + above[: len(bars)], 1.5, 30.0) is None


def test_one_differing_second_in_a_minute_refutes_a_loop() -> None:
    sound = looped(20.0, 65).copy()
    sound[30 * RATE_HZ : 31 * RATE_HZ] = melody(1.0, RATE_HZ, seed=99)
    assert find_loop(sound, 5.0, 30.0) is None


@pytest.mark.parametrize("seed", range(5))
def test_music_is_no_loop(seed: int) -> None:
    assert find_loop(melody(65.0, RATE_HZ, seed=seed), 3.0, 30.0) is None


def test_what_equals_itself_at_any_distance_is_no_loop() -> None:
    time_s = np.arange(65 * RATE_HZ) / RATE_HZ
    tone = (0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    hum = (0.3 * np.sin(2 * np.pi * 50 * time_s) + 0.1 * np.sin(2 * np.pi * 150 * time_s)).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 0.1, len(time_s)).astype(np.float32)
    for sound in (tone, hum, noise, np.zeros(65 * RATE_HZ, np.float32), tone[:10], tone[:0]):
        assert find_loop(sound, 3.0, 30.0) is None


def test_too_few_passes_prove_nothing() -> None:
    assert find_loop(looped(20.0, 50), 5.0, 30.0) is None
