"""Remote listening: what captures sound elsewhere registers its streams here, and sends windows as peaks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.state import State
from airledger.fingerprint.params import PROFILES, params_hash
from airledger.listening.remote_rows import accept, register
from airledger.listening.remote_wire import BATCH_LIMIT_BYTES
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import ConflictError, LimitError

MAX_URL_CHARS = 8_192

router = APIRouter(prefix="/api/v1/listening/remote", tags=["sessions"])


class RemoteStreamIn(BaseModel):
    """A stream that a remote listener hears."""

    client_id: UUID
    url: Annotated[Text, Field(max_length=MAX_URL_CHARS)]
    name: Annotated[Text, Field(max_length=300)] | None = None
    params_hash: Annotated[Text, Field(max_length=64, description="Of the engine's parameters that make its peaks.")]


class RemoteSessionOut(BaseModel):
    """The session that its windows belong to."""

    session_id: UUID
    stream_id: int
    acknowledged: int = Field(description="Number of the client's last batch that is here; the next one is higher.")


class AcknowledgedOut(BaseModel):
    """What need not be sent again."""

    acknowledged: int
    ignored: int = Field(description="Windows of streams that were not registered.")


@router.post("/sessions")
async def register_remote_stream(
    given: RemoteStreamIn, state: State, caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
) -> RemoteSessionOut:
    """Register a stream; it comes into the catalogue if it is new. Doing it again changes nothing."""
    if given.params_hash != params_hash(PROFILES["balanced"]):
        raise ConflictError("your engine makes other peaks than this server reads: use the server's release")
    now = state.now()
    done = await state.threads.write(
        lambda unit: register(
            unit,
            state.app.tasks,
            caller.actor,
            caller.organisation_id,
            given.client_id,
            given.url,
            now,
            name=given.name,
        )
    )
    return RemoteSessionOut(session_id=done.session_id, stream_id=done.stream_id, acknowledged=done.acknowledged)


@router.post(
    "/windows",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def send_remote_windows(
    request: Request,
    state: State,
    caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)],
    client_id: UUID,
    sequence: Annotated[int, Query(ge=1, le=2**53)],
) -> AcknowledgedOut:
    """Send a batch of windows (docs/formats/remote-listening.md). A number that is here already changes nothing."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > BATCH_LIMIT_BYTES:
            raise LimitError(f"a batch may have {BATCH_LIMIT_BYTES} bytes")
    now = state.now()
    done = await state.threads.write(
        lambda unit: accept(unit, caller.organisation_id, client_id, sequence, bytes(body), now)
    )
    return AcknowledgedOut(acknowledged=done.acknowledged, ignored=done.ignored)
