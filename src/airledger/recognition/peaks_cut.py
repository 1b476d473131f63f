"""Cutting peaks: a part of a sound as a sound of its own, without hearing it again."""

from dataclasses import replace

import numpy as np

from airledger.fingerprint.peaks import Peaks


def part_of(peaks: Peaks, from_s: float, to_s: float) -> Peaks:
    """The peaks from one moment (included) to another (excluded); their times stay as they are."""
    low, high = np.searchsorted(peaks.times_s, [from_s, to_s]).tolist()
    return replace(
        peaks, times_s=peaks.times_s[low:high], freqs_hz=peaks.freqs_hz[low:high], levels=peaks.levels[low:high]
    )


def cut_peaks(peaks: Peaks, from_s: float, to_s: float) -> Peaks:
    """The sound from one moment to another as a sound of its own: times count from its beginning."""
    inside = part_of(peaks, from_s, to_s)
    times_s = np.clip(inside.times_s - np.float32(from_s), 0, None)
    return Peaks(times_s, inside.freqs_hz, inside.levels, max(0.0, min(to_s, peaks.duration_s) - from_s))
