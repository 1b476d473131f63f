"""The mission's fingerprint API: fingerprint a track or many, see how a task goes, and how well it all works."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from airledger.api.allow import allow
from airledger.api.given import Text
from airledger.api.state import ApiState, State
from airledger.api.upload import body_of, given, keep_upload, parsed
from airledger.listening.figures import Figures, count_tasks, read_figures
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit
from airledger.platform.errors import InputError
from airledger.platform.tasks import inspect
from airledger.platform.tasks.rows import TaskRow
from airledger.recognition import fingerprint_jobs
from airledger.recognition.fingerprint_jobs import MOST_TRACKS, MOST_WORKERS
from airledger.recognition.jobs import AUTO_FINGERPRINT, CLEANUP
from airledger.repertoire.recordings import get_recording

BASE = "/api/music-monitor"
TASKS = (fingerprint_jobs.TRACK, fingerprint_jobs.BATCH, AUTO_FINGERPRINT, CLEANUP)
STATS_SPAN = timedelta(days=1)
FILES_AT_ONCE = 50

router = APIRouter(prefix=f"{BASE}/fingerprint", tags=["music-monitor"])
Writer = Annotated[Principal, allow(Scope.LIBRARY_WRITE)]
Profile = Literal["fast", "balanced", "high_quality"]


class TrackIn(BaseModel):
    """A track to fingerprint: a file in the form's field `file`, or a recording whose sound is kept."""

    model_config = ConfigDict(extra="forbid")

    recording_id: UUID | None = None
    profile: Profile = "balanced"
    title: Text | None = Field(default=None, max_length=500)
    artist: Text | None = Field(default=None, max_length=500)
    album: Text | None = Field(default=None, max_length=500)
    label: Text | None = Field(default=None, max_length=500)
    isrc: Text | None = Field(default=None, max_length=40)
    recording_class: Literal["music", "jingle", "advert", "bed"] | None = None

    def row(self) -> dict[str, str]:
        """Return what was said of the file, as a CSV's row would."""
        told = self.model_dump(include={"title", "artist", "album", "label", "isrc"}, exclude_none=True)
        return {**told, **({"class": self.recording_class} if self.recording_class else {})}


class BatchIn(BaseModel):
    """Tracks to fingerprint: files in the form's field `files`, or recordings whose sound is kept."""

    model_config = ConfigDict(extra="forbid")

    recording_ids: list[UUID] = Field(default=[], max_length=MOST_TRACKS)
    profile: Profile = "balanced"
    max_workers: int = Field(default=MOST_WORKERS, ge=1, le=MOST_WORKERS)


class TaskStartedOut(BaseModel):
    """A task that will do it; look at `status_url` to see how it goes."""

    task_id: UUID
    task: str
    tracks: int
    status_url: str


class TaskStatusOut(BaseModel):
    """How a task goes, and in the end what came of it."""

    task_id: UUID
    task: str
    status: str = Field(description="pending, running, done, failed or cancelled.")
    progress: float = Field(description="0 to 1.")
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    result: dict[str, Any] | None
    error: str | None


class LibraryFigures(BaseModel):
    """Fingerprints that are kept."""

    tracks: int
    by_profile: dict[str, int]
    by_engine: dict[str, int]
    mean_quality: float | None


class DetectionFigures(BaseModel):
    """Detections of the last 24 hours, and their processing time in milliseconds by percentile."""

    count: int
    by_source: dict[str, int]
    mean_score: float | None
    processing_ms: dict[int, int]


class AccuracyFigures(BaseModel):
    """What people decided on doubtful sounds."""

    open_reviews: int
    local_confirmed: int
    local_rejected: int
    outside_confirmed: int
    outside_rejected: int
    confirmed_share: float | None


class CaptureFigures(BaseModel):
    """Seconds of the last 24 hours that were taken in and lost."""

    taken_in_s: float
    lost_s: float
    success_rate: float | None


class CacheFigures(BaseModel):
    """Looks into a cache since the processes started."""

    hits: int
    misses: int
    hit_rate: float | None


class UsageFigures(BaseModel):
    """Requests to an outside service within the last 24 hours."""

    requests: int
    by_outcome: dict[str, int]
    cost_micros: int


class FingerprintStatsOut(BaseModel):
    """The mission's metrics."""

    library: LibraryFigures
    detections: DetectionFigures
    accuracy: AccuracyFigures
    capture: CaptureFigures
    caches: dict[str, CacheFigures]
    api_usage: dict[str, UsageFigures]
    tasks: dict[str, dict[str, int]] = Field(description="Tasks of the last 24 hours by name and status.")


