"""Pairs of peaks, and the keys made of them.

A key is (frequency of the first peak, frequency difference, time difference), each cut into equal steps (12 Hz, 6 Hz,
20 ms by default) after Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003, but of refined peaks and
linear in Hz. Because peaks are kept as numbers, a changed speed, tempo or pitch is undone by dividing them, not by
listening again.
"""

import numpy as np

from airledger.fingerprint.arrays import F32, I32, U32, kernel
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks

NO_KEY = np.uint32(0xFFFFFFFF)
"""Stands where a pair falls outside the keys' range."""


def pairs(peaks: Peaks, params: Params, fan: int) -> tuple[I32, I32]:
    """For each peak the next `fan` peaks that are near enough in time and frequency.

    Returns:
        Two int32[n]: indices of the first and of the second peak.
    """
    reach = (params.pair_min_s, params.pair_max_s, params.pair_max_hz)
    return _pairs(peaks.times_s, peaks.freqs_hz, fan, reach)


def keys(peaks: Peaks, first: I32, second: I32, params: Params, *, speed: float = 1.0, pitch: float = 1.0) -> U32:
    """The key of each pair, as if the sound had been played `speed` times slower and its pitch were `pitch` lower.

    Returns:
        uint32[n], below `params.key_count`, or NO_KEY. Keys that differ in time only are neighbours.
    """
    steps = (params.key_step_hz, params.key_step_across_hz, params.key_step_s, params.pair_max_hz)
    made = np.empty(len(first), np.uint32)
    key_into(peaks.times_s, peaks.freqs_hz, first, second, (speed, 1 / pitch), steps, params.key_shape, made)
    return made


@kernel
def _pairs(times_s: F32, freqs_hz: F32, fan: int, reach: tuple[float, float, float]) -> tuple[I32, I32]:
    min_s, max_s, max_hz = reach
    count = len(times_s)
    first = np.empty(count * fan, np.int32)
    second = np.empty(count * fan, np.int32)
    made = 0
    for i in range(count):
        partners = 0
        for j in range(i + 1, count):
            gap_s = times_s[j] - times_s[i]
            if gap_s > max_s or partners == fan:
                break
            if gap_s >= min_s and abs(freqs_hz[j] - freqs_hz[i]) <= max_hz:
                first[made] = i
                second[made] = j
                made += 1
                partners += 1
    return first[:made].copy(), second[:made].copy()


@kernel
def key_into(
    times_s: F32,
    freqs_hz: F32,
    first: I32,
    second: I32,
    factors: tuple[float, float],
    steps: tuple[float, float, float, float],
    shape: tuple[int, int, int],
    made: U32,
) -> None:
    """Fill in the key of each pair; `factors` multiply times and frequencies."""
    time_factor, freq_factor = factors
    step_hz, across_hz, step_s, max_hz = steps
    for p in range(len(first)):
        i, j = first[p], second[p]
        low_hz = freqs_hz[i] * freq_factor
        a = int(low_hz / step_hz)
        b = int((freqs_hz[j] * freq_factor - low_hz + max_hz) / across_hz)
        c = int((times_s[j] - times_s[i]) * time_factor / step_s)
        if a >= shape[0] or b < 0 or b >= shape[1] or c >= shape[2]:
            made[p] = NO_KEY
        else:
            made[p] = (a * shape[1] + b) * shape[2] + c
