"""The tables of the task system."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

PENDING, RUNNING, DONE, FAILED, CANCELLED = "pending", "running", "done", "failed", "cancelled"


class TaskRow(Row):
    """One unit of work."""

    __tablename__ = "tasks"
    retention = Retention(days=14, age_column="created_at", reason="two weeks are enough to ask what a task did")
    __table_args__ = (
        Index("ix_tasks_claim", "queue", "status", "run_at"),
        Index("ix_tasks_lease", "status", "lease_until"),
        Index(
            "uq_tasks_open_key",
            "unique_key",
            unique=True,
            sqlite_where=text("status IN ('pending', 'running')"),
            postgresql_where=text("status IN ('pending', 'running')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(index=True)
    queue: Mapped[str]
    args: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default=PENDING)
    priority: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    run_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    leased_by: Mapped[str | None]
    unique_key: Mapped[str | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    correlation_id: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Schedule(Row):
    """A task that comes again and again."""

    __tablename__ = "schedules"
    retention = Retention(reason="a row per schedule")

    name: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str]
    args: Mapped[dict[str, Any]]
    every_s: Mapped[int]
    daily_at: Mapped[str | None]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    next_due: Mapped[datetime]
    last_run: Mapped[datetime | None]


class ScheduleRun(Row):
    """That a schedule fired for one due time. The key keeps two schedulers from doubling it."""

    __tablename__ = "schedule_runs"
    retention = Retention(days=30, age_column="due_at", reason="history of what fired")

    schedule: Mapped[str] = mapped_column(ForeignKey("schedules.name", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(Uuid)
