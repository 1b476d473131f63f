"""Sound that is no programme: noise, tones, silence. All of it is made; nothing of it was ever recorded."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from airledger.stations.verdict.teaching.pieces import RATE_HZ

F32 = NDArray[np.float32]
Generator = np.random.Generator


def noise(rng: Generator, count: int) -> F32:
    """Make noise: coloured, in a band, crackling, or hissing in bursts; -50 to -6 dBFS."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20.0)
    spectrum *= frequencies ** -rng.uniform(-0.3, 1.1)
    if rng.random() < 0.5:  # noqa: PLR2004  a coin
        low = 10 ** rng.uniform(1.3, 3.0)
        high = low * 10 ** rng.uniform(0.5, 1.8)
        spectrum *= 1 / (1 + (low / frequencies) ** 4) / (1 + (frequencies / high) ** 4)
    sound = np.fft.irfft(spectrum, count)
    sound /= np.sqrt(np.mean(sound**2))
    if rng.random() < 0.3:  # noqa: PLR2004  one in three crackles
        clicks = rng.random(count) < rng.uniform(2, 60) / RATE_HZ
        sound += np.convolve(clicks * rng.standard_normal(count) * 20, np.exp(-np.arange(200) / 30), mode="same")
    if rng.random() < 0.3:  # noqa: PLR2004  one in three swells and falls
        pace_hz = rng.uniform(0.05, 3.0)
        sound *= 1 + rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * pace_hz * np.arange(count) / RATE_HZ)
    return _at_level(sound, rng.uniform(-50, -9))


def tone(rng: Generator, count: int) -> F32:
    """Make a test tone: one or several sines, steady, interrupted, alternating or swept, with a little noise or hum."""
    at_s = np.arange(count) / RATE_HZ
    kinds: tuple[Callable[[], NDArray[np.float64]], ...] = (
        lambda: _sines(rng, at_s, 1),
        lambda: _sines(rng, at_s, int(rng.integers(2, 4))),
        lambda: _sines(rng, at_s, 1) * ((at_s % (period := rng.uniform(0.5, 6))) < period * rng.uniform(0.2, 0.9)),
        lambda: np.where(at_s % (2 * (half := rng.uniform(0.2, 2))) < half, _sines(rng, at_s, 1), _sines(rng, at_s, 1)),
        lambda: _hum(rng, at_s),
        lambda: np.sin(2 * np.pi * np.cumsum(_sweep(rng, at_s)) / RATE_HZ),
    )
    sound = kinds[int(rng.integers(len(kinds)))]()
    sound = sound + rng.standard_normal(count) * 10 ** (rng.uniform(-90, -35) / 20)
    return _at_level(sound, rng.uniform(-40, -6))


def silence(rng: Generator, count: int) -> F32:
    """Make silence: digital, or with the faint noise or hum of an open line, below -62 dBFS."""
    if rng.random() < 0.3:  # noqa: PLR2004  one in three is digital
        return np.zeros(count, np.float32)
    sound = rng.standard_normal(count)
    if rng.random() < 0.5:  # noqa: PLR2004  a coin
        sound += rng.uniform(0, 4) * _hum(rng, np.arange(count) / RATE_HZ)
    return _at_level(sound, rng.uniform(-96, -63))


def _sines(rng: Generator, at_s: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    total = np.zeros(len(at_s))
    for _ in range(count):
        frequency = 10 ** rng.uniform(np.log10(60), np.log10(3400))
        total += rng.uniform(0.4, 1) * np.sin(2 * np.pi * (frequency * at_s + rng.random()))
    return total


def _hum(rng: Generator, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mains hum and its harmonics."""
    base = float(rng.choice([50.0, 60.0]))
    total = np.zeros(len(at_s))
    for harmonic in range(1, 9):
        total += rng.uniform(0, 1) / harmonic * np.sin(2 * np.pi * (base * harmonic * at_s + rng.random()))
    return total


def _sweep(rng: Generator, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    period = rng.uniform(3, 20)
    low, high = np.log10(rng.uniform(60, 400)), np.log10(rng.uniform(800, 3600))
    swept: NDArray[np.float64] = 10 ** (low + (high - low) * (at_s % period) / period)
    return swept


def _at_level(sound: NDArray[np.float64], level_dbfs: float) -> F32:
    """Scale to a level, limiting peaks."""
    scaled = sound * (10 ** (level_dbfs / 20) / max(float(np.sqrt(np.mean(sound**2))), 1e-12))
    limited: F32 = np.clip(scaled, -1, 1).astype(np.float32)
    return limited
