"""The table of submissions that wait for a moderator, and of those that had their answer."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.stations.models import BigId

PENDING, ACCEPTED, REFUSED = "pending", "accepted", "refused"


class Submission(Row):
    """A stream that somebody wants in the catalogue."""

    __tablename__ = "submissions"
    retention = Retention(days=365, age_column="created_at", reason="a year, so that what was refused stays refused")
    __table_args__ = (
        Index("ix_submissions_waiting", "status", "created_at", "id"),
        Index("ix_submissions_by", "submitted_by", "status"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    url: Mapped[str]
    url_key: Mapped[str] = mapped_column(unique=True)
    fields: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default=PENDING)
    submitted_by: Mapped[str]  # an account of ours
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    stream_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("streams.id", ondelete="SET NULL"))
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
