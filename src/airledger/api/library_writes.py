"""Changing the library: enrol a file, stop listening for a recording, see how enrolment goes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.api.upload import body_of, given, keep_upload, parsed
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError
from airledger.recognition.jobs import ENROL_UPLOAD
from airledger.recognition.models import EnrolmentRun
from airledger.recognition.remove import remove_recordings
from airledger.recognition.runs import add_run, get_run, list_runs

router = APIRouter(prefix="/api/v1/library", tags=["library"])
Writer = Annotated[Principal, allow(Scope.LIBRARY_WRITE)]
Reader = Annotated[Principal, allow(Scope.LIBRARY_READ)]


class EnrolIn(BaseModel):
    """What the recording is called, where the file's own tags do not tell it."""

    model_config = ConfigDict(extra="forbid")

    title: Text | None = Field(default=None, max_length=500)
    artist: Text | None = Field(default=None, max_length=500)
    album: Text | None = Field(default=None, max_length=500)
    label: Text | None = Field(default=None, max_length=500)
    isrc: Text | None = Field(default=None, max_length=40)
    recording_class: Literal["music", "jingle", "advert", "bed"] | None = None

    def row(self) -> dict[str, str]:
        """Return what was said, as a CSV's row would."""
        told = self.model_dump(exclude_none=True)
        if "recording_class" in told:
            told["class"] = told.pop("recording_class")
        return told


class RefusalOut(BaseModel):
    """A file that cannot be used, and why."""

    file: str
    reason: str


class RunOut(BaseModel):
    """How an enrolment goes."""

    id: UUID
    status: str = Field(description="running, finished or stopped.")
    files: int
    enrolled: int
    renewed: int
    known: int
    refused: int
    progress: float = Field(description="0 to 1.")
    audio_s: float = Field(description="Seconds of sound that were read.")
    refusals: list[RefusalOut] = Field(description="The first of them.")
    recordings: list[UUID] = Field(description="The first recordings that the files are.")
    started_by: str
    started_at: datetime
    finished_at: datetime | None


@router.post("", status_code=status.HTTP_202_ACCEPTED, openapi_extra=body_of(EnrolIn))
async def enrol_file(request: Request, response: Response, state: State, caller: Writer) -> RunOut:
    """Enrol a recording: a form with a sound or video file (field `file`) and what it is called. Follow the run."""
    async with given(request, files=1) as body:
        told = parsed(EnrolIn, body.values)
        if len(body.files) != 1:
            raise InputError("send the recording as the field 'file' of a form (multipart/form-data)")
        now = state.now()
        uploaded = await keep_upload(state, body.files[0], now)

    def make(unit: Unit) -> RunOut:
        run = add_run(unit, caller.organisation_id, caller.actor, 1, now=now)
        args = {"run_id": str(run.id), "key": uploaded.key, "name": uploaded.name, "row": told.row()}
        tasks = state.app.tasks
        tasks.enqueue(unit.session, ENROL_UPLOAD, args, now=now, organisation_id=caller.organisation_id)
        return _out(run)

    run = await state.threads.write(make)
    response.headers["Location"] = f"/api/v1/library/runs/{run.id}"
    return run


@router.get("/runs")
async def find_runs(
    request: Request,
    response: Response,
    state: State,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[Text | None, Query(max_length=200)] = None,
) -> list[RunOut]:
    """List your organisation's enrolment runs, newest first."""

    def make(session: Session) -> tuple[list[RunOut], str | None]:
        rows, following = list_runs(session, caller.organisation_id, limit=limit, cursor=cursor)
        return [_out(row) for row in rows], following

    runs, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return runs


@router.get("/runs/{run_id}")
async def get_one_run(run_id: UUID, state: State, caller: Reader) -> RunOut:
    """Return how an enrolment goes."""
    return await state.threads.read(lambda session: _out(get_run(session, caller.organisation_id, run_id)))


@router.delete("/{recording_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_one(recording_id: UUID, state: State, caller: Writer) -> None:
    """Stop listening for a recording. Its plays stay; enrolling the same file again brings it back."""

    def make(unit: Unit) -> None:
        remove_recordings(unit, caller.actor, caller.organisation_id, [recording_id], now=state.now())

    await state.threads.write(make)


def _out(row: EnrolmentRun) -> RunOut:
    done = row.enrolled + row.renewed + row.known + row.refused
    return RunOut(
        id=row.id,
        status=row.status,
        files=row.files,
        enrolled=row.enrolled,
        renewed=row.renewed,
        known=row.known,
        refused=row.refused,
        progress=done / row.files if row.files else 1.0,
        audio_s=row.audio_ms / 1000,
        refusals=[RefusalOut(**one) for one in row.refusals],
        recordings=[UUID(one) for one in row.recordings],
        started_by=row.started_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
