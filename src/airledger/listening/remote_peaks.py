"""Peaks in five bytes each, as a remote listener sends them: a quarter of a millisecond, a sixteenth of a hertz."""

import numpy as np

from airledger.fingerprint.peaks import Peaks
from airledger.listening.remote_wire import (
    FREQ_PER_HZ,
    HIGHEST_HZ,
    LEVEL_PER_DB,
    LONGEST_S,
    MOST_PEAKS,
    PEAK,
    TIME_HZ,
    WireError,
)


def pack(peaks: Peaks) -> bytes:
    """Write peaks; what lies beyond 15.9 s is left out, and more than 4,000 are cut."""
    count = min(MOST_PEAKS, int(np.searchsorted(peaks.times_s, LONGEST_S)))
    packed = np.empty(count, PEAK)
    packed["time"] = np.rint(peaks.times_s[:count] * TIME_HZ)
    packed["freq"] = np.clip(np.rint(peaks.freqs_hz[:count] * FREQ_PER_HZ), 0, HIGHEST_HZ * FREQ_PER_HZ)
    packed["level"] = np.clip(np.rint(peaks.levels[:count] * LEVEL_PER_DB), 0, 255)
    return packed.tobytes()


def unpack(payload: bytes, length_s: float) -> Peaks:
    """Read what `pack` wrote.

    Raises:
        WireError: These are no peaks of a sound of this length.
    """
    try:
        packed = np.frombuffer(payload, PEAK)
        return Peaks(
            (packed["time"] / np.float32(TIME_HZ)).astype(np.float32),
            (packed["freq"] / np.float32(FREQ_PER_HZ)).astype(np.float32),
            (packed["level"] / np.float32(LEVEL_PER_DB)).astype(np.float32),
            float(length_s),
        )
    except ValueError as error:
        raise WireError(f"a window's peaks are none: {error}") from error
