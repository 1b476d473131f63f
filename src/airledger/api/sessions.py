"""Live sessions and what was covered by them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow
from airledger.api.given import Id, Moment
from airledger.api.state import State
from airledger.listening.find_sessions import MAX_ROWS, find_coverage, find_sessions
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope

router = APIRouter(prefix="/api/v1", tags=["sessions"])


class SessionOut(BaseModel):
    """How listening to one stream goes."""

    model_config = ConfigDict(from_attributes=True)

    session_id: UUID
    stream_id: int
    station_name: str | None
    status: str
    is_wanted: bool
    is_manual: bool
    started_at: datetime | None
    real_time_factor: float | None = Field(description="Seconds of sound taken in per second; 1 keeps up.")
    windows: int
    matched: int
    reconnects: int
    last_sound_at: datetime | None
    listener: str | None
    error: str | None


class CoverageOut(BaseModel):
    """A stretch of time that was heard, or was not."""

    model_config = ConfigDict(from_attributes=True)

    stream_id: int
    started_at: datetime
    ended_at: datetime
    kind: str = Field(description="heard, gap, silent or looped.")
    cause: str | None


@router.get("/sessions")
async def list_sessions(
    state: State,
    caller: Annotated[Principal, allow(Scope.PLAYS_READ)],
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 1_000,
) -> list[SessionOut]:
    """List your organisation's sessions."""
    rows = await state.threads.read(
        lambda session: find_sessions(session, caller.organisation_id, state.now(), limit=limit)
    )
    return [SessionOut.model_validate(row) for row in rows]


@router.get("/coverage")
async def list_coverage(
    state: State,
    caller: Annotated[Principal, allow(Scope.PLAYS_READ)],
    stream_id: Id | None = None,
    since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 500,
) -> list[CoverageOut]:
    """List what was heard and what was missed, newest first."""
    rows = await state.threads.read(
        lambda session: find_coverage(session, caller.organisation_id, stream_id=stream_id, since=since, limit=limit)
    )
    return [CoverageOut.model_validate(row) for row in rows]
