"""What the index holds, as rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row


class Fingerprint(Row):
    """That a recording is enrolled: its number in the index, and the peaks from which the index can be made again."""

    __tablename__ = "fingerprints"
    retention = Retention(reason="as long as the recording")
    __table_args__ = ({"sqlite_autoincrement": True},)  # a number is never given twice

    track: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), unique=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    engine_version: Mapped[str]
    params_hash: Mapped[str]
    peaks_key: Mapped[str]  # object in storage: the peaks, from which any index can be rebuilt
    duration_ms: Mapped[int]
    audible_from_ms: Mapped[int]  # where the recording begins and ends to the ear
    audible_to_ms: Mapped[int]
    quality: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
