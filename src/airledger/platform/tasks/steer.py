"""Looking at schedules, when they ran and what came of it; pausing, resuming, and running them by hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.rows import Schedule, ScheduleRun, TaskRow


@dataclass(frozen=True, slots=True)
class LastRun:
    """What came of a schedule's last run.

    Attributes:
        status: `pending`, `running`, `done`, `failed` or `cancelled`.
        seconds: From its start to its end; None until it has ended.
        result: What the task returned.
    """

    task_id: UUID
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    error: str | None
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule, and its last run where its task is still kept."""

    name: str
    task: str
    every_s: int
    daily_at: str | None
    next_due: datetime
    last_run: datetime | None
    enabled: bool
    last: LastRun | None


def list_schedules(session: Session, name: str | None = None) -> list[ScheduleView]:
    """List all schedules by name, or the one of a name, in two queries.

    Raises:
        NotFoundError: There is no schedule of that name.
    """
    query = select(Schedule).order_by(Schedule.name)
    rows = session.scalars(query if name is None else query.where(Schedule.name == name)).all()
    if name is not None and not rows:
        raise NotFoundError(f"there is no schedule {name[:80]!r}: see `airledger schedule list`")
    latest = select(ScheduleRun.schedule, func.max(ScheduleRun.due_at).label("due_at")).group_by(ScheduleRun.schedule)
    newest = latest.subquery()
    runs = session.execute(
        select(ScheduleRun.schedule, TaskRow)
        .join(newest, (ScheduleRun.schedule == newest.c.schedule) & (ScheduleRun.due_at == newest.c.due_at))
        .join(TaskRow, TaskRow.id == ScheduleRun.task_id)
    )
    last = {row.schedule: _last_run(row.TaskRow) for row in runs}
    return [
        ScheduleView(
            row.name,
            row.task,
            row.every_s,
            row.daily_at,
            row.next_due,
            row.last_run,
            row.is_enabled,
            last.get(row.name),
        )
        for row in rows
    ]


def change_schedule(
    unit: Unit, actor: Actor, name: str, *, is_enabled: bool | None, next_due: datetime | None, now: datetime
) -> None:
    """Pause or resume a schedule, or set when it runs next; what is None stays.

    Raises:
        NotFoundError: There is no such schedule.
    """
    row = _schedule(unit, name)
    if is_enabled is not None:
        row.is_enabled = is_enabled
    if next_due is not None:
        row.next_due = next_due
    change = {"is_enabled": row.is_enabled, "next_due": row.next_due.isoformat()}
    record_change(unit, actor, "changed", "schedule", name, change, at=now)
    unit.session.flush()


def run_schedule(unit: Unit, registry: Registry, actor: Actor, name: str, *, now: datetime) -> UUID:
    """Have a schedule's task done now, whether it is paused or not; when it is due next stays.

    Raises:
        NotFoundError: There is no such schedule.
        ConflictError: Its task waits or runs already.
    """
    row = _schedule(unit, name)
    task_id = registry.enqueue(unit.session, row.task, row.args, now=now, unique_key=f"schedule:{row.name}")
    if task_id is None:
        raise ConflictError(f"the task of {name[:80]!r} waits or runs already")
    row.last_run = now
    unit.session.add(ScheduleRun(schedule=row.name, due_at=now, task_id=task_id))
    record_change(unit, actor, "ran", "schedule", name, {"task_id": str(task_id)}, at=now)
    return task_id


def _schedule(unit: Unit, name: str) -> Schedule:
    row = unit.session.get(Schedule, name)
    if row is None:
        raise NotFoundError(f"there is no schedule {name[:80]!r}: see `airledger schedule list`")
    return row


def _last_run(task: TaskRow) -> LastRun:
    seconds = None
    if task.started_at is not None and task.finished_at is not None:
        seconds = (task.finished_at - task.started_at).total_seconds()
    return LastRun(task.id, task.status, task.started_at, task.finished_at, seconds, task.error, task.result)
