from __future__ import annotations

import csv
import itertools
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from airledger.testing.composing import compose
from airledger.testing.jingles import make_jingle
from airledger.testing.mixing import mix
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, block_levels_dbfs, level_dbfs, to_float
from airledger.testing.songs import main, make_library, read_pcm, render_song, song_length_s
from airledger.testing.takes import JINGLES, VOICES
from airledger.testing.titles import song_tags
from airledger.testing.voice import speak

if TYPE_CHECKING:
    from pathlib import Path

    from airledger.testing.takes import Takes

SEED, WHOLE_LIBRARY = 1, 24


def test_no_bar_is_heard_twice_in_the_whole_library() -> None:
    bars = [b.signature for n in range(WHOLE_LIBRARY) for b in compose(SEED, n, song_length_s(SEED, n)).bars]
    assert len(bars) > 500
    assert len(set(bars)) == len(bars)


def test_no_two_bars_share_a_melody_in_sequence() -> None:
    """Two bars on end are never the same melody anywhere: a place in a song can be told from what is played there."""
    pairs: list[tuple[object, ...]] = []
    for number in range(WHOLE_LIBRARY):
        bars = compose(SEED, number, song_length_s(SEED, number)).bars
        leads = [tuple((n.start_ticks, n.pitch) for n in bar.notes if n.part == "lead") for bar in bars]
        pairs += itertools.pairwise(leads)
    assert len(set(pairs)) == len(pairs)


def test_songs_differ_in_tempo_metre_and_key() -> None:
    styles = [compose(SEED, n, 60).style for n in range(WHOLE_LIBRARY)]
    assert len({s.tempo_bpm for s in styles}) == WHOLE_LIBRARY
    assert {s.beats_per_bar for s in styles} == {3, 4, 5}
    assert len({s.tonic for s in styles}) >= 8
    assert len({s.scale for s in styles}) >= 4
    assert {s.comping for s in styles} == {"pad", "stabs", "arpeggio"}


def test_the_same_seed_makes_the_same_samples_and_another_does_not() -> None:
    once, again, other = mix(compose(5, 3, 12)), mix(compose(5, 3, 12)), mix(compose(6, 3, 12))
    assert np.array_equal(once, again)
    assert len(other) != len(once) or not np.allclose(once, other, atol=0.05)


def test_bars_with_the_same_chord_do_not_sound_the_same(takes: Takes) -> None:
    """Neighbouring bars' samples are nearly uncorrelated, whatever the signature says."""
    composition = compose(SEED, 0, song_length_s(SEED, 0))
    song = to_float(takes.sound(takes.repertoire.songs[0]))
    length = int(composition.bar_s * SONG_RATE_HZ)
    first = int(composition.lead_in_s * SONG_RATE_HZ)
    bars = [song[first + i * length : first + (i + 1) * length] for i in range(len(composition.bars))]
    likeness = np.abs(np.corrcoef(np.stack(bars)))
    np.fill_diagonal(likeness, 0)
    assert likeness.max() < 0.8


def test_songs_are_rich_and_loud_like_records(takes: Takes) -> None:
    for take in takes.repertoire.songs:
        song = to_float(takes.sound(take))
        assert 40 <= len(song) / SONG_RATE_HZ <= 120
        assert -18.5 < level_dbfs(song) < -14
        assert np.abs(song).max() < 1
        assert (block_levels_dbfs(song, SONG_RATE_HZ)[2:-8] > -45).all()
        assert _octaves_in_use(song) >= 7


def _octaves_in_use(song: Pcm) -> int:
    """Count octave bands from 40 Hz within 35 dB of the strongest one: a beep has one or two."""
    middle = song[20 * SONG_RATE_HZ : 24 * SONG_RATE_HZ]
    power = np.abs(np.fft.rfft(middle)) ** 2
    hertz = np.fft.rfftfreq(len(middle), 1 / SONG_RATE_HZ)
    bands = [power[(hertz >= 40 * 2**k) & (hertz < 80 * 2**k)].sum() for k in range(9)]
    return int(np.sum(10 * np.log10(np.array(bands) / max(bands)) > -35))


def test_a_library_is_tagged_listed_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = make_library(tmp_path, seed=3, songs=1)
    again = make_library(tmp_path, seed=3, songs=1)
    assert again == library
    song = library[0]
    assert song.tags.isrc == "QZALD2600001"
    with av.open(str(song.path)) as container:
        tags = {name.upper(): value for name, value in container.metadata.items()}
        assert container.streams.audio[0].rate == SONG_RATE_HZ
    assert (tags["TITLE"], tags["ARTIST"], tags["ISRC"]) == (song.tags.title, song.tags.artist, song.tags.isrc)
    with (tmp_path / "library.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [song.path.name]
    assert int(rows[0]["duration_ms"]) == song.duration_ms
    assert np.array_equal(read_pcm(song.path), render_song(3, 0))

    def forbidden(*_: object) -> None:
        raise AssertionError("a song that is there was rendered again")

    monkeypatch.setattr("airledger.testing.songs.render_song", forbidden)
    main([str(tmp_path), "--seed", "3", "--songs", "1"])


def test_names_do_not_repeat() -> None:
    tags = [song_tags(1, n) for n in range(576)]
    assert len({t.title for t in tags}) == len({t.isrc for t in tags}) == 576


@pytest.mark.parametrize("songs", [0, 577])
def test_a_library_has_a_size_that_names_allow(tmp_path: Path, songs: int) -> None:
    with pytest.raises(ValueError, match="1 to 576"):
        make_library(tmp_path, songs=songs)


def test_jingles_are_short_and_differ() -> None:
    jingles = [make_jingle(1, n) for n in range(JINGLES)]
    assert all(3 <= len(j) / SONG_RATE_HZ <= 8 for j in jingles)
    assert len({j[:1000].tobytes() for j in jingles}) == JINGLES
    assert all(-17 < level_dbfs(j) < -13 for j in jingles)


def test_voices_speak_in_syllables_and_differ() -> None:
    voices = [speak(1, n) for n in range(VOICES)]
    assert len({v.tobytes() for v in voices}) == VOICES
    for voice in voices:
        levels = block_levels_dbfs(voice, SONG_RATE_HZ // 50)
        assert levels.max() - np.percentile(levels, 5) > 20  # syllables and pauses, not a tone
        hertz = np.fft.rfftfreq(len(voice), 1 / SONG_RATE_HZ)
        power = np.abs(np.fft.rfft(voice)) ** 2
        assert power[hertz < 4000].sum() / power.sum() > 0.8
