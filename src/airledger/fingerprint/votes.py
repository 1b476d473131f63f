"""Looking up a query's keys in a segment, and counting the votes on where on its axis the query begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, F64, I32, I64, U8, U32, kernel
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.hashes import NO_KEY, key_into, pairs
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, strongest
from airledger.fingerprint.postings import Source, bucket_words, read_list
from airledger.fingerprint.segment import PLACES_PER_S, Segment, damaged

CELL_SHIFT = 3  # votes are first counted in cells of 8 places (80 ms) ...
WINDOW_PLACES = 16  # ... and then in windows of 160 ms: what half a percent of wrong speed smears over 20 s and more
_LEAST_CELL_BITS = 12
_MOST_CELL_BITS = 20
_MOST_IN_CELL = 255
_LEAST_LISTS = 100


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
        """With few pairs of the strongest peaks: enough to see which warps are worth a closer look."""
        fewer = strongest(peaks, params.coarse_peaks_per_s)
        return cls(fewer, *pairs(fewer, params, params.coarse_fan))

    def fewer(self, count: int) -> "Question":
        """The same with only so many of its pairs: those whose weaker peak is strongest."""
        if len(self.first) <= count:
            return self
        levels = np.minimum(self.peaks.levels[self.first], self.peaks.levels[self.second])
        keep = np.sort(np.argpartition(-levels, count)[:count])
        return Question(self.peaks, self.first[keep], self.second[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The windows with most votes, under each warp.

    Attributes:
        places: int64[warps, n], where on the segment's axis the query's first sample lies.
        votes: int64[warps, n], votes within WINDOW_PLACES of there, falling; 0 where there are fewer windows.
        cast: int64[warps], how many votes there were in all.
    """

    places: I64
    votes: I64
    cast: I64


def tally(
    question: Question,
    segment: Segment,
    params: Params,
    warps: Sequence[Warp],
    best: int,
    budget: int = 1 << 16,
) -> Tally:
    """Look up all keys of a question under each of some warps, and count votes.

    Args:
        question: the query.
        segment: where to look.
        params: the engine's parameters.
        warps: the hypotheses.
        best: how many windows to return at most for each warp.
        budget: how many votes to count for each, before longer lists are passed over, which cost more than others and
            say no more; but _LEAST_LISTS are always read.

    Raises:
        IndexDamagedError: what was read is not what was written.
    """
    peaks = question.peaks
    factors = np.array([(warp.speed, 1 / warp.pitch) for warp in warps], np.float64).reshape(len(warps), 2)
    steps = (params.key_step_hz, params.key_step_across_hz, params.key_step_s, params.pair_max_hz)
    asked = (peaks.times_s, peaks.freqs_hz, question.first, question.second)
    places, votes, cast = _tally(asked, factors, steps, params.key_shape, segment.postings.source, best, budget)
    if len(cast) and cast.min() < 0:
        raise damaged("A segment's postings")
    return Tally(places, votes, cast)


@kernel
def _tally(
    asked: tuple[F32, F32, I32, I32],
    factors: F64,
    steps: tuple[float, float, float, float],
    shape: tuple[int, int, int],
    source: Source,
    best: int,
    budget: int,
) -> tuple[I64, I64, I64]:
    times_s, freqs_hz, first, second = asked
    places = np.zeros((len(factors), best), np.int64)
    votes = np.zeros((len(factors), best), np.int64)
    cast = np.zeros(len(factors), np.int64)
    made = np.empty(len(first), np.uint32)
    lengths = np.empty(len(first), np.int64)
    buckets = np.empty((len(first), 2), np.int64)
    found = np.empty(0, np.uint32)
    table = np.empty((1 << _MOST_CELL_BITS) + 1, np.uint8)
    for w in range(len(factors)):
        key_into(times_s, freqs_hz, first, second, (factors[w, 0], factors[w, 1]), steps, shape, made)
        longest, expected = _plan(source, made, lengths, buckets, budget)
        count = -1
        if longest >= 0:
            count = 0
            room = 1024 + 2 * expected  # the lengths were guesses; what does not fit is not counted
            if len(found) < room:
                found = np.empty(room, np.uint32)
            for q in range(len(made)):
                if 0 < lengths[q] <= longest:
                    shift = int(np.rint(times_s[first[q]] * factors[w, 0] * PLACES_PER_S))
                    count = read_list(
                        source, (buckets[q, 0], buckets[q, 1]), int(np.int64(made[q])), shift, found, count
                    )
                    if count < 0:
                        break
        cast[w] = count
        if count > 0:
            _busiest(found[:count], table, best, places[w], votes[w])
    return places, votes, cast


