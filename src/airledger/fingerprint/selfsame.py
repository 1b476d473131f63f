"""How much of a sound comes again within it."""

import numpy as np

from airledger.fingerprint.align import TOLERANCE_HZ
from airledger.fingerprint.arrays import F32, kernel
from airledger.fingerprint.peaks import Peaks

_LEAST_LAG_S = 0.25
_STEP_S = 0.02
_MOST_PEAKS = 4000  # some three minutes: enough to judge by, and bounds the cost


def self_similarity(peaks: Peaks) -> float:
    """The largest share of peaks that have a peak of the same frequency after one and the same lag, 0..1.

    Lags from a quarter of a second to half the length are tried; only peaks that could have a partner count.
    """
    times_s, freqs_hz = peaks.times_s[:_MOST_PEAKS], peaks.freqs_hz[:_MOST_PEAKS]
    if len(times_s) < 2:  # noqa: PLR2004
        return 0.0
    return float(_largest_share(times_s - times_s[0], freqs_hz))


@kernel
def _largest_share(times_s: F32, freqs_hz: F32) -> float:
    span_s = float(times_s[-1])
    lags = int(span_s / 2 / _STEP_S) + 1
    again = np.zeros(lags + 2, np.float64)
    could = np.zeros(lags + 2, np.float64)
    for i in range(len(times_s)):
        for j in range(i + 1, len(times_s)):
            gap_s = times_s[j] - times_s[i]
            if gap_s > span_s / 2:
                break
            if gap_s >= _LEAST_LAG_S and abs(freqs_hz[j] - freqs_hz[i]) <= TOLERANCE_HZ:
                again[int(gap_s / _STEP_S + 0.5)] += 1
        could[min(lags, int((span_s - times_s[i]) / _STEP_S))] += 1
    # could[k]: peaks that lie at least lag k before the end.
    for k in range(lags - 1, -1, -1):
        could[k] += could[k + 1]
    share = 0.0
    for k in range(1, lags):
        if could[k] > 0:
            share = max(share, min(1.0, (again[k - 1] + again[k] + again[k + 1]) / could[k]))
    return share
