"""Looking up a query's keys in a segment, and counting the votes on where in the library it begins."""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, I32, I64, U8, U16, U32, kernel
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, strongest
from airledger.fingerprint.segment import PLACES_PER_S, Segment

CELL_SHIFT = 3  # votes are first counted in cells of 8 places (80 ms) ...
WINDOW_PLACES = 16  # ... and then in windows of 160 ms: what half a percent of wrong speed smears over 20 s and more
_LEAST_CELL_BITS = 10
_MOST_CELL_BITS = 17


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A query's peaks and the pairs made of them; a warp only changes the arithmetic on them."""

    peaks: Peaks
    first: I32
    second: I32

    @classmethod
    def full(cls, peaks: Peaks, params: Params) -> "Question":
        """With all pairs of all peaks."""
        return cls(peaks, *pairs(peaks, params, params.query_fan))

    @classmethod
    def coarse(cls, peaks: Peaks, params: Params) -> "Question":
        """With few pairs of the strongest peaks: enough to see which warps are worth the full question."""
        fewer = strongest(peaks, params.coarse_peaks_per_s)
        return cls(fewer, *pairs(fewer, params, params.coarse_fan))


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The windows with most votes.

    Attributes:
        places: int64[n], where on the segment's axis the query's first sample lies.
        votes: int64[n], votes within WINDOW_PLACES of there, falling.
        cast: how many votes there were in all.
    """

    places: I64
    votes: I64
    cast: int


def tally(question: Question, segment: Segment, params: Params, warp: Warp, best: int, budget: int) -> Tally:
    """Look up all keys of a warped question and count votes.

    Args:
        question: the query.
        segment: where to look.
        params: the engine's parameters.
        warp: the hypothesis.
        best: how many windows to return at most.
        budget: how many votes to count at most; keys with the longest lists, which say least, are passed over first.
    """
    made = keys(question.peaks, question.first, question.second, params, speed=warp.speed, pitch=warp.pitch)
    asked_at = question.peaks.times_s[question.first] * np.float32(warp.speed * PLACES_PER_S)
    lows, counts = _lists(made, segment.buckets, segment.remainders, segment.remainder_bits)
    longest, cast = _longest_list(counts, budget)
    votes = _votes(lows, counts, longest, asked_at, segment.places, cast)
    cell_bits = min(_MOST_CELL_BITS, max(_LEAST_CELL_BITS, int(cast).bit_length() - 1))
    places, found = _busiest(votes, 1 << cell_bits, best)
    order = np.lexsort((places, -found))[:best]
    return Tally(places[order], found[order], int(cast))


@kernel
def _lists(made: U32, buckets: U32, remainders: U8, remainder_bits: int) -> tuple[U32, U32]:
    """Where each key's postings begin, and how many they are."""
    mask = np.uint32((1 << remainder_bits) - 1)
    lows = np.zeros(len(made), np.uint32)
    counts = np.zeros(len(made), np.uint32)
    for q in range(len(made)):
        if made[q] == NO_KEY:
            continue
        bucket = made[q] >> np.uint32(remainder_bits)
        wanted = made[q] & mask
        at, end = buckets[bucket], buckets[bucket + 1]
        while at < end and remainders[at] < wanted:
            at += 1
        low = at
        while at < end and remainders[at] == wanted:
            at += 1
        lows[q] = low
        counts[q] = at - low
    return lows, counts


@kernel
def _longest_list(counts: U32, budget: int) -> tuple[int, int]:
    """The greatest list length so that all lists up to it have at most `budget` postings; and how many these are."""
    total = 0
    for count in counts:
        total += count
    longest = 0
    for count in counts:
        longest = max(longest, count)
    while total > budget and longest > 1:
        shorter, remaining = longest * 3 // 4, 0
        for count in counts:
            if count <= shorter:
                remaining += count
        longest, total = shorter, remaining
    return longest, total


@kernel
def _votes(lows: U32, counts: U32, longest: int, asked_at: F32, places: U32, cast: int) -> U32:
    """For each posting found, where its track would have the query's first sample."""
    votes = np.empty(cast, np.uint32)
    made = 0
    for q in range(len(lows)):
        if counts[q] > longest:
            continue
        shift = np.int64(np.rint(asked_at[q]))
        for at in range(lows[q], lows[q] + counts[q]):
            votes[made] = np.uint32(np.int64(places[at]) - shift)
            made += 1
    return votes[:made]


@kernel
def _busiest(votes: U32, cells: int, best: int) -> tuple[I64, I64]:
    """The windows of WINDOW_PLACES with most votes: places and votes.

    Counting runs over a small table onto which the axis is folded; only votes in its fullest cells are then looked at
    exactly. So the cost does not depend on the length of the axis.
    """
    mask = cells - 1
    table = np.zeros(cells + 1, np.uint16)
    for vote in votes:
        cell = (vote >> CELL_SHIFT) & mask
        if table[cell] < 65535:  # noqa: PLR2004
            table[cell] += 1
    table[cells] = table[0]
    level = _level_of(table, cells, 2 * best)
    marked = np.zeros(cells + 1, np.bool_)
    for cell in range(cells):
        if np.int64(table[cell]) + np.int64(table[cell + 1]) >= level:
            marked[cell] = True
            marked[(cell + 1) & mask] = True
    chosen = np.empty(len(votes), np.int64)
    count = 0
    for vote in votes:
        if marked[(vote >> CELL_SHIFT) & mask]:
            chosen[count] = vote
            count += 1
    ordered = np.sort(chosen[:count])
    return _windows(ordered, best)


@kernel
def _level_of(table: U16, cells: int, wanted: int) -> int:
    """How many votes two neighbouring cells must have so that about `wanted` pairs of cells have them; at least 2."""
    histogram = np.zeros(4096, np.int64)
    for cell in range(cells):
        together = np.int64(table[cell]) + np.int64(table[cell + 1])
        histogram[4095 if together > 4095 else together] += 1  # noqa: FURB136, PLR2004  # min() of these is a float
    level, seen = 4095, 0
    while level > 2:  # noqa: PLR2004
        seen += histogram[level]
        if seen >= wanted:
            break
        level -= 1
    return level


@kernel
def _windows(ordered: I64, best: int) -> tuple[I64, I64]:
    """Of votes in order, the `best` windows with most of them, none overlapping another: median place, and votes."""
    count = len(ordered)
    ends = np.empty(count, np.int64)
    end = 0
    for i in range(count):
        while end < count and ordered[end] < ordered[i] + WINDOW_PLACES:
            end += 1
        ends[i] = end
    places = np.empty(best, np.int64)
    votes = np.empty(best, np.int64)
    made = 0
    while made < best:
        top, most = -1, 1
        for i in range(count):
            if ends[i] - i > most:
                top, most = i, ends[i] - i
        if top < 0:
            break
        places[made] = ordered[(top + ends[top] - 1) // 2]
        votes[made] = most
        made += 1
        low, high = ordered[top] - WINDOW_PLACES, ordered[top] + WINDOW_PLACES
        for i in range(count):
            if low < ordered[i] < high:
                ends[i] = i
    return places[:made].copy(), votes[:made].copy()
