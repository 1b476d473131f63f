"""Recognising a stream that plays the same few seconds for ever.

A loop repeats the very samples, but for what a lossy codec does to them; music that repeats bars is played or mixed
anew each time, or has something else on top. So a loop is claimed only where the waveform (below 1 kHz, where codecs
are most faithful) is nearly identical one period apart in *every* second of the whole overlap, and where the sound
changes enough within a period for that to mean anything (a held tone equals itself at any distance).
"""

import numpy as np
from numpy.typing import NDArray

from airledger.audio.features import SILENCE_DBFS, SOUND_RATE_HZ, Pcm, as_float, level_dbfs

STEP = 4
COARSE_RATE_HZ = SOUND_RATE_HZ // STEP
PASSES = 2.75
"""So many times must the period fit into the sound."""
CANDIDATE_CORRELATION = 0.5
# Measured one period apart, per second: MP3 at 64 kbit/s at worst 0.94 (median 0.98), AAC at 48 0.79 (0.97), Opus at
# 32 0.80 (0.98). A second that differs has about 0, one that differs by half about 0.5.
SAME_CORRELATION = 0.6
SAME_MEDIAN_CORRELATION = 0.93
SOUNDING_SHARE = 0.5
CONTRAST_SHARE = 0.7
CANDIDATES = 5
NEIGHBOURHOOD_S = (0.05, 0.5)


def find_loop(pcm: Pcm, min_period_s: float, max_period_s: float) -> float | None:
    """Find the period of a loop.

    Args:
        pcm: mono at 8 kHz. A period is looked for only if it fits 2.75 times: 55 s of sound find a 20-second loop.
        min_period_s: shortest period to look for, at least 1.
        max_period_s: longest.

    Returns:
        The shortest period, in seconds (± 1 ms), or None.
    """
    if not len(pcm):
        return None
    fine = _low_passed(as_float(pcm))
    sound = fine[::STEP]
    longest = min(int(max_period_s * COARSE_RATE_HZ), int(len(sound) / PASSES))
    shortest = int(max(min_period_s, 1.0) * COARSE_RATE_HZ)
    if longest < shortest or not _sounds_mostly(pcm):
        return None
    correlation = _lag_correlation(sound, longest + int(NEIGHBOURHOOD_S[1] * COARSE_RATE_HZ))
    for lag in _peaks(correlation, shortest, longest):
        fine_lag = _refined(fine, lag * STEP)
        if _stands_out(correlation, lag) and _same_throughout(fine, fine_lag):
            return fine_lag / SOUND_RATE_HZ
    return None


