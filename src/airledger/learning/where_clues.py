"""Clues of one stream for each country that it might be of: numbers by which the second model weighs candidates.

The same numbers are asked of every country, so what was learnt of some (that a homepage's country domain is nearly
always right, say) holds for countries that no training row was of.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_gazetteer import Gazetteer, Hit, size
from airledger.learning.where_marks import (
    ODD_TENTHS,
    SCRIPTS,
    WORLDS_TLDS,
    call_sign_countries,
    languages,
    script,
    tenths,
    tld_country,
)
from airledger.learning.where_told import Told

VERSION = 1
BY_TEXT = 9
BY_PLACE = 3
UNKNOWN_MARGIN = -1.5
CLUES = (
    "margin",
    "behind_best",
    "before_next",
    "rank",
    "is_class",
    "homepage_tld",
    "stream_tld",
    "homepage_tld_is_the_worlds",
    "stream_tld_is_the_worlds",
    "host_share",
    "host_groups",
    "host_entropy",
    "place_share_in_name",
    "place_size_in_name",
    "place_share_in_domain",
    "place_size_in_domain",
    "place_chars_in_domain",
    "place_share_in_path",
    "place_lead",
    "named_in_name",
    "named_in_address",
    "code_in_words",
    "call_sign",
    "call_signs",
    "tenths",
    "script",
    "ip",
    "prior",
    "language_mass",
    "share_of_language",
    "best_margin",
    "text_entropy",
    "has_homepage",
    "has_stream",
    "is_one_domain",
    "words",
)
IpCountry = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Memory:
    """What training rows told of hosts and countries.

    Attributes:
        hosts: Stream domain → country → how many websites there.
        prior: Country → share of the rows.
    """

    hosts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    prior: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clues:
    """Clues of one stream.

    Attributes:
        countries: The candidates.
        values: Their clues, shape (candidates, clues), float32; NaN where nothing can be said.
    """

    countries: tuple[str, ...]
    values: NDArray[np.float32]


class Detective:
    """Gathers clues."""

    def __init__(
        self, classes: Sequence[str], gazetteer: Gazetteer, memory: Memory, ip_country: IpCountry | None = None
    ) -> None:
        """Prepare to gather clues.

        Args:
            classes: Countries that the text model tells apart, in its order; its last margin is of all others.
            gazetteer: Names of places.
            memory: What training told.
            ip_country: Country of a numeric address; None without a database.
        """
        self.classes = {code: at for at, code in enumerate(classes)}
        self._codes = tuple(classes)
        self._gazetteer = gazetteer
        self._memory = memory
        self._ip_country = ip_country
        self._languages = languages()
        self._first = {code: found[0] for code, found in self._languages.items() if found}

    def gather(self, told: Told, margins: NDArray[np.float32]) -> Clues:
        """Gather the clues of one stream.

        Args:
            told: The stream.
            margins: The text model's, shape (classes + 1,): the last is of all other countries.
        """
        order = np.argsort(-margins[:-1], kind="stable")
        rank = {self._codes[at]: place for place, at in enumerate(order)}
        odds = np.exp(3.0 * (margins - margins.max()))
        odds /= odds.sum()
        row = self._of_row(told, margins, odds)
        found = self._of_countries(told)
        best_places = sorted(found.places, key=lambda code: -found.places[code])[:BY_PLACE]
        names = dict.fromkeys([*(self._codes[at] for at in order[:BY_TEXT]), *found.pointed, *best_places])
        names.pop("", None)
        best, second = float(margins[order[0]]), float(margins[order[1]])
        mass: dict[str, float] = {}
        for code, at in self.classes.items():
            mass[self._first.get(code, code)] = mass.get(self._first.get(code, code), 0.0) + float(odds[at])
        values = np.empty((len(names), len(CLUES)), np.float32)
        for number, code in enumerate(names):
            place = self.classes.get(code)
            margin = float(margins[place]) if place is not None else max(float(margins[-1]), UNKNOWN_MARGIN)
            spoken = mass.get(self._first.get(code, code), 0.0)
            values[number] = (
                margin,
                margin - best,
                margin - (second if rank.get(code) == 0 else best),
                rank.get(code, 99),
                place is not None,
                *found.of(code),
                math.log(self._memory.prior.get(code, 0.0) + 1e-4),
                spoken,
                float(odds[place]) / (spoken + 1e-9) if place is not None else 0.0,
                *row,
            )
        return Clues(tuple(names), values)

    def _of_row(
        self, told: Told, margins: NDArray[np.float32], odds: NDArray[np.float32]
    ) -> tuple[float, float, float, float, float, float]:
        domains = {one.domain for one in (told.stream, told.homepage) if one}
        return (
            float(margins.max()),
            float(-(odds * np.log(odds + 1e-9)).sum()),
            told.homepage is not None,
            told.stream is not None,
            told.stream is not None and told.homepage is not None and len(domains) == 1,
            len(told.words),
        )

    def _of_countries(self, told: Told) -> "_Pointers":
        stream, home = told.stream, told.homepage
        labels = {
            part for one in (home, stream) if one and not one.is_numeric for part in (one.label, *one.prefix.split("."))
        }
        ip = None
        if self._ip_country and stream and stream.is_numeric:
            ip = self._ip_country(stream.host) or None
        hosts = self._memory.hosts.get(stream.domain, {}) if stream else {}
        path = [word for one in (stream, home) if one for word in one.words if not word.isdigit()]
        words = {*told.words, *path, *(part for label in labels for part in label.replace("_", "-").split("-"))}
        return _Pointers(
            home_tld=tld_country(home),
            stream_tld=tld_country(stream),
            hosts=hosts,
            in_name=_hits(self._gazetteer.in_words([*told.words, *told.tags])),
            in_domain=_hits([hit for label in sorted(labels) for hit in self._gazetteer.inside(label)]),
            in_path=_hits(self._gazetteer.in_words(path)),
            named=self._gazetteer.countries_named([*told.words, *told.tags]),
            named_in_address=self._gazetteer.countries_named(path).union(
                *(self._gazetteer.countries_inside(label) for label in labels)
            ),
            codes=_codes(words, self._languages),
            signs=call_sign_countries(told),
            tenths=tenths(told),
            script=script(told.name),
            ip=ip,
        )


@dataclass(frozen=True, slots=True)
class _Pointers:
    """What points to countries, before it is asked of each candidate."""

    home_tld: str
    stream_tld: str
    hosts: Mapping[str, float]
    in_name: Mapping[str, tuple[float, float, int]]
    in_domain: Mapping[str, tuple[float, float, int]]
    in_path: Mapping[str, tuple[float, float, int]]
    named: set[str]
    named_in_address: set[str]
    codes: set[str]
    signs: set[str]
    tenths: int
    script: str
    ip: str | None

    @property
    def places(self) -> dict[str, float]:
        """How strongly names of places point to each country."""
        strength: dict[str, float] = {}
        for found in (self.in_name, self.in_domain, self.in_path):
            for code, (share, people, _) in found.items():
                strength[code] = strength.get(code, 0.0) + share * people
        return strength

    @property
    def pointed(self) -> list[str]:
        """Countries that are candidates whatever the text model says."""
        by_host = sorted(self.hosts, key=lambda code: -self.hosts[code])[:2]
        few_signs = self.signs if len(self.signs) <= 2 else ()  # noqa: PLR2004
        told = {self.home_tld, self.stream_tld, self.ip or "", *few_signs, *self.named, *self.named_in_address}
        return sorted(told | {*by_host})

    def of(self, code: str) -> tuple[float, ...]:
        """Return one candidate's part of the clues, from `homepage_tld` to `ip`."""
        name, domain, path = (found.get(code, (0.0, 0.0, 0)) for found in (self.in_name, self.in_domain, self.in_path))
        strength = self.places
        others = max((value for other, value in strength.items() if other != code), default=0.0)
        groups = sum(self.hosts.values())
        scripts = SCRIPTS.get(self.script)
        return (
            _match(self.home_tld, code),
            _match(self.stream_tld, code),
            self.home_tld in WORLDS_TLDS,
            self.stream_tld in WORLDS_TLDS,
            self.hosts.get(code, 0.0) / (groups + 1.0) if groups else math.nan,
            math.log1p(groups),
            _entropy(self.hosts),
            name[0],
            name[1],
            domain[0],
            domain[1],
            domain[2],
            path[0],
            strength.get(code, 0.0) - others,
            _named(self.named, code),
            _named(self.named_in_address, code),
            code in self.codes,
            code in self.signs,
            len(self.signs),
            self.tenths if code in ODD_TENTHS else 0,
            0 if not self.script else 1 if scripts and code in scripts else -1,
            math.nan if self.ip is None else self.ip == code,
        )


def _hits(hits: Sequence[Hit]) -> dict[str, tuple[float, float, int]]:
    """For each country the best share, the size of the greatest place, the longest name."""
    best: dict[str, tuple[float, float, int]] = {}
    for hit in hits:
        for code, share in hit.share.items():
            before = best.get(code, (0.0, 0.0, 0))
            best[code] = (
                max(before[0], share), max(before[1], size(hit.people[code])), max(before[2], hit.chars)
            )  # fmt: skip
    return best


def _codes(words: set[str], known: Mapping[str, object]) -> set[str]:
    found = {word.upper() for word in words if len(word) == 2 and word.isalpha()}  # noqa: PLR2004
    return {"GB" if code == "UK" else code for code in found if code in known or code == "UK"}


def _match(told: str, code: str) -> float:
    return 0.0 if not told else 1.0 if told == code else -1.0


def _named(named: set[str], code: str) -> float:
    return 0.0 if not named else 1.0 if code in named else -1.0


def _entropy(counts: Mapping[str, float]) -> float:
    total = sum(counts.values())
    if not total:
        return math.nan
    return -sum(count / total * math.log(count / total) for count in counts.values() if count)
