"""Laying a query over a track at a proposed place: which peaks coincide, and what chance alone would have done.

Votes only propose. What decides is how many of the query's peaks have a peak of the track at the same time and frequency,
once offset, speed and pitch have been fitted; and how many coincide when the same query is laid over other places of the
same track, where it does not belong. The latter is measured peak by peak: a steady tone finds partners
everywhere, so its coincidences say little.
"""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.peaks import Peaks

DECOYS = 48
TOLERANCE_S = 0.03
TOLERANCE_HZ = 6.0
TOLERANCE_SHARE = 0.0015  # plus this share of the frequency
_WIDE_S = 0.16
_WIDE_HZ = 8.0
_WIDE_SHARE = 0.006
_STEP_S = 0.01
_DRIFT = 0.009  # half of the widest step between warps of the bank, and a little
_DRIFT_STEP_S = 0.02
_LEAST_FIT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A query laid over a track.

    Attributes:
        offset_s: place in the track of the query's first sample.
        warp: the fitted speed and pitch.
        hits: bool[query peaks], those with a partner.
        inside: bool[query peaks], those that lie within the track at all.
        chance: float64[query peaks], how probable a partner is where the query does not belong.
        decoy_hits: bool[DECOYS, query peaks], partners at such places.
    """

    offset_s: float
    warp: Warp
    hits: Flags
    inside: Flags
    chance: F64
    decoy_hits: Flags


def align(query: Peaks, reference: tuple[F32, F32], duration_s: float, offset_s: float, warp: Warp) -> Alignment:
    """Fit offset, speed and pitch near a proposal, and count coincidences there and at DECOYS other places.

    Args:
        query: peaks of "query" density.
        reference: times (s) and frequencies (Hz) of the track's peaks.
        duration_s: the track's length.
        offset_s: proposed place in the track of the query's first sample, right within about 0.15 s.
        warp: proposed speed and pitch.
    """
    times_s, freqs_hz = reference
    asked_s, asked_hz = query.times_s * np.float32(warp.speed), query.freqs_hz / np.float32(warp.pitch)
    shift_s, drift, detune = _fit(asked_s, asked_hz, times_s, freqs_hz, offset_s)
    fitted = Warp(warp.speed * (1 + drift), warp.pitch / (1 + detune))
    asked_s, asked_hz = query.times_s * np.float32(fitted.speed), query.freqs_hz / np.float32(fitted.pitch)
    start_s = offset_s + shift_s
    hits = _hits(asked_s, asked_hz, times_s, freqs_hz, start_s)
    inside = (asked_s + start_s >= -TOLERANCE_S) & (asked_s + start_s <= duration_s + TOLERANCE_S)
    places = decoy_places(duration_s, start_s)
    decoy_hits = _decoy_hits(asked_s, asked_hz, times_s, freqs_hz, places, max(duration_s, 1.0))
    return Alignment(start_s, fitted, hits, inside, chance_of(decoy_hits, inside), decoy_hits)


def decoy_places(duration_s: float, start_s: float) -> F64:
    """DECOYS places spread over a track seen as a ring, none near `start_s`; uneven, so as not to fall on beats."""
    span_s = max(duration_s, 1.0)
    golden = np.modf(np.arange(1, DECOYS + 1) * 0.6180339887)[0]
    keep_away_s = min(0.4, span_s / 8)
    return (start_s + keep_away_s + golden * (span_s - 2 * keep_away_s)) % span_s


def chance_of(decoy_hits: Flags, inside: Flags) -> F64:
    """Each peak's probability of a partner by chance: its own record at the decoys, drawn towards the mean of all."""
    mean = float(decoy_hits[:, inside].mean()) if inside.any() else 0.0
    prior = 4.0
    share: F64 = (decoy_hits.sum(axis=0) + prior * mean + 0.1) / (len(decoy_hits) + prior + 0.2)
    return share


def _fit(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, offset_s: float) -> tuple[float, float, float]:
    """How offset (s), speed and pitch (shares) must be corrected; zeros if there is too little to go by."""
    at_s, late_s, detune = _near(asked_s, asked_hz, times_s, freqs_hz, offset_s)
    if len(at_s) < _LEAST_FIT:
        return 0.0, 0.0, 0.0
    middle_s = float(asked_s[0] + asked_s[-1]) / 2
    late, drift = _line(at_s - middle_s, late_s, float(asked_s[-1] - asked_s[0]))
    agree = np.abs(late_s - late - drift * (at_s - middle_s)) < TOLERANCE_S
    if int(agree.sum()) < _LEAST_FIT:
        return late - drift * middle_s, drift, 0.0
    return late - drift * middle_s, drift, float(np.median(detune[agree]))


