"""Stations with their streams: who broadcasts, rather than which address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, tuple_
from sqlalchemy.orm import Session, aliased

from airledger.platform.errors import InputError, NotFoundError
from airledger.stations.catalogue import StreamView, list_streams, view_of, view_query
from airledger.stations.filters import StreamFilter, described
from airledger.stations.models import RETIRED, Station, Stream

MOST_STATIONS = 500
MOST_STREAMS = 200  # of one station: what has more is a hosting company, not a station
SEARCHED_STREAMS = 2_000
MERGES_FOLLOWED = 10


@dataclass(frozen=True, slots=True)
class StationView:
    """A station and its streams, retired ones left out."""

    id: int
    uuid: UUID
    name: str
    country_code: str | None
    time_zone: str | None
    website: str | None
    created_at: datetime
    streams: list[StreamView]


@dataclass(frozen=True)
class StationPage:
    """Some stations, and where to go on."""

    rows: list[StationView]
    next_cursor: str | None


def list_stations(session: Session, wanted: StreamFilter, *, limit: int, cursor: str | None = None) -> StationPage:
    """List stations that have a stream which the filter wants, each where its best such stream stands in the catalogue.

    Args:
        session: Of a read.
        wanted: Which streams. A search by words or place looks at its first 2,000 streams.
        limit: Stations of a page, 1 to 500.
        cursor: `next_cursor` of the page before.

    Raises:
        InputError: The limit, the filter or the cursor cannot be used.
    """
    if not 1 <= limit <= MOST_STATIONS:
        raise InputError(f"limit must lie between 1 and {MOST_STATIONS}.")
    if wanted.q or wanted.near or wanted.bbox:
        ids, following = _found(session, wanted, limit, cursor)
    else:
        ids, following = _walked(session, wanted, limit, cursor)
    return StationPage(read_stations(session, ids), following)


def station_view(session: Session, station_id: int) -> StationView:
    """Find a station; one that was merged is answered with the one that has its streams now.

    Raises:
        NotFoundError: There is none with this id.
    """
    for _ in range(MERGES_FOLLOWED):
        row = session.execute(select(Station.id, Station.merged_into_id).where(Station.id == station_id)).first()
        if row is None:
            break
        if row.merged_into_id is None:
            return read_stations(session, [station_id])[0]
        station_id = row.merged_into_id
    raise NotFoundError(f"there is no station {station_id}")


def read_stations(session: Session, station_ids: Sequence[int]) -> list[StationView]:
    """Read stations with their streams in two queries, in the order of the ids."""
    rows = {row.id: row for row in session.scalars(select(Station).where(Station.id.in_(station_ids)))}
    streams: dict[int, list[StreamView]] = {}
    query = view_query().where(Stream.station_id.in_(station_ids), Stream.state != RETIRED)
    best_first = (Stream.reliability_score.desc(), Stream.quality_score.desc(), Stream.id.desc())
    for found in session.execute(query.order_by(*best_first)):
        of_station = streams.setdefault(found.station_id, [])
        if len(of_station) < MOST_STREAMS:
            of_station.append(view_of(found))
    return [
        StationView(
            id=row.id,
            uuid=row.uuid,
            name=row.name,
            country_code=row.country_code,
            time_zone=row.time_zone,
            website=row.website,
            created_at=row.created_at,
            streams=streams.get(row.id, []),
        )
        for station_id in station_ids
        if (row := rows.get(station_id)) is not None
    ]


def _walked(session: Session, wanted: StreamFilter, limit: int, cursor: str | None) -> tuple[list[int], str | None]:
    """Page over streams that are their station's first."""
    better: Any = aliased(Stream)
    place = (Stream.reliability_score, Stream.quality_score, Stream.id)
    stands_before = tuple_(better.reliability_score, better.quality_score, better.id) > tuple_(*place)
    same = described(wanted, lambda column: getattr(better, column.key))
    is_first = ~exists().where(better.station_id == Stream.station_id, stands_before, *same)
    page = list_streams(session, wanted, limit=limit, cursor=cursor, more=(Stream.station_id.is_not(None), is_first))
    return [row.station_id for row in page.rows if row.station_id is not None], page.next_cursor


def _found(session: Session, wanted: StreamFilter, limit: int, cursor: str | None) -> tuple[list[int], str | None]:
    """Page over the stations of what a search finds."""
    if cursor is not None and not (cursor.isdecimal() and len(cursor) < 6):  # noqa: PLR2004  digits
        raise InputError("The cursor is not one that this list gave out: begin without it.")
    begin = int(cursor or 0)
    found = list_streams(session, wanted, limit=SEARCHED_STREAMS).rows
    ids = list(dict.fromkeys(row.station_id for row in found if row.station_id is not None))
    following = str(begin + limit) if len(ids) > begin + limit else None
    return ids[begin : begin + limit], following
