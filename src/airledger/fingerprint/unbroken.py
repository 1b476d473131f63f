"""Peaks of an endless sound: each second is looked at once, however many windows it lies in."""

import numpy as np

from airledger.fingerprint.arrays import F32, F64
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.peaks import Peaks, candidates, choose, margin_frames
from airledger.fingerprint.spectrum import log_power


def ahead_samples(params: Params) -> int:
    """How much sound behind a window must be known so that the peaks at its end are what they will stay."""
    return margin_frames(params) * params.hop_samples + params.frame_samples


class PeakStream:
    """Peaks of windows that come one after the other, and overlap.

    Frames lie on one grid from the stream's first sample on, so the peaks of a window do not depend on where it
    begins. A window that does not continue the last one starts anew. Not thread-safe.
    """

    def __init__(self, params: Params, back_s: float = 0.0) -> None:
        """Begin.

        Args:
            params: the engine's parameters.
            back_s: how much of what lies before a window is kept for `back`.
        """
        self._params = params
        self._back_s = back_s
        self._margin = margin_frames(params)
        self._levels: F32 = np.empty((0, params.frame_samples // 2 + 1), np.float32)  # of frames .. _next_frame
        self._next_frame = 0  # the first whose levels are not known
        self._done_frame = 0  # the first whose peaks are not known
        self._cells: F64 = np.empty((0, 3), np.float64)
        self._past: F64 = np.empty((0, 3), np.float64)
        self._begun_s = 0.0

    def window(self, pcm: F32, position: int, samples: int, per_s: int) -> Peaks:
        """Find the peaks of a window.

        Args:
            pcm: float32[n], mono, 8 kHz: the window, and behind it (if there is any) what follows.
            position: of its first sample in the stream.
            samples: length of the window; n or less.
            per_s: how many peaks a second.

        Returns:
            Its peaks, times from the window's first sample.

        Raises:
            ValueError: `pcm` is not a one-dimensional float32 array, or holds NaN or infinity.
        """
        if pcm.ndim != 1 or pcm.dtype != np.float32:
            raise ValueError("The sound must be a one-dimensional float32 array (mono, 8 kHz).")
        self._take(pcm, position)
        start_s, end_s = position / SAMPLE_RATE_HZ, (position + samples) / SAMPLE_RATE_HZ
        first, last = np.searchsorted(self._cells[:, 0], [start_s, end_s]).tolist()
        inside = self._cells[first:last].copy()
        self._put_aside(self._cells[:first], start_s, per_s)
        self._cells = self._cells[first:]
        inside[:, 0] -= start_s
        return choose(inside, per_s, samples / SAMPLE_RATE_HZ)

    def back(self, window: Peaks, position: int) -> tuple[Peaks, float]:
        """The last window together with what came before it.

        Args:
            window: what `window` gave last.
            position: of its first sample.

        Returns:
            The peaks, and how many seconds before the window they begin.
        """
        start_s = position / SAMPLE_RATE_HZ
        back_s = min(self._back_s, start_s - self._begun_s)
        past = self._past[self._past[:, 0] >= start_s - back_s] - (start_s - back_s, 0.0, 0.0)
        past = past.astype(np.float32)  # only now: after some days a float32 tells seconds in steps of 0.03
        columns = (
            np.concatenate([past[:, 0], window.times_s + np.float32(back_s)]),
            np.concatenate([past[:, 1], window.freqs_hz]),
            np.concatenate([past[:, 2], window.levels]),
        )
        return Peaks(*columns, duration_s=window.duration_s + back_s), back_s

    def _put_aside(self, cells: F64, start_s: float, per_s: int) -> None:
        """Keep the most prominent peaks of what lies before the present window: windows only go forwards."""
        if self._back_s > 0 and len(cells):
            first_s = cells[0, 0] - 1
            chosen = choose(cells - (first_s, 0.0, 0.0), per_s, start_s - first_s)
            fresh = np.column_stack([chosen.times_s + first_s, chosen.freqs_hz, chosen.levels])
            kept = self._past[np.searchsorted(self._past[:, 0], start_s - self._back_s) :]
            self._past = np.concatenate([kept, fresh])

    def _take(self, pcm: F32, position: int) -> None:
        """Look at the frames that are new."""
        hop, size = self._params.hop_samples, self._params.frame_samples
        first, last = -(-position // hop), (position + len(pcm) - size) // hop + 1
        if not first <= self._next_frame <= last:
            self._restart(first)
        if last > self._next_frame:
            begin = self._next_frame * hop - position
            fresh = pcm[begin : (last - 1) * hop + size - position]
            if not np.isfinite(np.sum(fresh, dtype=np.float64)):
                raise ValueError("The sound holds NaN or infinite samples; decode it again.")
            self._levels = np.concatenate([self._levels, log_power(fresh, self._params)])
            self._next_frame = last
        self._find()

    def _find(self) -> None:
        """Find the peaks of all frames that have neighbours enough on both sides."""
        known = self._next_frame - len(self._levels)
        ready = self._next_frame - self._margin
        if ready <= self._done_frame:
            return
        cells = candidates(self._levels, known, (self._done_frame, ready), self._params)
        self._cells = np.concatenate([self._cells, cells[np.argsort(cells[:, 0], kind="stable")]])
        self._done_frame = ready
        self._levels = self._levels[max(0, ready - self._margin - known) :].copy()

    def _restart(self, frame: int) -> None:
        self._levels = self._levels[:0]
        self._cells = self._cells[:0]
        self._past = self._past[:0]
        self._begun_s = frame * self._params.hop_samples / SAMPLE_RATE_HZ
        self._next_frame = self._done_frame = frame
