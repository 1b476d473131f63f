"""Counting by how much peaks of one sound are late in another: the compiled inner loops of `same_sound`."""

import numpy as np

from airledger.fingerprint.arrays import F32, I64, kernel

_TOLERANCE_HZ = 6.0


@kernel
def lags(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, first_s: float, step_s: float, counts: I64) -> None:
    """Count the lags of all pairs of peaks of one frequency.

    Args:
        asked_s: float32[n], times of the one sound's peaks.
        asked_hz: float32[n], their frequencies.
        times_s: float32[m], times of the other's peaks, in order of frequency.
        freqs_hz: float32[m], their frequencies, rising.
        first_s: the least lag that is counted.
        step_s: how wide a count is.
        counts: int64[k], added to.
    """
    for i in range(len(asked_s)):
        at = np.searchsorted(freqs_hz, np.float32(asked_hz[i] - _TOLERANCE_HZ))
        while at < len(freqs_hz) and freqs_hz[at] <= asked_hz[i] + _TOLERANCE_HZ:
            step = int(np.floor((times_s[at] - asked_s[i] - first_s) / step_s))
            if 0 <= step < len(counts):
                counts[step] += 1
            at += 1


@kernel
def cells_at(
    asked_s: F32,
    asked_hz: F32,
    times_s: F32,
    freqs_hz: F32,
    lag_s: float,
    sign: float,
    grid: tuple[float, float, float],
    near: I64,
    trials: I64,
) -> None:
    """Count in each cell of time how much more or less than `lag_s` peaks are late, and how many peaks were asked.

    Args:
        asked_s: float32[n], times of the one sound's peaks.
        asked_hz: float32[n], their frequencies.
        times_s: float32[m], times of the other's peaks, in order of frequency.
        freqs_hz: float32[m], their frequencies, rising.
        lag_s: where the middle of `near` is.
        sign: -1 where lags are to be counted the other way round.
        grid: when the first cell begins (in the time of `asked_s`), how long a cell is, how wide a step of lag.
        near: int64[cells, 2 * steps + 1], added to.
        trials: int64[cells], added to.
    """
    begin_s, cell_s, step_s = grid
    steps = near.shape[1] // 2
    for i in range(len(asked_s)):
        cell = int(np.floor((asked_s[i] - begin_s) / cell_s))
        if cell < 0 or cell >= len(trials):
            continue
        trials[cell] += 1
        at = np.searchsorted(freqs_hz, np.float32(asked_hz[i] - _TOLERANCE_HZ))
        while at < len(freqs_hz) and freqs_hz[at] <= asked_hz[i] + _TOLERANCE_HZ:
            step = int(np.rint(sign * (times_s[at] - asked_s[i] - lag_s) / step_s))
            if -steps <= step <= steps:
                near[cell, steps + step] += 1
            at += 1
