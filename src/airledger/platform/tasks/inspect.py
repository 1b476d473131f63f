"""Looking at tasks, and steering them by hand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from airledger.platform.audit import Actor, record_change
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.platform.tasks.queue import cancel
from airledger.platform.tasks.rows import TaskRow

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks: those of an organisation, and the installation's own (which belong to none)."""

    organisation_id: UUID
    status: str | None = None
    queue: str | None = None


def find_tasks(
    session: Session, wanted: TaskFilter, *, limit: int = 100, cursor: str | None = None
) -> tuple[list[TaskRow], str | None]:
    """List tasks, newest first, and the cursor of the next page.

    Raises:
        InputError: The limit or the cursor cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}")
    query = select(TaskRow).where(_is_visible(wanted.organisation_id))
    if wanted.status:
        query = query.where(TaskRow.status == wanted.status)
    if wanted.queue:
        query = query.where(TaskRow.queue == wanted.queue)
    if cursor is not None:
        created_at, task_id = decode_place(cursor)
        older = TaskRow.created_at < created_at
        query = query.where(or_(older, (TaskRow.created_at == created_at) & (TaskRow.id < task_id)))
    rows = list(session.scalars(query.order_by(TaskRow.created_at.desc(), TaskRow.id.desc()).limit(limit + 1)))
    return rows[:limit], encode_place(rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None


def get_task(session: Session, organisation_id: UUID, task_id: UUID) -> TaskRow:
    """Fetch one task that an organisation may see.

    Raises:
        NotFoundError: There is no such task of theirs.
    """
    row = session.scalar(select(TaskRow).where(TaskRow.id == task_id, TaskRow.organisation_id == organisation_id))
    if row is None:
        raise NotFoundError(f"there is no task {task_id} of yours")
    return row


def cancel_task(unit: Unit, actor: Actor, organisation_id: UUID, task_id: UUID, *, now: datetime) -> None:
    """Cancel a task that has not begun.

    Raises:
        NotFoundError: There is no such task.
        ConflictError: It runs, or is over.
    """
    row = unit.session.scalar(select(TaskRow).where(TaskRow.id == task_id, _is_visible(organisation_id)))
    if row is None:
        raise NotFoundError("there is no such task")
    if not cancel(unit.session, task_id, now):
        raise ConflictError(f"the task is {row.status}: only one that waits can be cancelled")
    record_change(unit, actor, "cancelled", "task", task_id, {"name": row.name}, at=now)


def _is_visible(organisation_id: UUID) -> ColumnElement[bool]:
    return or_(TaskRow.organisation_id.is_(None), TaskRow.organisation_id == organisation_id)
