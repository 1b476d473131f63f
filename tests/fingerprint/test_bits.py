import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airledger.fingerprint.bits import COUNT_BITS, count_in, get_list, lower_bits, put_list, seek, words_of


def packed(numbers: list[int], span: int) -> np.ndarray:
    """A list in words 1 to the last but one."""
    words = np.zeros(words_of(len(numbers), span) + 2, np.uint64)
    assert put_list(words, 1, np.array(numbers, np.int64), span) == len(words) - 1
    return words


@settings(deadline=None)
@given(st.integers(1, 1 << 40).flatmap(lambda span: st.tuples(st.just(span), st.lists(st.integers(0, span - 1)))))
@example((1, [0] * 200))
@example((1 << 40, [0, 0, (1 << 40) - 1]))
def test_rising_numbers_come_back(given_list: tuple[int, list[int]]) -> None:
    span, numbers = given_list
    numbers.sort()
    words = packed(numbers, span)
    out = np.full(len(numbers) + 1, -1, np.int64)
    assert count_in(words, 1, len(words) - 1, span) == len(numbers)
    assert get_list(words, 1, len(words) - 1, span, out) == len(numbers)
    assert out[:-1].tolist() == numbers
    assert out[-1] == -1


@settings(deadline=None)
@given(st.lists(st.integers(0, 9_999), min_size=1, max_size=300), st.integers(0, 9_999))
def test_seeking_lands_before_the_first_number_of_that_upper_part(numbers: list[int], least: int) -> None:
    numbers.sort()
    words = packed(numbers, 10_000)
    low = lower_bits(len(numbers), 10_000)
    upper = 64 + COUNT_BITS + low * len(numbers)
    stop = 64 * (len(words) - 1)
    at = seek(words, upper, stop, least >> low)
    before = sum(number >> low < least >> low for number in numbers)
    assert at - upper - (least >> low) == before or at == stop


def test_a_number_takes_at_most_two_bits_more_than_its_lower_bits() -> None:
    for count in (1, 17, 1000, 65_536):
        span = 450_000_000
        assert words_of(count, span) * 64 <= count * (np.log2(span / count) + 2) + 32 + 64 + 64


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=8),
    st.integers(1, 1 << 40),
)
def test_hostile_words_lead_nowhere(content: list[int], span: int) -> None:
    """What lies beyond a list is a trap: were it used, it would show in the answer."""
    words = np.array([*content, 0, 0], np.uint64)
    trapped = np.array([*content, (1 << 64) - 1, (1 << 64) - 1], np.uint64)
    out, other = np.zeros(600, np.int64), np.zeros(600, np.int64)
    end = len(content)
    assert get_list(words, 0, end, span, out) == get_list(trapped, 0, end, span, other)
    assert out.tolist() == other.tolist()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=8), st.integers(0, 70) | st.integers(0, 1 << 40))
def test_seeking_in_hostile_words_stays_within_them(content: list[int], zeros: int) -> None:
    words = np.array([*content, 0], np.uint64)
    stop = 64 * len(content)
    for upper in (0, 5, 63, min(64, stop - 1)):
        assert upper <= seek(words, upper, stop, zeros) <= stop
