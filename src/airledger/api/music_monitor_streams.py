"""The mission's monitoring of streams: start it with its settings, stop it, see how it goes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.listening.monitoring import (
    MonitoringConfig,
    MonitoringStatus,
    monitoring_status,
    start_monitoring,
    stop_monitoring,
)
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.db import Unit

router = APIRouter(prefix="/api/music-monitor/streams", tags=["music-monitor"])
Writer = Annotated[Principal, allow(Scope.SESSIONS_WRITE)]
Reader = Annotated[Principal, allow(Scope.PLAYS_READ)]


class MonitoringIn(BaseModel):
    """Settings of this stream's monitoring; what is left out is as the installation's settings say."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["continuous", "sampled"] | None = None
    capture_interval_seconds: int | None = Field(default=None, ge=1, le=86_400)
    capture_duration_seconds: int | None = Field(default=None, ge=1, le=3_600)
    overlap_seconds: int | None = Field(default=None, ge=0, le=3_600)
    max_retry_attempts: int | None = Field(default=None, ge=0, le=100)
    confidence_threshold: float | None = Field(default=None, ge=0, le=1)
    enable_hybrid_detection: bool | None = None
    enable_websocket_broadcast: bool | None = None

    def wanted(self) -> dict[str, Any]:
        """Return what was asked for."""
        return self.model_dump(exclude_none=True)


class MonitoringOut(BaseModel):
    """How monitoring of a stream goes."""

    session_id: UUID
    stream_id: int
    is_monitored: bool
    status: str = Field(description="waiting, connecting, listening, reconnecting or stopped.")
    config: MonitoringConfig = Field(description="In force: the session's own over the installation's.")
    started_at: datetime | None
    last_sound_at: datetime | None
    real_time_factor: float | None
    capture_success_rate: float | None = Field(description="Share of the last 24 hours that was taken in.")
    windows: int
    matched: int
    reconnects: int
    detections_24h: int
    last_detection_id: UUID | None
    last_detection_at: datetime | None
    listener: str | None
    error: str | None


class MonitoringStartedOut(BaseModel):
    """The session that monitors a stream."""

    session_id: UUID
    stream_id: int
    config: MonitoringConfig


class MonitoringStoppedOut(BaseModel):
    """The session that is over."""

    session_id: UUID
    stream_id: int


@router.post("/{stream_id}/start", status_code=status.HTTP_202_ACCEPTED)
async def start(
    stream_id: StreamId, state: State, caller: Writer, body: MonitoringIn | None = None
) -> MonitoringStartedOut:
    """Monitor a stream from now on; started again with other settings, they hold from now on."""
    wanted, settings = (body or MonitoringIn()).wanted(), state.app.settings

    def make(unit: Unit) -> UUID:
        return start_monitoring(
            unit, caller.actor, caller.organisation_id, stream_id, wanted, settings, now=state.now()
        )

    session_id = await state.threads.write(make)
    config = MonitoringConfig.of(settings, wanted)
    return MonitoringStartedOut(session_id=session_id, stream_id=stream_id, config=config)


@router.post("/{stream_id}/stop")
async def stop(stream_id: StreamId, state: State, caller: Writer) -> MonitoringStoppedOut:
    """Stop monitoring a stream until it is started again."""
    session_id = await state.threads.write(
        lambda unit: stop_monitoring(unit, caller.actor, caller.organisation_id, stream_id, now=state.now())
    )
    return MonitoringStoppedOut(session_id=session_id, stream_id=stream_id)


@router.get("/{stream_id}/status")
async def show_status(stream_id: StreamId, state: State, caller: Reader) -> MonitoringOut:
    """Tell how monitoring of a stream goes."""

    def make(session: Session) -> MonitoringOut:
        return _shown(monitoring_status(session, caller.organisation_id, stream_id, state.app.settings, state.now()))

    return await state.threads.read(make)


def _shown(it: MonitoringStatus) -> MonitoringOut:
    row = it.session
    return MonitoringOut(
        session_id=row.session_id,
        stream_id=row.stream_id,
        is_monitored=row.is_wanted,
        status=row.status,
        config=it.config,
        started_at=row.started_at,
        last_sound_at=row.last_sound_at,
        real_time_factor=it.real_time_factor,
        capture_success_rate=it.capture_success_rate,
        windows=row.windows,
        matched=row.matched,
        reconnects=row.reconnects,
        detections_24h=it.detections_24h,
        last_detection_id=it.last_detection_id,
        last_detection_at=it.last_detection_at,
        listener=row.listener,
        error=row.error,
    )
