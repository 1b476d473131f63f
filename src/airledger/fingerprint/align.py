"""Laying a query over a track at a proposed place: which peaks coincide, and what chance alone would have done.

Votes only propose. What decides is how many of the query's peaks have a peak of the track at the same time and
frequency, once offset, speed and pitch have been fitted; and how many coincide when the same query is laid over other
places of the same track, where it does not belong: the *rivals*, the places where most peaks coincide by accident.
"""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, F64, I32, I64, Flags, kernel
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.peaks import Peaks

RIVALS = 6
TOLERANCE_S = 0.03
TOLERANCE_HZ = 6.0
TOLERANCE_SHARE = 0.0015  # plus this share of the frequency
_WIDE_S = 0.16
_WIDE_HZ = 8.0
_WIDE_SHARE = 0.006
_STEP_S = 0.01
_DRIFT = 0.012  # half of the widest step between warps of the bank, and a little
_DRIFT_STEP_S = 0.02
_LEAST_FIT = 8
_LEAST_CHANCE = 0.002
_MOST_CHANCE = 0.9
_LAG_S = 0.01
_BUCKET_HZ = 8.0
_APART_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A query laid over a track.

    Attributes:
        offset_s: place in the track of the query's first sample.
        warp: the fitted speed and pitch.
        closeness: float32[query peaks], 0 without a partner, up to 1 for one at exactly the same time and frequency.
        inside: bool[query peaks], those that lie within the track at all.
        chance: float64[query peaks], how probable a partner is at a place of the track drawn at random.
        rivals: float32[rivals, query peaks], closeness at the places where most peaks coincide otherwise.
        rival_offsets_s: float64[rivals], these places.
        alike: float64[rivals], share of the track's peaks under the query that it has there as well: near 1 where the
            track repeats itself.
    """

    offset_s: float
    warp: Warp
    closeness: F32
    inside: Flags
    chance: F64
    rivals: F32
    rival_offsets_s: F64
    alike: F64

    @property
    def hits(self) -> Flags:
        """bool[query peaks], those with a partner."""
        return self.closeness > 0


def align(query: Peaks, reference: tuple[F32, F32], duration_s: float, offset_s: float, warp: Warp) -> Alignment:
    """Fit offset, speed and pitch near a proposal, and count coincidences there and at the rivals.

    Args:
        query: peaks of "query" density.
        reference: times (s) and frequencies (Hz) of the track's peaks.
        duration_s: the track's length.
        offset_s: proposed place in the track of the query's first sample, right within about 0.15 s.
        warp: proposed speed and pitch.
    """
    times_s, freqs_hz = reference
    asked_s, asked_hz = _undone(query, warp)
    shift_s, drift, detune = _fit(asked_s, asked_hz, times_s, freqs_hz, offset_s)
    fitted = Warp(warp.speed * (1 + drift), warp.pitch / (1 + detune))
    asked_s, asked_hz = _undone(query, fitted)
    start_s = offset_s + shift_s
    inside = (asked_s + start_s >= -TOLERANCE_S) & (asked_s + start_s <= duration_s + TOLERANCE_S)
    lags, partners = _lags(asked_s, asked_hz, times_s, freqs_hz)
    chance = np.clip(partners * (2 * TOLERANCE_S / max(duration_s, 1.0)), _LEAST_CHANCE, _MOST_CHANCE)
    last_s = float(asked_s[-1])
    under = slice(*np.searchsorted(times_s, [start_s, start_s + last_s]).tolist())
    rivals_s = _rivals(lags, start_s + last_s, RIVALS) - last_s
    rivals = [_closeness(asked_s, asked_hz, times_s, freqs_hz, float(rival_s)) for rival_s in rivals_s]
    return Alignment(
        offset_s=start_s,
        warp=fitted,
        closeness=_closeness(asked_s, asked_hz, times_s, freqs_hz, start_s),
        inside=inside,
        chance=chance,
        rivals=np.array(rivals, np.float32).reshape(len(rivals_s), len(query)),
        rival_offsets_s=rivals_s,
        alike=np.array([_alike(times_s, freqs_hz, under, rival_s - start_s) for rival_s in rivals_s], np.float64),
    )


def _alike(times_s: F32, freqs_hz: F32, under: slice, lag_s: float) -> float:
    """Share of the peaks `under` the query that the track has `lag_s` later (or earlier) too."""
    there = times_s[under]
    if len(there) == 0:
        return 0.0
    return float((_closeness(there, freqs_hz[under], times_s, freqs_hz, lag_s) > 0).mean())


def _undone(query: Peaks, warp: Warp) -> tuple[F32, F32]:
    """Times and frequencies that the query's peaks have in the reference if the warp is right."""
    return query.times_s * np.float32(warp.speed), query.freqs_hz / np.float32(warp.pitch)


