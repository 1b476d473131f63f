"""The loudest cells of their neighbourhoods: where a spectrogram has peaks."""

import numpy as np

from airledger.fingerprint.arrays import F32, F64, I32, kernel

MEAN_FRAMES = 25
"""How far to each side the level of the surroundings is a mean over; half a second with the usual hop ..."""
MEAN_BINS = 20
"""... and 160 Hz."""
_MIN_RISE_DB = 1.0  # a steady tone has no time; what rises less above its past and future is not a peak
_MIN_PROMINENCE_DB = 3.0
_BLOCK_BINS = 64
_NOTHING = np.float32(-1e30)


@kernel
def local_maxima(
    levels: F32, frame_range: tuple[int, int], bin_range: tuple[int, int], reach: tuple[int, int], floor_db: float
) -> F64:
    """Rows (frame, bin, prominence) of all local maxima, refined by parabolas; frame and bin are fractions.

    Args:
        levels: float32[frames, bins] in dB.
        frame_range: the frames to look for maxima in; those around them only surround.
        bin_range: likewise.
        reach: the neighbourhood: frames and bins to each side. Of equals, the earliest and lowest counts.
        floor_db: what is below is silence.
    """
    first, end = max(1, frame_range[0]), min(len(levels) - 1, frame_range[1])
    return _refined(levels, _loudest(levels, (first, end), bin_range, reach, floor_db), reach)


@kernel
def _loudest(
    levels: F32, frame_range: tuple[int, int], bin_range: tuple[int, int], reach: tuple[int, int], floor_db: float
) -> I32:
    """Rows (frame, bin) of the cells that no cell of their neighbourhood exceeds, in order."""
    frames, bins = levels.shape
    reach_frames, reach_bins = reach
    deep = 2 * reach_frames + 1
    ring = np.empty((deep, bins), np.float32)
    loudest, spare = np.empty(bins, np.float32), np.empty(bins, np.float32)
    widening = np.full((2, bins + 2 * reach_bins), _NOTHING, np.float32)
    found = np.empty((1024, 2), np.int32)
    count = 0
    ready = max(0, frame_range[0] - reach_frames)
    for frame in range(frame_range[0], frame_range[1]):
        start, end = max(0, frame - reach_frames), min(frames, frame + reach_frames + 1)
        while ready < end:
            _widen(levels[ready], widening, reach_bins, ring[ready % deep])
            ready += 1
        loudest[:] = ring[start % deep]
        for near in range(start + 1, end):
            _greater(loudest, ring[near % deep], spare)
            loudest, spare = spare, loudest
        while count + bins > len(found):
            wider = np.empty((2 * len(found), 2), np.int32)
            wider[:count] = found[:count]
            found = wider
        for low in range(bin_range[0], bin_range[1], _BLOCK_BINS):
            high = min(low + _BLOCK_BINS, bin_range[1])
            if _reached(levels[frame, low:high], loudest[low:high]):
                for k in range(low, high):
                    if levels[frame, k] >= loudest[k] and levels[frame, k] >= floor_db:
                        found[count, 0] = frame
                        found[count, 1] = k
                        count += 1
    return found[:count]


@kernel
def _reached(levels: F32, loudest: F32) -> int:
    """How many of them are as loud as the loudest around; mostly none, and counting runs many lanes at once."""
    count = 0
    for k in range(len(levels)):
        count += levels[k] >= loudest[k]
    return count


@kernel
def _widen(row: F32, widening: F32, reach: int, out: F32) -> None:
    """The greatest level within `reach` bins of each, by a few passes of doubling width."""
    wide = 2 * reach + 1
    now, then = widening[0], widening[1]
    now[:reach] = _NOTHING
    now[reach : reach + len(row)] = row
    now[reach + len(row) :] = _NOTHING
    done = 1
    while done < wide:
        step = min(done, wide - done)
        _greater(now[: len(now) - step], now[step:], then)
        now, then = then, now
        done += step
    out[:] = now[: len(row)]


@kernel
def _greater(one: F32, other: F32, out: F32) -> None:
    """The greater of each pair. Three separate arrays, read from 0 on: so the compiler runs many lanes at once."""
    for k in range(len(one)):
        out[k] = one[k] if one[k] > other[k] else other[k]  # noqa: FURB136  # as a comparison it is one instruction


@kernel
def _refined(levels: F32, cells: I32, reach: tuple[int, int]) -> F64:
    """Of these cells, those that stand out enough, as (frame, bin, prominence)."""
    frames, bins = levels.shape
    rows = np.empty((len(cells), 3), np.float64)
    count = 0
    over_time = np.zeros(bins, np.float64)
    entered = left = 0  # the frames left .. entered - 1 are in over_time
    for n in range(len(cells)):
        frame, k = cells[n, 0], cells[n, 1]
        start, end = max(0, frame - MEAN_FRAMES), min(frames, frame + MEAN_FRAMES + 1)
        while entered < end:
            over_time += levels[entered]
            entered += 1
        while left < start:
            over_time -= levels[left]
            left += 1
        low, high = max(0, k - MEAN_BINS), min(bins, k + MEAN_BINS + 1)
        prominence = levels[frame, k] - over_time[low:high].sum() / ((high - low) * (end - start))
        if prominence >= _MIN_PROMINENCE_DB and _is_peak(levels, frame, k, reach):
            rows[count, 0] = frame + _vertex(levels[frame - 1, k], levels[frame, k], levels[frame + 1, k])
            rows[count, 1] = k + _vertex(levels[frame, k - 1], levels[frame, k], levels[frame, k + 1])
            rows[count, 2] = prominence
            count += 1
    return rows[:count].copy()


@kernel
def _is_peak(levels: F32, frame: int, k: int, reach: tuple[int, int]) -> bool:
    """Whether it rises above its past or future, and is the first of equals."""
    frames, bins = levels.shape
    reach_frames, reach_bins = reach
    level = levels[frame, k]
    start, end = max(0, frame - reach_frames), min(frames, frame + reach_frames + 1)
    if level - min(levels[start, k], levels[end - 1, k]) < _MIN_RISE_DB:
        return False
    for other in range(start, frame + 1):
        for j in range(max(0, k - reach_bins), min(bins, k + reach_bins + 1)):
            if levels[other, j] == level and (other < frame or j < k):
                return False
    return True


@kernel
def _vertex(before: float, at: float, after: float) -> float:
    """Where a parabola through three equally spaced levels has its top, in steps from the middle one."""
    bend = before - 2 * at + after
    if bend >= 0:
        return 0.0
    return min(0.5, max(-0.5, 0.5 * (before - after) / bend))
