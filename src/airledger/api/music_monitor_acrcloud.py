"""The mission's ACRCloud API: try out identification, look up ISRCs, see which societies there are."""

import asyncio
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from airledger.api.allow import allow
from airledger.api.given import Id, Moment
from airledger.api.music_monitor_fingerprint import BASE, TaskStatusOut, shown_task, status_url
from airledger.api.state import ApiState, State
from airledger.api.upload import body_of, given, parsed, plain_name
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError, UnavailableError
from airledger.platform.tasks import inspect
from airledger.platform.tasks.rows import PENDING, RUNNING
from airledger.recognition import isrc_jobs
from airledger.recognition.decode import FileLimits, decode_file
from airledger.recognition.outside import jobs as outside_jobs
from airledger.recognition.outside.affiliate import Affiliation, affiliations
from airledger.recognition.outside.isrc import BATCH_LIMIT
from airledger.recognition.outside.societies import of_country, pro_mappings
from airledger.repertoire.recordings import get_recording

SAMPLE_LIMITS = FileLimits(max_bytes=16 << 20, max_duration_s=60.0, timeout_s=30.0)
MOST_WAIT_S = 60.0
LOOK_EVERY_S = 0.25
RECORDINGS_AT_ONCE = 100

router = APIRouter(prefix=f"{BASE}/acrcloud", tags=["music-monitor"])
Writer = Annotated[Principal, allow(Scope.LIBRARY_WRITE)]
Reader = Annotated[Principal, allow(Scope.LIBRARY_READ)]
Wait = Annotated[float, Field(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the answer before a 202.")]
Isrc = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class SampleIn(BaseModel):
    """A sound to identify, in the form's field `file`: 3 to 60 seconds, any kind of audio."""

    model_config = ConfigDict(extra="forbid")

    wait_s: Wait = 20.0
    stream_id: Id | None = Field(default=None, description="Whose share of the account's budget it is taken from.")
    started_at: Moment | None = Field(default=None, description="When the first sample was aired.")


class IsrcsIn(BaseModel):
    """ISRCs to look up."""

    model_config = ConfigDict(extra="forbid")

    isrcs: list[Isrc] = Field(min_length=1, max_length=BATCH_LIMIT)
    wait_s: Wait = 20.0


class IdentificationOut(TaskStatusOut):
    """What the sound is, in `result` once the task is done; `status_url` tells later."""

    status_url: str


class WriterOut(BaseModel):
    """Who wrote the work."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    role: str | None
    ipi: str | None


class IsrcCandidateOut(BaseModel):
    """One recording that bears the ISRC, as one source tells it."""

    model_config = ConfigDict(from_attributes=True)

    source: str
    source_id: str
    title: str
    artists: list[str]
    album: str | None
    label: str | None
    release_date: str | None
    duration_ms: int | None
    isrcs: list[str]
    iswcs: list[str]
    work_title: str | None
    writers: list[WriterOut]
    publishers: list[str]
    country: str | None


class IsrcOut(BaseModel):
    """What is known of an ISRC; several candidates are normal."""

    model_config = ConfigDict(from_attributes=True)

    isrc: str
    outcome: str = Field(description="found or none.")
    candidates: list[IsrcCandidateOut]
    is_cached: bool
    faults: list[str] = Field(description="Which source could not be asked, and why.")


class SocietyOut(BaseModel):
    """A society of musical works in CISAC's list."""

    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    country_code: str
    status: str


class AffiliationOut(BaseModel):
    """Which society may administer a recording's work, and on what evidence."""

    recording_id: UUID
    party: str
    society_code: str
    society: str
    level: str = Field(description="register, work, provider, musicbrainz or presumed, strongest first.")
    source: str
    noted_at: Moment


class ProMappingsOut(BaseModel):
    """The societies, and those of your recordings that were asked for."""

    default_pro: str
    societies: list[SocietyOut]
    recordings: list[AffiliationOut]


@router.post("/test-identification", openapi_extra=body_of(SampleIn), responses={202: {"model": IdentificationOut}})
async def test_identification(request: Request, response: Response, state: State, caller: Writer) -> IdentificationOut:
    """Ask ACRCloud alone what a sound is. It counts against the account's budget."""
    return await _identify(request, response, state, caller, outside_jobs.IDENTIFY)


@router.post("/test-hybrid", openapi_extra=body_of(SampleIn), responses={202: {"model": IdentificationOut}})
async def test_hybrid(request: Request, response: Response, state: State, caller: Writer) -> IdentificationOut:
    """Identify a sound as live sound is: by your library, and by the outside where that is not sure enough."""
    return await _identify(request, response, state, caller, outside_jobs.HYBRID)


@router.get("/isrc/{isrc}")
async def look_up_isrc(
    isrc: Annotated[str, InPath(min_length=1, max_length=40)], state: State, caller: Reader
) -> IsrcOut:
    """Look up an ISRC; what was found is remembered for a week, that nothing was, for an hour."""
    del caller
    answer = await state.threads.outgoing(lambda: state.app.isrc.look_up(isrc))
    if answer.outcome == "invalid":
        raise InputError("; ".join(answer.faults))
    if answer.outcome == "failed":
        raise UnavailableError(f"no source could be asked: {'; '.join(answer.faults)}")
    return IsrcOut.model_validate(answer)


@router.post("/batch-isrc", responses={202: {"model": IdentificationOut}})
async def look_up_isrcs(body: IsrcsIn, response: Response, state: State, caller: Writer) -> IdentificationOut:
    """Look up at most 50 ISRCs; sources want a second for each, so what takes longer is answered later."""
    task_id = await _enqueue(state, caller, isrc_jobs.LOOK_UP, {"isrcs": body.isrcs})
    return await _answer(state, response, caller, task_id, body.wait_s)


@router.get("/pro-mappings")
async def list_pro_mappings(
    state: State,
    caller: Reader,
    country_code: Annotated[str | None, Query(pattern="^[A-Za-z]{2}$")] = None,
    recording_id: Annotated[list[UUID] | None, Query(max_length=RECORDINGS_AT_ONCE)] = None,
) -> ProMappingsOut:
    """List the societies, and which one may administer the recordings that are named, with the evidence for it."""
    wanted = recording_id or []

    def make(session: Session) -> list[AffiliationOut]:
        for one in wanted:
            get_recording(session, caller.organisation_id, one)
        return [_affiliation(one) for one in affiliations(session, wanted).values()]

    recordings = await state.threads.read(make) if wanted else []
    societies = of_country(country_code) if country_code else pro_mappings()
    return ProMappingsOut(
        default_pro=state.app.settings.default_pro,
        societies=[SocietyOut.model_validate(one) for one in societies],
        recordings=recordings,
    )


async def _identify(
    request: Request, response: Response, state: ApiState, caller: Principal, task: str
) -> IdentificationOut:
    async with given(request, files=1) as came:
        body = parsed(SampleIn, came.values)
        if len(came.files) != 1:
            raise InputError("give one sound as the form's field 'file'")
        file = came.files[0]
        key = await state.threads.outgoing(lambda: _store_sample(state, file))
    args: dict[str, Any] = {"sound_key": key, "organisation_id": str(caller.organisation_id)}
    if body.stream_id is not None:
        args["stream_id"] = body.stream_id
    if body.started_at is not None:
        args["started_at"] = body.started_at.isoformat()
    task_id = await _enqueue(state, caller, task, args)
    return await _answer(state, response, caller, task_id, body.wait_s)


def _store_sample(state: ApiState, file: UploadFile) -> str:
    """Decode an uploaded sound in a sandboxed child and store it as tasks expect it; return its key."""
    with tempfile.TemporaryDirectory(prefix="airledger-sample-") as folder:
        copy = Path(folder) / plain_name(file.filename)
        with copy.open("wb") as target:
            shutil.copyfileobj(file.file, target)
        decoded = decode_file(copy, limits=SAMPLE_LIMITS)
    return outside_jobs.store_question(state.app.storage, decoded.pcm, state.now())


async def _enqueue(state: ApiState, caller: Principal, task: str, args: dict[str, Any]) -> UUID:
    def make(unit: Unit) -> UUID:
        task_id = state.app.tasks.enqueue(
            unit.session, task, args, now=state.now(), priority=1, organisation_id=caller.organisation_id
        )
        assert task_id is not None  # noqa: S101  without a unique key there is always a new one
        return task_id

    return await state.threads.write(make)


async def _answer(
    state: ApiState, response: Response, caller: Principal, task_id: UUID, wait_s: float
) -> IdentificationOut:
    """Wait for a task as long as the caller wants to; 202 when it goes on after that."""
    deadline = time.monotonic() + wait_s
    while True:
        found = await state.threads.read(
            lambda session: shown_task(inspect.get_task(session, caller.organisation_id, task_id))
        )
        is_open = found.status in {PENDING, RUNNING}
        if not is_open or time.monotonic() >= deadline:
            break
        await asyncio.sleep(LOOK_EVERY_S)
    if is_open:
        response.status_code = status.HTTP_202_ACCEPTED
        response.headers["Location"] = status_url(task_id)
    return IdentificationOut(**found.model_dump(), status_url=status_url(task_id))


def _affiliation(one: Affiliation) -> AffiliationOut:
    return AffiliationOut(
        recording_id=one.recording_id,
        party=one.party,
        society_code=one.society.code,
        society=one.society.name,
        level=one.level,
        source=one.source,
        noted_at=one.noted_at,
    )
