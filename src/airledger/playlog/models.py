"""Finished and running plays."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row


class PlayLog(Row):
    """A whole play of a recording on a station: the mission's PlayLog. Its id is that of its detection."""

    __tablename__ = "play_logs"
    retention = Retention(reason="money is paid by it; archived, never lost")
    __table_args__ = (
        Index("ix_play_logs_station", "stream_id", "started_at"),
        Index("ix_play_logs_recent", "organisation_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    audio_detection_id: Mapped[UUID] = mapped_column(ForeignKey("audio_detections.detection_id"), unique=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"))
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    duration_ms: Mapped[int]
    status: Mapped[str]  # playing, finished
    is_short_use: Mapped[bool] = mapped_column(default=False)
    is_partial: Mapped[bool] = mapped_column(default=False)
    confidence_score: Mapped[float]
    detection_source: Mapped[str]
    speed: Mapped[float] = mapped_column(default=1.0)
    revision: Mapped[int] = mapped_column(default=0)
