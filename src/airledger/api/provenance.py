"""Where each field of a stream comes from."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import public
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.platform.auth.principal import Principal
from airledger.stations.provenance import provenance

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class SaidOut(BaseModel):
    """What one directory says of a field."""

    model_config = ConfigDict(from_attributes=True)

    source: str = Field(description="The directory; user: a submission, yp: an announcement, stream: its own headers.")
    source_key: str
    value: Any
    first_seen: datetime
    last_seen: datetime
    stands: bool = Field(description="Whether the catalogue shows this value.")


class OriginOut(BaseModel):
    """A field of a stream: what the catalogue shows, and all that is said of it, oldest first."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    value: Any = Field(description="None for what is kept as evidence only.")
    said: list[SaidOut]
    derived_from: str | None = Field(description="The field that it was worked out of, where nobody said it.")


@router.get("/streams/{stream_id}/provenance")
async def list_provenance(
    stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]
) -> list[OriginOut]:
    """Tell of every field which source says what, when it was first and last seen there, and whose word stands."""
    del caller
    return await state.threads.read(
        lambda session: [OriginOut.model_validate(one) for one in provenance(session, stream_id)]
    )
