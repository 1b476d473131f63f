"""What people do to a stream: submit it, have it proven, listen to it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, ConfigDict, Field

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.state import ApiState, State
from airledger.api.stream_rows import StreamId, StreamOut, one_stream
from airledger.listening import wish
from airledger.platform.audit import Actor
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.stations import submit

URL_LIMIT = 8_192

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class SubmitIn(BaseModel):
    """A stream to take into the catalogue."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(min_length=1, max_length=URL_LIMIT)
    name: Text | None = Field(default=None, max_length=500)


class ProbeOut(BaseModel):
    """A proof that was asked for; `task_id` is None when one was waiting already."""

    task_id: UUID | None


class ListenOut(BaseModel):
    """The session that listens to a stream."""

    session_id: UUID


@router.post("/streams", status_code=status.HTTP_201_CREATED)
async def submit_stream(
    body: SubmitIn, state: State, response: Response, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> StreamOut:
    """Take a stream into the catalogue and have it proven at once; 200 when it was there already."""

    def make(unit: Unit) -> tuple[StreamOut, bool]:
        done = submit.submit(unit, state.app.tasks, body.url, caller.actor, now=state.now(), name=body.name)
        return one_stream(unit.session, done.stream_id, caller.organisation_id), done.is_new

    stream, is_new = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/streams/{stream.id}"
    if not is_new:
        response.status_code = status.HTTP_200_OK
    return stream


@router.post("/streams/{stream_id}/probe", status_code=status.HTTP_202_ACCEPTED)
async def probe_stream(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.STATIONS_WRITE)]
) -> ProbeOut:
    """Have a stream proven before all others."""
    del caller
    task_id = await state.threads.write(
        lambda unit: submit.request_probe(unit, state.app.tasks, stream_id, now=state.now())
    )
    return ProbeOut(task_id=task_id)


@router.post("/streams/{stream_id}/listen", status_code=status.HTTP_202_ACCEPTED)
async def start_listening(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
) -> ListenOut:
    """Listen to a stream from now on."""

    def make(unit: Unit) -> UUID:
        held = wish.of_stream(unit.session, stream_id)
        if held is not None and held.organisation_id != caller.organisation_id:
            raise ConflictError("this stream is listened to for another organisation of this installation")
        return wish.start(unit, caller.actor, caller.organisation_id, stream_id, state.now())

    return ListenOut(session_id=await state.threads.write(make))


@router.delete("/streams/{stream_id}/listen", status_code=status.HTTP_204_NO_CONTENT)
async def stop_listening(
    stream_id: StreamId, state: State, caller: Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
) -> None:
    """Stop listening to a stream, until it is started again."""
    await state.threads.write(lambda unit: _stop(unit, state, caller.actor, stream_id))


def _stop(unit: Unit, state: ApiState, actor: Actor, stream_id: int) -> None:
    held = wish.of_stream(unit.session, stream_id)
    if held is None or held.organisation_id != actor.organisation_id:
        raise NotFoundError(f"nobody of yours listens to stream {stream_id}")
    wish.stop(unit, actor, stream_id, state.now())
