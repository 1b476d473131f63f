from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.testing.pcm import SONG_RATE_HZ, Pcm, level_dbfs, to_float
from airledger.testing.playout import AUDIBLE_BLOCK, AUDIBLE_DBFS, Playout, audible, contribution
from airledger.testing.programme import FAST_SPEED, Element, Repertoire, Take, plan

if TYPE_CHECKING:
    from airledger.testing.takes import Takes

PAPER = Repertoire(
    songs=[Take("song", f"S{n}", (50 + 3 * n) * SONG_RATE_HZ) for n in range(24)],
    jingles=[Take("jingle", f"J{n}", (3 + n) * SONG_RATE_HZ) for n in range(4)],
    voices=[Take("voice", "V", 8 * SONG_RATE_HZ)],
)
seeds = st.integers(0, 2**31)


def _aired(seed: int, key: str = "k", count: int = 400) -> list[Element]:
    return list(islice(plan(PAPER, seed, key), count))


def test_a_plan_is_the_same_again_and_other_for_other_stations() -> None:
    assert _aired(1) == _aired(1)
    assert [e.take for e in _aired(1)] != [e.take for e in _aired(1, "other")]


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_songs_follow_each_other_as_on_the_radio(seed: int) -> None:
    songs = [e for e in _aired(seed) if e.take.kind == "song"]
    gaps_s = [(b.start - a.end) / SONG_RATE_HZ for a, b in pairwise(songs)]
    assert all(-4.01 <= gap <= 9 for gap in gaps_s)
    for before, after in pairwise(songs):
        if before.end > after.start:
            assert before.fade_out == after.fade_in == pytest.approx(before.end - after.start)
    for place, song in enumerate(songs):
        assert song.take not in [other.take for other in songs[max(0, place - 12) : place]]
        assert (song.end - song.start) / SONG_RATE_HZ >= 30


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_shares_of_what_makes_it_hard(seed: int) -> None:
    elements = _aired(seed, count=1500)
    songs = [e for e in elements if e.take.kind == "song"]
    assert sum(s.speed == FAST_SPEED for s in songs) / len(songs) == pytest.approx(0.1, abs=0.01)
    assert {s.speed for s in songs} == {1.0, FAST_SPEED}
    kinds = {kind: sum(e.take.kind == kind for e in elements) / len(songs) for kind in ("jingle", "voice")}
    assert 0.15 < kinds["jingle"] < 0.4
    assert 0.3 < kinds["voice"] < 0.6
    crossfades = [e.fade_in / SONG_RATE_HZ for e in songs if e.fade_in]
    assert 0.3 < len(crossfades) / len(songs) < 0.6
    assert all(2 <= length <= 4 for length in crossfades)
    average_s = (songs[-1].end - songs[0].start) / SONG_RATE_HZ / len(songs)
    assert average_s * 150 < 12 * 30 * 60  # at least 150 plays from 12 stations in 30 minutes


@pytest.mark.parametrize("gain", [0.3, 1.0])
@pytest.mark.parametrize("speed", [1.0, FAST_SPEED])
def test_audible_bounds_are_where_the_sound_is(gain: float, speed: float) -> None:
    sound = np.zeros(10 * SONG_RATE_HZ, dtype=np.int16)
    from_sample, to_sample = 2 * SONG_RATE_HZ, 7 * SONG_RATE_HZ
    sound[from_sample:to_sample] = np.random.default_rng(1).integers(-9000, 9000, to_sample - from_sample)
    element = Element(0, Take("song", "x", len(sound)), 1000, 1000 + int(len(sound) / speed), speed, gain=gain)
    found = audible(element, sound)
    assert found is not None
    assert found.first == pytest.approx(1000 + from_sample / speed, abs=AUDIBLE_BLOCK)
    assert found.last == pytest.approx(1000 + to_sample / speed, abs=AUDIBLE_BLOCK)


def test_what_is_silent_is_never_audible() -> None:
    quiet = np.full(SONG_RATE_HZ, 20, dtype=np.int16)
    assert audible(Element(0, Take("song", "x", len(quiet)), 0, len(quiet)), quiet) is None


