from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.fingerprint.alike import Placed, alike
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import Peaks, extract, strongest
from airledger.fingerprint.same_sound import Sameness, peaks_same
from airledger.listening.heard import HeardWindow
from airledger.listening.outbox import Target
from airledger.listening.same_sound_judge import (
    AGREED,
    DIFFERENT,
    SAME,
    UNDECIDED,
    PairState,
    after_look,
)
from airledger.listening.same_sound_print import LookPlan, PrintBuilder, SoundPrint, from_bytes, to_bytes
from airledger.platform.errors import InputError
from airledger.recognition.answer import Answer
from airledger.stations.joining.why import HEARD_DIFFERENT, HEARD_RELATED, HEARD_SAME
from listening_house import RATE_HZ, made_song

START = datetime(2026, 3, 1, tzinfo=UTC)
YES = Sameness(0.99, 4.0, 170.0, 168.0, 0.0)
NO = Sameness(0.0, None, 170.0, 0.0, 168.0)
PARTLY = Sameness(0.01, 4.0, 170.0, 80.0, 88.0)
SILENT = Sameness(0.0, None, 170.0, 0.0, 0.0)


def judged(*looks: Sameness, every: timedelta = timedelta(minutes=15)) -> PairState:
    state = PairState()
    for number, found in enumerate(looks):
        state = after_look(state, found, START + number * every)
    return state


def test_one_look_convinces_nobody_and_three_do() -> None:
    assert judged(YES).verdict == UNDECIDED
    assert judged(YES, YES).verdict == UNDECIDED
    state = judged(YES, YES, YES)
    assert state.verdict == HEARD_SAME
    assert state.same_since == START
    assert state.delay_s == 4.0


def test_looks_right_after_each_other_are_one() -> None:
    assert judged(YES, YES, YES, YES, every=timedelta(minutes=2)).verdict == UNDECIDED


def test_network_news_every_hour_does_not_make_one_station() -> None:
    hours = [YES, NO, NO, PARTLY] * 12
    assert judged(*hours).verdict == HEARD_RELATED


def test_silence_says_nothing() -> None:
    assert judged(YES, SILENT, YES, SILENT, YES).verdict == HEARD_SAME
    assert judged(SILENT, SILENT) == PairState()


def test_what_ceases_to_be_the_same_is_no_longer_called_so() -> None:
    state = judged(YES, YES, YES, NO, NO)
    assert state.verdict == HEARD_RELATED
    assert state.same_since is None


def test_what_was_never_the_same_is_different_after_some_looks() -> None:
    assert judged(NO, NO).verdict == UNDECIDED
    assert judged(NO, NO, NO).verdict == HEARD_DIFFERENT


@given(st.lists(st.sampled_from([YES, NO, PARTLY, SILENT]), max_size=30))
def test_agreement_never_lowers_and_contradiction_never_raises_belief(looks: list[Sameness]) -> None:
    state = judged(*looks)
    at = START + timedelta(days=2)
    assert after_look(state, YES, at).probability >= state.probability
    assert after_look(state, NO, at).probability <= state.probability
    assert 0 < state.probability < 1
    assert (state.verdict == HEARD_SAME) == (state.probability >= SAME)
    assert state.agreed + state.related + state.disagreed <= len(looks)
    assert DIFFERENT < AGREED < SAME


