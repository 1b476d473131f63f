from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.testing.score import HeardPlay, Listened, SeenStation, judge_bad_stations, score
from airledger.testing.truth import AiredPlay, StationClock

RATE_HZ = 44_100
EPOCH_S = 1_800_000_000.0
CLOCK = StationClock("a", "run", "A", "http://a", RATE_HZ, EPOCH_S, 1.0)
EVERYTHING = [Listened("a", EPOCH_S - 10, EPOCH_S + 1e6)]


def _aired(number: int, start_s: float, end_s: float, *, recording: str = "", speed: float = 1.0) -> AiredPlay:
    start, end = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
    return AiredPlay(
        CLOCK, "song", recording or f"R{number}", "", number, start, end, start, end - 1, speed, 0, end - start
    )


def _heard(play: AiredPlay, late_s: float = 0.0, longer_s: float = 0.0) -> HeardPlay:
    start_s, end_s = CLOCK.time_of(play.first), CLOCK.time_of(play.last + 1)
    return HeardPlay("a", play.recording, start_s + late_s, end_s + longer_s)


@st.composite
def programmes(draw: st.DrawFn) -> list[AiredPlay]:
    """Songs of 20 to 200 s one after the other, recordings repeating as they like."""
    plays, at_s = [], 0.0
    for number in range(draw(st.integers(1, 12))):
        at_s += draw(st.floats(0, 5))
        end_s = at_s + draw(st.floats(20, 200))
        speed = draw(st.sampled_from([1.0, 1.02]))
        plays.append(_aired(number, at_s, end_s, recording=f"R{draw(st.integers(0, 4))}", speed=speed))
        at_s = end_s
    return plays


@given(programmes())
def test_a_perfect_log_has_no_fault(truth: list[AiredPlay]) -> None:
    report = score(truth, [_heard(play) for play in truth], EVERYTHING)
    assert report.recall == 1
    assert (report.aired, report.found, report.false_plays) == (len(truth), len(truth), 0)
    assert report.start_error_p95_s == pytest.approx(0, abs=1e-3)
    assert report.end_error_p95_s == pytest.approx(0, abs=1e-3)
    assert report.splits_per_100 == report.merges_per_100 == 0
    assert report.seconds_precision == pytest.approx(1, abs=1e-4)
    assert report.seconds_recall == pytest.approx(1, abs=1e-4)
    json.dumps(report.to_json())


@given(programmes(), st.data())
def test_what_was_not_heard_is_missed_and_named(truth: list[AiredPlay], data: st.DataObject) -> None:
    kept = [play for play in truth if data.draw(st.booleans())]
    report = score(truth, [_heard(play) for play in kept], EVERYTHING)
    assert report.found == len(kept)
    assert len(report.missed) == len(truth) - len(kept)
    fast = [play for play in truth if play.speed != 1.0]
    assert report.aired_fast == len(fast)
    assert report.found_fast == sum(play in kept for play in fast)


@given(programmes(), st.floats(-5, 5), st.floats(-5, 5))
def test_errors_are_measured_in_seconds(truth: list[AiredPlay], late_s: float, longer_s: float) -> None:
    truth = [replace(play, recording=f"R{n}") for n, play in enumerate(truth)]
    report = score(truth, [_heard(play, late_s, longer_s) for play in truth], EVERYTHING)
    assert report.found == len(truth)
    assert report.start_error_p50_s == pytest.approx(abs(late_s), abs=1e-3)
    assert report.start_bias_s == pytest.approx(late_s, abs=1e-3)
    assert report.end_error_p95_s == pytest.approx(abs(longer_s), abs=1e-3)


@given(programmes())
def test_a_log_of_other_songs_is_all_false(truth: list[AiredPlay]) -> None:
    log = [replace(_heard(play), recording="another") for play in truth]
    report = score(truth, log, EVERYTHING)
    assert report.false_plays == len(log) == len(report.wrong)
    assert report.found == 0
    assert report.seconds_precision == report.seconds_recall == 0


@given(programmes())
def test_an_empty_log_has_no_false_plays(truth: list[AiredPlay]) -> None:
    report = score(truth, [], EVERYTHING)
    assert (report.found, report.heard, report.false_plays) == (0, 0, 0)
    assert report.seconds_precision is None
    assert report.start_error_p50_s is None


