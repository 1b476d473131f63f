"""Log power to peaks: the few places of a spectrogram that survive a radio chain."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.maxima import MEAN_FRAMES, local_maxima
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.spectrum import frame_count, log_power

Density = Literal["reference", "query"]

_CHUNK_FRAMES = 4096  # about 80 s: bounds the memory of a long recording to some 10 MB
_THIN_S = 0.5  # peaks compete with all others this near


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
    per_s = params.reference_peaks_per_s if dense == "reference" else params.query_peaks_per_s
    return choose(np.concatenate(found), per_s, duration_s)


def choose(cells: F64, per_s: int, duration_s: float) -> Peaks:
    """The most prominent `per_s` a second of candidates (time_s, freq_hz, prominence_db)."""
    return _peaks(cells[_keep_prominent(cells[:, 0], cells[:, 2], _THIN_S, per_s)], duration_s)


def strongest(peaks: Peaks, per_s: int) -> Peaks:
    """The same sound with at most about `per_s` peaks in any second, the most prominent ones."""
    keep = _keep_prominent(peaks.times_s.astype(np.float64), peaks.levels.astype(np.float64), _THIN_S, per_s)
    return Peaks(peaks.times_s[keep], peaks.freqs_hz[keep], peaks.levels[keep], peaks.duration_s)


def _peaks(cells: F64, duration_s: float) -> Peaks:
    columns = np.ascontiguousarray(cells[np.lexsort((cells[:, 1], cells[:, 0]))].T.astype(np.float32))
    return Peaks(columns[0], columns[1], columns[2], duration_s)


def margin_frames(params: Params) -> int:
    """How many frames before and behind a frame must be known to tell its peaks."""
    return MEAN_FRAMES + params.maximum_frames + 1


def _chunk(pcm: F32, start: int, params: Params) -> F64:
    """Candidates of frames start .. start + _CHUNK_FRAMES.

    Frames on both sides are computed as well, so that chunks give exactly what the whole would.
    """
    margin = margin_frames(params)
    first = max(0, start - margin)
    last = min(frame_count(len(pcm), params), start + _CHUNK_FRAMES + margin)
    begin, end = first * params.hop_samples, (last - 1) * params.hop_samples + params.frame_samples
    return candidates(log_power(pcm[begin:end], params), first, (start, min(start + _CHUNK_FRAMES, last)), params)


def candidates(levels: F32, first: int, wanted: tuple[int, int], params: Params) -> F64:
    """All local maxima of some frames.

    Args:
        levels: float32[frames, bins], log power; with `margin_frames` more on each side of those that are wanted.
        first: number of the first frame in `levels`; frame 0 begins at the sound's first sample.
        wanted: numbers of the first wanted frame and of the one behind the last.
        params: the engine's parameters.

    Returns:
        float64[n, 3]: time_s from frame 0's first sample, freq_hz, prominence_db.
    """
    hz = SAMPLE_RATE_HZ / params.frame_samples
    cells = local_maxima(
        levels,
        (wanted[0] - first, wanted[1] - first),
        (max(1, int(params.lowest_hz / hz)), min(levels.shape[1] - 1, int(params.highest_hz / hz) + 1)),
        (params.maximum_frames, params.maximum_bins),
        params.floor_db,
    )
    cells[:, 0] = ((cells[:, 0] + first) * params.hop_samples + params.frame_samples / 2) / SAMPLE_RATE_HZ
    cells[:, 1] *= hz
    return cells


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
