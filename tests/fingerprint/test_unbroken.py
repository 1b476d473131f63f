import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.unbroken import PeakStream, ahead_samples
from tunes import RATE_HZ, tune

PARAMS = Params()
AHEAD = ahead_samples(PARAMS)
SOUND = tune(5)
WINDOW, HOP = 10 * RATE_HZ, 5 * RATE_HZ


def rounded(peaks: Peaks, begin_s: float = 0.0) -> set[tuple[int, int]]:
    return {(round(t * 200), round(f)) for t, f in zip(peaks.times_s + begin_s, peaks.freqs_hz, strict=True)}


def windows(stream: PeakStream, positions: range, *, ahead: int = AHEAD) -> list[Peaks]:
    cuts = [(SOUND[at : at + WINDOW + ahead], at) for at in positions]
    return [stream.window(pcm, at, WINDOW, PARAMS.query_peaks_per_s) for pcm, at in cuts]


def test_windows_of_a_stream_have_the_peaks_that_each_has_alone() -> None:
    for number, found in enumerate(windows(PeakStream(PARAMS), range(0, 6 * HOP, HOP))):
        alone = extract(SOUND[number * HOP : number * HOP + WINDOW], PARAMS, dense="query")
        inner = {one for one in rounded(alone) if 200 < one[0] < 1800}
        assert len(inner & rounded(found)) > 0.97 * len(inner)
        assert found.duration_s == 10


@settings(max_examples=20, deadline=None)
@given(first=st.integers(0, 3 * RATE_HZ), hops=st.lists(st.integers(1, 9 * RATE_HZ), min_size=1, max_size=4))
def test_where_windows_begin_does_not_change_what_is_in_them(first: int, hops: list[int]) -> None:
    positions = np.cumsum([first, *hops]).tolist()
    at = positions[-1]
    stream = PeakStream(PARAMS)
    for position in positions:
        found = stream.window(SOUND[position : position + WINDOW + AHEAD], position, WINDOW, 10_000)
    whole = extract(SOUND[: at + WINDOW + AHEAD], PARAMS, dense="query")
    inner = {one for one in rounded(whole) if at + RATE_HZ < one[0] * 40 < at + WINDOW}
    assert len(inner - rounded(found, at / RATE_HZ)) <= 0.03 * len(inner)


def test_a_window_elsewhere_starts_anew() -> None:
    stream = PeakStream(PARAMS)
    windows(stream, range(0, 2 * HOP, HOP))
    late = 30 * RATE_HZ
    (jumped,) = windows(stream, range(late, late + 1))
    (fresh,) = windows(PeakStream(PARAMS), range(late, late + 1))
    assert rounded(jumped) == rounded(fresh)
    (back,) = windows(stream, range(1))
    assert rounded(back) == rounded(windows(PeakStream(PARAMS), range(1))[0])


@pytest.mark.parametrize("since_s", [0, 5 * 86_400])
def test_what_lay_before_a_window_can_be_had_with_it(since_s: int) -> None:
    stream, since = PeakStream(PARAMS, back_s=20.0), since_s * RATE_HZ
    for at in range(0, 8 * HOP, HOP):
        found = stream.window(SOUND[at : at + WINDOW + AHEAD], since + at, WINDOW, PARAMS.query_peaks_per_s)
    earlier, back_s = stream.back(found, since + 7 * HOP)
    assert back_s == 20
    assert earlier.duration_s == 30
    alone = extract(SOUND[3 * HOP : 7 * HOP + WINDOW], PARAMS, dense="query")
    assert len(rounded(alone) & rounded(earlier)) > 0.8 * len(alone)


def test_nothing_lies_before_a_beginning() -> None:
    stream = PeakStream(PARAMS, back_s=20.0)
    (found,) = windows(stream, range(1))
    assert stream.back(found, 0)[1] == 0


def test_a_scrap_has_no_peaks() -> None:
    assert len(PeakStream(PARAMS).window(SOUND[:500], 0, 500, 45)) == 0


def test_what_is_not_a_number_is_refused() -> None:
    bad = SOUND[: WINDOW + AHEAD].copy()
    bad[9_000] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        PeakStream(PARAMS).window(bad, 0, WINDOW, 45)