@kernel
def _plan(source: Source, made: U32, lengths: I64, buckets: I64, budget: int) -> tuple[int, int]:
    """Where each key's bucket is, how long its list is about, up to which length lists are read, and their sum; or -1.

    The length is a guess from the bucket's size, which is known without looking into the bucket: a posting takes some
    20 bits, and the keys of a bucket share it evenly.
    """
    key_bits = source[2][0]
    total, longest, lists = 0, 0, 0
    for q in range(len(made)):
        lengths[q] = 0
        if made[q] == NO_KEY:
            continue
        first, end = bucket_words(source, int(np.int64(made[q]) >> key_bits))
        if end < first:
            return -1, 0
        buckets[q, 0] = first
        buckets[q, 1] = end
        if end > first:
            lengths[q] = 1 + ((3 * (end - first)) >> key_bits)
            lists += 1
        total += lengths[q]
        longest = max(longest, lengths[q])
    if total <= budget:
        return longest, total
    ordered = np.sort(lengths)[len(lengths) - lists :]
    total = 0
    for i in range(lists):
        if total + ordered[i] > budget and i >= _LEAST_LISTS:
            return ordered[i - 1], total
        total += ordered[i]
    return longest, total


@kernel
def _busiest(votes: U32, table: U8, best: int, places: I64, counts: I64) -> None:
    """Fill in the windows of WINDOW_PLACES with most votes.

    Counting runs over a small table onto which the axis is folded, so that it stays in the processor's cache; only
    votes in its fullest cells are then looked at exactly. So the cost does not depend on the length of the axis.
    """
    bits = _LEAST_CELL_BITS
    while bits < _MOST_CELL_BITS and (1 << bits) < 2 * len(votes):
        bits += 1
    cells = 1 << bits
    mask = np.uint32(cells - 1)
    shift = np.uint32(CELL_SHIFT)
    table[: cells + 1] = 0
    for vote in votes:
        cell = (vote >> shift) & mask
        table[cell] += np.uint8(table[cell] < _MOST_IN_CELL)
    table[cells] = table[0]
    level = _level_of(table, cells, 2 * best)
    _mark(table, cells, level)
    chosen = np.empty(len(votes), np.uint32)
    count = 0
    for vote in votes:
        if table[(vote >> shift) & mask]:
            chosen[count] = vote
            count += 1
    _windows(np.sort(chosen[:count]), best, places, counts)


@kernel
def _level_of(table: U8, cells: int, wanted: int) -> int:
    """How many votes two neighbouring cells must have so that about `wanted` pairs of cells have them; at least 2."""
    histogram = np.zeros(2 * _MOST_IN_CELL + 1, np.int64)
    for cell in range(cells):
        histogram[np.int64(table[cell]) + np.int64(table[cell + 1])] += 1
    level, seen = 2 * _MOST_IN_CELL, 0
    while level > 2:  # noqa: PLR2004
        seen += histogram[level]
        if seen >= wanted:
            break
        level -= 1
    return level


@kernel
def _mark(table: U8, cells: int, level: int) -> None:
    """Leave 1 in the cells that with a neighbour have at least `level` votes, and 0 in all others."""
    full = np.empty(cells, np.int64)
    count = 0
    for cell in range(cells):
        if np.int64(table[cell]) + np.int64(table[cell + 1]) >= level:
            full[count] = cell
            count += 1
    table[:cells] = 0
    for cell in full[:count]:
        table[cell] = 1
        table[(cell + 1) & (cells - 1)] = 1


@kernel
def _windows(ordered: U32, best: int, places: I64, counts: I64) -> None:
    """Of votes in order, the `best` windows with most of them, none overlapping another: median place, and votes."""
    count = len(ordered)
    sizes = np.zeros(count, np.int64)
    end = 0
    for i in range(count):
        while end < count and np.int64(ordered[end]) < np.int64(ordered[i]) + WINDOW_PLACES:
            end += 1
        sizes[i] = end - i
    order = np.argsort(-sizes, kind="mergesort")  # of equals, the earliest
    made = 0
    lows = np.empty(best, np.int64)
    for top in order:
        if made == best or sizes[top] < 2:  # noqa: PLR2004
            break
        low = np.int64(ordered[top])
        overlaps = False
        for k in range(made):
            if abs(lows[k] - low) < WINDOW_PLACES:
                overlaps = True
        if overlaps:
            continue
        lows[made] = low
        places[made] = ordered[(2 * top + sizes[top] - 1) // 2]
        counts[made] = sizes[top]
        made += 1
