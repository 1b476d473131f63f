"""The low-pass filters by which sound is brought to another rate. NumPy alone: the decoders' children use them too."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]

_ZERO_CROSSINGS = 10  # of the windowed sinc on each side: 60 dB down 0.5 kHz above the edge
_KAISER_BETA = 6.0
_EDGE = 0.94  # of the lower Nyquist frequency
_LANES = 16


@lru_cache(maxsize=32)
def sinc_taps(up: int, down: int, gain: float = 1.0) -> F32:
    """float32[up, taps]: a Kaiser-windowed sinc for a change of rate by up / down.

    Output sample n is the sum of row (n * down) % up times the input; the middle of the row (column taps / 2 - 1)
    belongs to the input sample (n * down) // up. Each row sums to `gain`. Zeros on both sides make the length of the
    rows a multiple of what processors compute at once.
    """
    scale = min(1.0, up / down) * _EDGE
    width = _ZERO_CROSSINGS / scale
    reach = int(np.ceil(width))
    reach += -reach % (_LANES // 2)
    phase = np.arange(up)[:, None] / up
    distance = np.arange(2 * reach)[None, :] - (reach - 1) - phase
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / width) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    taps = np.sinc(distance * scale) * window * (np.abs(distance) <= width)
    rows: F32 = (gain * taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    rows.setflags(write=False)
    return rows
