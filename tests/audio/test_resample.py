import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from airledger.audio.resample import to_8k

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000]


def sine(frequency_hz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(rate=st.sampled_from(RATES), frequency_hz=st.floats(20, 3100))
def test_what_8_khz_can_hold_keeps_its_place_and_height(rate: int, frequency_hz: float) -> None:
    made = to_8k(sine(frequency_hz, rate), rate)
    expected = sine(frequency_hz, 8000)
    assert len(made) == 8000
    assert np.abs(made - expected)[100:-100].max() < 0.02


@settings(max_examples=30, deadline=None)
@given(rate=st.sampled_from([rate for rate in RATES if rate >= 22050]), frequency_hz=st.floats(4800, 10000))
def test_what_8_khz_cannot_hold_is_gone(rate: int, frequency_hz: float) -> None:
    assert np.abs(to_8k(sine(frequency_hz, rate), rate))[200:-200].max() < 0.01


@pytest.mark.parametrize("rate", [11025, 22050, 44100, 48000])
def test_it_agrees_with_scipy(rate: int) -> None:
    noise = np.random.default_rng(1).standard_normal(rate).astype(np.float32)
    common = int(np.gcd(rate, 8000))
    expected = resample_poly(noise, 8000 // common, rate // common)
    made = to_8k(noise, rate)
    spectrum, wanted = np.abs(np.fft.rfft(made)), np.abs(np.fft.rfft(expected))
    band = slice(50, 3200)
    assert np.corrcoef(spectrum[band], wanted[band])[0, 1] > 0.999


@settings(max_examples=50, deadline=None)
@given(rate=st.integers(1000, 200_000), samples=st.integers(0, 3000))
def test_any_rate_and_length_gives_as_many_samples_as_time(rate: int, samples: int) -> None:
    made = to_8k(np.ones(samples, np.float32), rate)
    assert len(made) == -(-samples * 8000 // rate)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()


def test_a_constant_stays() -> None:
    made = to_8k(np.full(44100, 0.5, np.float32), 44100)
    assert np.abs(made[50:-50] - 0.5).max() < 1e-4


@pytest.mark.parametrize("rate", [0, -1, 999, 10_000_000])
def test_absurd_rates_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="sample rate"):
        to_8k(np.zeros(100, np.float32), rate)


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match="float32"):
        to_8k(np.zeros(100, np.int32), 44100)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_samples_of_16_bits_are_taken_as_they_are(rate: int) -> None:
    pcm = (20_000 * sine(440, rate)).astype(np.int16)
    np.testing.assert_allclose(to_8k(pcm, rate), to_8k(pcm.astype(np.float32) / np.float32(32768), rate), atol=1e-6)
