"""Which societies there are, and which one a party is presumed to belong to.

The list is CISAC's of 2026: societies of musical works that are active in it (societies.csv; "active" is CISAC's word,
not proof of existence). Several in one country are normal. Evidence for a party's society, strongest first: the
member's register or mandate, the work's register, a provider that names the society, MusicBrainz, and at last a
presumption from the artist's country or the house's default. A presumption is shown as such wherever it appears.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from airledger.platform.errors import ConfigurationError

Level = Literal["register", "work", "provider", "musicbrainz", "presumed"]
LEVELS: tuple[Level, ...] = ("register", "work", "provider", "musicbrainz", "presumed")

# Those that collect for public performance where a country has several: which one a presumption means.
PERFORMING = {
    "AU": "APRA", "BE": "SABAM", "CA": "SOCAN", "GB": "PRS", "JP": "JASRAC", "KE": "MCSK", "NL": "BUMA",
    "US": "ASCAP", "ZA": "SAMRO", "BR": "UBC", "KR": "KOMCA", "SE": "STIM", "DK": "KODA", "FR": "SACEM",
}  # fmt: skip


@dataclass(frozen=True)
class Society:
    """A society of musical works: CISAC's code, name, country (ISO 3166-1 alpha-2), CISAC status."""

    code: str
    name: str
    country_code: str
    status: str

    @property
    def key(self) -> str:
        """The name as settings and the mission write it: `ghamro`, `prs`."""
        return self.name.casefold()


@dataclass(frozen=True)
class Presumption:
    """A society without evidence: where it comes from is said with it."""

    society: Society
    source: str
    level: Level = "presumed"


@cache
def pro_mappings() -> tuple[Society, ...]:
    """List all societies, by code."""
    text = files("airledger.recognition.outside").joinpath("societies.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Society(row["code"], row["name"], row["country_code"], row["status"]) for row in rows)


def society_named(key: str) -> Society:
    """Find a society by its name or its code.

    Raises:
        ConfigurationError: There is none.
    """
    plain = key.strip().casefold()
    for one in pro_mappings():
        if plain in (one.key, one.code):
            return one
    raise ConfigurationError(f"there is no society {key[:40]!r} in CISAC's list: name one like 'ghamro', or its code")


def of_country(country_code: str | None) -> tuple[Society, ...]:
    """List the societies of a country; several are normal."""
    code = (country_code or "").upper()
    return tuple(one for one in pro_mappings() if one.country_code == code)


def presume(countries: Sequence[str | None], default: str) -> Presumption:
    """Presume a party's society from the first known country, else the house's default. Never from an ISRC.

    Raises:
        ConfigurationError: The default is no society.
    """
    for country in countries:
        there = of_country(country)
        preferred = PERFORMING.get((country or "").upper())
        chosen = next((one for one in there if one.name == preferred), there[0] if len(there) == 1 else None)
        if chosen is not None:
            several = ", one of several there" if len(there) > 1 else ""
            return Presumption(chosen, f"artist's country {chosen.country_code}{several}")
    return Presumption(society_named(default), "default of this installation")
