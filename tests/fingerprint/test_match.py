from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import DEFAULT_THRESHOLD, MAX_QUERY_S, Candidate, match
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.warm import warm
from tunes import RATE_HZ, excerpt, faster, noise, noisy, tune

PARAMS = Params()
DRUMMED = {"drums": 0.6, "bpm": 120.0}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Six tunes; two with the same drums; one that repeats two bars, and one the whole of whose bars are one."""
    sounds = {seed: tune(seed) for seed in (1, 2, 3)}
    sounds |= {10: tune(10, **DRUMMED), 11: tune(11, **DRUMMED)}
    sounds[20] = np.concatenate([tune(20, seconds=32, bpm=120, loop_bars=2), tune(21, seconds=12)])
    index = Index.create(tmp_path_factory.mktemp("library"), PARAMS)
    index.add({number: extract(pcm, PARAMS, dense="reference") for number, pcm in sounds.items()})
    return index


def ask(library: Index, pcm: np.ndarray, **more: float) -> list[Candidate]:
    return match(library, extract(pcm.astype(np.float32), library.params, dense="query"), **more)  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(seed=st.sampled_from([1, 2, 3]), start_s=st.floats(0, 29), moved_s=st.floats(0.1, 4))
def test_the_offset_follows_the_query(library: Index, seed: int, start_s: float, moved_s: float) -> None:
    first = ask(library, excerpt(tune(seed), start_s, 6))[0]
    later = ask(library, excerpt(tune(seed), start_s + moved_s, 6))[0]
    assert first.track == later.track == seed
    assert first.offset_s == pytest.approx(start_s, abs=0.02)
    assert later.offset_s - first.offset_s == pytest.approx(moved_s, abs=0.03)
    assert min(first.score, later.score) > 0.95
    assert first.speed == pytest.approx(1, abs=0.002)
    assert 0 <= first.first_s < 1
    assert 5 < first.last_s <= 6
    assert first.matched_s > 4


@settings(max_examples=15, deadline=None)
@given(speed=st.floats(0.945, 1.055), start_s=st.floats(2, 18))
def test_a_changed_speed_is_recovered(library: Index, speed: float, start_s: float) -> None:
    pcm = faster(excerpt(tune(2), start_s, 12), speed)[: 10 * RATE_HZ]
    best = ask(library, pcm)[0]
    assert (best.track, best.score > 0.95) == (2, True)
    assert best.speed == pytest.approx(speed, abs=0.003)
    assert best.pitch == pytest.approx(speed, abs=0.003)
    assert best.offset_s == pytest.approx(start_s, abs=0.05)


@settings(max_examples=15, deadline=None)
@given(tempo=st.floats(0.93, 1.07), half_tones=st.sampled_from([-2, -1, 1, 2]), change=st.sampled_from("tp"))
def test_a_changed_tempo_or_pitch_is_recovered(library: Index, tempo: float, half_tones: int, change: str) -> None:
    speed, pitch = (tempo, 1.0) if change == "t" else (1.0, 2 ** (half_tones / 12))
    plain = extract(excerpt(tune(3), 10, 12), PARAMS, dense="query")
    inside = (plain.freqs_hz * pitch < 3900) & (plain.times_s / speed < 11)
    query = Peaks(
        (plain.times_s / np.float32(speed))[inside].astype(np.float32),
        (plain.freqs_hz * np.float32(pitch))[inside].astype(np.float32),
        plain.levels[inside],
        11.0,
    )
    best = match(library, query)[0]
    assert (best.track, best.score > 0.95) == (3, True)
    assert (best.speed, best.pitch) == pytest.approx((speed, pitch), abs=0.003)
    assert best.offset_s == pytest.approx(10, abs=0.05)


@pytest.mark.parametrize("snr_db", [10, 5, 0])
def test_noise_does_not_hide_a_song(library: Index, snr_db: float) -> None:
    best = ask(library, noisy(excerpt(tune(1), 12.34, 10), snr_db))[0]
    assert (best.track, best.score > 0.95) == (1, True)
    assert best.offset_s == pytest.approx(12.34, abs=0.03)


def _tone(frequency_hz: float, seconds: float = 10) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)


_CLICKS = (np.random.default_rng(3).random(10 * RATE_HZ) < 5e-4) * 0.9
_BEEPS = _tone(660) * (np.arange(10 * RATE_HZ) % RATE_HZ < RATE_HZ // 3)


@pytest.mark.parametrize(
    "pcm",
    [
        pytest.param(noise(10, 77), id="noise"),
        pytest.param(noise(5, 78), id="short noise"),
        pytest.param(_tone(440), id="tone"),
        pytest.param(_tone(330) + _tone(415) + _tone(494), id="chord"),
        pytest.param(_CLICKS, id="clicks"),
        pytest.param(_BEEPS, id="time signal"),
        *(pytest.param(excerpt(tune(seed), 3.3, 10), id=f"other tune {seed}") for seed in range(30, 36)),
        *(pytest.param(excerpt(tune(seed), 9.1, 5), id=f"other tune {seed}, short") for seed in range(30, 33)),
        *(pytest.param(excerpt(tune(s, **DRUMMED), 7.7, 10), id=f"other tune {s}, same drums") for s in range(40, 44)),
    ],
)
def test_what_is_not_in_the_library_is_not_found(library: Index, pcm: np.ndarray) -> None:
    assert all(one.score < DEFAULT_THRESHOLD for one in ask(library, pcm))


def test_songs_with_the_same_drums_are_told_apart(library: Index) -> None:
    for seed in (10, 11):
        answers = ask(library, noisy(excerpt(tune(seed, **DRUMMED), 14, 10), 15))
        assert answers[0].track == seed
        assert answers[0].score > 0.95
        assert all(one.score < DEFAULT_THRESHOLD for one in answers[1:])


def test_silence_and_scraps_have_no_candidates(library: Index) -> None:
    assert ask(library, np.zeros(80_000)) == []
    assert ask(library, excerpt(tune(1), 5, 0.2)) == []
    assert match(library, Peaks.empty(10)) == []


def test_a_song_that_begins_within_the_query_has_a_negative_offset(library: Index) -> None:
    pcm = np.concatenate([noise(4, 5) * 0.5, excerpt(tune(1), 0, 6)])
    best = ask(library, pcm)[0]
    assert (best.track, best.score > 0.9) == (1, True)
    assert best.offset_s == pytest.approx(-4, abs=0.03)
    assert 3.9 < best.first_s < 5
    assert best.last_s > 9


def test_both_songs_of_a_crossfade_are_found_each_in_its_part(library: Index) -> None:
    fade = np.clip((np.arange(12 * RATE_HZ) / RATE_HZ - 5) / 2, 0, 1)
    pcm = excerpt(tune(1), 20, 12) * (1 - fade) + excerpt(tune(3), 5, 12) * fade
    found = {one.track: one for one in ask(library, pcm) if one.score >= DEFAULT_THRESHOLD}
    assert set(found) == {1, 3}
    assert found[1].offset_s == pytest.approx(20, abs=0.03)
    assert found[3].offset_s == pytest.approx(5, abs=0.03)
    assert found[1].last_s < 8
    assert found[3].first_s > 4.5


def test_among_repeated_bars_the_one_that_fits_the_whole_query_is_chosen(library: Index) -> None:
    # The loop turns into something else at 32 s: only one of its repeats is followed by that.
    song = np.concatenate([tune(20, seconds=32, bpm=120, loop_bars=2), tune(21, seconds=12)])
    best = ask(library, noisy(excerpt(song, 25, 10), 15))[0]
    assert (best.track, best.score > 0.95) == (20, True)
    assert best.offset_s == pytest.approx(25, abs=0.03)


def test_a_loop_is_recognised_even_where_its_place_is_ambiguous(library: Index) -> None:
    best = ask(library, noisy(excerpt(tune(20, seconds=32, bpm=120, loop_bars=2), 9, 10), 20))[0]
    assert (best.track, best.score > 0.95) == (20, True)
    assert (best.offset_s - 9) % 4 == pytest.approx(0, abs=0.05) or (best.offset_s - 9) % 4 == pytest.approx(
        4, abs=0.05
    )


def test_a_recording_that_is_enrolled_twice_is_reported_twice(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({1: extract(tune(1), PARAMS, dense="reference"), 2: extract(tune(2), PARAMS, dense="reference")})
    index.add({3: extract(excerpt(tune(1), 2, 30), PARAMS, dense="reference")})
    answers = ask(index, noisy(excerpt(tune(1), 12, 10), 20))
    assert {one.track for one in answers if one.score > 0.9} == {1, 3}


def test_the_speed_a_station_was_heard_at_changes_no_answer(library: Index) -> None:
    for speed in (1.0, 1.02):
        pcm = faster(excerpt(tune(1), 8, 11), speed)[: 10 * RATE_HZ]
        for hint in (None, 1.0, 1.02, 0.97):
            best = match(library, extract(pcm, PARAMS, dense="query"), speeds_hint=hint)[0]
            assert best.track == 1
            assert best.speed == pytest.approx(speed, abs=0.003)
            assert best.offset_s == pytest.approx(8, abs=0.05)


def test_scores_fall_and_the_limit_is_kept(library: Index) -> None:
    answers = ask(library, excerpt(tune(1), 5, 10), limit=2)
    assert len(answers) <= 2
    assert [one.score for one in answers] == sorted((one.score for one in answers), reverse=True)
    assert all(0 <= one.score <= 1 for one in answers)


def test_queries_that_are_too_long_are_refused(library: Index) -> None:
    with pytest.raises(ValueError, match="at most"):
        match(library, Peaks.empty(MAX_QUERY_S + 1))


@pytest.mark.parametrize("hint", [0.0, -1.0, 3.0, float("nan")])
def test_absurd_expectations_are_refused(library: Index, hint: float) -> None:
    with pytest.raises(ValueError, match="expected speed"):
        match(library, Peaks.empty(5), speeds_hint=hint)


def test_warming_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    warm()
    assert list(tmp_path.iterdir()) == []


def test_an_excluded_track_lets_another_answer_at_its_own_speed(tmp_path: Path) -> None:
    song = tune(5)
    tracks = {1: song, 2: faster(song, 1.04), 3: tune(6)}
    with Index.create(tmp_path / "i", PARAMS) as index:
        index.add({number: extract(pcm, PARAMS, dense="reference") for number, pcm in tracks.items()})
        query = extract(excerpt(song, 10, 10), PARAMS, dense="query")
        assert match(index, query)[0].track == 1
        best = match(index, query, exclude={1})[0]
        assert (best.track, round(best.speed, 2)) == (2, 0.96)
        assert best.score > DEFAULT_THRESHOLD
        assert all(one.score < DEFAULT_THRESHOLD for one in match(index, query, exclude={1, 2}))
