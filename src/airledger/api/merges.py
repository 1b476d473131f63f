"""Merges of stations: what was joined and why, by hand too, and taking it back; simulcasts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow, public
from airledger.api.given import LARGEST_ID, Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError
from airledger.stations.joining import merge as joining
from airledger.stations.joining.facts import read_zones
from airledger.stations.joining.views import MAX_LIMIT, MergeView, find_merge, find_merges, simulcasts_of
from airledger.stations.joining.why import BY_HAND, Reason

router = APIRouter(prefix="/api/v1", tags=["catalogue"])
Stranger = Annotated[Principal | None, public()]
Moderator = Annotated[Principal, allow(Scope.SYSTEM_WRITE)]
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
Given = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Kind = Literal["same_sound", "same_address", "same_target", "same_homepage_and_name", "same_server_and_name", "by_hand"]
Cursor = Annotated[str | None, Query(max_length=20)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


class MergeOut(BaseModel):
    """That one station's streams were given to another, and why."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kept_station_id: int
    kept_name: str
    merged_station_id: int
    merged_name: str
    stream_ids: list[int] = Field(description="The streams that moved.")
    reason: Kind
    evidence: dict[str, Any] = Field(description="What speaks for it: the address, homepage, looks at the sound, ...")
    confidence: float
    at: datetime
    by: str
    undone_at: datetime | None
    undone_by: str | None


class MergeIn(BaseModel):
    """Two stations that are one."""

    model_config = ConfigDict(extra="forbid")

    station_id: Given
    other_station_id: Given
    keep: Given | None = Field(default=None, description="Which keeps its row; else the one of more streams.")
    note: Text | None = Field(default=None, max_length=1_000)


class ApartIn(BaseModel):
    """A station that is not the same."""

    model_config = ConfigDict(extra="forbid")

    other_station_id: Given


class SimulcastOut(BaseModel):
    """That another stream carries what one of the station's streams carries."""

    model_config = ConfigDict(from_attributes=True)

    stream_id: int
    other_stream_id: int
    other_station_id: int | None
    other_name: str | None
    verdict: Literal["same", "related"] = Field(description="`related`: a part of the programme, not all of it.")
    probability: float = Field(description="That both carry the same programme, after all looks.")
    delay_s: float | None = Field(description="How much later the other stream has it; negative: earlier.")
    since: datetime | None = Field(description="The first look that found them the same.")
    last_seen: datetime
    looks_agreed: int
    looks_disagreed: int


@router.get("/merges")
async def list_merges(
    request: Request,
    response: Response,
    state: State,
    caller: Stranger,
    reason: Kind | None = None,
    standing: Annotated[bool | None, Query(description="Those that stand; false: those taken back.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> list[MergeOut]:
    """List merges of stations, newest first."""
    del caller
    page = await state.threads.read(
        lambda session: find_merges(session, reason=reason, standing=standing, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, page.next_cursor)))
    return [MergeOut.model_validate(one) for one in page.rows]


@router.get("/stations/{station_id}/merges")
async def list_station_merges(
    station_id: RowId,
    request: Request,
    response: Response,
    state: State,
    caller: Stranger,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> list[MergeOut]:
    """List the merges that made a station what it is, newest first."""
    del caller
    page = await state.threads.read(
        lambda session: find_merges(session, station_id=station_id, limit=limit, cursor=cursor)
    )
    response.headers.update(dict(next_link(request, page.next_cursor)))
    return [MergeOut.model_validate(one) for one in page.rows]


@router.get("/stations/{station_id}/simulcasts")
async def list_simulcasts(station_id: RowId, state: State, caller: Stranger) -> list[SimulcastOut]:
    """List streams that were heard to carry the station's programme, or a part of it."""
    del caller
    found = await state.threads.read(lambda session: simulcasts_of(session, station_id))
    return [SimulcastOut.model_validate(one) for one in found]


@router.post("/merges", status_code=status.HTTP_201_CREATED)
async def merge_stations(body: MergeIn, state: State, response: Response, caller: Moderator) -> MergeOut:
    """Make two stations one. It can be taken back; an earlier word that they are not the same is taken back by it."""

    def make(unit: Unit) -> MergeView:
        reason = Reason(BY_HAND, 1.0, {"note": body.note} if body.note else {})
        made = joining.merge(
            unit, body.station_id, body.other_station_id, reason, caller.actor, now=state.now(), keep=body.keep
        )
        view = None if made is None else find_merge(unit.session, made.merge_id)
        if view is None:
            raise ConflictError("these two are one station already")
        return view

    await state.threads.read(lambda _: read_zones())
    made = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/stations/{made.kept_station_id}"
    return MergeOut.model_validate(made)


@router.post("/merges/{merge_id}/undo")
async def undo_merge(merge_id: RowId, state: State, caller: Moderator) -> MergeOut:
    """Take a merge back: the streams return, and the two are never joined by themselves again."""

    def make(unit: Unit) -> MergeView | None:
        joining.undo(unit, merge_id, caller.actor, now=state.now())
        return find_merge(unit.session, merge_id)

    await state.threads.read(lambda _: read_zones())
    return MergeOut.model_validate(await state.threads.write(make))


@router.post("/stations/{station_id}/apart", status_code=status.HTTP_204_NO_CONTENT)
async def keep_stations_apart(station_id: RowId, body: ApartIn, state: State, caller: Moderator) -> None:
    """Say that two stations are not the same, so that nothing joins them by itself."""
    await state.threads.write(
        lambda unit: joining.tell_apart(unit, station_id, body.other_station_id, caller.actor, now=state.now())
    )
