"""From keys to places: buckets of keys, each a list of rising numbers (key, place) in few bits.

A bucket holds the postings of `1 << key_bits` neighbouring keys; the more postings a segment has, the fewer keys share
a bucket, down to one. What is listed is `key within the bucket * span + step`, with steps of STEP_PLACES places, so
that the postings of a key lie together, and those of keys that differ in time only lie beside each other.
"""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import I64, U32, U64, kernel
from airledger.fingerprint.bits import (
    COUNT_BITS,
    count_in,
    get_bits,
    get_list,
    lower_bits,
    put_list,
    seek,
    words_of,
)
from airledger.fingerprint.checksums import Guard, is_sound
from airledger.fingerprint.instructions import trailing_zeros

STEP_PLACES = 8
STEP_SHIFT = 3
_USUAL_BUCKET = 48
_MOST_SPAN = 1 << 52

_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """The postings of an open segment.

    Attributes:
        directory: uint32[buckets + 1], word at which each bucket begins.
        words: uint64[n], the buckets, and the word that follows them.
        key_bits: a bucket holds 1 << key_bits keys.
        span: all steps are below.
        count: how many postings there are.
        watched: the checksums of the payload in which they lie.
        directory_at: byte of the payload where the directory begins.
        words_at: byte where the words begin.
    """

    directory: U32
    words: U64
    key_bits: int
    span: int
    count: int
    watched: Guard
    directory_at: int
    words_at: int

    @property
    def source(self) -> "Source":
        """The same as a tuple, for kernels."""
        layout = (self.key_bits, self.span, self.directory_at, self.words_at)
        return self.directory, self.words, layout, self.watched


Source = tuple[U32, U64, tuple[int, int, int, int], Guard]


def key_bits_for(postings: int, key_count: int, span: int) -> int:
    """How many keys should share a bucket, as a power of two, so that it holds some 50 postings."""
    bits = 0
    while key_count >> bits > 1 and postings << bits < _USUAL_BUCKET * key_count and span << (bits + 1) < _MOST_SPAN:
        bits += 1
    return bits


def bucket_count(key_count: int, key_bits: int) -> int:
    """How many buckets hold that many keys."""
    return (key_count + (1 << key_bits) - 1) >> key_bits


def pack(keys: U32, steps: U32, first_bucket: int, last_bucket: int, key_bits: int, span: int) -> tuple[I64, U64]:
    """The buckets `first_bucket` to `last_bucket` (not included) of postings in order of key and step.

    Returns:
        Words of each bucket, int64[buckets]; and all words.
    """
    sizes, total = _sizes(keys, first_bucket, last_bucket, key_bits, span)
    return sizes, _packed(keys, steps, sizes, total, first_bucket, key_bits, span)


@kernel
def by_key(keys: U32, steps: U32, first: int, last: int) -> tuple[U32, U32]:
    """Postings of the keys `first` to `last` (not included) in order of key, and as they were within each.

    What stands twice behind each other is kept once.
    """
    ends = np.zeros(last - first + 1, np.int64)
    for key in keys:
        ends[np.int64(key) - first + 1] += 1
    for k in range(last - first):
        ends[k + 1] += ends[k]
    ordered = np.empty(len(keys), np.uint32)
    for i in range(len(keys)):
        own = np.int64(keys[i]) - first
        ordered[ends[own]] = steps[i]
        ends[own] += 1
    kept_keys = np.empty(len(keys), np.uint32)
    made, at = 0, 0
    for k in range(last - first):
        begin = made
        while at < ends[k]:
            if made == begin or ordered[made - 1] != ordered[at]:
                ordered[made] = ordered[at]
                kept_keys[made] = first + k
                made += 1
            at += 1
    return kept_keys[:made], ordered[:made]


@kernel
def _sizes(keys: U32, first_bucket: int, last_bucket: int, key_bits: int, span: int) -> tuple[I64, int]:
    sizes = np.zeros(last_bucket - first_bucket, np.int64)
    for key in keys:
        sizes[(key >> key_bits) - first_bucket] += 1
    total = 0
    for b in range(len(sizes)):
        sizes[b] = words_of(sizes[b], span << key_bits)
        total += sizes[b]
    return sizes, total


