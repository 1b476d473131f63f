"""One live connection for what many stations play: server-sent events or a WebSocket.

First each station's present comes, then every change of it. Both are called `now` and have one shape (`NowOut`); a
title of null says that what was heard has ended.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, WebSocket
from sqlalchemy.orm import Session
from starlette.responses import Response

from airledger.api.allow import allow, public
from airledger.api.given import LARGEST_ID
from airledger.api.hub import Audience
from airledger.api.live import EventStream, caller_name, credential_check, talk
from airledger.api.state import ApiState, State
from airledger.api.station_rows import NowOut, now_rows
from airledger.api.stations import organisation_of
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import InputError
from airledger.platform.events import Told
from airledger.stations.directory.find_stations import read_stations

MOST_STATIONS = 200
HEARD, ENDED, CHECKED = "play.started", "play.finished", "stream.checked"
TYPES = frozenset({HEARD, ENDED, CHECKED})

router = APIRouter(prefix="/api/v1", tags=["live"])
Wanted = Annotated[str, Query(max_length=4_000, description="Ids of stations, separated by commas; at most 200.")]


@router.get("/now", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def stream_now(
    request: Request, state: State, caller: Annotated[Principal | None, public()], stations: Wanted
) -> Response:
    """Follow what many stations play over one connection, as server-sent events.

    Strangers are told the titles that streams give themselves; who may read plays hears what was recognised as well.
    """
    teller = _Teller(state, caller, _ids(stations))
    line = state.hub.open(Audience.of(caller, TYPES), caller_name(request, caller))
    return EventStream(state, line, None, credential_check(request, state, caller), tell=teller.tell)


@router.websocket("/now/ws")
async def talk_now(
    socket: WebSocket,
    state: State,
    caller: Annotated[Principal, allow(Scope.CATALOGUE_READ)],
    stations: Wanted = "",
) -> None:
    """Follow what many stations play over a WebSocket: one JSON message per change."""
    await talk(socket, state, caller, TYPES, tell=_Teller(state, caller, _ids(stations)).tell)


class _Teller:
    """Makes of events what one client is told of its stations."""

    def __init__(self, state: ApiState, caller: Principal | None, station_ids: list[int]) -> None:
        self._state = state
        self._organisation_id = organisation_of(caller)
        self._station_ids = station_ids
        self._station_of: dict[int, int] | None = None
        self._titles: dict[int, str | None] = {}
        self._heard: dict[int, UUID] = {}

    async def tell(self, event: Told | None) -> list[tuple[int | None, str, str]]:
        """Tell the present first, when the connection stands; then what changes."""
        if self._station_of is None:
            present = await self._state.threads.read(self._begin)
            return [(None, "now", now.model_dump_json()) for now in present]
        if event is None:
            return []
        now = self._changed(event.type, event.payload, event.at)
        return [] if now is None else [(event.position, "now", now.model_dump_json())]

    def _begin(self, session: Session) -> list[NowOut]:
        stations = read_stations(session, self._station_ids)
        self._station_of = {stream.id: station.id for station in stations for stream in station.streams}
        self._titles = {stream.id: stream.stream_title for station in stations for stream in station.streams}
        present = now_rows(session, stations, self._organisation_id)
        self._heard = {now.stream_id: now.recording_id for now in present if now.recording_id is not None}
        return present

    def _changed(self, kind: str, payload: dict[str, Any], at: datetime) -> NowOut | None:
        stream_id = int(payload["stream_id"])
        station_id = (self._station_of or {}).get(stream_id)
        if station_id is None:
            return None
        if kind == CHECKED:
            title = payload.get("stream_title")
            if title == self._titles.get(stream_id):
                return None
            self._titles[stream_id] = title
            return NowOut(station_id=station_id, stream_id=stream_id, source="told", title=title, since=at)
        recording_id = UUID(payload["recording_id"])
        if kind == ENDED:
            if self._heard.get(stream_id) != recording_id:
                return None  # something else is heard there already
            del self._heard[stream_id]
            ended = datetime.fromisoformat(payload["ended_at"])
            return NowOut(station_id=station_id, stream_id=stream_id, source="heard", title=None, since=ended)
        self._heard[stream_id] = recording_id
        return NowOut(
            station_id=station_id,
            stream_id=stream_id,
            source="heard",
            title=payload["title"],
            artist=payload["artist"],
            recording_id=recording_id,
            since=datetime.fromisoformat(payload["started_at"]),
        )


def _ids(text: str) -> list[int]:
    try:
        found = list(dict.fromkeys(int(part) for part in text.split(",") if part.strip()))
    except ValueError as error:
        raise InputError("stations must be numbers, separated by commas") from error
    if not 1 <= len(found) <= MOST_STATIONS or not all(1 <= one <= LARGEST_ID for one in found):
        raise InputError(f"name between 1 and {MOST_STATIONS} stations")
    return found
