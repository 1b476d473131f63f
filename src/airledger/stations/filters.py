"""Which streams somebody asks for, and what that means in SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_
from sqlalchemy.sql import ColumnElement

from airledger.platform.errors import InputError
from airledger.stations.models import PLAYING, Geolocation, Stream
from airledger.stations.nearby import Circle, within
from airledger.stations.probing.playable import pattern
from airledger.stations.search import Search

RELIABLE = 0.7


@dataclass(frozen=True)
class StreamFilter:
    """Which streams. Nothing set: what the mission serves, active and reliable ones, proven to play.

    Attributes:
        all: True lifts the default (active, reliability > 0.7, playing); an explicit `state` lifts it as well.
        bbox: West, south, east, north in degrees; west > east crosses the antimeridian.
        near: Within so many kilometres of a place.
        q: Words that must all occur in name, place, genre, tags or address; the last may be a beginning.
        min_quality: Least quality score, 0 to 1.
        min_bitrate: Least kbit/s, measured where it was measured.
        max_bitrate: Most kbit/s, likewise; what is unknown may pass.
        playable_in: A client that must be able to play it (`stations/probing/playable.py`).
    """

    type: str | None = None
    country: str | None = None
    q: str | None = None
    state: str | None = None
    language: str | None = None
    codec: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    near: Circle | None = None
    min_quality: float | None = None
    min_bitrate: int | None = None
    max_bitrate: int | None = None
    playable_in: str | None = None
    all: bool = False


Column = Callable[[Any], Any]
"""How a column is written into a condition; `page_query.py` keeps some from indexes."""


def conditions(wanted: StreamFilter) -> list[ColumnElement[bool]]:
    """Return what `where` takes for a filter; the query must have joined `Geolocation`, as an outer join.

    Raises:
        InputError: The filter cannot be used.
    """
    found = [*described(wanted), *placed(wanted)]
    search = search_of(wanted)
    return [*found, search.anywhere.has()] if search else found


def search_of(wanted: StreamFilter) -> Search | None:
    """Return what words are searched for, if any.

    Raises:
        InputError: The text is too long.
    """
    return Search.of(wanted.q or "")


def placed(wanted: StreamFilter) -> list[ColumnElement[bool]]:
    """Return what a filter demands of a stream's `Geolocation`.

    Raises:
        InputError: There is no such place.
    """
    found: list[ColumnElement[bool]] = []
    if wanted.bbox:
        found += _inside(wanted.bbox)
    if wanted.near:
        found += within(wanted.near)
    return found


def described(wanted: StreamFilter, column: Column = lambda same: same) -> list[ColumnElement[bool]]:
    """Return what a filter demands of a stream's own columns, words left out."""
    return [*_standing(wanted, column), *_said(wanted, column)]


def _standing(wanted: StreamFilter, column: Column) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state:
        found.append(column(Stream.state) == wanted.state)
    elif not wanted.all:
        found += [
            column(Stream.is_active).is_(True),
            column(Stream.reliability_score) > RELIABLE,
            column(Stream.state) == PLAYING,
        ]
    kbps = func.coalesce(column(Stream.bitrate_measured_kbps), column(Stream.bitrate))
    if wanted.min_quality is not None:
        found.append(column(Stream.quality_score) >= wanted.min_quality)
    if wanted.min_bitrate is not None:
        found.append(kbps >= wanted.min_bitrate)
    if wanted.max_bitrate is not None:
        found.append(or_(kbps <= wanted.max_bitrate, kbps.is_(None)))
    if wanted.playable_in is not None:
        found.append(column(Stream.playable_in).contains(pattern(wanted.playable_in), autoescape=True))
    return found


def _said(wanted: StreamFilter, column: Column) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.type:
        found.append(column(Stream.type) == wanted.type)
    if wanted.country:
        found.append(column(Stream.country_code) == wanted.country.upper())
    if wanted.language:
        found.append(func.lower(column(Stream.language)) == wanted.language.lower())
    if wanted.codec:
        found.append(func.lower(column(Stream.codec)) == wanted.codec.lower())
    return found


def _inside(bbox: tuple[float, float, float, float]) -> list[ColumnElement[bool]]:
    west, south, east, north = bbox
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004  degrees
        raise InputError("bbox must be west,south,east,north in degrees.")
    across = Geolocation.longitude >= west, Geolocation.longitude <= east
    return [Geolocation.latitude.between(south, north), and_(*across) if west <= east else or_(*across)]