def test_outside_its_audible_bounds_an_element_is_below_the_threshold(takes: Takes) -> None:
    for element in islice(plan(takes.repertoire, 1, "k"), 12):
        pcm = takes.sound(element.take)
        found = audible(element, pcm)
        assert found is not None
        assert element.start <= found.first < found.last < element.end
        before = contribution(element, pcm, element.start, found.first)
        after = contribution(element, pcm, found.last + 1, element.end)
        assert max(level_dbfs(before), level_dbfs(after)) < AUDIBLE_DBFS


def test_a_faster_song_is_the_song_read_faster(takes: Takes) -> None:
    pcm = takes.sound(takes.repertoire.songs[1])
    element = Element(0, takes.repertoire.songs[1], 0, int(len(pcm) / FAST_SPEED), FAST_SPEED)
    start = 10 * SONG_RATE_HZ
    fast = contribution(element, pcm, start, start + SONG_RATE_HZ)
    at = np.arange(start, start + SONG_RATE_HZ) * FAST_SPEED
    assert _likeness(fast, np.interp(at, np.arange(len(pcm)), pcm).astype(np.float32)) > 0.99
    assert element.reference_end == pytest.approx(len(pcm), abs=2)


def test_a_voice_is_six_to_nine_db_below_its_song() -> None:
    voices = [e for e in _aired(3) if e.take.kind == "voice"]
    assert all(-9.01 <= 20 * np.log10(v.gain) <= -5.99 for v in voices)


def test_the_broadcast_is_the_song_where_the_truth_says(takes: Takes) -> None:
    """Take a stretch out of each song as aired and find it in the song, at the place that the truth gives."""
    elements: list[Element] = []
    playout = Playout(plan(takes.repertoire, 1, "k"), takes.sound, elements.append)
    playout.announce(60 * SONG_RATE_HZ)
    checked = 0
    for edge_s in range(60, 500, 20):
        playout.announce(edge_s * SONG_RATE_HZ)
        start = (edge_s - 20) * SONG_RATE_HZ
        on = [e for e in elements if e.start < start + SONG_RATE_HZ and e.end > start]
        if len(on) != 1 or on[0].take.kind != "song" or on[0].end < start + SONG_RATE_HZ:
            continue
        song = on[0]
        broadcast = playout.render(start, SONG_RATE_HZ)
        pcm = takes.sound(song.take)
        at = (np.arange(start, start + SONG_RATE_HZ) - song.start) * song.speed
        inside = (at >= 0) & (at < song.reference_end - 1)
        expected = np.interp(at[inside], np.arange(len(pcm)), pcm).astype(np.float32)
        if song.fade_in == 0 and song.fade_out == 0:
            assert _likeness(broadcast[inside], expected) > 0.98
            checked += 1
    assert checked >= 4


@given(st.integers(200, 20_000), st.integers(0, 30 * SONG_RATE_HZ))
@settings(max_examples=15, deadline=None)
def test_blocks_of_any_size_join_to_the_same_sound(takes: Takes, block: int, start: int) -> None:
    playout = Playout(plan(takes.repertoire, 1, "k"), takes.sound)
    playout.announce(40 * SONG_RATE_HZ)
    whole = playout.render(start, 40_000)
    pieces = [playout.render(start + at, min(block, 40_000 - at)) for at in range(0, 40_000, block)]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-5)


def test_sound_beyond_the_edge_or_long_gone_is_refused(takes: Takes) -> None:
    playout = Playout(plan(takes.repertoire, 1, "k"), takes.sound)
    playout.announce(300 * SONG_RATE_HZ)
    for start in (300 * SONG_RATE_HZ, 0):
        with pytest.raises(ValueError, match="within two minutes"):
            playout.render(start, 10)


def _likeness(one: Pcm, other: Pcm) -> float:
    return float(np.corrcoef(one, to_float(np.rint(other).astype(np.int16)) if other.max() > 1 else other)[0, 1])