@kernel
def _lags(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32) -> tuple[I32, I64]:
    """How many peaks coincide in frequency at each shift, in steps of _LAG_S; and each query peak's partners at any.

    Shift 0 is where the query's last peak meets the track's beginning.
    """
    buckets = 512
    starts = np.zeros(buckets + 1, np.int64)
    for r in range(len(freqs_hz)):
        starts[min(buckets - 1, int(freqs_hz[r] / _BUCKET_HZ)) + 1] += 1
    for b in range(buckets):
        starts[b + 1] += starts[b]
    order = np.empty(len(freqs_hz), np.int64)
    free = starts.copy()
    for r in range(len(freqs_hz)):
        b = min(buckets - 1, int(freqs_hz[r] / _BUCKET_HZ))
        order[free[b]] = r
        free[b] += 1
    last_s = asked_s[-1]
    lags = np.zeros(int((times_s[-1] + last_s) / _LAG_S) + 6, np.int32)
    partners = np.zeros(len(asked_s), np.int64)
    for q in range(len(asked_s)):
        reach_hz = TOLERANCE_HZ + TOLERANCE_SHARE * asked_hz[q]
        low = min(buckets - 1, max(0, int((asked_hz[q] - reach_hz) / _BUCKET_HZ)))
        high = min(buckets - 1, max(0, int((asked_hz[q] + reach_hz) / _BUCKET_HZ)))
        for at in range(starts[low], starts[high + 1]):
            r = order[at]
            if abs(freqs_hz[r] - asked_hz[q]) <= reach_hz:
                lags[int((times_s[r] - asked_s[q] + last_s) / _LAG_S) + 2] += 1
                partners[q] += 1
    return lags, partners


@kernel
def _rivals(lags: I32, own_s: float, wanted: int) -> F64:
    """The shifts (s) with most coincidences, apart from each other and from `own_s`."""
    count = len(lags)
    sums = np.zeros(count, np.int32)
    for k in range(2, count - 2):
        sums[k] = lags[k - 2] + lags[k - 1] + lags[k] + lags[k + 1] + lags[k + 2]
    apart = int(_APART_S / _LAG_S)
    own = int(own_s / _LAG_S) + 2
    sums[max(0, own - 2 * apart) : max(0, own + 2 * apart + 1)] = 0
    shifts = np.empty(wanted, np.float64)
    made = 0
    while made < wanted:
        top = int(np.argmax(sums))
        if sums[top] == 0:
            break
        centre = (lags[top + 1] - lags[top - 1] + 2 * (lags[top + 2] - lags[top - 2])) / sums[top]
        shifts[made] = (top + centre - 1.5) * _LAG_S
        made += 1
        sums[max(0, top - apart) : top + apart + 1] = 0
    return shifts[:made].copy()


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
def _rough_line(at_s: F64, late_s: F64, span_s: float) -> tuple[float, float]:
    """The line late = a + b * at that most points agree with, by a Hough transform: (a, b)."""
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
    return best_late, best_drift


@kernel
def _line(at_s: F64, late_s: F64, span_s: float) -> tuple[float, float]:
    """The same, refined by least squares over the points near the line."""
    late, drift = _rough_line(at_s, late_s, span_s)
    for _ in range(3):
        n, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for p in range(len(at_s)):
            if abs(late_s[p] - late - drift * at_s[p]) < TOLERANCE_S:
                n += 1
                sx += at_s[p]
                sy += late_s[p]
                sxx += at_s[p] * at_s[p]
                sxy += at_s[p] * late_s[p]
        spread = n * sxx - sx * sx
        if n < _LEAST_FIT or spread <= 0:
            break
        steeper = (n * sxy - sx * sy) / spread
        if abs(steeper) > 2 * _DRIFT:
            break
        drift = steeper
        late = (sy - drift * sx) / n
    return late, drift


@kernel
def _closeness(asked_s: F32, asked_hz: F32, times_s: F32, freqs_hz: F32, start_s: float) -> F32:
    """How near each query peak's partner in the track is: 0 for none, 1 for exactly there."""
    closeness = np.zeros(len(asked_s), np.float32)
    low = np.searchsorted(times_s, np.float32(start_s + asked_s[0] - TOLERANCE_S))
    for q in range(len(asked_s)):
        due_s = start_s + asked_s[q]
        reach_hz = TOLERANCE_HZ + TOLERANCE_SHARE * asked_hz[q]
        while low < len(times_s) and times_s[low] < due_s - TOLERANCE_S:
            low += 1
        r = low
        while r < len(times_s) and times_s[r] <= due_s + TOLERANCE_S:
            away_hz = abs(freqs_hz[r] - asked_hz[q])
            if away_hz <= reach_hz:
                near = (1 - abs(times_s[r] - due_s) / TOLERANCE_S) * (1 - away_hz / reach_hz)
                near = max(near, np.float32(1e-3))
                closeness[q] = max(closeness[q], near)
            r += 1
    return closeness
