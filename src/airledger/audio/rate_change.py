"""A stream of sound to another rate, piece by piece, with NumPy alone.

The filter is written as a few matrices, each of which makes 16 output samples of the inputs around them; one product
serves a whole second. That is as fast as compiled loops, and a sixth of what FFmpeg's resampler takes.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from airledger.audio.sinc import F32, sinc_taps

MOST_PHASES = 2000
"""Rates that have more phases to 8 kHz than this (44,101 Hz has 8,000) would need matrices of megabytes."""
_GROUP = 16
_ITEM_BYTES = 4


def phases(rate_hz: int, target_hz: int) -> int:
    """How many different rows of taps a change of rate needs."""
    return target_hz // gcd(rate_hz, target_hz)


class RateChange:
    """One stream on its way to another rate. Output sample n is the input's value at n / target_hz seconds."""

    def __init__(self, rate_hz: int, target_hz: int, gain: float = 1.0) -> None:
        """Begin a stream, which becomes louder by `gain` on the way.

        Raises:
            ValueError: the rates have too many phases.
        """
        if phases(rate_hz, target_hz) > MOST_PHASES:
            raise ValueError(f"There is no short way from {rate_hz} to {target_hz} Hz.")
        common = gcd(rate_hz, target_hz)
        self._up, self._down = target_hz // common, rate_hz // common
        self._plan = _plan(self._up, self._down, gain)
        self._waiting: F32 = np.zeros(self._plan.before, np.float32)
        self._taken = 0
        self._made = 0

    def push(self, pcm: F32) -> F32:
        """Take float32[n] mono, give what can be made of it: float32."""
        self._taken += len(pcm)
        sound = np.concatenate([self._waiting, pcm])
        rows = max(0, (len(sound) - self._plan.needed) // self._plan.row_in + 1)
        made = np.empty((rows, self._plan.row_out), np.float32)
        for begin, first, matrix in self._plan.groups:
            inputs = as_strided(
                sound[begin:], (rows, len(matrix)), (self._plan.row_in * _ITEM_BYTES, _ITEM_BYTES), writeable=False
            )
            made[:, first : first + matrix.shape[1]] = inputs @ matrix
        self._waiting = sound[rows * self._plan.row_in :]
        self._made += made.size
        return made.reshape(-1)

    def finish(self) -> F32:
        """Give the rest, as if silence followed; the stream ends."""
        due = -(-self._taken * self._up // self._down) - self._made
        silence = np.zeros(self._plan.needed + self._plan.row_in, np.float32)
        made = [np.empty(0, np.float32)]
        while sum(map(len, made)) < due:
            made.append(self.push(silence))
        return np.concatenate(made)[:due]


class _Plan:
    """The matrices of a change of rate; a row of them makes `row_out` samples of `row_in`.

    `groups` holds (where its inputs begin in the row, its first output, the matrix). Rows of inputs do not overlap
    within one group, which lets the product run in the processor's fastest routine without a copy.
    """

    def __init__(self, up: int, down: int, gain: float) -> None:
        taps = sinc_taps(up, down, gain)
        width = taps.shape[1]
        widest = ceil((_GROUP - 1) * down / up) + width + 1
        repeats = max(ceil(_GROUP / up), ceil(widest / down))
        self.before = width // 2 - 1
        self.row_out, self.row_in = up * repeats, down * repeats
        self.groups: list[tuple[int, int, F32]] = []
        for first in range(0, self.row_out, _GROUP):
            outputs = range(first, min(first + _GROUP, self.row_out))
            begin = first * down // up
            matrix = np.zeros((outputs[-1] * down // up - begin + width, len(outputs)), np.float32)
            for column, n in enumerate(outputs):
                at = n * down // up - begin
                matrix[at : at + width, column] = taps[n * down % up]
            self.groups.append((begin, first, matrix))
        self.needed = max(begin + len(matrix) for begin, _, matrix in self.groups)


@lru_cache(maxsize=16)
def _plan(up: int, down: int, gain: float) -> _Plan:
    return _Plan(up, down, gain)