def _low_passed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keep what lies below about 850 Hz (a windowed sinc), so that every fourth sample tells nearly all."""
    taps = np.arange(-64, 65)
    low_pass = np.sinc(taps * 0.85 / STEP) * np.hamming(len(taps))
    low_pass /= low_pass.sum()
    size = 1 << int(np.ceil(np.log2(len(sound) + len(taps))))
    spectrum = np.fft.rfft(sound - sound.mean(), size) * np.fft.rfft(low_pass, size)
    return np.fft.irfft(spectrum, size)[64 : 64 + len(sound)].astype(np.float32)


def _refined(fine: NDArray[np.float32], lag: int) -> int:
    """Find the best lag to a sample at 8 kHz: half a coarse sample off, 800 Hz would hardly correlate."""
    lags = range(lag - STEP, lag + STEP + 1)
    return max(lags, key=lambda each: float(np.dot(fine[:-each], fine[each:])) / (len(fine) - each))


def _sounds_mostly(pcm: Pcm) -> bool:
    levels = level_dbfs(pcm)
    return bool(np.mean(levels > SILENCE_DBFS) >= SOUNDING_SHARE)


def _lag_correlation(sound: NDArray[np.float32], longest: int) -> NDArray[np.float64]:
    """Correlate the sound with itself at each lag up to `longest`, normalised by the energy of the overlap."""
    size = 1 << int(np.ceil(np.log2(2 * len(sound))))
    spectrum = np.fft.rfft(sound.astype(np.float64), size)
    products = np.fft.irfft(spectrum * np.conj(spectrum), size)[: longest + 1]
    energy = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    lags = np.arange(longest + 1)
    early = energy[len(sound) - lags]
    late = energy[-1] - energy[lags]
    normalised: NDArray[np.float64] = products / np.sqrt(early * late + 1e-12)
    return normalised


def _peaks(correlation: NDArray[np.float64], shortest: int, longest: int) -> list[int]:
    """Give the lags that are local maxima of likeness: the strongest few, shortest first."""
    inner = correlation[shortest : longest + 1]
    left = correlation[shortest - 1 : longest]
    right = correlation[shortest + 1 : longest + 2]
    right = np.pad(right, (0, len(inner) - len(right)), constant_values=-1.0)
    tops = np.flatnonzero((inner >= left) & (inner >= right) & (inner >= CANDIDATE_CORRELATION))
    strongest = tops[np.argsort(inner[tops])[::-1][:CANDIDATES]]
    return sorted(int(top) + shortest for top in strongest)


def _same_throughout(sound: NDArray[np.float32], lag: int) -> bool:
    """Whether every sounding second equals the one a period later."""
    alike = _likeness(sound, lag)
    return bool(alike.min() >= SAME_CORRELATION and np.median(alike) >= SAME_MEDIAN_CORRELATION)


def _likeness(sound: NDArray[np.float32], lag: int) -> NDArray[np.float64]:
    """Compare each sounding second with the one a period later, 1 for equal ones; a single 0 where none sounds."""
    seconds = (len(sound) - lag) // SOUND_RATE_HZ
    early = sound[: seconds * SOUND_RATE_HZ].reshape(seconds, SOUND_RATE_HZ).astype(np.float64)
    late = sound[lag : lag + seconds * SOUND_RATE_HZ].reshape(seconds, SOUND_RATE_HZ).astype(np.float64)
    early_energy, late_energy = (early**2).sum(axis=1), (late**2).sum(axis=1)
    floor = SOUND_RATE_HZ * 10 ** (SILENCE_DBFS / 10)
    sounding = np.maximum(early_energy, late_energy) > floor
    if not sounding.any():
        return np.zeros(1)
    alike = (early * late).sum(axis=1) / np.maximum(np.maximum(early_energy, late_energy), 1e-12)
    sounding_ones: NDArray[np.float64] = alike[sounding]
    return sounding_ones


def _stands_out(correlation: NDArray[np.float64], lag: int) -> bool:
    """Whether lags nearby match much worse: a held tone or a hum matches itself at any."""
    near, far = (int(distance_s * COARSE_RATE_HZ) for distance_s in NEIGHBOURHOOD_S)
    around = np.concatenate([correlation[max(lag - far, 0) : lag - near], correlation[lag + near : lag + far + 1]])
    return bool(np.percentile(around, 90) < CONTRAST_SHARE * correlation[lag])


def measure_loop(pcm: Pcm, min_period_s: float, max_period_s: float) -> tuple[float, float]:
    """Measure how far sound repeats itself, without judging.

    Args:
        pcm: mono at 8 kHz. A period is looked for only if it fits 2.75 times.
        min_period_s: shortest period to look for, at least 1.
        max_period_s: longest.

    Returns:
        The best period in seconds (0 when there is none to be compared), and how like the worst tenth of its sounding
        seconds are to what comes a period later, 0 to 1: a loop has 0.8 and more, other sound next to nothing.
    """
    if not len(pcm):
        return 0.0, 0.0
    fine = _low_passed(as_float(pcm))
    sound = fine[::STEP]
    longest = min(int(max_period_s * COARSE_RATE_HZ), int(len(sound) / PASSES))
    shortest = int(max(min_period_s, 1.0) * COARSE_RATE_HZ)
    if longest < shortest or not _sounds_mostly(pcm):
        return 0.0, 0.0
    correlation = _lag_correlation(sound, longest + int(NEIGHBOURHOOD_S[1] * COARSE_RATE_HZ))
    best = (0.0, 0.0)
    for lag in _peaks(correlation, shortest, longest):
        if _stands_out(correlation, lag):
            fine_lag = _refined(fine, lag * STEP)
            likeness = float(np.percentile(_likeness(fine, fine_lag), 10, method="lower"))
            best = max(best, (fine_lag / SOUND_RATE_HZ, max(0.0, likeness)), key=lambda one: one[1])
    return best
