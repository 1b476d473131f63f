"""Any sample rate to 8 kHz, by one polyphase filter."""

from collections.abc import Callable
from functools import lru_cache
from math import gcd
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

TARGET_RATE_HZ = 8000
_LOWEST_RATE_HZ = 1000
_HIGHEST_RATE_HZ = 768_000
_ZERO_CROSSINGS = 10  # of the windowed sinc on each side: 60 dB down 0.5 kHz above the edge
_KAISER_BETA = 6.0
_EDGE = 0.94  # of the lower Nyquist frequency

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def _compiled(function: _Kernel) -> _Kernel:
    """Compile; sums may be reordered, which lets the processor add eight products at a time."""
    return cast("_Kernel", numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function))


def to_8k(pcm: F32, rate: int) -> F32:
    """Resample to 8 kHz.

    Output sample n is the input's value at n / 8000 s; frequencies that 8 kHz cannot hold are removed.

    Args:
        pcm: float32[n], mono.
        rate: its sample rate in Hz.

    Returns:
        float32[ceil(n * 8000 / rate)].

    Raises:
        ValueError: `pcm` is not one-dimensional float32, or the rate is outside 1 kHz .. 768 kHz.
    """
    if pcm.ndim != 1 or pcm.dtype != np.float32:
        raise ValueError("The sound must be a one-dimensional float32 array.")
    if not _LOWEST_RATE_HZ <= rate <= _HIGHEST_RATE_HZ:
        raise ValueError(f"The sample rate is {rate} Hz; {_LOWEST_RATE_HZ} to {_HIGHEST_RATE_HZ} Hz can be resampled.")
    if rate == TARGET_RATE_HZ or len(pcm) == 0:
        return pcm.copy()
    common = gcd(rate, TARGET_RATE_HZ)
    up, down = TARGET_RATE_HZ // common, rate // common
    taps = _taps(up, down)
    before = taps.shape[1] // 2 - 1
    padded = np.concatenate([np.zeros(before, np.float32), pcm, np.zeros(taps.shape[1] + 1, np.float32)])
    return _filter(padded, taps, up, down, -(-len(pcm) * up // down))


@lru_cache(maxsize=16)
def _taps(up: int, down: int) -> F32:
    """float32[up, taps]: a Kaiser-windowed sinc, one row per phase; each row sums to 1."""
    scale = min(1.0, up / down) * _EDGE
    reach = int(np.ceil(_ZERO_CROSSINGS / scale))
    count = 2 * reach
    phase = np.arange(up)[:, None] / up
    distance = np.arange(count)[None, :] - (reach - 1) - phase
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / reach) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    taps = np.sinc(distance * scale) * window
    rows: F32 = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    rows.setflags(write=False)
    return rows


@_compiled
def _filter(padded: F32, taps: F32, up: int, down: int, count: int) -> F32:
    made = np.empty(count, np.float32)
    width = taps.shape[1]
    for n in range(count):
        position = n * down
        start = position // up
        row = taps[position - start * up]
        part = padded[start : start + width]
        total = np.float32(0)
        for k in range(width):
            total += row[k] * part[k]
        made[n] = total
    return made
