"""Plain sounds for tests: sines, sweeps, noise. All float32 (n,), mono."""

from __future__ import annotations

import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ, Pcm, amplitude


def sine(frequency_hz: float, length_s: float, rate_hz: int = SONG_RATE_HZ, peak_db: float = -6.0) -> Pcm:
    """Make a sine tone whose peak is ``peak_db`` below full scale."""
    at = np.arange(int(length_s * rate_hz)) / rate_hz
    return np.asarray(amplitude(peak_db) * np.sin(2 * np.pi * frequency_hz * at), dtype=np.float32)


def sweep(from_hz: float, to_hz: float, length_s: float, rate_hz: int = SONG_RATE_HZ, peak_db: float = -6.0) -> Pcm:
    """Make an exponential sine sweep: no two moments of it sound alike, so places in it can be told apart."""
    at = np.arange(int(length_s * rate_hz)) / rate_hz
    octaves = np.log(to_hz / from_hz)
    turns = from_hz * length_s / octaves * (np.exp(at / length_s * octaves) - 1)
    return np.asarray(amplitude(peak_db) * np.sin(2 * np.pi * turns), dtype=np.float32)


def noise(length_s: float, rate_hz: int = SONG_RATE_HZ, level_dbfs: float = -20.0, seed: int = 1) -> Pcm:
    """Make white noise with an RMS level in dBFS; the same for the same seed."""
    samples = np.random.default_rng(seed).standard_normal(int(length_s * rate_hz))
    return np.asarray(np.clip(samples * amplitude(level_dbfs), -1, 1), dtype=np.float32)


def silence(length_s: float, rate_hz: int = SONG_RATE_HZ) -> Pcm:
    """Make digital silence."""
    return np.zeros(int(length_s * rate_hz), dtype=np.float32)
