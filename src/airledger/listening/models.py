"""Live sessions and what was heard in them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

BigId = BigInteger().with_variant(Integer, "sqlite")

TENTATIVE, ACTIVE, HOLD, CLOSED = "tentative", "active", "hold", "closed"


class ListeningSession(Row):
    """That a stream is listened to: the wish, the lease of the listener that does it, and how it goes."""

    __tablename__ = "listening_sessions"
    retention = Retention(reason="a row per stream listened to")
    __table_args__ = (Index("ix_listening_sessions_lease", "is_wanted", "lease_until"),)

    session_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), unique=True)
    is_wanted: Mapped[bool] = mapped_column(default=True)
    is_manual: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str]  # waiting, connecting, listening, reconnecting, stopped
    listener: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    last_sound_at: Mapped[datetime | None]
    windows: Mapped[int] = mapped_column(default=0)
    matched: Mapped[int] = mapped_column(default=0)
    reconnects: Mapped[int] = mapped_column(default=0)
    last_speed: Mapped[float | None]
    error: Mapped[str | None]
    config: Mapped[dict[str, Any]]


class AudioDetection(Row):
    """A run of windows at one alignment, updated in place. The mission's AudioDetection."""

    __tablename__ = "audio_detections"
    retention = Retention(reason="plays are rebuilt from detections; money refers to them")
    __table_args__ = (
        Index("ix_audio_detections_station", "stream_id", "started_at"),
        Index("ix_audio_detections_open", "processing_status"),
    )

    detection_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    session_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"))
    recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recordings.id"), index=True)
    detection_source: Mapped[str]  # local, acrcloud, hybrid
    confidence_score: Mapped[float]
    processing_status: Mapped[str]  # active, hold, closed
    isrc: Mapped[str | None]
    pro_affiliation: Mapped[str | None]
    audio_fingerprint: Mapped[str | None]  # key of the stored peaks of the best window
    fingerprint_version: Mapped[str | None]
    processing_time_ms: Mapped[int | None]
    retry_count: Mapped[int] = mapped_column(default=0)
    acrcloud_response: Mapped[dict[str, Any] | None]
    external_metadata: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime]  # when the first audible sample was aired
    ended_at: Mapped[datetime]
    reference_start_ms: Mapped[int]
    reference_end_ms: Mapped[int]
    alignment_s: Mapped[float]  # air time of the reference's first sample, seconds since 1970
    speed: Mapped[float] = mapped_column(default=1.0)
    windows: Mapped[int]
    segments: Mapped[int] = mapped_column(default=1)
    is_partial: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=0)


class Coverage(Row):
    """A stretch of time of one stream: heard, or not, and why."""

    __tablename__ = "coverage"
    retention = Retention(reason="what was not heard cannot be paid or disputed without it")
    __table_args__ = (Index("ix_coverage_stream", "stream_id", "started_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str]  # heard, gap, silent
    cause: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
