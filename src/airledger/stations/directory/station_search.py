"""Radio Browser's questions to the catalogue: its filters, orders and paging, answered with stream ids in order."""

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, and_, case, cast, func, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from airledger.platform.errors import InputError
from airledger.stations.directory.station_fields import UNKNOWN_CODEC, read_change_uuid
from airledger.stations.models import FAILING, PLAYING, RETIRED, Geolocation, Listing, Stream
from airledger.stations.search import Search
from airledger.stations.urls import UrlRefusedError, parse_address

MOST = 100_000
MOST_UUIDS = 1_000
LONGEST_TERM = 1_000
_KBPS = func.coalesce(Stream.bitrate_measured_kbps, Stream.bitrate, 0)
_CODEC = case((Stream.codec.is_(None), UNKNOWN_CODEC), else_=Stream.codec)
_ORDERS: dict[str, Any] = {
    "name": Stream.name,
    "url": Stream.url,
    "homepage": Stream.website,
    "favicon": Stream.logo,
    "tags": cast(Stream.tags, String),
    "country": Stream.country_name,
    "countrycode": Stream.country_code,
    "state": Stream.city,
    "language": Stream.language,
    "votes": Stream.votes,
    "codec": Stream.codec,
    "bitrate": _KBPS,
    "lastcheckok": case((Stream.state == PLAYING, 1), else_=0),
    "lastchecktime": Stream.last_checked,
    "lastcheckoktime": Stream.last_success,
    "clicktimestamp": Stream.clicked_at,
    "clickcount": Stream.click_count,
    "clicktrend": Stream.click_trend,
    "changetimestamp": Stream.updated_at,
    "lastchangetime": Stream.updated_at,
    "random": func.random(),
}
_SHARP_S = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True)
class Asked:
    """What a client asks for, by Radio Browser's names; what is empty does not narrow."""

    given: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a parameter's text, shortened to what any field can hold."""
        return self.given.get(name, "").replace("\x00", " ").strip()[:LONGEST_TERM]

    def flag(self, name: str) -> bool | None:
        """Return a parameter's truth; None where it is not given."""
        return _SHARP_S.get(self.text(name).lower())

    def number(self, name: str, default: int) -> int:
        """Return a parameter's whole number.

        Raises:
            InputError: It is none, or beyond what a database can hold.
        """
        text = self.text(name)
        if not text:
            return default
        if not text.isdecimal() or len(text) > 12:  # noqa: PLR2004  digits
            raise InputError(f"{name} must be a whole number.")
        return int(text)


def find(session: Session, asked: Asked, *conditions: ColumnElement[bool], order: str = "name") -> "array[int]":
    """Find stations: all filters of Radio Browser's advanced search at once, in the order asked for.

    Args:
        session: Of a read.
        asked: Filters, order and paging.
        conditions: What the path says on top of it.
        order: Where none is asked for.

    Returns:
        Stream ids in order; eight bytes a station, however many.

    Raises:
        InputError: A number is none.
    """
    query = select(Stream.id).where(Stream.state != RETIRED, *conditions, *_filters(asked))
    if asked.flag("has_geo_info") is not None:
        query = query.outerjoin(Geolocation, Geolocation.stream_id == Stream.id)
    return _page(session, query, asked, order)


def by_field(by: str, term: str) -> ColumnElement[bool]:
    """Return what `/stations/{by}/{term}` demands.

    Raises:
        KeyError: Radio Browser has no such path.
    """
    field, is_exact = by.removeprefix("by").removesuffix("exact"), by.endswith("exact")
    if not by.startswith("by"):
        raise KeyError(by)
    return _FIELDS[field](term[:LONGEST_TERM], is_exact)


def by_uuids(session: Session, uuids: Sequence[str], asked: Asked) -> "array[int]":
    """Find stations by `stationuuid`: ours, or the one that Radio Browser itself gave the entry that we read."""
    wanted = [uuid for text in uuids[:MOST_UUIDS] if (uuid := _uuid(text)) is not None]
    if not wanted:
        return array("q")
    theirs = select(Listing.stream_id).where(Listing.source_key.in_([str(uuid) for uuid in wanted]))
    return find(session, asked, or_(Stream.uuid.in_(wanted), Stream.id.in_(theirs)))


def by_url(session: Session, url: str, asked: Asked) -> "array[int]":
    """Find stations by their address, however it is spelt."""
    try:
        key = parse_address(url).key
    except UrlRefusedError:
        return array("q")
    return find(session, asked, Stream.url_key == key)


def ranked(session: Session, by: str, asked: Asked) -> "array[int]":
    """Find the first stations of one of Radio Browser's lists.

    Raises:
        KeyError: There is no such list.
        InputError: A number is none.
    """
    column, needs = _LISTS[by]
    query = select(Stream.id).where(Stream.state != RETIRED, *needs, *_filters(asked))
    return _page(session, query.order_by(column.desc(), Stream.id.desc()), asked, "")


