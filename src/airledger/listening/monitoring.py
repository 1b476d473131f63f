"""How one stream is monitored: the mission's settings of a session, and starting, stopping and looking at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening import wish
from airledger.listening.find_sessions import real_time_factors
from airledger.listening.models import AudioDetection, Coverage, ListeningSession
from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.platform.settings import Settings

DAY = timedelta(days=1)
TAKEN_IN = ("heard", "silent", "looped")


class MonitoringConfig(BaseModel):
    """The mission's StreamMonitoringConfig. Continuous is ours: then nothing between two captures is missed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["continuous", "sampled"] = Field(default="continuous", description="Sampled: tune in now and then.")
    capture_interval_seconds: int = Field(default=30, ge=1, le=86_400, description="Sampled: how often.")
    capture_duration_seconds: int = Field(default=20, ge=1, le=3_600, description="Sampled: how long.")
    overlap_seconds: int = Field(default=5, ge=0, le=3_600, description="By how much windows overlap.")
    max_retry_attempts: int = Field(default=3, ge=0, le=100, description="Of asking outside.")
    confidence_threshold: float = Field(default=0.8, ge=0, le=1, description="What counts as matched.")
    enable_hybrid_detection: bool = Field(default=True, description="Ask outside services about this stream.")
    enable_websocket_broadcast: bool = Field(default=True, description="Tell live clients of its detections.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.mode == "sampled" and self.capture_duration_seconds > self.capture_interval_seconds:
            raise ValueError("capture_duration_seconds must not exceed capture_interval_seconds")
        if self.overlap_seconds >= self.capture_duration_seconds:
            raise ValueError("overlap_seconds must be less than capture_duration_seconds")
        return self

    @classmethod
    def of(cls, settings: Settings, stored: dict[str, Any] | None = None) -> "MonitoringConfig":
        """Put what a session stores over the installation's settings.

        A session stores only what was asked for, so that a changed setting holds for all others. Keys that are no
        setting of monitoring are somebody else's note.

        Raises:
            InputError: Together they contradict each other.
        """
        names = cls.model_fields.keys()
        common = {name: getattr(settings, name) for name in names if name in type(settings).model_fields}
        own = {name: value for name, value in (stored or {}).items() if name in names}
        try:
            return cls(**{**common, **own})
        except ValidationError as error:
            problems = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
            raise InputError(f"these settings of monitoring do not fit together: {problems}") from error


@dataclass(frozen=True)
class MonitoringStatus:
    """How monitoring of a stream goes.

    Attributes:
        capture_success_rate: Share of the last 24 hours that was taken in; None when there was nothing to.
        detections_24h: Detections that began within the last 24 hours.
        last_detection_id: The newest one.
    """

    session: ListeningSession
    config: MonitoringConfig
    real_time_factor: float | None
    capture_success_rate: float | None
    detections_24h: int
    last_detection_id: UUID | None
    last_detection_at: datetime | None


def start_monitoring(
    unit: Unit,
    actor: Actor,
    organisation_id: UUID,
    stream_id: int,
    wanted: dict[str, Any],
    settings: Settings,
    *,
    now: datetime,
) -> UUID:
    """Monitor a stream from now on, with these settings over the installation's; return the session.

    Raises:
        NotFoundError: There is no such stream.
        ConflictError: It is listened to for another organisation.
        InputError: The settings contradict each other.
    """
    held = wish.of_stream(unit.session, stream_id)
    if held is not None and held.organisation_id != organisation_id:
        raise ConflictError("this stream is listened to for another organisation of this installation")
    MonitoringConfig.of(settings, wanted)
    session_id = wish.start(unit, actor, organisation_id, stream_id, now)
    row = unit.session.get_one(ListeningSession, session_id)
    rest = {name: value for name, value in row.config.items() if name not in MonitoringConfig.model_fields}
    if row.config != {**rest, **wanted}:
        row.config = {**rest, **wanted}
        record_change(unit, actor, "configured", "listening_session", session_id, wanted, at=now)
    return session_id


def stop_monitoring(unit: Unit, actor: Actor, organisation_id: UUID, stream_id: int, *, now: datetime) -> UUID:
    """Stop monitoring a stream until it is started again; return the session.

    Raises:
        NotFoundError: The organisation does not monitor it.
    """
    row = _of(unit.session, organisation_id, stream_id)
    wish.stop(unit, actor, stream_id, now)
    return row.session_id


def monitoring_status(
    session: Session, organisation_id: UUID, stream_id: int, settings: Settings, now: datetime
) -> MonitoringStatus:
    """Tell how monitoring of a stream goes.

    Raises:
        NotFoundError: The organisation never monitored it.
    """
    row = _of(session, organisation_id, stream_id)
    mine = (AudioDetection.stream_id == stream_id, AudioDetection.organisation_id == organisation_id)
    newest = session.execute(
        select(AudioDetection.detection_id, AudioDetection.started_at)
        .where(*mine)
        .order_by(AudioDetection.started_at.desc())
        .limit(1)
    ).first()
    recent = select(func.count()).select_from(AudioDetection).where(*mine, AudioDetection.started_at >= now - DAY)
    return MonitoringStatus(
        session=row,
        config=MonitoringConfig.of(settings, row.config),
        real_time_factor=real_time_factors(session, now).get(row.session_id),
        capture_success_rate=_success_rate(session, row.session_id, stream_id, now),
        detections_24h=session.scalar(recent) or 0,
        last_detection_id=newest.detection_id if newest else None,
        last_detection_at=newest.started_at if newest else None,
    )


def _of(session: Session, organisation_id: UUID, stream_id: int) -> ListeningSession:
    row = wish.of_stream(session, stream_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"nobody of yours listens to stream {stream_id}")
    return row


def _success_rate(session: Session, session_id: UUID, stream_id: int, now: datetime) -> float | None:
    rows = session.execute(
        select(Coverage.kind, Coverage.started_at, Coverage.ended_at).where(
            Coverage.stream_id == stream_id, Coverage.session_id == session_id, Coverage.ended_at > now - DAY
        )
    )
    spans = {True: 0.0, False: 0.0}
    for kind, started_at, ended_at in rows:
        spans[kind in TAKEN_IN] += max(0.0, (min(ended_at, now) - max(started_at, now - DAY)).total_seconds())
    whole_s = spans[True] + spans[False]
    return round(spans[True] / whole_s, 4) if whole_s else None
