"""A quick look at many proposals: how many peaks of the query does a track have at the proposed place?

Votes are pairs, of which few survive a radio chain; of single peaks many more do. So in a large index a handful of
votes, as any query finds at a thousand wrong places, is told from a true place by the peaks around it, at a hundredth
of the cost of `align`: peaks are counted by how much earlier or later the track has them, and the surprise is how much
more often it is by one and the same amount than by any other.
"""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, F64, I64, U64, Flags, kernel
from airledger.fingerprint.checksums import Guard, is_sound
from airledger.fingerprint.peak_words import TICKS_PER_S, peaks_between, peaks_in
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.postings import STEP_PLACES
from airledger.fingerprint.segment import PLACES_PER_S, Segment, damaged

_REACH_S = 0.24
_BIN_S = 0.02
_BINS = 24
_WIDE = 3  # bins that count as one amount
_TOLERANCE_HZ = 6.0
_TOLERANCE_SHARE = 0.0035  # half a step between the speeds of the bank, and a little
_LEAST_EXPECTED = 0.5
_MOST_TRACKS = 8  # that may begin within one query
_ROOM = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Coincidences:
    """What was found at each proposed place.

    Attributes:
        tracks: int64[n], index of the track that has most of the query's peaks there, or -1.
        offsets_s: float64[n], place in that track of the query's first sample.
        surprise: float64[n], in nats: Poisson likelihood ratio of the coincidences against those at other amounts.
    """

    tracks: I64
    offsets_s: F64
    surprise: F64


def coincide(segment: Segment, alive: Flags, query: Peaks, places: I64, factors: F64) -> Coincidences:
    """Count coinciding peaks at each place.

    Args:
        segment: where the places are.
        alive: bool[tracks], those that count.
        query: at least one peak.
        places: int64[n], where on the axis the query's first sample lies.
        factors: float64[n, 2], speed and pitch of each.

    Raises:
        IndexDamagedError: the peaks of a track are not what was written.
    """
    tables = (segment.starts, segment.lengths, segment.peak_starts)
    tracks, offsets_s, surprise = _coincide(
        (query.times_s, query.freqs_hz), places, factors, tables, alive, segment.peak_words, segment.watched
    )
    if len(tracks) and tracks.min() < -1:
        raise damaged("The peaks of a track")
    return Coincidences(tracks, offsets_s, surprise)


@kernel
def _coincide(
    query: tuple[F32, F32],
    places: I64,
    factors: F64,
    tables: tuple[I64, I64, I64],
    alive: Flags,
    peak_words: U64,
    watched: Guard,
) -> tuple[I64, F64, F64]:
    starts, lengths, peak_starts = tables
    times_s, freqs_hz = query
    tracks = np.full(len(places), -1, np.int64)
    offsets_s = np.zeros(len(places), np.float64)
    surprise = np.zeros(len(places), np.float64)
    near = np.empty((2, _ROOM), np.float32)
    asked = np.empty((2, len(times_s)), np.float32)
    for p in range(len(places)):
        speed, pitch = factors[p, 0], factors[p, 1]
        for q in range(len(times_s)):
            asked[0, q] = times_s[q] * speed
            asked[1, q] = freqs_hz[q] / pitch
        last = places[p] + np.int64(asked[0, len(times_s) - 1] * PLACES_PER_S)
        index = max(0, np.searchsorted(starts, places[p] // STEP_PLACES, side="right") - 1)
        for i in range(index, min(index + _MOST_TRACKS, len(lengths))):
            if starts[i] * STEP_PLACES > last:
                break
            if not alive[i]:
                continue
            offset_s = (places[p] - starts[i] * STEP_PLACES) / PLACES_PER_S
            first, end = peak_starts[i], peak_starts[i + 1]
            count = peaks_in(peak_words, first, end, lengths[i]) if is_sound(watched, 8 * first, 8 * end) else -1
            if count < 0:
                tracks[p] = -2
                return tracks, offsets_s, surprise
            begin_tick = int((offset_s + asked[0, 0] - _REACH_S) * TICKS_PER_S)
            end_tick = int((offset_s + asked[0, len(times_s) - 1] + _REACH_S) * TICKS_PER_S)
            found = peaks_between(peak_words, first, count, lengths[i] + 1, (begin_tick, end_tick), near)
            nats, late_s = _surprise(asked, near[:, :found], offset_s)
            if nats > surprise[p] or tracks[p] < 0:
                tracks[p], offsets_s[p], surprise[p] = i, offset_s + late_s, nats
    return tracks, offsets_s, surprise


@kernel
def _surprise(asked: F32, near: F32, offset_s: float) -> tuple[float, float]:
    """Surprise at the amount by which most of the track's peaks are late, and that amount."""
    bins = np.zeros(_BINS + 2, np.float64)
    low = 0
    count = asked.shape[1]
    for r in range(near.shape[1]):
        due_s = near[0, r] - offset_s
        freq_hz = near[1, r]
        reach_hz = _TOLERANCE_HZ + _TOLERANCE_SHARE * freq_hz
        while low < count and asked[0, low] < due_s - _REACH_S:
            low += 1
        q = low
        while q < count and asked[0, q] <= due_s + _REACH_S:
            if abs(asked[1, q] - freq_hz) <= reach_hz:
                bins[min(_BINS, int((due_s - asked[0, q] + _REACH_S) / _BIN_S) + 1)] += 1
            q += 1
    total = bins.sum()
    most, top = 0.0, 1
    for b in range(1, _BINS + 1):
        together = bins[b - 1] + bins[b] + bins[b + 1]
        if together > most:
            most, top = together, b
    if most == 0:
        return 0.0, 0.0
    expected = max(_LEAST_EXPECTED, (total - most) * _WIDE / (_BINS - _WIDE))
    if most <= expected:
        return 0.0, 0.0
    centre = top + (bins[top + 1] - bins[top - 1]) / most
    return most * np.log(most / expected) - (most - expected), (centre - 0.5) * _BIN_S - _REACH_S
