"""What a vector of sound holds, against formulas computed another way and sounds whose values are known."""

import numpy as np
import pytest
from scipy.fft import dct
from scipy.signal import butter, sosfilt

from airledger.audio.fidelity import bandwidth_hz, channel_likeness, clipped_share, gaps_per_minute
from airledger.audio.loop import measure_loop
from airledger.audio.loudness import k_weighting, loudness_lufs
from airledger.audio.mfcc import log_mel, mel_filters, mfcc
from airledger.audio.short_time import bin_frequencies, centroid_hz, crossing_rate, flatness, power_spectra, rolloff_hz
from airledger.audio.sound_vector import (
    SOUND_COLUMNS,
    WINDOW_COLUMNS,
    sound_vector,
    window_vectors,
)

RATE_HZ = 44_100


def sine(frequency_hz: float, seconds: float, rate_hz: int = RATE_HZ, peak: float = 0.5) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def noise(seconds: float, rate_hz: int = RATE_HZ, level: float = 0.1) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(int(seconds * rate_hz)) * level).astype(np.float32)


def test_a_tone_s_weight_lies_at_its_frequency() -> None:
    power = power_spectra(sine(1000, 1, 8000), 256, 128)
    frequencies = bin_frequencies(256, 8000)
    assert centroid_hz(power, frequencies) == pytest.approx(1000, abs=5)
    assert rolloff_hz(power, frequencies) == pytest.approx(1000, abs=32)
    assert crossing_rate(sine(1000, 1, 8000), 256, 128).mean() == pytest.approx(0.25, abs=0.01)


def test_white_noise_is_as_flat_as_theory_says() -> None:
    assert flatness(power_spectra(noise(5, 8000), 256, 128)).mean() == pytest.approx(np.exp(-np.euler_gamma), abs=0.02)


def test_mfcc_are_the_orthonormal_cosine_transform_of_band_levels() -> None:
    power = power_spectra(noise(1, 8000), 256, 128)
    levels = log_mel(power, mel_filters(256, 8000, 26, 100.0, 3800.0))
    np.testing.assert_allclose(mfcc(levels, 13), dct(levels, type=2, norm="ortho", axis=1)[:, :13], atol=1e-9)


def test_loudness_is_what_the_standard_lists_for_48_khz() -> None:
    (shelf_b, shelf_a), (_, pass_a) = k_weighting(48_000)
    np.testing.assert_allclose(shelf_b, [1.53512485958697, -2.69169618940638, 1.19839281085285], atol=1e-9)
    np.testing.assert_allclose(shelf_a, [1, -1.69065929318241, 0.73248077421585], atol=1e-9)
    np.testing.assert_allclose(pass_a, [1, -1.99004745483398, 0.99007225036621], atol=1e-9)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_a_full_scale_tone_in_one_channel_measures_minus_3(rate_hz: int) -> None:
    # BS.1770-4: a 997 Hz sine of 0 dBFS in one front channel reads -3.01 LKFS.
    assert loudness_lufs(sine(997, 5, rate_hz, 1.0)[:, None], rate_hz) == pytest.approx(-3.01, abs=0.05)


def test_loudness_ignores_pauses() -> None:
    tone = sine(997, 5)
    with_pause = np.concatenate([tone, np.zeros_like(tone)])
    assert loudness_lufs(with_pause[:, None], RATE_HZ) == pytest.approx(loudness_lufs(tone[:, None], RATE_HZ), abs=0.2)


@pytest.mark.parametrize("cut_hz", [4000, 8000, 15_000])
def test_bandwidth_is_where_an_encoder_s_low_pass_cuts(cut_hz: int) -> None:
    sections = butter(20, cut_hz, output="sos", fs=RATE_HZ)
    cut = sosfilt(sections, noise(5)).astype(np.float32)
    assert bandwidth_hz(cut, RATE_HZ) == pytest.approx(cut_hz, rel=0.6, abs=0)
    assert bandwidth_hz(cut, RATE_HZ) > 0.9 * cut_hz
    assert bandwidth_hz(noise(5), RATE_HZ) > 21_000


def test_flat_tops_are_clipping_and_peaks_are_not() -> None:
    clipped = np.clip(3 * sine(200, 2), -0.9, 0.9)[:, None]
    assert clipped_share(clipped) > 0.3
    assert clipped_share(noise(2)[:, None]) < 1e-4


def test_holes_amid_sound_are_counted() -> None:
    holed = noise(10)
    for second in (2, 5, 8):
        holed[second * RATE_HZ : second * RATE_HZ + 2000] = 0
    assert gaps_per_minute(holed[:, None], RATE_HZ) == pytest.approx(18)
    assert gaps_per_minute(noise(10)[:, None], RATE_HZ) == 0


def test_channels_are_compared() -> None:
    left = noise(1)
    assert channel_likeness(np.column_stack([left, left])) == pytest.approx(1)
    assert channel_likeness(np.column_stack([left, -left])) == pytest.approx(-1)
    assert channel_likeness(left[:, None]) == 1


def test_a_loop_measures_near_one_and_noise_near_nothing() -> None:
    melody = np.concatenate([noise(1, 8000) * (1 + number) / 5 for number in range(5)])
    piece = melody + np.random.default_rng(2).standard_normal(len(melody)).astype(np.float32) * 0.05
    period, likeness = measure_loop(np.tile(piece, 4), 2.0, 30.0)
    assert period == pytest.approx(5, abs=0.01)
    assert likeness > 0.9
    assert measure_loop(noise(20, 8000), 2.0, 30.0)[1] < 0.2


@pytest.mark.parametrize("sound", [np.zeros(5 * RATE_HZ, np.float32), sine(440, 5), noise(5)])
def test_vectors_are_whole_and_finite(sound: np.ndarray) -> None:
    narrow = sound[:: RATE_HZ // 8000 + 1][: 5 * 8000]
    narrow = np.pad(narrow, (0, 5 * 8000 - len(narrow)))
    whole = sound_vector(sound[:, None], RATE_HZ, narrow)
    assert whole.shape == (len(SOUND_COLUMNS),)
    assert np.isfinite(whole).all()
    windows = window_vectors(narrow)
    assert windows.shape == (2, len(WINDOW_COLUMNS))
    assert np.isfinite(windows).all()


def test_what_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        window_vectors(np.zeros(100, np.float32))
    with pytest.raises(ValueError, match="4 s"):
        sound_vector(np.zeros((100, 1), np.float32), RATE_HZ, np.zeros(100, np.float32))
