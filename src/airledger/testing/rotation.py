"""A music station's day, planned: songs in rotation at the station's own speed, talk between and over them, strangers.

Unlike the demo band's `programme`, songs here may be cut into, cut off and played 1 % fast or slow, people talk for
minutes, and some music is of no library at all. The plan depends on nothing but the seed and the repertoire.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from airledger.testing.chances import chance
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.programme import Element, Take

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEEDS = (1.01, 1.0, 0.99)
SPEED_BLOCK_S = 8 * 3_600  # a station's player runs at one speed for a long while
NEWS_EVERY_S = 3_600
REST_BEFORE_REPEAT = 0.6
SHORTEST_AIRING_S = 35.0
TALK_OVER_DB = (-4.0, 2.0)


@dataclass(frozen=True)
class Rotation:
    """What is played and how often.

    Attributes:
        songs: Those of the library (at least 2).
        strangers: Music that is enrolled nowhere; kind "stranger".
        reel_samples: Length of the reel of speech that talk is cut from; 0 for a station where nobody talks.
        strangers_part: Of all music.
        early_part: Of the songs: faded out before their end.
        cut_part: Of the songs: cut off hard.
        into_part: Of the songs: begun some seconds in.
        news_s: Length of the talk at the top of the hour.
    """

    songs: Sequence[Take]
    strangers: Sequence[Take] = ()
    reel_samples: int = 0
    strangers_part: float = 0.1
    early_part: float = 0.10
    cut_part: float = 0.08
    into_part: float = 0.07
    news_s: tuple[float, float] = (150.0, 240.0)
    speeds: Sequence[float] = SPEEDS


@dataclass
class _Desk:
    """Who runs the programme: what was played lately, and where the station's clock is."""

    rotation: Rotation
    rng: np.random.Generator
    at: int = 0
    number: int = 0
    fade_in: int = 0
    news_due: int = NEWS_EVERY_S * SONG_RATE_HZ
    recent: dict[str, list[int]] = field(default_factory=lambda: {"song": [], "stranger": []})

    def speed(self) -> float:
        block = self.at // (SPEED_BLOCK_S * SONG_RATE_HZ)
        return self.rotation.speeds[block % len(self.rotation.speeds)]

    def draw(self, kind: str, takes: Sequence[Take]) -> Take:
        recent = self.recent[kind]
        fresh = [index for index in range(len(takes)) if index not in recent]
        chosen = fresh[int(self.rng.integers(len(fresh)))]
        recent.append(chosen)
        if len(recent) > min(len(takes) - 1, int(len(takes) * REST_BEFORE_REPEAT)):
            recent.pop(0)
        return takes[chosen]

    def next_number(self) -> int:
        self.number += 1
        return self.number


def plan_rotation(rotation: Rotation, seed: int) -> Iterator[Element]:
    """Plan a station's programme, for ever.

    Yields:
        Elements in order of start, save that talk over an intro follows its song. Kinds are "song", "stranger" and
        "voice"; a take cut from a longer sound is named ``name@first_sample``.
    """
    desk = _Desk(rotation, np.random.default_rng([seed, 24]))
    desk.at = int(desk.rng.uniform(0, 2) * SONG_RATE_HZ)
    while True:
        if desk.at >= desk.news_due and rotation.reel_samples:
            desk.news_due += NEWS_EVERY_S * SONG_RATE_HZ
            yield _talk(desk, desk.rng.uniform(*rotation.news_s))
        music = _music(desk)
        yield music
        if music.take.kind == "song" and rotation.reel_samples and chance(desk.rng, 0.25):
            yield _talk_over(desk, music)
        yield from _between(desk, music)


def _music(desk: _Desk) -> Element:
    rotation, rng = desk.rotation, desk.rng
    is_stranger = bool(rotation.strangers) and chance(rng, rotation.strangers_part)
    take = desk.draw("stranger", rotation.strangers) if is_stranger else desk.draw("song", rotation.songs)
    if not is_stranger and chance(rng, rotation.into_part):
        into = int(rng.uniform(5, 25) * SONG_RATE_HZ)
        if take.samples - into > SHORTEST_AIRING_S * SONG_RATE_HZ:
            take = Take(take.kind, f"{take.name}@{into}", take.samples - into)
    speed = desk.speed()
    length, fade_out = int(take.samples / speed), 0
    early, cut = chance(rng, rotation.early_part), chance(rng, rotation.cut_part)
    shortest = int(SHORTEST_AIRING_S * SONG_RATE_HZ)
    if (early or cut) and length > shortest + SONG_RATE_HZ:
        length = int(rng.uniform(shortest, length))
        fade_out = 0 if cut else 3 * SONG_RATE_HZ
    return Element(desk.next_number(), take, desk.at, desk.at + length, speed, desk.fade_in, fade_out)


def _between(desk: _Desk, music: Element) -> Iterator[Element]:
    """What follows: a crossfade, talk, a breath of silence, or the next song at once."""
    rng = desk.rng
    choice = float(rng.random())
    desk.fade_in = 0
    desk.at = music.end
    if choice < 0.4:  # noqa: PLR2004  shares of the four kinds of transition
        # The fade-out itself is on the element; the overlap begins the next one before this one's end.
        desk.fade_in = min(int(rng.uniform(2, 5) * SONG_RATE_HZ), (music.end - music.start) // 4)
        desk.at = music.end - desk.fade_in
    elif choice < 0.7 and desk.rotation.reel_samples:  # noqa: PLR2004
        desk.at -= int(rng.uniform(0, 1) * SONG_RATE_HZ)
        yield _talk(desk, rng.uniform(6, 60))
    elif choice < 0.8:  # noqa: PLR2004
        desk.at += int(rng.uniform(1, 4) * SONG_RATE_HZ)


def _talk(desk: _Desk, seconds: float) -> Element:
    """Somebody talks alone; the clock moves on to the end of it."""
    take = _slice(desk, seconds)
    element = Element(desk.next_number(), take, desk.at, desk.at + take.samples, fade_out=SONG_RATE_HZ // 20)
    desk.at = element.end
    desk.fade_in = 0
    return element


def _talk_over(desk: _Desk, music: Element) -> Element:
    take = _slice(desk, min(desk.rng.uniform(4, 12), (music.end - music.start) / SONG_RATE_HZ / 3))
    start = music.start + int(desk.rng.uniform(0.2, 2) * SONG_RATE_HZ)
    gain = 10 ** (float(desk.rng.uniform(*TALK_OVER_DB)) / 20)
    return Element(desk.next_number(), take, start, start + take.samples, fade_out=SONG_RATE_HZ // 20, gain=gain)


def _slice(desk: _Desk, seconds: float) -> Take:
    samples = min(int(seconds * SONG_RATE_HZ), desk.rotation.reel_samples)
    first = int(desk.rng.integers(desk.rotation.reel_samples - samples + 1))
    return Take("voice", f"speech@{first}", samples)


def faded_into(elements: Sequence[Element]) -> list[Element]:
    """Fade out each piece of music under the one that fades in over it, as one does with two decks."""
    music = [one for one in elements if one.take.kind != "voice"]
    overlaps = {one.number: max(0, one.end - after.start) for one, after in itertools.pairwise(music)}
    return [
        replace(one, fade_out=max(one.fade_out, overlaps.get(one.number, 0))) if one.take.kind != "voice" else one
        for one in elements
    ]
