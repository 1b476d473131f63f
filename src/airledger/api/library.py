"""The library: recordings that can be recognised."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.playlog.find_plays import plays_by_recording
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import get_recording, list_recordings

MAX_LIMIT = 1_000

router = APIRouter(prefix="/api/v1", tags=["library"])


class RecordingOut(BaseModel):
    """A recording of your library."""

    id: UUID
    title: str
    artist: str
    album: str | None
    label: str | None
    isrc: str | None
    recording_class: str
    duration_ms: int
    created_at: datetime
    plays: int


@router.get("/recordings")
async def list_library(
    request: Request,
    response: Response,
    state: State,
    caller: Annotated[Principal, allow(Scope.LIBRARY_READ)],
    q: Annotated[Text, Query(max_length=200)] = "",
    recording_class: Annotated[
        Literal["music", "jingle", "advert", "bed"] | None, Query(alias="class", description="Only these.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: UUID | None = None,
) -> list[RecordingOut]:
    """List your organisation's recordings by title."""
    text = q.replace("\x00", " ").strip()

    def make(session: Session) -> tuple[list[RecordingOut], str | None]:
        last = get_recording(session, caller.organisation_id, cursor) if cursor else None
        after = (last.title, last.id) if last else None
        rows = list_recordings(
            session, caller.organisation_id, text=text, recording_class=recording_class, limit=limit + 1, after=after
        )
        shown, more = list(rows[:limit]), len(rows) > limit
        plays = plays_by_recording(session, [row.id for row in shown])
        return [recording_out(row, plays.get(row.id, 0)) for row in shown], str(shown[-1].id) if more else None

    recordings, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return recordings


@router.get("/recordings/{recording_id}")
async def get_one(
    recording_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_READ)]
) -> RecordingOut:
    """Return one recording."""

    def make(session: Session) -> RecordingOut:
        row = get_recording(session, caller.organisation_id, recording_id)
        return recording_out(row, plays_by_recording(session, [row.id]).get(row.id, 0))

    return await state.threads.read(make)


def recording_out(row: Recording, plays: int) -> RecordingOut:
    """Write a recording as the API shows it."""
    return RecordingOut(
        id=row.id,
        title=row.title,
        artist=row.artist,
        album=row.album,
        label=row.label,
        isrc=row.isrc,
        recording_class=row.recording_class,
        duration_ms=row.duration_ms,
        created_at=row.created_at,
        plays=plays,
    )
