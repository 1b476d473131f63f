"""Changing what is told of a recording."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.library import RecordingOut, recording_out
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.playlog.find_plays import plays_by_recording
from airledger.repertoire.describe import TEXT_LIMIT

router = APIRouter(prefix="/api/v1", tags=["library"])

Told = Annotated[Text, Field(max_length=TEXT_LIMIT)]


class RecordingChange(BaseModel):
    """What to change; what is left out stays, null clears album, label and ISRC."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[Text, Field(min_length=1, max_length=TEXT_LIMIT)] | None = None
    artist: Told | None = None
    album: Told | None = None
    label: Told | None = None
    isrc: Annotated[Text, Field(max_length=40)] | None = None
    recording_class: Literal["music", "jingle", "advert", "bed"] | None = None


@router.patch("/library/{recording_id}")
async def change(
    recording_id: UUID,
    given: RecordingChange,
    state: State,
    caller: Annotated[Principal, allow(Scope.LIBRARY_WRITE)],
) -> RecordingOut:
    """Change a recording's title, artist, album, label, ISRC or class."""
    changes: dict[str, Any] = given.model_dump(exclude_unset=True)

    def do() -> RecordingOut:
        from airledger.recognition.change import change_recording

        with state.app.unit() as unit:
            row = change_recording(unit, caller.actor, caller.organisation_id, recording_id, changes, state.now())
            plays = plays_by_recording(unit.session, [row.id]).get(row.id, 0)
        return recording_out(row, plays)

    return await state.threads.database(do)
