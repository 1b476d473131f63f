"""Mel-frequency cepstral coefficients: the smoothed shape of a spectrum in a few numbers.

S. B. Davis and P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition"
(IEEE ASSP 28, 1980), with the mel scale of D. O'Shaughnessy, mel = 2595 log10(1 + f / 700).
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

FLOOR = 1e-10


def mel(frequency_hz: F64) -> F64:
    """Turn Hz into mel."""
    scaled: F64 = 2595.0 * np.log10(1.0 + frequency_hz / 700.0)
    return scaled


def from_mel(mels: F64) -> F64:
    """Turn mel into Hz."""
    frequencies: F64 = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    return frequencies


@lru_cache(maxsize=8)
def mel_filters(size: int, rate_hz: int, bands: int, low_hz: float, high_hz: float) -> F64:
    """Make triangular filters, equally wide on the mel scale, each with peak 1.

    Args:
        size: Samples of a frame.
        rate_hz: Sample rate.
        bands: How many filters.
        low_hz: Where the first begins.
        high_hz: Where the last ends, at most half the rate.

    Returns:
        float64[size // 2 + 1, bands]: multiply power spectra with it.
    """
    edges = from_mel(np.linspace(mel(np.array(low_hz)), mel(np.array(high_hz)), bands + 2))
    frequencies = np.fft.rfftfreq(size, 1 / rate_hz)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    filters: F64 = np.maximum(0.0, np.minimum(rising, falling))
    return filters


@lru_cache(maxsize=8)
def cosines(bands: int, count: int) -> F64:
    """Make the orthonormal DCT-II, float64[bands, count]."""
    steps = (np.arange(bands) + 0.5)[:, None] * np.arange(count)[None, :]
    basis: F64 = np.cos(np.pi / bands * steps) * np.sqrt(2.0 / bands)
    basis[:, 0] /= np.sqrt(2.0)
    return basis


def log_mel(power: F64, filters: F64) -> F64:
    """Give the level of each band in dB, float64[frames, bands], at least -100."""
    levels: F64 = 10.0 * np.log10(np.maximum(power @ filters, FLOOR))
    return levels


def mfcc(levels: F64, count: int = 13) -> F64:
    """Give the first coefficients of band levels: float64[frames, count]; the first one is the loudness.

    Args:
        levels: float64[frames, bands] in dB, of `log_mel`.
        count: How many coefficients.
    """
    coefficients: F64 = levels @ cosines(levels.shape[1], count)
    return coefficients
