"""Radio Browser's lists of countries, languages, tags, codecs and states, and its figures."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import Session

from airledger.platform.errors import NotFoundError
from airledger.stations.directory.models import StreamClick
from airledger.stations.directory.station_fields import codec_name
from airledger.stations.locate import country_name
from airledger.stations.models import FAILING, PLAYING, RETIRED, Stream

KINDS = ("countries", "countrycodes", "languages", "tags", "codecs", "states")
ELEMENTS = {
    "countries": "country",
    "countrycodes": "countrycode",
    "languages": "language",
    "tags": "tag",
    "codecs": "codec",
    "states": "state",
}


def count(session: Session, kind: str, *, is_broken_hidden: bool) -> list[dict[str, Any]]:
    """Count stations by country, language, tag, codec or state, in one query, unordered.

    Raises:
        NotFoundError: There is no such list.
    """
    if kind not in KINDS:
        raise NotFoundError(f"there is no list of {kind[:50]}: ask for one of {', '.join(KINDS)}")
    conditions: list[ColumnElement[bool]] = [Stream.state != RETIRED]
    if is_broken_hidden:
        conditions.append(Stream.state == PLAYING)
    if kind in {"countries", "countrycodes"}:
        return _countries(session, conditions, names_codes=kind == "countrycodes")
    if kind == "states":
        return _states(session, conditions)
    column, parts = {
        "languages": (Stream.language, _listed),
        "tags": (cast(Stream.tags, String), _written),
        "codecs": (Stream.codec, _codec),
    }[kind]
    totals: Counter[str] = Counter()
    for value, total in session.execute(select(column, func.count()).where(*conditions).group_by(column)):
        for name in set(parts(value)):
            totals[name] += total
    more: dict[str, Any] = {"iso_639": None} if kind == "languages" else {}
    return [{"name": name, **more, "stationcount": total} for name, total in totals.items()]


def figures(session: Session, now: datetime) -> dict[str, int]:
    """Count stations and clicks, for Radio Browser's `/stats`."""
    states = dict(session.execute(select(Stream.state, func.count()).group_by(Stream.state)).all())
    states.pop(RETIRED, None)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = session.execute(
        select(StreamClick.day, StreamClick.hour, func.sum(StreamClick.addresses))
        .where(StreamClick.day >= day - timedelta(days=1))
        .group_by(StreamClick.day, StreamClick.hour)
    ).all()
    ages = [(now - (clicked_on + timedelta(hours=hour)), total) for clicked_on, hour, total in hours]
    return {
        "stations": sum(states.values()),
        "stations_broken": states.get(FAILING, 0),
        "tags": len(count(session, "tags", is_broken_hidden=False)),
        "clicks_last_hour": sum(total for age, total in ages if age < timedelta(hours=1)),
        "clicks_last_day": sum(total for age, total in ages if age < timedelta(days=1)),
        "languages": len(count(session, "languages", is_broken_hidden=False)),
        "countries": len(count(session, "countrycodes", is_broken_hidden=False)),
    }


def _countries(session: Session, conditions: list[ColumnElement[bool]], *, names_codes: bool) -> list[dict[str, Any]]:
    query = select(Stream.country_code, func.max(Stream.country_name), func.count())
    rows = session.execute(query.where(*conditions, Stream.country_code.is_not(None)).group_by(Stream.country_code))
    if names_codes:
        return [{"name": code, "stationcount": total} for code, _, total in rows]
    return [
        {"name": country_name(code) or said or code, "iso_3166_1": code, "stationcount": total}
        for code, said, total in rows
    ]


def _states(session: Session, conditions: list[ColumnElement[bool]]) -> list[dict[str, Any]]:
    query = select(Stream.city, Stream.country_name, func.count()).where(*conditions, Stream.city.is_not(None))
    rows = session.execute(query.group_by(Stream.city, Stream.country_name))
    return [{"name": city, "country": country or "", "stationcount": total} for city, country, total in rows]


def _listed(value: str | None) -> Iterable[str]:
    return (name for part in (value or "").split(",") if (name := part.strip().lower()))


def _written(value: str | None) -> Iterable[str]:
    return (name for tag in json.loads(value or "[]") if (name := str(tag).strip().lower()))


def _codec(value: str | None) -> Iterable[str]:
    return (codec_name(value),)
