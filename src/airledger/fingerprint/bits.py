"""Rising numbers in few bits (Elias-Fano), as they lie in a segment.

A list of n rising numbers below `span` is cut into lower bits, kept as they are, `lower_bits(n, span)` each, and upper
parts, kept in unary: bit `upper + index` of a row of bits is set. That takes at most two bits more than the lower bits
for each number, half a bit from the least possible for numbers drawn evenly, and each can be read without those before
it (Elias 1974, Fano 1971; Vigna, "Quasi-succinct indices", WSDM 2013).

In a row of 64-bit words a list is: n in 32 bits, the lower bits of all, the row of upper bits, zeros to the next word.
Every reading kernel is told where a list's words end and never uses what lies beyond, whatever the words say; one word
more has to follow the last list.
"""

import numpy as np

from airledger.fingerprint.arrays import I64, U64, kernel
from airledger.fingerprint.instructions import leading_zeros, ones, trailing_zeros

COUNT_BITS = 32
_COUNT_MASK = np.uint64((1 << COUNT_BITS) - 1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)


@kernel
def lower_bits(count: int, span: int) -> int:
    """How many lower bits of each of `count` numbers below `span` are kept as they are."""
    return 63 - leading_zeros(np.uint64(span // max(count, 1)) | _ONE)


@kernel
def words_of(count: int, span: int) -> int:
    """How many 64-bit words a list takes."""
    if count == 0:
        return 0
    low = lower_bits(count, span)
    return (COUNT_BITS + count * (low + 1) + (span >> low) + 1 + 63) >> 6


@kernel
def put_bits(words: U64, at: int, value: int, bits: int) -> None:
    """Write the lowest `bits` (1 to 63) of `value` at bit `at` of words that are zero there."""
    word, shift = at >> 6, at & 63
    clean = np.uint64(value) & ((_ONE << np.uint64(bits)) - _ONE)
    words[word] |= clean << np.uint64(shift)
    if shift + bits > 64:  # noqa: PLR2004
        words[word + 1] |= clean >> np.uint64(64 - shift)


@kernel
def get_bits(words: U64, at: int, bits: int) -> int:
    """The number written in `bits` (0 to 63) at bit `at`.

    The caller knows that they lie within the words, and that another word follows: it is read whether needed or not,
    which is quicker than asking.
    """
    word, shift = at >> 6, np.uint64(at & 63)
    value = (words[word] >> shift) | ((words[word + 1] << _ONE) << (np.uint64(63) - shift))
    return int(np.int64(value & ((_ONE << np.uint64(bits)) - _ONE)))


@kernel
def put_list(words: U64, first: int, numbers: I64, span: int) -> int:
    """Write rising `numbers` below `span` from word `first` on, where all is zero; return the word behind them."""
    count = len(numbers)
    if count == 0:
        return first
    low = lower_bits(count, span)
    start = first << 6
    put_bits(words, start, count, COUNT_BITS)
    upper = start + COUNT_BITS + count * low
    for i in range(count):
        if low:
            put_bits(words, start + COUNT_BITS + i * low, numbers[i], low)
        at = upper + (numbers[i] >> low) + i
        words[at >> 6] |= _ONE << np.uint64(at & 63)
    return first + words_of(count, span)


@kernel
def count_in(words: U64, first: int, end: int, span: int) -> int:
    """How many numbers the list in words `first` to `end` has; 0 if these words cannot hold what they claim."""
    if end <= first:
        return 0
    count = int(np.int64(words[first] & _COUNT_MASK))
    if count > ((end - first) << 6) or words_of(count, span) != end - first:
        return 0
    return count


@kernel
def seek(words: U64, upper: int, stop: int, zeros: int) -> int:
    """The bit behind so many zeros of the row of upper bits, or `stop` if there are fewer.

    The numbers before have upper parts below `zeros`, and `bit - upper - zeros` of them there are.

    Args:
        words: the words.
        upper: first bit of the row.
        stop: the bit behind its last word.
        zeros: the upper part that is looked for.
    """
    if zeros == 0:
        return upper
    index = upper >> 6
    end = stop >> 6
    # Bits below the row count as ones: they are no zeros of it.
    word = words[index] | ((_ONE << np.uint64(upper & 63)) - _ONE)
    left = zeros
    while True:
        here = 64 - ones(word)
        if here >= left:
            break
        left -= here
        index += 1
        if index >= end:
            return stop
        word = words[index]
    unset = ~word
    for _ in range(left - 1):
        unset &= unset - _ONE
    return (index << 6) + trailing_zeros(unset) + 1


@kernel
def get_list(words: U64, first: int, end: int, span: int, out: I64) -> int:
    """Read a whole list into `out`; return how many numbers there were: as many as fit, if the words are not sound."""
    whole = count_in(words, first, end, span)
    count = min(whole, len(out))
    if count == 0:
        return 0
    low = lower_bits(whole, span)
    lows = (first << 6) + COUNT_BITS
    begin = lows + whole * low
    at, made = begin, 0
    word = words[at >> 6] & (_ALL << np.uint64(at & 63))
    index = at >> 6
    while made < count:
        while word == np.uint64(0):
            index += 1
            if index >= end:
                return made
            word = words[index]
        place = (index << 6) + trailing_zeros(word)
        word &= word - _ONE
        out[made] = ((place - begin - made) << low) | get_bits(words, lows + made * low, low)
        made += 1
    return made
