"""Any sample rate to 8 kHz, by one polyphase filter."""

from collections.abc import Callable
from math import gcd
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from airledger.audio.sinc import sinc_taps

F32 = NDArray[np.float32]
Sound = NDArray[np.float32] | NDArray[np.int16]

TARGET_RATE_HZ = 8000
_LOWEST_RATE_HZ = 1000
_HIGHEST_RATE_HZ = 768_000
_FULL_SCALE = 32768

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def _compiled(function: _Kernel) -> _Kernel:
    """Compile; sums may be reordered, which lets the processor add eight products at a time."""
    return cast("_Kernel", numba.njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})(function))


def to_8k(pcm: Sound, rate: int) -> F32:
    """Resample to 8 kHz.

    Output sample n is the input's value at n / 8000 s; frequencies that 8 kHz cannot hold are removed.

    Args:
        pcm: float32[n] or int16[n], mono.
        rate: its sample rate in Hz.

    Returns:
        float32[ceil(n * 8000 / rate)], full scale is 1.

    Raises:
        ValueError: `pcm` is neither of these, or the rate is outside 1 kHz .. 768 kHz.
    """
    if pcm.ndim != 1 or pcm.dtype not in (np.float32, np.int16):
        raise ValueError("The sound must be a one-dimensional array of float32 or int16.")
    if not _LOWEST_RATE_HZ <= rate <= _HIGHEST_RATE_HZ:
        raise ValueError(f"The sample rate is {rate} Hz; {_LOWEST_RATE_HZ} to {_HIGHEST_RATE_HZ} Hz can be resampled.")
    if rate == TARGET_RATE_HZ or len(pcm) == 0:
        return pcm.astype(np.float32) / np.float32(1 if pcm.dtype == np.float32 else _FULL_SCALE)
    common = gcd(rate, TARGET_RATE_HZ)
    up, down = TARGET_RATE_HZ // common, rate // common
    taps = sinc_taps(up, down, 1.0 if pcm.dtype == np.float32 else 1 / _FULL_SCALE)
    return _filter(pcm, taps, up, down, -(-len(pcm) * up // down))


@_compiled
def _filter(pcm: Sound, taps: F32, up: int, down: int, count: int) -> F32:
    """Each output sample is the sum of the inputs around it times the row of taps of its phase."""
    made = np.empty(count, np.float32)
    width = taps.shape[1]
    before = width // 2 - 1
    for n in range(count):
        start = n * down // up
        phase = n * down - start * up
        start -= before
        total = np.float32(0)
        if start >= 0 and start + width <= len(pcm):
            for k in range(width):
                total += taps[phase, k] * np.float32(pcm[start + k])
        else:
            for k in range(max(0, -start), min(width, len(pcm) - start)):
                total += taps[phase, k] * np.float32(pcm[start + k])
        made[n] = total
    return made
