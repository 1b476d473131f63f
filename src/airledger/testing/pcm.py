"""Sampled sound as the testing room handles it: mono arrays, and how loud they are.

Everything here is float32 in -1..1 or int16, one channel, shape ``(n,)``. Levels are dBFS with a full-scale square
wave at 0 dBFS, so a full-scale sine is at -3 dBFS.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pcm: TypeAlias = npt.NDArray[np.float32]
"""Mono sound, float32, shape (n,), -1..1."""

Pcm16: TypeAlias = npt.NDArray[np.int16]
"""Mono sound, int16, shape (n,)."""

SONG_RATE_HZ = 44_100
FULL_SCALE = 32_768.0
FLOOR_DBFS = -120.0


def to_int16(pcm: Pcm) -> Pcm16:
    """Round float sound to int16; what is beyond full scale is clipped.

    Args:
        pcm: float32 (n,).

    Returns:
        int16 (n,).
    """
    return np.asarray(np.clip(np.rint(pcm * FULL_SCALE), -32_768, 32_767), dtype=np.int16)


def to_float(pcm: Pcm16) -> Pcm:
    """Give int16 sound as float32 in -1..1.

    Args:
        pcm: int16 (n,).

    Returns:
        float32 (n,).
    """
    return np.asarray(pcm.astype(np.float32) * np.float32(1.0 / FULL_SCALE), dtype=np.float32)


def amplitude(level_db: float) -> float:
    """Give the factor that a level change in dB means."""
    return float(10.0 ** (level_db / 20.0))


def level_dbfs(pcm: Pcm) -> float:
    """Measure the RMS level of the whole array in dBFS, never below -120; -120 for an empty one."""
    if len(pcm) == 0:
        return FLOOR_DBFS
    power = float(np.mean(np.square(pcm, dtype=np.float64)))
    return max(FLOOR_DBFS, 10.0 * float(np.log10(power + 1e-12)))


def block_levels_dbfs(pcm: Pcm, block: int) -> npt.NDArray[np.float64]:
    """Measure the RMS level of each whole block.

    Args:
        pcm: float32 (n,).
        block: samples per block; a rest at the end is left out.

    Returns:
        float64 (n // block,), dBFS, never below -120.
    """
    whole = len(pcm) // block * block
    power = np.mean(np.square(pcm[:whole], dtype=np.float64).reshape(-1, block), axis=1)
    return np.asarray(10.0 * np.log10(power + 1e-12), dtype=np.float64)
