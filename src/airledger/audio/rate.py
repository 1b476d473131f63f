"""How fast a stream really is, from when its bytes came.

A server greets a listener with a burst (Icecast: 64 KiB at once), so bytes alone prove nothing: what counts is the
slope of bytes over time once the burst is over. In the burst the curve of bytes lies ahead of the line that the
later arrivals follow; the burst's size is that lead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MIN_SECONDS = 2.0
MIN_ARRIVALS = 4
BITS_PER_KILOBYTE = 0.008


@dataclass(frozen=True, slots=True)
class Rate:
    """A stream's pace.

    Attributes:
        burst_bytes: what came ahead of real time at the beginning.
        sustained_kbps: kilobits per second after the burst; None where too little came afterwards to tell.
        seconds: length of the time that `sustained_kbps` was measured over.
    """

    burst_bytes: int
    sustained_kbps: float | None
    seconds: float


def measure_rate(arrivals: Sequence[tuple[float, int]]) -> Rate:
    """Measure burst and pace.

    Args:
        arrivals: (seconds, bytes in total by then), in order; the first is the first arrival.

    Returns:
        The rate. Arrivals in lumps (HLS segments) are measured from lump to lump, which needs at least four of them.
    """
    if not arrivals:
        return Rate(0, None, 0.0)
    times_s = np.array([at for at, _ in arrivals], dtype=np.float64)
    totals = np.array([total for _, total in arrivals], dtype=np.float64)
    begin = _burst_end(times_s, totals)
    seconds = float(times_s[-1] - times_s[begin])
    if seconds < MIN_SECONDS or len(times_s) - begin < MIN_ARRIVALS:
        return Rate(int(totals[begin]) if begin else 0, None, seconds)
    slope = _slope(times_s[begin:], totals[begin:])
    paced_bytes = slope * (times_s[begin] - times_s[0])
    return Rate(max(int(totals[begin] - paced_bytes), 0), slope * BITS_PER_KILOBYTE, seconds)


def _slope(times_s: NDArray[np.float64], totals: NDArray[np.float64]) -> float:
    """Fit a line; least squares forgive a late last packet, which first-to-last would not."""
    centred = times_s - times_s.mean()
    return float(np.dot(centred, totals - totals.mean()) / np.dot(centred, centred))


def _burst_end(times_s: NDArray[np.float64], totals: NDArray[np.float64]) -> int:
    """Find the arrival that ends the burst: where the curve stands highest above its chord.

    The curve of a burst and a steady stream is a knee; its corner is the point farthest above the straight line from
    the first to the last arrival. A stream without a burst has no corner worth the name.
    """
    span_s = times_s[-1] - times_s[0]
    if span_s <= 0:
        return 0
    chord = totals[0] + (totals[-1] - totals[0]) * (times_s - times_s[0]) / span_s
    above = totals - chord
    corner = int(np.argmax(above))
    lumps = np.diff(totals, prepend=0.0)
    ordinary = float(np.median(lumps))
    return corner if above[corner] > 2 * ordinary else 0
