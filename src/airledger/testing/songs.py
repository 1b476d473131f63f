"""The demo's record library: make it, name it, keep it on disk as tagged FLAC.

    python -m airledger.testing.songs DIR [--seed 1] [--songs 24]

A file already there with the same seed is kept, so a second call costs nothing. Half a second of one core per song.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ, Pcm16, to_int16
from airledger.testing.titles import SongTags, song_tags

SHORTEST_S, LONGEST_S = 48.0, 112.0
MAX_SONGS = 576
CSV_COLUMNS = ("file", "title", "artist", "album", "isrc", "label", "duration_ms")


@dataclass(frozen=True)
class SongFile:
    """A song on disk. ``path`` is FLAC, mono, 44.1 kHz, 16 bit; ``samples`` its length at that rate."""

    path: Path
    tags: SongTags
    samples: int

    @property
    def stem(self) -> str:
        """The name by which the truth calls this recording."""
        return self.path.stem

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds, rounded."""
        return round(self.samples * 1000 / SONG_RATE_HZ)


def song_length_s(seed: int, number: int) -> float:
    """Draw how long a song should be: 48 to 112 s."""
    return float(np.random.default_rng([seed, number, 3]).uniform(SHORTEST_S, LONGEST_S))


def render_song(seed: int, number: int) -> Pcm16:
    """Compose and mix song ``number`` of the library ``seed``: int16 (n,) at 44.1 kHz, always the same samples."""
    # Here, not above: who finds all songs made does not wait for scipy.
    from airledger.testing.composing import compose
    from airledger.testing.mixing import mix

    return to_int16(mix(compose(seed, number, song_length_s(seed, number))))


def make_library(folder: Path, seed: int = 1, songs: int = 24) -> list[SongFile]:
    """Make the songs that are missing in a folder, and ``library.csv`` beside them.

    Args:
        folder: where the FLAC files go; made if it is not there.
        seed: another seed is another library. Use one folder per seed.
        songs: how many, at most 576.

    Returns:
        The songs in order of their number.

    Raises:
        ValueError: more songs than there are names.
        subprocess.CalledProcessError: a rendering process failed; its message went to stderr.
    """
    if not 1 <= songs <= MAX_SONGS:
        raise ValueError(f"A library has 1 to {MAX_SONGS} songs, not {songs}.")
    folder.mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(songs) if not _path(folder, seed, n).exists()]
    processes = min(os.cpu_count() or 1, len(missing) // 4)
    if processes > 1:
        _render_in_processes(folder, seed, missing, processes)
    else:
        for number in missing:
            _make_song(folder, seed, number)
    library = [_opened(_path(folder, seed, n), song_tags(seed, n)) for n in range(songs)]
    _write_csv(folder / "library.csv", library)
    return library


def read_pcm(path: Path) -> Pcm16:
    """Decode a song's file: int16 (n,) at its own rate."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.concatenate(frames).astype(np.int16, copy=False)


def _path(folder: Path, seed: int, number: int) -> Path:
    return folder / f"{song_tags(seed, number).stem}.flac"


def _make_song(folder: Path, seed: int, number: int) -> None:
    path = _path(folder, seed, number)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    write_flac(unfinished, render_song(seed, number), song_tags(seed, number))
    unfinished.replace(path)


def write_flac(path: Path, pcm: Pcm16, tags: SongTags) -> None:
    """Write mono int16 sound at 44.1 kHz as FLAC with Vorbis comments."""
    with av.open(str(path), "w", format="flac") as container:
        container.metadata.update(
            {"TITLE": tags.title, "ARTIST": tags.artist, "ALBUM": tags.album, "ISRC": tags.isrc, "LABEL": tags.label}
        )
        stream = container.add_stream("flac", rate=SONG_RATE_HZ, layout="mono", options={"compression_level": "3"})
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SONG_RATE_HZ
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (piece := fifo.read(4096, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


def _opened(path: Path, tags: SongTags) -> SongFile:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        if stream.duration is None or stream.time_base is None:
            raise ValueError(f"{path} does not say how long it is; delete it and it will be made again.")
        return SongFile(path, tags, round(stream.duration * stream.time_base * SONG_RATE_HZ))


def _write_csv(path: Path, library: list[SongFile]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for song in library:
            tags = song.tags
            row = (song.path.name, tags.title, tags.artist, tags.album, tags.isrc, tags.label, song.duration_ms)
            writer.writerow(row)


def _render_in_processes(folder: Path, seed: int, missing: list[int], processes: int) -> None:
    """Divide the songs among processes: mixing holds the interpreter's lock too long for threads."""
    own = [sys.executable, "-m", "airledger.testing.songs", str(folder), "--seed", str(seed), "--only"]
    children = [subprocess.Popen([*own, *map(str, missing[i::processes])]) for i in range(processes)]  # noqa: S603
    codes = [child.wait() for child in children]
    for child, code in zip(children, codes, strict=True):
        if code != 0:
            raise subprocess.CalledProcessError(code, child.args)


def main(arguments: list[str] | None = None) -> None:
    """Make a library from the command line; ``--only`` renders single numbers, for the processes above."""
    parser = argparse.ArgumentParser(description="Make the demo's record library.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--songs", type=int, default=24)
    parser.add_argument("--only", type=int, nargs="*")
    given = parser.parse_args(arguments)
    if given.only is None:
        library = make_library(given.folder, given.seed, given.songs)
        sys.stdout.write(f"{len(library)} songs in {given.folder}\n")
        return
    for number in given.only:
        _make_song(given.folder, given.seed, number)


if __name__ == "__main__":
    main()
