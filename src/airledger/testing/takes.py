"""The sounds a band of stations draws from: the record library, jingles and announcers, kept as files on disk.

Decoded sound lies beside the library as ``.npy`` and is memory-mapped: fifteen stations share one copy, and it is the
system's cache that holds it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ, Pcm16, to_int16
from airledger.testing.picture import TestCard, open_test_card
from airledger.testing.programme import Repertoire, Take
from airledger.testing.songs import SongFile, make_library, read_pcm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SONGS_FOLDER = "songs"
PCM_FOLDER = "pcm"
JINGLES = 4
VOICES = 6
LOOP_S = 20
LOOP_FROM_S = 8
LOOP_SONG = 90_001
"""The number of a song that is in no library: the looping station plays 20 s of it."""


@dataclass(frozen=True)
class Takes:
    """All takes of a band: songs by ISRC, what stations draw from, the loop of the stuck one, the picture."""

    songs: dict[str, SongFile]
    repertoire: Repertoire
    loop: Pcm16
    test_card: TestCard
    _sounds: dict[str, Pcm16]

    def sound(self, take: Take) -> Pcm16:
        """Give a take's sound: int16 (n,) at 44.1 kHz, memory-mapped."""
        return self._sounds[take.name]

    def title(self, take: Take) -> str:
        """Give what the station's metadata calls it: "Artist - Title" for songs, else empty."""
        song = self.songs.get(take.name)
        return f"{song.tags.artist} - {song.tags.title}" if song else ""


def open_takes(folder: Path, seed: int = 1, songs: int = 24) -> Takes:
    """Make what is missing under ``folder`` (``songs/``, ``pcm/``) and open everything.

    The first time it takes half a second of one core per song; later, milliseconds.
    """
    library = make_library(folder / SONGS_FOLDER, seed, songs)
    pcm_folder = folder / PCM_FOLDER
    pcm_folder.mkdir(exist_ok=True)
    sounds: dict[str, Pcm16] = {}
    for song in library:
        sounds[song.tags.isrc] = _kept(pcm_folder / f"{song.stem}.npy", partial(read_pcm, song.path))
    for number in range(JINGLES):
        name = f"jingle-{seed}-{number + 1}"
        sounds[name] = _kept(pcm_folder / f"{name}.npy", partial(_jingle, seed, number))
    for number in range(VOICES):
        name = f"voice-{seed}-{number + 1}"
        sounds[name] = _kept(pcm_folder / f"{name}.npy", partial(_voice, seed, number))
    repertoire = Repertoire(
        songs=[Take("song", song.tags.isrc, len(sounds[song.tags.isrc])) for song in library],
        jingles=[Take("jingle", name, len(sounds[name])) for name in sounds if name.startswith("jingle")],
        voices=[Take("voice", name, len(sounds[name])) for name in sounds if name.startswith("voice")],
    )
    loop = _kept(pcm_folder / f"loop-{seed}.npy", partial(_loop, seed))
    return Takes({s.tags.isrc: s for s in library}, repertoire, loop, open_test_card(pcm_folder), sounds)


# The makers are imported where they are needed: with everything on disk, nobody waits for scipy.
def _jingle(seed: int, number: int) -> Pcm16:
    from airledger.testing.jingles import make_jingle

    return to_int16(make_jingle(seed, number))


def _voice(seed: int, number: int) -> Pcm16:
    from airledger.testing.voice import speak

    return to_int16(speak(seed, number))


def _loop(seed: int) -> Pcm16:
    from airledger.testing.composing import compose
    from airledger.testing.mixing import mix

    song = mix(compose(seed, LOOP_SONG, LOOP_S + 2 * LOOP_FROM_S))
    return to_int16(song[LOOP_FROM_S * SONG_RATE_HZ : (LOOP_FROM_S + LOOP_S) * SONG_RATE_HZ])


def _kept(path: Path, make: Callable[[], Pcm16]) -> Pcm16:
    """Map a sound from its file; make the file if it is not there."""
    if not path.exists():
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with unfinished.open("wb") as file:
            np.save(file, make())
        unfinished.replace(path)
    mapped: Pcm16 = np.load(path, mmap_mode="r")
    return mapped
