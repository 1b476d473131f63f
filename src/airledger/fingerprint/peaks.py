"""Log power to peaks: the few places of a spectrogram that survive a radio chain."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.spectrum import frame_count, log_power

Density = Literal["reference", "query"]

_CHUNK_FRAMES = 4096  # about 80 s: bounds the memory of a long recording to some 10 MB
_MEAN_FRAMES = 25  # the local level is a mean over half a second and 160 Hz on each side
_MEAN_BINS = 20
_THIN_S = 0.5  # peaks compete with all others this near
_MIN_RISE_DB = 1.0  # a steady tone has no time; what rises less above its past and future is not a peak
_MIN_PROMINENCE_DB = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Peaks of one sound, in order of time.

    Attributes:
        times_s: float32[n], seconds after the first sample.
        freqs_hz: float32[n].
        levels: float32[n], dB above the surroundings.
        duration_s: length of the sound.

    Raises:
        ValueError: the arrays differ in length or type, or hold what no sound has. The compiled kernels rely on it.
    """

    times_s: F32
    freqs_hz: F32
    levels: F32
    duration_s: float

    def __post_init__(self) -> None:
        """Refuse peaks that would lead the kernels out of their arrays."""
        arrays = (self.times_s, self.freqs_hz, self.levels)
        if any(one.dtype != np.float32 or one.shape != (len(self.times_s),) for one in arrays):
            raise ValueError("Times, frequencies and levels of peaks must be float32 arrays of one length.")
        if not (0 <= self.duration_s < np.inf):
            raise ValueError("The length of a sound must be a number of seconds.")
        if len(self.times_s) and not self._is_sound():
            raise ValueError("Peaks must be in order of time, within the sound, and of finite frequency and level.")

    def _is_sound(self) -> bool:
        rising = self.times_s[0] >= 0 and bool(np.all(self.times_s[1:] >= self.times_s[:-1]))
        return (
            rising
            and self.times_s[-1] <= self.duration_s + 1
            and bool(np.all((self.freqs_hz >= 0) & (self.freqs_hz <= SAMPLE_RATE_HZ / 2)))
            and bool(np.all(np.isfinite(self.levels)))
        )

    def __len__(self) -> int:
        """Number of peaks."""
        return len(self.times_s)

    @classmethod
    def empty(cls, duration_s: float = 0.0) -> "Peaks":
        """What silence has."""
        none = np.empty(0, np.float32)
        return cls(none, none, none, duration_s)


def extract(pcm: F32, params: Params, *, dense: Density) -> Peaks:
    """The most prominent peaks of a sound.

    A peak is the loudest cell of its neighbourhood (± 80 ms, ± 40 Hz by default). Its time and frequency are refined by
    a parabola through the levels beside it. Within any second only the most prominent ones are kept: few for a
    reference, many for a query, since a peak that is missing in the query costs recall, a superfluous one only time.

    Args:
        pcm: float32[n], mono, 8 kHz, full scale is 1.
        params: the engine's parameters.
        dense: "reference" for what is enrolled, "query" for what is asked.

    Returns:
        The peaks; none for silence and for less than one frame.

    Raises:
        ValueError: `pcm` is not a one-dimensional float32 array, or holds NaN or infinity.
    """
    if pcm.ndim != 1 or pcm.dtype != np.float32:
        raise ValueError("The sound must be a one-dimensional float32 array (mono, 8 kHz).")
    if not np.isfinite(np.sum(pcm, dtype=np.float64)) or (len(pcm) and not np.isfinite(np.abs(pcm).max())):
        raise ValueError("The sound holds NaN or infinite samples; decode it again.")
    duration_s = len(pcm) / SAMPLE_RATE_HZ
    found = [_chunk(pcm, start, params) for start in range(0, frame_count(len(pcm), params), _CHUNK_FRAMES)]
    if not found:
        return Peaks.empty(duration_s)
    cells = np.concatenate(found)
    per_s = params.reference_peaks_per_s if dense == "reference" else params.query_peaks_per_s
    return _peaks(cells[_keep_prominent(cells[:, 0], cells[:, 2], _THIN_S, per_s)], duration_s)


def strongest(peaks: Peaks, per_s: int) -> Peaks:
    """The same sound with at most about `per_s` peaks in any second, the most prominent ones."""
    keep = _keep_prominent(peaks.times_s.astype(np.float64), peaks.levels.astype(np.float64), _THIN_S, per_s)
    return Peaks(peaks.times_s[keep], peaks.freqs_hz[keep], peaks.levels[keep], peaks.duration_s)


def _peaks(cells: F64, duration_s: float) -> Peaks:
    columns = np.ascontiguousarray(cells[np.lexsort((cells[:, 1], cells[:, 0]))].T.astype(np.float32))
    return Peaks(columns[0], columns[1], columns[2], duration_s)


