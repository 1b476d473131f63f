"""A track's peaks as they lie in a segment: when and at which frequency, in 18 bits or so; how loud is not kept.

Times are a rising list (`bits`) in steps of 2 ms; behind it stand the frequencies, 12 bits each, in Hz.
"""

import numpy as np

from airledger.fingerprint.arrays import F32, I64, U64, kernel
from airledger.fingerprint.bits import COUNT_BITS, get_bits, get_list, lower_bits, put_bits, put_list, seek, words_of
from airledger.fingerprint.instructions import trailing_zeros
from airledger.fingerprint.params import SAMPLE_RATE_HZ

TICKS_PER_S = 500
FREQ_BITS = 12
_MOST_HZ = SAMPLE_RATE_HZ // 2

_COUNT_MASK = np.uint64((1 << COUNT_BITS) - 1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)


def pack(times_s: F32, freqs_hz: F32, length_ticks: int) -> U64:
    """The words of a track's peaks, which all lie within `length_ticks`."""
    ticks = np.clip(np.rint(times_s.astype(np.float64) * TICKS_PER_S), 0, length_ticks).astype(np.int64)
    freqs = np.clip(np.rint(freqs_hz), 0, (1 << FREQ_BITS) - 1).astype(np.int64)
    return _packed(ticks, freqs, length_ticks + 1)


def unpack(words: U64, first: int, end: int, length_ticks: int) -> tuple[F32, F32] | None:
    """Times (s) and frequencies (Hz) of the peaks in words `first` to `end`; None if these words hold no such list."""
    count = peaks_in(words, first, end, length_ticks)
    if count < 0:
        return None
    ticks, freqs = _unpacked(words, first, count, length_ticks + 1)
    return (ticks / np.float64(TICKS_PER_S)).astype(np.float32), freqs


@kernel
def peaks_in(words: U64, first: int, end: int, length_ticks: int) -> int:
    """How many peaks lie in words `first` to `end`; -1 if these words cannot hold what they claim."""
    if first < 0 or end >= len(words) or end < first:
        return -1
    if end == first:
        return 0
    count = int(np.int64(words[first] & _COUNT_MASK))
    if count == 0 or count > (end - first) << 6:
        return -1
    if words_of(count, length_ticks + 1) + ((count * FREQ_BITS + 63) >> 6) != end - first:
        return -1
    return count


@kernel
def _packed(ticks: I64, freqs: I64, span: int) -> U64:
    count = len(ticks)
    times = words_of(count, span)
    words = np.zeros(times + ((count * FREQ_BITS + 63) >> 6), np.uint64)
    put_list(words, 0, ticks, span)
    for i in range(count):
        put_bits(words, (times << 6) + i * FREQ_BITS, freqs[i], FREQ_BITS)
    return words


@kernel
def _unpacked(words: U64, first: int, count: int, span: int) -> tuple[I64, F32]:
    ticks = np.zeros(count, np.int64)
    freqs = np.empty(count, np.float32)
    times = words_of(count, span)
    get_list(words, first, first + times, span, ticks)
    latest = 0
    for i in range(count):
        # Others rely on times that rise and end within the track, which hostile words need not say.
        latest = max(latest, min(ticks[i], span - 1))
        ticks[i] = latest
        freqs[i] = min(_MOST_HZ, get_bits(words, ((first + times) << 6) + i * FREQ_BITS, FREQ_BITS))
    return ticks, freqs


@kernel
def peaks_between(words: U64, first: int, count: int, span: int, ticks_range: tuple[int, int], out: F32) -> int:
    """Times (s) and frequencies (Hz) of the peaks in a range of ticks, into float32[2, room]; how many fit.

    `count` is what `peaks_in` said of these words.
    """
    times = words_of(count, span)
    end = first + times
    low = lower_bits(count, span)
    lows = (first << 6) + COUNT_BITS
    upper = lows + count * low
    least, most = max(0, ticks_range[0]), ticks_range[1]
    if count == 0 or least >= span:
        return 0
    at = seek(words, upper, end << 6, least >> low)
    if at >= end << 6:
        return 0
    index = at - upper - (least >> low)
    word_index = at >> 6
    word = words[word_index] & (_ALL << np.uint64(at & 63))
    made = 0
    while index < count and made < out.shape[1]:
        while word == np.uint64(0):
            word_index += 1
            if word_index >= end:
                return made
            word = words[word_index]
        place = (word_index << 6) + trailing_zeros(word)
        word &= word - _ONE
        tick = ((place - upper - index) << low) | get_bits(words, lows + index * low, low)
        if tick > most:
            break
        if tick >= least:
            out[0, made] = tick / TICKS_PER_S
            out[1, made] = min(_MOST_HZ, get_bits(words, (end << 6) + index * FREQ_BITS, FREQ_BITS))
            made += 1
        index += 1
    return made
