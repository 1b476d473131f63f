import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.audio.rate_change import RateChange
from airledger.audio.resample import to_8k

RATES = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44056, 44100, 48000, 88200, 96000, 192000]


@settings(max_examples=60, deadline=None)
@given(rate=st.sampled_from(RATES), pieces=st.lists(st.integers(0, 9000), max_size=6))
def test_piece_by_piece_gives_what_the_whole_would(rate: int, pieces: list[int]) -> None:
    pcm = np.random.default_rng(1).standard_normal(sum(pieces)).astype(np.float32)
    change = RateChange(rate, 8000)
    made = [change.push(part) for part in np.split(pcm, np.cumsum(pieces))]
    made.append(change.finish())
    whole = to_8k(pcm, rate)
    if rate == 8000:  # where nothing is to be done, the one does nothing, the other filters
        assert len(np.concatenate(made)) == len(whole)
    else:
        np.testing.assert_allclose(np.concatenate(made), whole, atol=2e-5)


def test_a_stream_lags_by_little() -> None:
    change = RateChange(44100, 8000)
    made = sum(len(change.push(np.zeros(8820, np.float32))) for _ in range(50))
    assert 50 * 1600 - made < 0.02 * 8000


def test_rates_that_would_need_huge_tables_are_refused() -> None:
    with pytest.raises(ValueError, match="44101"):
        RateChange(44101, 8000)
