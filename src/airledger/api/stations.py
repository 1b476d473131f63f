"""Stations: who broadcasts, with the streams ranked for the player that asks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from airledger.api.allow import public
from airledger.api.cached import Answer
from airledger.api.etag import send, tagged
from airledger.api.given import LARGEST_ID
from airledger.api.paging import next_link
from airledger.api.plays import PlayOut
from airledger.api.state import State
from airledger.api.station_rows import NowOut, StationOut, now_rows, station_rows
from airledger.api.streams import stream_filter
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.playlog.find_plays import PlayFilter, find_plays
from airledger.stations.directory import find_stations
from airledger.stations.filters import StreamFilter
from airledger.stations.probing.playable import Client

JSON = "application/json"
LAST_PLAYS = 10

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
Stranger = Annotated[Principal | None, public()]
StationId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
ForClient = Annotated[Client | None, Query(description="The kind of player to rank streams for.")]
MaxKbps = Annotated[int | None, Query(ge=1, le=1_000_000, description="What the listener's connection carries.")]


class StationPageOut(StationOut):
    """A station and what it played last."""

    last_plays: list[PlayOut] = Field(description="Of your organisation's listening; empty for strangers.")


_ROWS = TypeAdapter(list[StationOut])


def organisation_of(caller: Principal | None) -> UUID | None:
    """Return whose plays a caller may see; None for strangers."""
    return caller.organisation_id if caller and Scope.PLAYS_READ in caller.scopes else None


@router.get("/stations", response_model=list[StationOut])
async def list_stations(
    request: Request,
    state: State,
    caller: Stranger,
    wanted: Annotated[StreamFilter, Depends(stream_filter)],
    client: ForClient = None,
    max_kbps: MaxKbps = None,
    limit: Annotated[int, Query(ge=1, le=find_stations.MOST_STATIONS)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """List stations that have a stream as `/streams` would list it; all of a station's streams come with it, ranked."""
    organisation_id = organisation_of(caller)

    def make(session: Session) -> tuple[bytes, str | None]:
        page = find_stations.list_stations(session, wanted, limit=limit, cursor=cursor)
        rows = station_rows(session, page.rows, organisation_id, client=client, max_kbps=max_kbps)
        return _ROWS.dump_json(rows), page.next_cursor

    async def answer() -> Answer:
        body, following = await state.threads.read(make)
        return tagged(body, *next_link(request, following))

    key = ("stations", wanted, client, max_kbps, limit, request.url.query, organisation_id)
    made = await (state.cache.get(key, answer) if cursor is None else answer())
    return send(request, made, JSON)


@router.get("/stations/{station_id}", response_model=StationPageOut)
async def get_station(
    station_id: StationId,
    request: Request,
    state: State,
    caller: Stranger,
    client: ForClient = None,
    max_kbps: MaxKbps = None,
) -> Response:
    """Return a station, its streams ranked, what it plays and what it played last; a merged one's successor."""
    organisation_id = organisation_of(caller)

    def make(session: Session) -> bytes:
        station = find_stations.station_view(session, station_id)
        [row] = station_rows(session, [station], organisation_id, client=client, max_kbps=max_kbps)
        plays = []
        if organisation_id is not None:
            plays = find_plays(session, organisation_id, PlayFilter(station_id=station.id), limit=LAST_PLAYS).rows
        page = StationPageOut(**dict(row), last_plays=[PlayOut.model_validate(play) for play in plays])
        return page.model_dump_json().encode()

    return send(request, tagged(await state.threads.read(make)), JSON)


@router.get("/stations/{station_id}/now")
async def get_station_now(station_id: StationId, state: State, caller: Stranger) -> NowOut | None:
    """Return what a station plays at present; null where that is not known."""
    organisation_id = organisation_of(caller)

    def make(session: Session) -> NowOut | None:
        station = find_stations.station_view(session, station_id)
        return next(iter(now_rows(session, [station], organisation_id)), None)

    return await state.threads.read(make)