def changed(session: Session, asked: Asked) -> "array[int]":
    """Find stations in the order in which they changed, after the change that the client knows.

    Raises:
        InputError: `lastchangeuuid` is not one that we gave out.
    """
    query = select(Stream.id)
    known = asked.text("lastchangeuuid")
    if known:
        uuid = _uuid(known)
        place = read_change_uuid(uuid) if uuid else None
        if place is None:
            raise InputError("lastchangeuuid is not one that this server gave out: begin without it.")
        query = query.where(tuple_(Stream.updated_at, Stream.id) > tuple_(*place))
    return _page(session, query.order_by(Stream.updated_at, Stream.id), asked, "")


def _page(session: Session, query: Select[Any], asked: Asked, order: str) -> "array[int]":
    order = asked.text("order").lower() or order
    if order:
        column = _ORDERS.get(order, Stream.name)
        query = query.order_by(column.desc() if asked.flag("reverse") else column, Stream.id)
    limit = min(asked.number("limit", MOST), MOST)
    return array("q", session.scalars(query.limit(limit).offset(asked.number("offset", 0))))


def _filters(asked: Asked) -> list[ColumnElement[bool]]:
    found = []
    for name, demand in _FIELDS.items():
        if name not in {"name", "country", "state", "language", "tag"} and asked.text(name):
            found.append(demand(asked.text(name), False))
        elif asked.text(name):
            exact = asked.flag(f"{name}Exact")
            found.append(demand(asked.text(name), bool(asked.flag(f"{name}_exact") if exact is None else exact)))
    tags = (asked.text("tagList") or asked.text("tag_list")).split(",")
    found += [_tag(tag.strip(), True) for tag in tags if tag.strip()]
    least = asked.number("bitrateMin", 0) or asked.number("bitrate_min", 0)
    most = asked.number("bitrateMax", 0) or asked.number("bitrate_max", 0)
    if least:
        found.append(least <= _KBPS)
    if most:
        found.append(most >= _KBPS)
    if asked.flag("hidebroken"):
        found.append(Stream.state == PLAYING)
    if (is_https := asked.flag("is_https")) is not None:
        secure = Stream.url.startswith("https://")
        found.append(secure if is_https else ~secure)
    if (has_place := asked.flag("has_geo_info")) is not None:
        found.append(Geolocation.latitude.is_not(None) if has_place else Geolocation.latitude.is_(None))
    return found


def _text(column: Any) -> Callable[[str, bool], ColumnElement[bool]]:
    def demand(term: str, is_exact: bool) -> ColumnElement[bool]:
        if is_exact:
            return func.lower(column) == term.lower()
        return column.icontains(term, autoescape=True)  # type: ignore[no-any-return]

    return demand


def _name(term: str, is_exact: bool) -> ColumnElement[bool]:
    """Demand a name: any part of it, as Radio Browser does, or its words whatever their accents."""
    search = Search.of(term[:200])
    if is_exact:
        same = func.lower(Stream.name) == term.lower()
        return or_(same, Stream.name == term) if search is None else or_(same, search.exact_name.has())
    part = Stream.name.icontains(term, autoescape=True)
    return part if search is None else or_(part, search.in_name.has())


def _tag(term: str, is_exact: bool) -> ColumnElement[bool]:
    written = json.dumps(term)  # tags lie in the database as JSON
    return cast(Stream.tags, String).icontains(written if is_exact else written[1:-1], autoescape=True)


def _language(term: str, is_exact: bool) -> ColumnElement[bool]:
    if not is_exact:
        return Stream.language.icontains(term, autoescape=True)
    listed = "," + func.replace(func.lower(Stream.language), ", ", ",") + ","
    return listed.contains(f",{term.lower()},", autoescape=True)


def _country_code(term: str, is_exact: bool) -> ColumnElement[bool]:
    del is_exact
    return Stream.country_code == term.upper()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


_FIELDS: dict[str, Callable[[str, bool], ColumnElement[bool]]] = {
    "name": _name,
    "country": _text(Stream.country_name),
    "countrycode": _country_code,
    "state": _text(Stream.city),
    "language": _language,
    "tag": _tag,
    "codec": _text(_CODEC),
}
_LISTS: dict[str, tuple[Any, Sequence[ColumnElement[bool]]]] = {
    "topvote": (Stream.votes, ()),
    "topclick": (Stream.click_count, ()),
    "lastclick": (Stream.clicked_at, (Stream.clicked_at.is_not(None),)),
    "lastchange": (Stream.updated_at, ()),
    "broken": (Stream.last_checked, (and_(Stream.state == FAILING, Stream.last_checked.is_not(None)),)),
}