@kernel
def _packed(keys: U32, steps: U32, sizes: I64, total: int, first_bucket: int, key_bits: int, span: int) -> U64:
    words = np.zeros(total, np.uint64)
    numbers = np.empty(len(keys), np.int64)
    mask = (1 << key_bits) - 1
    at, low = 0, 0
    for b in range(len(sizes)):
        high = low
        while high < len(keys) and (keys[high] >> key_bits) == first_bucket + b:
            numbers[high] = np.int64(keys[high] & mask) * span + np.int64(steps[high])
            high += 1
        at = put_list(words, at, numbers[low:high], span << key_bits)
        low = high
    return words


@kernel
def bucket_words(source: Source, bucket: int) -> tuple[int, int]:
    """First and last word (not included) of a bucket; (0, -1) if they are damaged or do not exist."""
    directory, words, layout, watched = source
    directory_at = layout[2]
    if bucket < 0 or bucket + 1 >= len(directory):
        return 0, -1
    if not is_sound(watched, directory_at + 4 * bucket, directory_at + 4 * bucket + 8):
        return 0, -1
    first, end = int(np.int64(directory[bucket])), int(np.int64(directory[bucket + 1]))
    if first > end or end >= len(words):
        return 0, -1
    return first, end


@kernel
def read_list(source: Source, bucket: tuple[int, int], key: int, shift: int, out: U32, made: int) -> int:
    """Append `place - shift` of each posting of a key to `out` from `made` on; return how many there are then.

    What does not fit is left out. Returns -1 if the words are damaged.
    """
    _directory, words, layout, watched = source
    key_bits, span, _directory_at, words_at = layout
    first, end = bucket
    if end <= first:
        return made
    if not is_sound(watched, words_at + 8 * first, words_at + 8 * end):
        return -1
    whole = span << key_bits
    count = count_in(words, first, end, whole)
    if count == 0:
        return -1
    least = (key & ((1 << key_bits) - 1)) * span
    beyond = least + span
    low = lower_bits(count, whole)
    lows = (first << 6) + COUNT_BITS
    upper = lows + count * low
    at = seek(words, upper, end << 6, least >> low)
    if at >= end << 6:
        return made
    index = at - upper - (least >> low)
    word_index = at >> 6
    word = words[word_index] & (_ALL << np.uint64(at & 63))
    room = len(out)
    while index < count and made < room:
        while word == np.uint64(0):
            word_index += 1
            if word_index >= end:
                return made
            word = words[word_index]
        place = (word_index << 6) + trailing_zeros(word)
        word &= word - _ONE
        number = ((place - upper - index) << low) | get_bits(words, lows + index * low, low)
        index += 1
        if number >= beyond:
            break
        if number >= least:
            out[made] = np.uint32(((number - least) << STEP_SHIFT) - shift)
            made += 1
    return made


@kernel
def read_buckets(source: Source, first_bucket: int, last_bucket: int) -> tuple[int, U32, U32]:
    """All postings of some buckets in order: (how many or -1 if damaged, keys, steps)."""
    _directory, words, layout, watched = source
    key_bits, span, _directory_at, words_at = layout
    total, most = 0, 0
    for b in range(first_bucket, last_bucket):
        first, end = bucket_words(source, b)
        if end < first or not is_sound(watched, words_at + 8 * first, words_at + 8 * end):
            return -1, np.empty(0, np.uint32), np.empty(0, np.uint32)
        count = count_in(words, first, end, span << key_bits)
        total += count
        most = max(most, count)
    keys, steps = np.empty(total, np.uint32), np.empty(total, np.uint32)
    numbers = np.empty(most, np.int64)
    made = 0
    for b in range(first_bucket, last_bucket):
        first, end = bucket_words(source, b)
        for i in range(get_list(words, first, end, span << key_bits, numbers)):
            key = numbers[i] // span
            keys[made] = np.uint32((b << key_bits) + key)
            steps[made] = np.uint32(numbers[i] - key * span)
            made += 1
    return made, keys[:made], steps[:made]