@router.post("/track", status_code=status.HTTP_202_ACCEPTED, openapi_extra=body_of(TrackIn))
async def fingerprint_track(request: Request, response: Response, state: State, caller: Writer) -> TaskStartedOut:
    """Fingerprint one track and listen for it from then on. Its sound is decoded in a sandbox, by a worker."""
    async with given(request, files=1) as came:
        body = parsed(TrackIn, came.values)
        if len(came.files) + (body.recording_id is not None) != 1:
            raise InputError("give either a file or a recording_id")
        if body.recording_id is not None:
            await state.threads.read(
                lambda session: get_recording(session, caller.organisation_id, body.recording_id or UUID(int=0))
            )
            track: dict[str, Any] = {"recording_id": str(body.recording_id)}
        else:
            track = await _upload(state, came.files[0], body.row())
    args = {"profile": body.profile, "track": track}
    return await _start(state, response, caller, fingerprint_jobs.TRACK, args, 1)


@router.post(
    "/batch", status_code=status.HTTP_202_ACCEPTED, openapi_extra=body_of(BatchIn, file_field="files", many=True)
)
async def fingerprint_batch(request: Request, response: Response, state: State, caller: Writer) -> TaskStartedOut:
    """Fingerprint many tracks, up to 4 at a time; one that cannot be used does not stop the rest."""
    async with given(request, files=FILES_AT_ONCE, file_field="files") as came:
        values = dict(came.values)
        if came.files and isinstance(values.get("recording_ids"), str):
            values["recording_ids"] = [one for one in values["recording_ids"].split(",") if one]
        body = parsed(BatchIn, values)
        tracks: list[dict[str, Any]] = [{"recording_id": str(one)} for one in dict.fromkeys(body.recording_ids)]
        tracks += [await _upload(state, file, {}) for file in came.files]
    if not tracks:
        raise InputError("give files or recording_ids")
    args = {"profile": body.profile, "tracks": tracks, "max_workers": body.max_workers}
    return await _start(state, response, caller, fingerprint_jobs.BATCH, args, len(tracks))


@router.get("/stats")
async def fingerprint_stats(
    state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_READ)]
) -> FingerprintStatsOut:
    """Tell how well and how fast recognition works for your organisation."""
    now = state.now()

    def make(session: Session) -> FingerprintStatsOut:
        figures = read_figures(session, [caller.organisation_id], now)
        return _stats(figures, count_tasks(session, TASKS, caller.organisation_id, now - STATS_SPAN))

    return await state.threads.read(make)


@router.get("/task/{task_id}")
async def task_status(
    task_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.LIBRARY_READ)]
) -> TaskStatusOut:
    """Tell how one of your tasks goes, and in the end what came of it."""
    return await state.threads.read(
        lambda session: shown_task(inspect.get_task(session, caller.organisation_id, task_id))
    )


def shown_task(row: TaskRow) -> TaskStatusOut:
    """Shape a task for its owner."""
    return TaskStatusOut(
        task_id=row.id,
        task=row.name,
        status=row.status,
        progress=row.progress,
        attempts=row.attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        result=row.result,
        error=row.error,
    )


def status_url(task_id: UUID) -> str:
    """Return where to ask how a task goes."""
    return f"{BASE}/fingerprint/task/{task_id}"


async def _upload(state: ApiState, file: UploadFile, row: dict[str, str]) -> dict[str, Any]:
    uploaded = await keep_upload(state, file, state.now())
    return {"key": uploaded.key, "name": uploaded.name, "row": row}


async def _start(
    state: ApiState, response: Response, caller: Principal, task: str, args: dict[str, Any], tracks: int
) -> TaskStartedOut:
    whose = {"organisation_id": str(caller.organisation_id), "actor": caller.actor.name}

    def make(unit: Unit) -> UUID:
        task_id = state.app.tasks.enqueue(
            unit.session, task, {**args, **whose}, now=state.now(), organisation_id=caller.organisation_id
        )
        assert task_id is not None  # noqa: S101  without a unique key there is always a new one
        return task_id

    task_id = await state.threads.write(make)
    response.headers["Location"] = status_url(task_id)
    return TaskStartedOut(task_id=task_id, task=task, tracks=tracks, status_url=status_url(task_id))


def _stats(figures: Figures, tasks: dict[str, dict[str, int]]) -> FingerprintStatsOut:
    accuracy, capture = figures.accuracy, figures.capture
    return FingerprintStatsOut(
        library=LibraryFigures(**asdict(figures.library)),
        detections=DetectionFigures(**asdict(figures.detected)),
        accuracy=AccuracyFigures(**asdict(accuracy), confirmed_share=accuracy.confirmed_share),
        capture=CaptureFigures(**asdict(capture), success_rate=capture.success_rate),
        caches={name: CacheFigures(**asdict(looks), hit_rate=looks.hit_rate) for name, looks in figures.caches.items()},
        api_usage={name: UsageFigures(**asdict(usage)) for name, usage in figures.usage.items()},
        tasks=tasks,
    )