def test_looks_lie_apart_and_everybody_finds_the_same_ones() -> None:
    plan = LookPlan()
    spans = [plan.span(look) for look in range(1_980_000, 1_980_400)]
    for (begin_s, end_s), (next_s, _) in pairwise(spans):
        assert end_s - begin_s == pytest.approx(plan.length_s)
        assert next_s >= end_s
    minutes = {int(begin_s // 60) % 60 for begin_s, _ in spans}
    assert len(minutes) > 40, "looks must not always fall on the same minutes of the hour"
    begin_s, end_s = spans[0]
    assert plan.looks_of(begin_s - 5, begin_s + 5) == [1_980_000]
    assert plan.looks_of(end_s + 0.1, end_s + 0.2) == []


def target() -> Target:
    return Target(uuid4(), uuid4(), 7, None, "", "")


def windows(pcm: np.ndarray, air_s: float, *, connection: int = 1) -> list[HeardWindow]:
    """Windows of 10 s every 5 s, each with its peaks, on a clock that slides by some milliseconds."""
    made = []
    for number, begin in enumerate(range(0, len(pcm) - 10 * RATE_HZ, 5 * RATE_HZ)):
        peaks = extract(pcm[begin : begin + 10 * RATE_HZ], PROFILES["balanced"], dense="query")
        start_s = air_s + begin / RATE_HZ - 0.005 * number
        answer = Answer((), is_silent=False, cpu_ms=0.0, peaks=peaks)
        made.append(HeardWindow(WHOSE, start_s, start_s + 10, np.empty(0, np.int16), answer, begin, connection))
    return made


WHOSE = target()
PLAN = LookPlan(every_s=120, length_s=100)


def prints_of(heard: list[HeardWindow]) -> list[SoundPrint]:
    builder = PrintBuilder(7, PLAN)
    return [one for window in heard for one in builder.add(window)] + builder.close()


def test_a_print_holds_what_was_heard_in_the_look_and_nothing_else() -> None:
    begin_s, end_s = PLAN.span(20)
    song = made_song(11, 160)
    (made,) = prints_of(windows(song, begin_s - 20))
    assert made.look == 20
    assert made.start_s == pytest.approx(begin_s, abs=0.1)
    assert made.peaks.duration_s == pytest.approx(end_s - begin_s, abs=0.5)
    whole = strongest(extract(song, PROFILES["balanced"], dense="query"), 30)
    found = peaks_same(made.peaks, whole, shift_s=-20.0)
    assert found.probability > 0.9
    assert found.delay_s == pytest.approx(0.0, abs=0.2)
    assert found.contradicted_s == 0


def test_a_reconnection_ends_a_print_and_the_longer_part_is_kept() -> None:
    begin_s, _ = PLAN.span(20)
    first, second = windows(made_song(11, 40), begin_s - 5), windows(made_song(12, 90), begin_s + 40, connection=2)
    (made,) = prints_of([*first, *second])
    assert made.start_s == pytest.approx(begin_s + 40, abs=0.2)
    assert not prints_of(first), "half a minute tells nothing"


def test_prints_come_back_from_their_bytes() -> None:
    begin_s, _ = PLAN.span(20)
    (made,) = prints_of(windows(made_song(11, 160), begin_s - 20))
    empty = SoundPrint(20, 8, begin_s, Peaks.empty(100.0))
    back, silent = from_bytes(to_bytes([made, empty]))
    assert (back.look, back.stream_id, back.start_s) == (made.look, made.stream_id, made.start_s)
    assert np.abs(back.peaks.times_s - made.peaks.times_s).max() < 0.003
    assert np.abs(back.peaks.freqs_hz - made.peaks.freqs_hz).max() < 0.1
    assert len(silent.peaks) == 0
    assert len(to_bytes([made])) < 6 * len(made.peaks) + 4_000
    with pytest.raises(InputError):
        from_bytes(to_bytes([made])[:-100])


def test_candidates_are_found_among_many_without_comparing_all() -> None:
    peaks = [extract(made_song(seed), PROFILES["balanced"], dense="query") for seed in range(20, 28)]
    copy = extract(0.2 * made_song(20)[9 * RATE_HZ :], PROFILES["balanced"], dense="query")
    placed = [Placed(one, 1_000.0 + number) for number, one in enumerate([*peaks, copy])]
    assert (0, 8) in alike(placed)
    assert len(alike(placed)) < 8, "most of the 36 pairs are no candidates"
    assert alike(placed[:1]) == alike([]) == []
    assert alike([Placed(Peaks.empty(60.0), 0.0)] * 3) == []


def test_what_is_later_than_the_greatest_delay_is_no_candidate() -> None:
    peaks = extract(made_song(20, 60), PROFILES["balanced"], dense="query")
    assert alike([Placed(peaks, 0.0), Placed(peaks, 80.0)]) == [(0, 1)]
    assert alike([Placed(peaks, 0.0), Placed(peaks, 120.0)]) == []
