"""Duplicates among the recordings of a library."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow
from airledger.api.state import State
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.recognition.find_duplicates import find_duplicates

MAX_LIMIT = 1_000

router = APIRouter(prefix="/api/v1", tags=["library"])


class DuplicateOut(BaseModel):
    """That a recording shares sound with another one of your library."""

    model_config = ConfigDict(from_attributes=True)

    recording_id: UUID
    title: str
    of_recording_id: UUID
    of_title: str
    kind: Literal["same", "speed", "edit", "contained", "contains"]
    speed: float = Field(description="How much faster it is than the other.")
    share: float = Field(description="How much of it is in the other, 0 to 1.")
    share_of: float = Field(description="How much of the other is in it, 0 to 1.")
    score: float


@router.get("/duplicates")
async def list_duplicates(
    state: State,
    caller: Annotated[Principal, allow(Scope.LIBRARY_READ)],
    recording_id: Annotated[UUID | None, Query(description="Only what concerns this recording, from its side.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> list[DuplicateOut]:
    """List recordings that share sound, those found last first; `same` ones are listened for as one."""
    wanted = None if recording_id is None else [recording_id]
    found = await state.threads.read(
        lambda session: find_duplicates(session, caller.organisation_id, wanted, limit=limit)
    )
    return [DuplicateOut.model_validate(one) for one in found]
