"""What a station airs, planned: songs, jingles, announcers and gaps, endlessly, from a seed.

Positions are sample positions of the station (0 = the run's epoch). The plan depends on nothing but the seed, the
station's key and the library, so any stretch of it can be made again. Sound is made from it by
`airledger.testing.playout`.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from airledger.testing.chances import chance
from airledger.testing.pcm import SONG_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["song", "jingle", "voice", "stranger"]

FAST_SPEED = 1.02
SHORTEST_AIRING_S = 32.0
EARLY_FADE_S = 3.0
REST_BEFORE_REPEAT = 0.6  # of the library must have been aired before a song comes again
VOICE_BELOW_SONG_DB = (-9.0, -6.0)


@dataclass(frozen=True)
class Take:
    """Something that can be aired: its kind, its name, its length in samples at 44.1 kHz."""

    kind: Kind
    name: str
    samples: int


@dataclass(frozen=True)
class Element:
    """One thing aired, on the station's timeline.

    ``start`` and ``end`` are station sample positions (end exclusive); ``speed`` is how fast it runs (1.02 = 2 % faster
    and higher); fades are lengths in samples; ``gain`` is linear. It always begins at the first sample of its take.
    """

    number: int
    take: Take
    start: int
    end: int
    speed: float = 1.0
    fade_in: int = 0
    fade_out: int = 0
    gain: float = 1.0

    @property
    def reference_end(self) -> int:
        """The take's sample (at 44.1 kHz) where the airing stops, exclusive."""
        return min(self.take.samples, round((self.end - self.start) * self.speed))


@dataclass(frozen=True)
class Repertoire:
    """What a station draws from."""

    songs: Sequence[Take]
    jingles: Sequence[Take]
    voices: Sequence[Take]


def plan(repertoire: Repertoire, seed: int, key: str) -> Iterator[Element]:
    """Plan a station's programme, for ever, in order of start.

    One song in ten runs 2 % fast; one in eight is faded out early after at least 32 s; between songs there is a
    crossfade of 2-4 s, a jingle, a gap of 1-3 s, or nothing. On some intros and outros somebody talks, 6 to 9 dB below
    the song. The first song begins within the first 2 s.

    Args:
        repertoire: songs (at least 2), jingles and voices.
        seed: the band's seed.
        key: the station's key: each has another programme.

    Yields:
        Elements. A voice follows the song that it talks over and may start before the song after it.
    """
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    recent: list[int] = []
    fast = _one_in_ten(rng)
    number, at, fade_in = 0, int(rng.uniform(0, 2) * SONG_RATE_HZ), 0
    while True:
        song = repertoire.songs[_draw(rng, recent, len(repertoire.songs))]
        speed = FAST_SPEED if next(fast) else 1.0
        early = chance(rng, 0.125)
        length = int(song.samples / speed)
        if early:
            length = min(length, int(rng.uniform(SHORTEST_AIRING_S, 60.0) * SONG_RATE_HZ))
        crossfade = int(rng.uniform(2, 4) * SONG_RATE_HZ) if chance(rng, 0.45) else 0
        fade_out = crossfade or (int(EARLY_FADE_S * SONG_RATE_HZ) if early else 0)
        aired = Element(number, song, at, at + length, speed, fade_in, fade_out)
        yield aired
        voices = _talk(rng, repertoire.voices, aired, number + 1)
        yield from voices
        number += 1 + len(voices)
        at, fade_in = aired.end - crossfade, crossfade
        if crossfade == 0:
            between = _between(rng, repertoire.jingles, aired.end, number)
            yield from between.jingles
            number += len(between.jingles)
            at = between.end


@dataclass(frozen=True)
class _Between:
    jingles: tuple[Element, ...]
    end: int


def _between(rng: np.random.Generator, jingles: Sequence[Take], at: int, number: int) -> _Between:
    """Fill the place between two songs that do not overlap: jingle, silence, or nothing."""
    choice = float(rng.random())
    if choice < _JINGLE_SHARE and jingles:
        take = jingles[int(rng.integers(len(jingles)))]
        start = at - int(rng.uniform(0, 0.4) * SONG_RATE_HZ)
        jingle = Element(number, take, start, start + take.samples)
        return _Between((jingle,), jingle.end - int(rng.uniform(0, 0.3) * SONG_RATE_HZ))
    if choice < _JINGLE_SHARE + _GAP_SHARE:
        return _Between((), at + int(rng.uniform(1, 3) * SONG_RATE_HZ))
    return _Between((), at)


_JINGLE_SHARE, _GAP_SHARE = 0.5, 0.3


def _talk(rng: np.random.Generator, voices: Sequence[Take], song: Element, number: int) -> list[Element]:
    """Let an announcer talk over the intro (one song in four) and over the outro (one in five)."""
    spoken: list[Element] = []
    if not voices:
        return spoken
    intro, outro = chance(rng, 0.25), chance(rng, 0.2)
    if intro:
        spoken.append(_voice(rng, voices, number, song.start + int(rng.uniform(0.3, 2) * SONG_RATE_HZ)))
    if outro:
        take_s = float(rng.uniform(7, 10))
        spoken.append(_voice(rng, voices, number + len(spoken), song.end - int(take_s * SONG_RATE_HZ)))
    return spoken


def _voice(rng: np.random.Generator, voices: Sequence[Take], number: int, start: int) -> Element:
    take = voices[int(rng.integers(len(voices)))]
    length = min(take.samples, int(rng.uniform(3.5, 8) * SONG_RATE_HZ))
    gain = 10 ** (float(rng.uniform(*VOICE_BELOW_SONG_DB)) / 20)
    return Element(number, take, start, start + length, fade_out=int(0.05 * SONG_RATE_HZ), gain=gain)


def _draw(rng: np.random.Generator, recent: list[int], songs: int) -> int:
    """Draw a song that has not been aired lately; ``recent`` is kept up to date."""
    fresh = [n for n in range(songs) if n not in recent]
    chosen = fresh[int(rng.integers(len(fresh)))]
    recent.append(chosen)
    if len(recent) > min(songs - 1, int(songs * REST_BEFORE_REPEAT)):
        recent.pop(0)
    return chosen


def _one_in_ten(rng: np.random.Generator) -> Iterator[bool]:
    """Say yes exactly once in every ten, at a random place: a share, not a chance, so short runs have it too."""
    while True:
        chosen = int(rng.integers(10))
        yield from (i == chosen for i in range(10))
