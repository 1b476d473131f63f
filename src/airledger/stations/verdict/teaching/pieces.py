"""Pieces of real sound from folders: `DIR/music/SOURCE/...` and `DIR/speech/SOURCE/...`.

A source is what was recorded together: a package, an album, a speaker. Training and test never share one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from airledger.audio.resample import to_8k
from airledger.audio.sniff import Kind, sniff
from airledger.platform.errors import InputError
from airledger.stations.verdict.eyes import Eyes

F32 = NDArray[np.float32]

MUSIC, SPEECH = "music", "speech"
RATE_HZ = 16_000
"""Kinds of sound are told below 4 kHz: lessons for them need no more."""
FILE_S = 75.0
LARGEST_FILE_BYTES = 64 << 20
SNIFFED_BYTES = 64 * 1024
QUIETEST_DBFS = -42.0
SPEECH_RMS = 0.1
PAUSE_S = (0.08, 0.5)
LEAST_WORD_S = 0.25
TEST_SHARE = 0.4


@dataclass(frozen=True)
class Source:
    """Recordings that were made together.

    Attributes:
        kind: `music` or `speech`.
        name: The folder.
        files: Its files, sorted.
        is_test: Whether it is kept from training.
    """

    kind: str
    name: str
    files: tuple[Path, ...]
    is_test: bool


def find_sources(folders: list[Path], test_names: frozenset[str] = frozenset()) -> list[Source]:
    """Find what folders hold.

    Args:
        folders: Each with `music` and `speech` inside.
        test_names: Sources that are kept for the test; where none is named, two in five are chosen by their names.

    Raises:
        InputError: There is no source of either kind.
    """
    found: list[Source] = []
    for kind in (MUSIC, SPEECH):
        places = sorted({place for folder in folders for place in (folder / kind).glob("*") if place.is_dir()})
        for place in places:
            files = tuple(sorted(one for one in place.rglob("*") if one.is_file()))
            is_test = place.name in test_names if test_names else _drawn(place.name)
            if files:
                found.append(Source(kind, place.name, files, is_test))
        if not any(one.kind == kind for one in found):
            raise InputError(f"no folder {kind}/SOURCE with sound in it was found: see docs/guide/verification.md")
    return found


def music_pieces(
    source: Source, eyes: Eyes, rng: np.random.Generator, seconds: float, rate_hz: int = RATE_HZ
) -> Iterator[F32]:
    """Cut pieces out of a source's music for ever, each file in turn; mono.

    Ends when a whole round over the files gave nothing.
    """
    while True:
        given = 0
        for index in rng.permutation(len(source.files)):
            whole = read_sound(source.files[index], eyes, rate_hz)
            count = int(seconds * rate_hz)
            for start in _starts(len(whole), count, rng):
                piece = whole[start : start + count]
                if level_dbfs(piece) > QUIETEST_DBFS:
                    given += 1
                    yield piece
        if not given:
            return


def speech_pieces(source: Source, eyes: Eyes, rng: np.random.Generator, seconds: float) -> Iterator[F32]:
    """Join a source's utterances with short pauses between them, for ever; mono at 16 kHz, -20 dBFS RMS."""
    count = int(seconds * RATE_HZ)
    words: list[F32] = []
    length = 0
    while True:
        given = 0
        for index in rng.permutation(len(source.files)):
            word = read_sound(source.files[index], eyes)
            if len(word) < LEAST_WORD_S * RATE_HZ or level_dbfs(word) < QUIETEST_DBFS:
                continue
            given += 1
            pause = np.zeros(int(rng.uniform(*PAUSE_S) * RATE_HZ), np.float32)
            words += [word * (SPEECH_RMS / float(np.sqrt(np.mean(np.square(word))))), pause]
            length += len(word) + len(pause)
            if length >= count:
                yield np.concatenate(words)[:count]
                words, length = [], 0
        if not given:
            return


def read_sound(path: Path, eyes: Eyes, rate_hz: int = RATE_HZ) -> F32:
    """Read the first 75 s of a file as mono; empty where it holds no sound that we decode."""
    if path.stat().st_size > LARGEST_FILE_BYTES:
        return np.zeros(0, np.float32)
    data = path.read_bytes()
    verdict = sniff(data[:SNIFFED_BYTES], whole=True)
    if verdict is None or verdict.kind is not Kind.MEDIA:
        return np.zeros(0, np.float32)
    seen = eyes.look(data, verdict.name, most_s=FILE_S)
    if seen.error:
        return np.zeros(0, np.float32)
    mono = seen.pcm.astype(np.float32).mean(axis=1) / np.float32(32768)
    return resampled(mono, seen.rate_hz, rate_hz)


def resampled(mono: F32, rate_hz: int, wanted_hz: int) -> F32:
    """Bring sound to another rate."""
    if rate_hz == wanted_hz or not len(mono):
        return mono
    from scipy.signal import resample_poly

    common = int(np.gcd(rate_hz, wanted_hz))
    made: F32 = resample_poly(mono, wanted_hz // common, rate_hz // common).astype(np.float32)
    return made


def narrow(mono: F32, rate_hz: int) -> F32:
    """Bring sound to 8 kHz, as the models hear it."""
    return to_8k(np.ascontiguousarray(mono, np.float32), rate_hz)


def level_dbfs(sound: F32) -> float:
    """Measure a piece's level in dB relative to full scale."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12)) if len(sound) else -120.0


def _starts(length: int, count: int, rng: np.random.Generator) -> list[int]:
    """Choose up to three places that do not overlap."""
    room = length // count
    if room < 1:
        return []
    chosen = rng.permutation(room)[:3]
    slack = length - room * count
    return [int(place * count + rng.integers(slack + 1)) if room == 1 else int(place * count) for place in chosen]


def _drawn(name: str) -> bool:
    """Draw a source for the test by its name, so that it is drawn the same everywhere."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32 < TEST_SHARE