@kernel
def _near(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, offset_s: float) -> tuple[F64, F64, F64]:
    """All pairs of a query peak and a track peak that are roughly at the same place.

    Returns:
        Time of the query peak (s), how much later the track's is (s), how much higher it is (share).
    """
    room = 4 * len(asked_s) + 16
    found = np.empty((3, room), np.float64)
    count = 0
    low = 0
    for q in range(len(asked_s)):
        due_s = offset_s + asked_s[q]
        reach_hz = _WIDE_HZ + _WIDE_SHARE * asked_hz[q]
        while low < len(times_s) and times_s[low] < due_s - _WIDE_S:
            low += 1
        r = low
        while r < len(times_s) and times_s[r] <= due_s + _WIDE_S and count < room:
            if abs(freqs_hz[r] - asked_hz[q]) <= reach_hz:
                found[0, count] = asked_s[q]
                found[1, count] = times_s[r] - due_s
                found[2, count] = freqs_hz[r] / asked_hz[q] - 1
                count += 1
            r += 1
    return found[0, :count].copy(), found[1, :count].copy(), found[2, :count].copy()


@kernel
def _line(at_s: F64, late_s: F64, span_s: float) -> tuple[float, float]:
    """The line late = a + b * at that most points agree with (a Hough transform, then least squares): (a, b)."""
    bins = int(2 * _WIDE_S / _STEP_S) + 1
    steps = int(np.ceil(_DRIFT * max(span_s, 1.0) / _DRIFT_STEP_S))
    best, best_late, best_drift = -1.0, 0.0, 0.0
    for step in range(-steps, steps + 1):
        drift = step * _DRIFT_STEP_S / max(span_s, 1.0)
        histogram = np.zeros(bins + 2, np.float64)
        for p in range(len(at_s)):
            k = int((late_s[p] - drift * at_s[p] + _WIDE_S) / _STEP_S)
            if 0 <= k < bins:
                histogram[k + 1] += 1
        for k in range(1, bins + 1):
            # Of equals the smaller correction wins: without evidence the proposal stands.
            votes = histogram[k - 1] + 2 * histogram[k] + histogram[k + 1] - 0.01 * abs(step)
            if votes > best:
                best, best_late, best_drift = votes, (k - 0.5) * _STEP_S - _WIDE_S, drift
    for _ in range(3):
        n, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for p in range(len(at_s)):
            if abs(late_s[p] - best_late - best_drift * at_s[p]) < TOLERANCE_S:
                n += 1
                sx += at_s[p]
                sy += late_s[p]
                sxx += at_s[p] * at_s[p]
                sxy += at_s[p] * late_s[p]
        spread = n * sxx - sx * sx
        if n < _LEAST_FIT or spread <= 0:
            break
        drift = (n * sxy - sx * sy) / spread
        if abs(drift) > 2 * _DRIFT:
            break
        best_drift = drift
        best_late = (sy - drift * sx) / n
    return best_late, best_drift


@kernel
def _hits(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, start_s: float) -> Flags:
    """Which query peaks have a partner in the track."""
    hits = np.zeros(len(asked_s), np.bool_)
    low = 0
    for q in range(len(asked_s)):
        due_s = start_s + asked_s[q]
        while low < len(times_s) and times_s[low] < due_s - TOLERANCE_S:
            low += 1
        r = low
        while r < len(times_s) and times_s[r] <= due_s + TOLERANCE_S:
            if abs(freqs_hz[r] - asked_hz[q]) <= TOLERANCE_HZ + TOLERANCE_SHARE * asked_hz[q]:
                hits[q] = True
                break
            r += 1
    return hits


@kernel
def _decoy_hits(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, places: F64, span_s: float) -> Flags:
    """The same at other places of the track, which is seen as a ring of span_s."""
    hits = np.zeros((len(places), len(asked_s)), np.bool_)
    for d in range(len(places)):
        start_s = places[d]
        q = 0
        while q < len(asked_s):
            # One lap of the ring: peaks whose due time falls before its end.
            low = 0
            turned = False
            while q < len(asked_s):
                due_s = start_s + asked_s[q]
                if due_s >= span_s:
                    start_s -= span_s
                    turned = True
                    break
                if low == 0:
                    low = np.searchsorted(times_s, np.float32(due_s - TOLERANCE_S))
                while low < len(times_s) and times_s[low] < due_s - TOLERANCE_S:
                    low += 1
                r = low
                while r < len(times_s) and times_s[r] <= due_s + TOLERANCE_S:
                    if abs(freqs_hz[r] - asked_hz[q]) <= TOLERANCE_HZ + TOLERANCE_SHARE * asked_hz[q]:
                        hits[d, q] = True
                        break
                    r += 1
                q += 1
            if not turned:
                break
    return hits
