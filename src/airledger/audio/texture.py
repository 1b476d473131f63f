"""How sound moves in time, from its frames at 8 kHz: pauses, syllables, beats, and how long a tone is held.

What tells speech from music here is old knowledge: pauses and energy swinging four times a second (E. Scheirer and
M. Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator", ICASSP 1997), and
partials that stay where they are.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

MODULATION_EDGES_HZ = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
HELD_LAGS = (2, 4, 8, 16)
HELD_SMOOTHING = 15
BEAT_S = (0.25, 1.5)
TINY = 1e-12


def modulation_shares(levels: F64, frames_per_s: float) -> F64:
    """Tell at which pace the bands' power swings.

    Args:
        levels: float64[frames, bands] in dB.
        frames_per_s: How often a frame comes.

    Returns:
        float64[5]: shares of the swing at 0.5-1, 1-2, 2-4, 4-8 and 8-16 Hz, in all summing to 1 (0 without swing).
    """
    centred = levels - levels.mean(axis=0)
    swing = np.square(np.abs(np.fft.rfft(centred * np.hanning(len(centred))[:, None], axis=0))).sum(axis=1)
    paces = np.fft.rfftfreq(len(centred), 1 / frames_per_s)
    shares = np.array([swing[(paces >= low) & (paces < high)].sum() for low, high in pairwise(MODULATION_EDGES_HZ)])
    scaled: F64 = shares / max(float(shares.sum()), TINY)
    return scaled


def fine_structure(power: F64) -> F64:
    """Take the smooth shape out of spectra and scale what is left to length 1: the partials, float64[frames, bins]."""
    levels = np.log10(power[:, 2:-2] + 1e-9)
    padded = np.pad(levels, ((0, 0), (HELD_SMOOTHING // 2, HELD_SMOOTHING // 2)), mode="edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    fine = levels - (total[:, HELD_SMOOTHING:] - total[:, :-HELD_SMOOTHING]) / HELD_SMOOTHING
    unit: F64 = fine / np.maximum(np.linalg.norm(fine, axis=1, keepdims=True), TINY)
    return unit


def held(fine: F64, lag: int) -> F64:
    """Tell how alike each frame's partials are to those `lag` frames later, float64[frames - lag], -1 to 1."""
    alike: F64 = np.einsum("ij,ij->i", fine[:-lag], fine[lag:])
    return alike


def beat_strength(change: F64, frames_per_s: float) -> float:
    """Find how regular the changes are: the best autocorrelation of the flux at 0.25 to 1.5 s, 0 to 1."""
    first, last = (round(duration_s * frames_per_s) for duration_s in BEAT_S)
    if len(change) <= 2 * last:
        return 0.0
    centred = change - change.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(centred))))
    correlation = np.fft.irfft(np.square(np.abs(np.fft.rfft(centred, size))), size)[: last + 1]
    return float(max(0.0, correlation[first:].max() / max(float(correlation[0]), TINY)))


def in_blocks(values: F64, per_block: int) -> F64:
    """Average values in blocks, float64[len(values) // per_block]; one block where there are too few."""
    blocks = max(1, len(values) // per_block)
    means: F64 = np.array([part.mean() for part in np.array_split(values[: max(blocks * per_block, 1)], blocks)])
    return means
