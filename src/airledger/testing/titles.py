"""Invented names for invented songs. None is meant to be anybody's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_FIRST = (
    "Copper", "Midnight", "Paper", "Salt", "Violet", "Hollow", "Northern", "Glass", "Ember", "Quiet", "Silver",
    "Wild", "Lantern", "Tidal", "Velvet", "Winter", "Amber", "Distant", "Electric", "Golden", "Hidden", "Marble",
    "Open", "Slow",
)  # fmt: skip
_SECOND = (
    "Harbour", "Signal", "Garden", "Avenue", "Machine", "Horizon", "Letters", "River", "Carousel", "Orchard", "Mirror",
    "Weather", "Railway", "Lighthouse", "Meadow", "Parade", "Satellite", "Shoreline", "Staircase", "Summer",
    "Theatre", "Voyage", "Window", "Skyline",
)  # fmt: skip
_ARTISTS = (
    "The Tin Sparrows", "Mira Oloffson", "Kaveh & the Tides", "Lune d'Avril", "Paper Cosmonauts", "Ana Belmonte Trío",
    "Delta Nine Choir", "Søren Aakjær", "Yuki Hoshizora", "The Long Weekenders", "Zofia Krawiec", "Café Meridian",
)  # fmt: skip
_LABELS = ("Fernlight Records", "Kite & Anchor", "Low Bridge Sound")


@dataclass(frozen=True)
class SongTags:
    """What a song's file says about it."""

    title: str
    artist: str
    album: str
    isrc: str
    label: str

    @property
    def stem(self) -> str:
        """File name without ending: the ISRC and the title in lower case."""
        return f"{self.isrc}-{self.title.lower().replace(' ', '-')}"


def song_tags(seed: int, number: int) -> SongTags:
    """Name song ``number`` (0..575) of the library with this seed; no two have the same title or code."""
    rng = np.random.default_rng([seed, 101])
    first, second = rng.permutation(len(_FIRST)), rng.permutation(len(_SECOND))
    lap, place = divmod(number, len(_FIRST))
    title = f"{_FIRST[first[place]]} {_SECOND[second[(place + lap) % len(_SECOND)]]}"
    artist = _ARTISTS[(number * 5 + seed) % len(_ARTISTS)]
    album = f"{_SECOND[second[(number * 5 + seed) % len(_ARTISTS)]]} Songs"
    return SongTags(title, artist, album, f"QZALD26{number + 1:05d}", _LABELS[number % len(_LABELS)])
