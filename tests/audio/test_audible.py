import numpy as np
import pytest

from airledger.audio.audible import audible_span


def test_silence_around_a_sound_is_left_out() -> None:
    tone = 0.1 * np.sin(np.arange(16_000) / 3).astype(np.float32)
    sound = np.concatenate([np.zeros(8_000, np.float32), tone, np.zeros(4_000, np.float32)])
    assert audible_span(sound) == pytest.approx((1.0, 3.0), abs=0.011)
    assert audible_span((sound * 32_767).astype(np.int16)) == pytest.approx((1.0, 3.0), abs=0.011)


def test_a_fade_ends_where_it_drops_below_hearing() -> None:
    noise = np.random.default_rng(1).standard_normal(80_000).astype(np.float32) * 0.1
    faded = noise * 10 ** (-np.arange(80_000) / 80_000 * 100 / 20).astype(np.float32)
    start_s, end_s = audible_span(faded)
    assert start_s == 0.0
    assert 2.7 < end_s < 3.3  # -20 dB at 10 dB a second reaches -50 dBFS after three


def test_what_is_never_loud_counts_whole() -> None:
    assert audible_span(np.zeros(8_000, np.float32)) == (0.0, 1.0)
    assert audible_span(np.zeros(0, np.float32)) == (0.0, 0.0)
