"""Windows become stretches of unknown sound: nothing twice, nothing that is explained, nothing lost between."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.peaks import Peaks
from airledger.listening.heard import HeardWindow
from airledger.listening.outbox import Target
from airledger.listening.unknown_stretch import EDGE_S, LEAST_S, LONGEST_S, StretchBuilder, UnknownStretch
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.peaks_cut import cut_peaks

TARGET = Target(uuid4(), uuid4(), 7, None, "http://x/", "X")
BEGIN_S = 1_000_000.0
PER_S = 10
WINDOW_S, HOP_S = 10.0, 5.0


def sky(seconds: float) -> Peaks:
    """Peaks of the whole programme: one every 100 ms, each with a frequency of its own."""
    times = np.arange(int(seconds * PER_S)) / PER_S + 0.03
    return Peaks(
        times.astype(np.float32),
        (200 + np.arange(len(times)) % 3000).astype(np.float32),
        np.full(len(times), 9, np.float32),
        seconds,
    )


def window(whole: Peaks, start_s: float, explained: tuple[float, float] | None, *, silent: bool = False) -> HeardWindow:
    """A window of the programme; `explained` are programme times that a recording was recognised in."""
    found: tuple[Identified, ...] = ()
    if explained is not None:
        first_s, last_s = max(explained[0], start_s) - start_s, min(explained[1], start_s + WINDOW_S) - start_s
        if last_s - first_s > 1:
            found = (Identified(UUID(int=1), 0.0, 1.0, 0.99, first_s, last_s, 0.0, 60.0),)
    pcm = np.zeros(int(WINDOW_S * 8000), np.int16)
    peaks = None if silent else cut_peaks(whole, start_s, start_s + WINDOW_S)
    answer = Answer(found, is_silent=silent, cpu_ms=0.0, peaks=peaks)
    return HeardWindow(TARGET, BEGIN_S + start_s, BEGIN_S + start_s + WINDOW_S, pcm, answer)


def newest(stretches: Sequence[UnknownStretch]) -> list[UnknownStretch]:
    return sorted({one.id: one for one in stretches}.values(), key=lambda one: one.start_s)


def heard(starts: Sequence[float], explained: tuple[float, float] | None, seconds: float) -> list[UnknownStretch]:
    whole, builder = sky(seconds), StretchBuilder(TARGET)
    told = [one for start in starts for one in builder.add(window(whole, start, explained))]
    return [*told, *builder.close()]


def moments(stretch: UnknownStretch) -> np.ndarray:
    return (stretch.peaks.times_s.astype(float) + stretch.start_s - BEGIN_S).round(2)


def starts(seconds: float) -> list[float]:
    return [float(start) for start in np.arange(0, seconds - WINDOW_S + 0.1, HOP_S)]


@settings(max_examples=60, deadline=None)
@given(first_s=st.floats(0, 200), length_s=st.floats(0, 120), seconds=st.sampled_from([60, 200, 700]))
def test_every_unexplained_moment_is_kept_once(first_s: float, length_s: float, seconds: int) -> None:
    explained = (first_s, first_s + length_s)
    stretches = newest(heard(starts(seconds), explained, seconds))
    kept = np.concatenate([moments(one) for one in stretches]) if stretches else np.empty(0)
    assert len(kept) == len(np.unique(kept)), "a moment was stored twice"
    assert all(one.is_closed for one in stretches)
    for earlier, later in itertools.pairwise(stretches):
        assert earlier.end_s <= later.start_s + 1e-6
    wanted = moments_of(seconds, explained)
    missing = wanted[~np.isin(wanted, kept)]
    near_edges = (
        (np.abs(missing - explained[0]) < LEAST_S + 2)
        | (np.abs(missing - explained[1]) < LEAST_S + 2)
        | (missing > seconds - WINDOW_S)
    )
    assert near_edges.all(), missing[~near_edges]


def moments_of(seconds: int, explained: tuple[float, float]) -> np.ndarray:
    every = (sky(seconds).times_s.astype(float)).round(2)
    inside = (every > explained[0]) & (every < explained[1]) if explained[1] - explained[0] > 1 else every < 0
    wanted: np.ndarray = every[~inside]
    return wanted


def test_what_is_recognised_is_not_unknown() -> None:
    stretches = newest(heard(starts(120), (40.0, 80.0), 120))
    assert [(round(one.start_s - BEGIN_S), round(one.end_s - BEGIN_S)) for one in stretches] == [(0, 40), (80, 120)]


def test_a_long_stretch_goes_on_in_another_without_a_gap() -> None:
    stretches = newest(heard(starts(900), None, 900))
    assert len(stretches) == 3
    for earlier, later in itertools.pairwise(stretches):
        assert later.start_s == earlier.end_s
    assert all(one.end_s - one.start_s <= LONGEST_S + HOP_S for one in stretches)
    assert len({one.id for one in stretches}) == 3


def test_it_is_told_while_it_grows_so_that_a_crash_loses_little() -> None:
    told = heard(starts(200), None, 200)
    assert [one.is_closed for one in told] == [False, False, False, True]
    assert [one.revision for one in told] == [1, 2, 3, 4]
    assert len({one.id for one in told}) == 1


def test_a_gap_and_silence_end_a_stretch() -> None:
    whole, builder = sky(200), StretchBuilder(TARGET)
    told: list[UnknownStretch] = []
    for start in (0.0, 5.0, 60.0, 65.0):
        told += builder.add(window(whole, start, None))
    told += builder.add(window(whole, 70.0, None, silent=True))
    spans = [(round(one.start_s - BEGIN_S, 2), round(one.end_s - BEGIN_S, 2)) for one in newest(told)]
    assert spans == [(0.0, 15 - EDGE_S), (60.0, 75 - EDGE_S)]


def test_a_burst_after_a_reconnect_is_not_stored_again() -> None:
    stretches = newest(heard([0.0, 5.0, 10.0, 2.0, 7.0, 12.0, 17.0], None, 40))
    kept = np.concatenate([moments(one) for one in stretches])
    assert len(kept) == len(np.unique(kept))
    assert stretches[-1].end_s == BEGIN_S + 27 - EDGE_S


def test_a_moment_of_talk_within_a_song_is_nothing() -> None:
    assert heard([0.0], (0.0, 7.0), 20) == []


def test_what_is_recognised_late_is_taken_back() -> None:
    whole, builder = sky(200), StretchBuilder(TARGET)
    told: list[UnknownStretch] = []
    for start in range(0, 80, 5):
        told += builder.add(window(whole, float(start), None))
    assert told[-1].end_s > BEGIN_S + 60
    late = window(whole, 80.0, (80.0, 90.0))
    since = replace(late.answer.found[0], first_s=-40.0)  # it has been playing for 40 s
    told += builder.add(replace(late, answer=replace(late.answer, found=(since,))))
    (one,) = newest(told)
    assert one.is_closed
    assert one.end_s == BEGIN_S + 39.5
    assert moments(one).max() < 39.5
    for begin in (85.0, 90.0, 95.0):
        told += builder.add(window(whole, begin, None))
    assert [item.start_s for item in newest([*told, *builder.close()])][-1] >= BEGIN_S + 90
