"""The play log."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow
from airledger.api.given import Id, Moment, Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.playlog import find_plays
from airledger.playlog.find_plays import PlayFilter

router = APIRouter(prefix="/api/v1", tags=["plays"])
RecordingClass = Literal["music", "jingle", "advert", "bed"]


class PlayOut(BaseModel):
    """One play of a recording on a station."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    station_id: int | None
    stream_id: int
    station_name: str | None
    recording_id: UUID
    title: str
    artist: str
    album: str | None
    isrc: str | None
    started_at: datetime
    ended_at: datetime = Field(description="Of a play that goes on: what was heard so far.")
    duration_ms: int
    status: str = Field(description="playing or finished.")
    confidence_score: float
    detection_source: str
    speed: float
    is_partial: bool
    is_short_use: bool
    usage: str = Field(description="foreground, background (a bed), jingle or advert.")
    latitude: float | None
    longitude: float | None


@router.get("/plays")
async def list_plays(
    request: Request,
    response: Response,
    state: State,
    caller: Annotated[Principal, allow(Scope.PLAYS_READ)],
    stream_id: Id | None = None,
    station_id: Id | None = None,
    recording_id: UUID | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    q: Annotated[Text | None, Query(max_length=find_plays.MAX_QUERY_CHARS)] = None,
    recording_class: Annotated[RecordingClass | None, Query(alias="class", description="Only these.")] = None,
    limit: Annotated[int, Query(ge=1, le=find_plays.MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[PlayOut]:
    """List your organisation's plays, newest first."""
    wanted = PlayFilter(
        stream_id=stream_id,
        station_id=station_id,
        recording_id=recording_id,
        since=since,
        until=until,
        q=q,
        recording_class=recording_class,
    )
    page = await state.threads.read(
        lambda session: find_plays.find_plays(session, caller.organisation_id, wanted, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, page.next_cursor)))
    return [PlayOut.model_validate(row) for row in page.rows]


@router.get("/plays/{play_id}")
async def get_play(play_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.PLAYS_READ)]) -> PlayOut:
    """Return one play."""
    found = await state.threads.read(lambda session: find_plays.find_play(session, caller.organisation_id, play_id))
    return PlayOut.model_validate(found)
