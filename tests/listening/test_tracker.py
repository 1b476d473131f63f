from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from airledger.listening.tracker import (
    ACTIVE,
    CLOSED,
    HOLD,
    Hypothesis,
    TrackerParams,
    TrackerState,
    Window,
    close_all,
    track,
)
from airledger.recognition.answer import Identified

PARAMS = TrackerParams()
WINDOW_S, HOP_S = 10.0, 5.0


@dataclass(frozen=True)
class Aired:
    """A song on air from `start_s` to `end_s`, its reference beginning at `start_s - cut_s`."""

    recording_id: UUID
    start_s: float
    end_s: float
    duration_s: float
    speed: float = 1.0
    cut_s: float = 0.0
    recording_class: str = "music"


def hear(aired: list[Aired], start_s: float, score: float = 0.99) -> Window:
    """What an ideal engine says of one window."""
    matches = []
    for one in aired:
        first, last = max(start_s, one.start_s), min(start_s + WINDOW_S, one.end_s)
        if last - first >= 3.0:
            offset_s = (start_s - one.start_s) * one.speed + one.cut_s
            at = (first - start_s, last - start_s)
            found = Identified(one.recording_id, offset_s, one.speed, score, *at, 0.0, one.duration_s)
            matches.append(replace(found, recording_class=one.recording_class))
    return Window(start_s, start_s + WINDOW_S, tuple(matches))


def listen(aired: list[Aired], until_s: float, *, deaf: tuple[float, float] = (0, 0)) -> dict[UUID, Hypothesis]:
    """Run the tracker over a programme; return the newest state of each believed play."""
    state, plays = TrackerState(), {}
    start_s = 0.0
    while start_s + WINDOW_S <= until_s:
        if not deaf[0] - WINDOW_S < start_s < deaf[1]:
            step = track(state, hear(aired, start_s), PARAMS)
            state = step.state
            plays.update({one.id: one for one in step.changed})
        start_s += HOP_S
    plays.update({one.id: one for one in close_all(state, PARAMS).changed})
    return plays


def test_a_whole_song_is_one_play_from_its_first_to_its_last_sample() -> None:
    song = Aired(uuid4(), 33.3, 213.3, 180.0)
    (play,) = listen([song], 400.0).values()
    assert play.state == CLOSED
    assert abs(play.started_s(PARAMS) - 33.3) < 0.05
    assert abs(play.ended_s(PARAMS) - 213.3) < 0.05


def test_nothing_is_believed_before_fifteen_seconds_were_heard() -> None:
    short = Aired(uuid4(), 20.0, 32.0, 180.0)
    assert listen([short], 200.0) == {}


def test_two_songs_in_a_crossfade_are_two_plays() -> None:
    first, second = Aired(uuid4(), 10.0, 130.0, 120.0), Aired(uuid4(), 126.0, 226.0, 100.0)
    plays = sorted(listen([first, second], 400.0).values(), key=lambda one: one.started_s(PARAMS))
    assert [one.recording_id for one in plays] == [first.recording_id, second.recording_id]
    assert abs(plays[1].started_s(PARAMS) - 126.0) < 0.05


def test_the_same_song_twice_in_a_row_is_two_plays() -> None:
    recording_id = uuid4()
    aired = [Aired(recording_id, 10.0, 130.0, 120.0), Aired(recording_id, 130.0, 250.0, 120.0)]
    starts = sorted(one.started_s(PARAMS) for one in listen(aired, 400.0).values())
    assert len(starts) == 2
    assert abs(starts[0] - 10.0) < 0.1
    assert abs(starts[1] - 130.0) < 0.1


def test_an_edit_stays_one_play_with_two_segments() -> None:
    recording_id = uuid4()
    aired = [Aired(recording_id, 10.0, 70.0, 240.0), Aired(recording_id, 70.0, 150.0, 240.0, cut_s=120.0)]
    (play,) = listen(aired, 300.0).values()
    assert play.segments == 2
    assert abs(play.started_s(PARAMS) - 10.0) < 0.1
    assert abs(play.ended_s(PARAMS) - 150.0) < 1.0


def test_a_song_begun_anew_before_its_end_is_two_plays() -> None:
    recording_id = uuid4()
    aired = [Aired(recording_id, 10.0, 110.0, 240.0), Aired(recording_id, 110.0, 350.0, 240.0)]
    plays = sorted(listen(aired, 500.0).values(), key=lambda one: one.started_s(PARAMS))
    assert len(plays) == 2
    assert abs(plays[0].ended_s(PARAMS) - 110.0) < 0.1
    assert abs(plays[1].started_s(PARAMS) - 110.0) < 0.1


@given(st.lists(st.booleans(), min_size=48, max_size=48))
def test_music_that_repeats_itself_is_one_play(is_echo: list[bool]) -> None:
    """Its second half is its first once more; a search finds either place, three times in a row at most."""
    recording_id = uuid4()
    state, plays, row = TrackerState(), {}, 0
    for number in range(60):
        start_s = number * HOP_S
        window = hear([Aired(recording_id, 10.0, 250.0, 240.0)], start_s)
        row = row + 1 if is_echo[number % 48] and 130.0 < start_s < 240.0 and row < 3 else 0
        if row and window.matches:
            (match,) = window.matches
            window = replace(window, matches=(replace(match, offset_s=match.offset_s - 120.0),))
        step = track(state, window, PARAMS)
        state = step.state
        plays.update({one.id: one for one in step.changed})
    (play,) = plays.values()
    assert play.segments == 1
    assert abs(play.started_s(PARAMS) - 10.0) < 0.1
    assert abs(play.ended_s(PARAMS) - 250.0) < 0.1


