"""The tables of the block list."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

OPEN, GRANTED, DECLINED = "open", "granted", "declined"


class Blocked(Row):
    """An address, a host, or a pattern of addresses that never enters the catalogue."""

    __tablename__ = "blocked"
    retention = Retention(reason="until a moderator lifts it")
    __table_args__ = (UniqueConstraint("kind", "value"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    kind: Mapped[str]  # url, host, pattern
    value: Mapped[str]  # a canonical address; a host, with all below it; a pattern with * and ?
    reason: Mapped[str]
    by: Mapped[str]
    since: Mapped[datetime]


class TakedownRequest(Row):
    """That somebody asked us to leave a stream out, and what became of it."""

    __tablename__ = "takedown_requests"
    retention = Retention(
        days=1_095,
        age_column="at",
        reason="three years: the usual time in which a dispute may come up again",
        personal=True,
        export="airledger.stations.takedown:export_requests",
        delete="airledger.stations.takedown:delete_requests",
    )
    __table_args__ = (Index("ix_takedown_requests_status", "status", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    url: Mapped[str]
    host: Mapped[str]
    whole_host: Mapped[bool]
    reason: Mapped[str]
    contact: Mapped[str]  # a mail address to answer to
    status: Mapped[str] = mapped_column(default=OPEN)
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    answer: Mapped[str | None]
