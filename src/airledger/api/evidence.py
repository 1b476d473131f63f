"""Detections, and the sound that is kept as evidence of each."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.byte_range import answer_part
from airledger.api.given import Id, Moment
from airledger.api.paging import next_link
from airledger.api.state import State
from airledger.listening import evidence
from airledger.listening.find_detections import (
    MAX_LIMIT,
    DetectionFilter,
    DetectionView,
    find_detection,
    find_detections,
)
from airledger.listening.models import EvidenceClip
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit

ONE = "/api/v1/detections/{detection_id}"
MISSION_ONE = "/api/music-monitor/detections/{detection_id}"

router = APIRouter(tags=["detections"])
Reader = Annotated[Principal, allow(Scope.PLAYS_READ)]


class EvidenceOut(BaseModel):
    """The sound that is kept of a detection."""

    detection_id: UUID
    audio: str = Field(description="Path of the sound itself.")
    media_type: str
    sha256: str = Field(description="Of the file, written with it and checked whenever it is served.")
    bytes: int
    started_at: datetime = Field(description="When the clip's first sample was aired.")
    duration_ms: int
    score: float = Field(description="How sure recognition was of this window.")
    created_at: datetime


class DetectionOut(BaseModel):
    """A run of windows at one alignment: the mission's AudioDetection."""

    detection_id: UUID
    session_id: UUID
    station_id: int | None
    stream_id: int
    station_name: str | None
    recording_id: UUID | None
    title: str | None
    artist: str | None
    detection_source: str = Field(description="local, acrcloud, hybrid, or another outside service.")
    confidence_score: float
    processing_status: str = Field(description="active, hold or closed.")
    isrc: str | None
    pro_affiliation: str | None
    audio_fingerprint: str | None = Field(description="Key of the kept peaks of the best window.")
    fingerprint_version: str | None
    processing_time_ms: int | None
    retry_count: int
    started_at: datetime
    ended_at: datetime
    reference_start_ms: int
    reference_end_ms: int
    speed: float
    windows: int
    segments: int
    is_partial: bool
    evidence: EvidenceOut | None


class DetectionWholeOut(DetectionOut):
    """A detection with what outside services said of it."""

    acrcloud_response: dict[str, Any] | None
    external_metadata: dict[str, Any] | None


@router.get("/api/v1/detections")
@router.get("/api/music-monitor/detections")
async def list_detections(
    request: Request,
    response: Response,
    state: State,
    caller: Reader,
    stream_id: Id | None = None,
    station_id: Id | None = None,
    recording_id: UUID | None = None,
    session_id: UUID | None = None,
    source: Annotated[Literal["local", "acrcloud", "audd", "hybrid"] | None, Query()] = None,
    processing_status: Annotated[Literal["active", "hold", "closed"] | None, Query()] = None,
    since: Moment | None = None,
    until: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> list[DetectionOut]:
    """List your organisation's detections, newest first, each with the sound that is kept of it."""
    wanted = DetectionFilter(
        stream_id=stream_id, station_id=station_id, recording_id=recording_id, session_id=session_id,
        source=source, status=processing_status, since=since, until=until,
    )  # fmt: skip

    def make(session: Session) -> tuple[list[DetectionOut], str | None]:
        views, following = find_detections(session, caller.organisation_id, wanted, limit=limit, cursor=cursor)
        return [DetectionOut(**_detection(view)) for view in views], following

    detections, following = await state.threads.read(make)
    response.headers.update(dict(next_link(request, following)))
    return detections


@router.get(ONE)
@router.get(MISSION_ONE)
async def get_detection(detection_id: UUID, state: State, caller: Reader) -> DetectionWholeOut:
    """Return one detection, with what outside services said of it."""

    def make(session: Session) -> DetectionWholeOut:
        view = find_detection(session, caller.organisation_id, detection_id)
        return DetectionWholeOut(
            **_detection(view),
            acrcloud_response=view.detection.acrcloud_response,
            external_metadata=view.detection.external_metadata,
        )

    return await state.threads.read(make)


@router.get(f"{ONE}/evidence")
@router.get(f"{MISSION_ONE}/evidence")
async def get_evidence(detection_id: UUID, state: State, caller: Reader) -> EvidenceOut:
    """Tell what is kept as evidence of a detection."""
    return await state.threads.read(
        lambda session: _evidence(evidence.find_clip(session, caller.organisation_id, detection_id))
    )


@router.get(
    f"{ONE}/evidence/audio",
    response_class=Response,
    responses={200: {"content": {"audio/flac": {}}}, 206: {"content": {"audio/flac": {}}}},
)
@router.get(
    f"{MISSION_ONE}/evidence/audio",
    response_class=Response,
    responses={200: {"content": {"audio/flac": {}}}, 206: {"content": {"audio/flac": {}}}},
)
async def get_sound(detection_id: UUID, request: Request, state: State, caller: Reader) -> Response:
    """Give the sound itself, once its hash was found right; ranges are served."""
    clip = await state.threads.read(lambda session: evidence.find_clip(session, caller.organisation_id, detection_id))
    sound = await state.threads.disk(lambda: evidence.read_sound(state.app.storage, clip))
    named = f'inline; filename="{detection_id}.flac"'
    headers = {"Cache-Control": "private, max-age=86400", "Content-Disposition": named}
    return answer_part(request, sound, media_type=clip.media_type, etag=clip.sha256, headers=headers)


@router.delete(f"{ONE}/evidence", status_code=status.HTTP_204_NO_CONTENT)
async def delete_evidence(
    detection_id: UUID, state: State, caller: Annotated[Principal, allow(Scope.ACCOUNTS_ADMIN)]
) -> None:
    """Delete the sound of a detection before its time, as when somebody who speaks in it asks for it."""

    def make(unit: Unit) -> None:
        clip = evidence.find_clip(unit.session, caller.organisation_id, detection_id)
        evidence.delete_clip(unit, state.app.storage, caller.actor, clip, now=state.now())

    await state.threads.write(make)


def _detection(view: DetectionView) -> dict[str, Any]:
    row = view.detection
    names = set(DetectionOut.model_fields) - {"station_name", "title", "artist", "evidence"}
    return {
        **{name: getattr(row, name) for name in names},
        "station_name": view.station_name,
        "title": view.title,
        "artist": view.artist,
        "evidence": _evidence(view.clip) if view.clip else None,
    }


def _evidence(clip: EvidenceClip) -> EvidenceOut:
    return EvidenceOut(
        detection_id=clip.detection_id,
        audio=f"/api/v1/detections/{clip.detection_id}/evidence/audio",
        media_type=clip.media_type,
        sha256=clip.sha256,
        bytes=clip.bytes,
        started_at=clip.started_at,
        duration_ms=clip.duration_ms,
        score=clip.score,
        created_at=clip.created_at,
    )