def test_a_song_cut_off_shortly_before_its_end_ends_with_the_next_one() -> None:
    cut, following = Aired(uuid4(), 10.0, 119.0, 120.0), Aired(uuid4(), 119.0, 240.0, 121.0)
    plays = sorted(listen([cut, following], 400.0).values(), key=lambda one: one.started_s(PARAMS))
    assert abs(plays[0].ended_s(PARAMS) - 119.0) < 0.2


def test_a_jingle_of_five_seconds_is_a_play_by_one_sure_window() -> None:
    for start_s in (20.0, 22.5, 24.9):
        jingle = Aired(uuid4(), start_s, start_s + 5.0, 5.0, recording_class="jingle")
        (play,) = listen([jingle], 100.0).values()
        assert play.recording_class == "jingle"
        assert abs(play.started_s(PARAMS) - start_s) < 0.1
        assert abs(play.ended_s(PARAMS) - (start_s + 5.0)) < 0.1


def test_a_jingle_over_a_song_does_not_end_it() -> None:
    song = Aired(uuid4(), 10.0, 190.0, 180.0)
    jingle = Aired(uuid4(), 80.0, 86.0, 6.0, recording_class="jingle")
    plays = {one.recording_id: one for one in listen([song, jingle], 400.0).values()}
    assert len(plays) == 2
    assert abs(plays[song.recording_id].ended_s(PARAMS) - 190.0) < 0.1


def test_an_unsure_jingle_is_not_believed() -> None:
    jingle = Aired(uuid4(), 22.5, 27.5, 5.0, recording_class="jingle")
    state = TrackerState()
    for number in range(20):
        step = track(state, hear([jingle], number * HOP_S, score=0.7), PARAMS)
        state = step.state
        assert step.changed == ()


def test_a_song_faded_out_early_ends_where_it_was_last_heard() -> None:
    song = Aired(uuid4(), 10.0, 70.0, 200.0)
    (play,) = listen([song], 300.0).values()
    assert abs(play.ended_s(PARAMS) - 70.0) < 3.0


def test_a_play_across_a_gap_in_capture_is_one_and_partial() -> None:
    song = Aired(uuid4(), 10.0, 190.0, 180.0)
    (play,) = listen([song], 300.0, deaf=(60.0, 90.0)).values()
    assert play.is_partial
    assert abs(play.started_s(PARAMS) - 10.0) < 0.1
    assert abs(play.ended_s(PARAMS) - 190.0) < 0.1


def test_a_play_can_be_taken_up_by_another_listener() -> None:
    song = Aired(uuid4(), 10.0, 190.0, 180.0)
    state, plays = TrackerState(), {}
    for number in range(40):
        if number == 15:  # the process was killed: only what was stored is left
            state = TrackerState(tuple(one for one in state.hypotheses if one.state in (ACTIVE, HOLD)), None)
        step = track(state, hear([song], number * HOP_S), PARAMS)
        state = step.state
        plays.update({one.id: one for one in step.changed})
    assert len(plays) == 1


def test_single_wrong_answers_are_never_believed() -> None:
    state = TrackerState()
    for number in range(50):
        wrong = Identified(uuid4(), 30.0, 1.0, 0.7, 2.0, 6.0, 0.0, 180.0)
        step = track(state, Window(number * HOP_S, number * HOP_S + WINDOW_S, (wrong,)), PARAMS)
        state = step.state
        assert step.changed == ()
    assert len(state.hypotheses) <= 5


@given(
    start_s=st.floats(0, 60),
    duration_s=st.floats(40, 300),
    speed=st.sampled_from([0.97, 0.98, 1.0, 1.02, 1.03]),
    missed=st.sets(st.integers(0, 70), max_size=8),
)
def test_start_and_end_are_right_at_any_speed_and_with_windows_missed(
    start_s: float, duration_s: float, speed: float, missed: set[int]
) -> None:
    end_s = start_s + duration_s / speed
    song = Aired(uuid4(), start_s, end_s, duration_s, speed)
    state, plays = TrackerState(), {}
    number = 0
    while number * HOP_S < end_s + 80:
        window = hear([song], number * HOP_S)
        first_ones = window.start_s < start_s + 25 or window.end_s > end_s - 25
        if number in missed and not first_ones:
            window = Window(window.start_s, window.end_s)
        step = track(state, window, PARAMS)
        state = step.state
        plays.update({one.id: one for one in step.changed})
        number += 1
    assert len(plays) == 1
    (play,) = plays.values()
    assert play.state == CLOSED
    assert abs(play.started_s(PARAMS) - start_s) < 0.5
    assert abs(play.ended_s(PARAMS) - end_s) < 0.5


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 200), st.floats(0.5, 1)), max_size=40))
def test_revisions_only_rise_and_closed_plays_stay_closed(heard: list[tuple[int, float, float]]) -> None:
    recordings = [UUID(int=number + 1) for number in range(4)]
    state = TrackerState()
    revisions: dict[UUID, int] = {}
    closed: set[UUID] = set()
    for number, (which, offset_s, score) in enumerate(heard):
        match = Identified(recordings[which], offset_s, 1.0, score, 0.0, 10.0, 0.0, 220.0)
        step = track(state, Window(number * HOP_S, number * HOP_S + WINDOW_S, (match,)), PARAMS)
        state = step.state
        for one in step.changed:
            assert one.revision > revisions.get(one.id, 0)
            assert one.id not in closed
            assert one.started_s(PARAMS) <= one.ended_s(PARAMS) + 1e-6
            revisions[one.id] = one.revision
            if one.state == CLOSED:
                closed.add(one.id)