def test_half_of_a_song_is_found_and_less_is_not() -> None:
    song = _aired(1, 100, 200)
    assert score([song], [_heard(song, longer_s=-49)], EVERYTHING).found == 1
    assert score([song], [_heard(song, longer_s=-51)], EVERYTHING).found == 0


def test_two_halves_are_one_found_song_and_one_split() -> None:
    song = _aired(1, 100, 200)
    report = score([song], [_heard(song, longer_s=-60), _heard(song, late_s=50)], EVERYTHING)
    assert (report.found, report.splits_per_100, report.false_plays) == (1, 100, 0)
    assert report.start_error_p50_s == pytest.approx(0, abs=1e-3)
    assert report.end_error_p50_s == pytest.approx(0, abs=1e-3)


def test_one_play_over_two_airings_is_a_merge() -> None:
    first, second = _aired(1, 100, 160, recording="R"), _aired(2, 162, 230, recording="R")
    log = [HeardPlay("a", "R", EPOCH_S + 100, EPOCH_S + 230)]
    report = score([first, second], log, EVERYTHING)
    assert (report.found, report.merges_per_100, report.false_plays) == (2, 50, 0)


def test_only_what_lies_wholly_in_a_listened_span_is_judged() -> None:
    inside, cut, unheard = _aired(1, 100, 200), _aired(2, 200, 300), _aired(3, 400, 500)
    window = [Listened("a", EPOCH_S + 50, EPOCH_S + 250), Listened("b", EPOCH_S, EPOCH_S + 1000)]
    report = score([inside, cut, unheard], [_heard(inside), _heard(cut), _heard(unheard)], window)
    assert (report.aired, report.found) == (1, 1)
    assert (report.heard, report.false_plays) == (2, 0)  # the cut one is right, the one outside is not looked at


def test_short_airings_are_counted_apart() -> None:
    short, song = _aired(1, 100, 114), _aired(2, 120, 200)
    report = score([short, song], [_heard(short), _heard(song)], EVERYTHING)
    assert (report.aired, report.short_aired, report.short_found, report.false_plays) == (1, 1, 1, 0)


def test_a_play_much_longer_than_its_airing_is_false() -> None:
    song = _aired(1, 100, 200)
    assert score([song], [_heard(song, longer_s=110)], EVERYTHING).false_plays == 1


def test_plays_of_jingles_and_voices_are_not_songs() -> None:
    voice = replace(_aired(1, 100, 200), kind="voice")
    report = score([voice], [_heard(voice)], EVERYTHING)
    assert (report.aired, report.false_plays) == (0, 1)


def test_a_faster_clock_is_honoured() -> None:
    clock = replace(CLOCK, speed=8.0)
    song = replace(_aired(1, 80, 160), clock=clock)
    log = [HeardPlay("a", "R1", EPOCH_S + 10, EPOCH_S + 20)]
    report = score([song], log, EVERYTHING)
    assert (report.found, report.false_plays) == (1, 0)
    assert report.start_error_p50_s == pytest.approx(0, abs=1e-3)


def test_two_runs_of_one_station_are_two_clocks() -> None:
    later = replace(CLOCK, run="next", epoch_s=EPOCH_S + 5000)
    first, second = _aired(1, 100, 200, recording="R"), replace(_aired(1, 100, 200, recording="R"), clock=later)
    log = [_heard(first), HeardPlay("a", "R", EPOCH_S + 5100, EPOCH_S + 5200)]
    report = score([first, second], log, EVERYTHING)
    assert (report.found, report.false_plays, report.splits_per_100, report.merges_per_100) == (2, 0, 0, 0)


def test_bad_stations_are_judged_by_cause() -> None:
    expected = {"gone": "not_found", "big": "false_bitrate", "mute": "silent", "never": "refused"}
    seen = {
        "gone": SeenStation("failing", "not_found"),
        "big": SeenStation("playing", warnings=frozenset({"false_bitrate"})),
        "mute": SeenStation("failing", "looped"),
    }
    report = {row.station: row for row in judge_bad_stations(expected, seen)}
    assert {key for key, row in report.items() if row.right} == {"gone", "big"}
    assert report["never"].seen == "unseen"
    wrongly_playing = judge_bad_stations({"gone": "not_found"}, {"gone": SeenStation("playing", "not_found")})
    assert not wrongly_playing[0].right