def _chunk(pcm: F32, start: int, params: Params) -> F64:
    """Candidates (time_s, freq_hz, prominence_db) of frames start .. start + _CHUNK_FRAMES.

    Frames on both sides are computed as well, so that chunks give exactly what the whole would.
    """
    margin = _MEAN_FRAMES + params.maximum_frames + 1
    first = max(0, start - margin)
    last = min(frame_count(len(pcm), params), start + _CHUNK_FRAMES + margin)
    begin, end = first * params.hop_samples, (last - 1) * params.hop_samples + params.frame_samples
    levels = log_power(pcm[begin:end], params)
    hz = SAMPLE_RATE_HZ / params.frame_samples
    cells = _local_maxima(
        levels,
        _local_mean(levels, _MEAN_FRAMES, _MEAN_BINS),
        (start - first, min(start + _CHUNK_FRAMES, last) - first),
        (max(1, int(params.lowest_hz / hz)), min(levels.shape[1] - 1, int(params.highest_hz / hz) + 1)),
        (params.maximum_frames, params.maximum_bins),
        params.floor_db,
    )
    cells[:, 0] = ((cells[:, 0] + first) * params.hop_samples + params.frame_samples / 2) / SAMPLE_RATE_HZ
    cells[:, 1] *= hz
    return cells


@kernel
def _local_mean(levels: F32, frames_each_side: int, bins_each_side: int) -> F32:
    """Mean level of the box around each cell, cut at the borders; running sums, so the box's size costs nothing."""
    frames, bins = levels.shape
    over_time = np.zeros(bins, np.float64)
    mean = np.empty((frames, bins), np.float32)
    running = np.empty(bins + 1, np.float64)
    inside = 0
    for frame in range(min(frames_each_side, frames)):
        over_time += levels[frame]
        inside += 1
    for frame in range(frames):
        entering, leaving = frame + frames_each_side, frame - frames_each_side - 1
        if entering < frames:
            over_time += levels[entering]
            inside += 1
        if leaving >= 0:
            over_time -= levels[leaving]
            inside -= 1
        running[0] = 0.0
        for k in range(bins):
            running[k + 1] = running[k] + over_time[k]
        for k in range(bins):
            low, high = max(0, k - bins_each_side), min(bins, k + bins_each_side + 1)
            mean[frame, k] = (running[high] - running[low]) / ((high - low) * inside)
    return mean


@kernel
def _is_maximum(levels: F32, frame: int, k: int, reach_frames: int, reach_bins: int) -> bool:
    """Whether no cell of the neighbourhood is louder; of equals, the earliest and lowest counts."""
    frames, bins = levels.shape
    level = levels[frame, k]
    for other in range(max(0, frame - reach_frames), min(frames, frame + reach_frames + 1)):
        for j in range(max(0, k - reach_bins), min(bins, k + reach_bins + 1)):
            near = levels[other, j]
            if near > level or (near == level and (other < frame or (other == frame and j < k))):
                return False
    return True


@kernel
def _vertex(before: float, at: float, after: float) -> float:
    """Where a parabola through three equally spaced levels has its top, in steps from the middle one."""
    bend = before - 2 * at + after
    if bend >= 0:
        return 0.0
    return min(0.5, max(-0.5, 0.5 * (before - after) / bend))


@kernel
def _local_maxima(
    levels: F32,
    mean: F32,
    frame_range: tuple[int, int],
    bin_range: tuple[int, int],
    reach: tuple[int, int],
    floor_db: float,
) -> F64:
    """Rows (frame, bin, prominence) of all local maxima, refined; frame and bin are fractions."""
    frames = levels.shape[0]
    reach_frames, reach_bins = reach
    room = 1024
    cells = np.empty((room, 3), np.float64)
    count = 0
    for frame in range(max(1, frame_range[0]), min(frames - 1, frame_range[1])):
        for k in range(bin_range[0], bin_range[1]):
            level = levels[frame, k]
            if level < levels[frame, k + 1] or level < levels[frame, k - 1] or level < floor_db:
                continue
            if level < levels[frame - 1, k] or level < levels[frame + 1, k]:
                continue
            prominence = level - mean[frame, k]
            if prominence < _MIN_PROMINENCE_DB:
                continue
            past, future = levels[max(0, frame - reach_frames), k], levels[min(frames - 1, frame + reach_frames), k]
            if level - min(past, future) < _MIN_RISE_DB:
                continue
            if not _is_maximum(levels, frame, k, reach_frames, reach_bins):
                continue
            if count == room:
                wider = np.empty((room * 2, 3), np.float64)
                wider[:room] = cells
                cells = wider
                room *= 2
            cells[count, 0] = frame + _vertex(levels[frame - 1, k], level, levels[frame + 1, k])
            cells[count, 1] = k + _vertex(levels[frame, k - 1], level, levels[frame, k + 1])
            cells[count, 2] = prominence
            count += 1
    return cells[:count].copy()


@kernel
def _keep_prominent(times_s: F64, prominences: F64, reach_s: float, per_s: int) -> Flags:
    """Which peaks have fewer than 2 * reach_s * per_s more prominent ones within reach_s.

    Unlike cutting time into seconds, this does not depend on where the sound begins.
    """
    count = len(times_s)
    allowed = 2 * reach_s * per_s
    keep = np.zeros(count, np.bool_)
    order = np.argsort(times_s)
    first = 0
    for a in range(count):
        i = order[a]
        while times_s[order[first]] < times_s[i] - reach_s:
            first += 1
        stronger = 0
        b = first
        while b < count and times_s[order[b]] <= times_s[i] + reach_s and stronger < allowed:
            if prominences[order[b]] > prominences[i]:
                stronger += 1
            b += 1
        keep[i] = stronger < allowed
    return keep
