"""Enqueue, claim, keep, finish: the life of a task row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.logging import correlation_id
from airledger.platform.tasks.rows import CANCELLED, DONE, FAILED, PENDING, RUNNING, TaskRow

LEASE_S = 60
RETRY_BASE_S = 5
RETRY_LIMIT_S = 900
ERROR_LIMIT = 4_000


@dataclass(frozen=True)
class Claimed:
    """A task that this worker holds now."""

    id: UUID
    name: str
    args: dict[str, Any]
    attempts: int
    max_attempts: int
    correlation_id: str | None
    organisation_id: UUID | None


def add_task(
    session: Session,
    name: str,
    queue: str,
    args: dict[str, Any],
    *,
    now: datetime,
    run_at: datetime | None = None,
    unique_key: str | None = None,
    priority: int = 0,
    max_attempts: int = 3,
    organisation_id: UUID | None = None,
) -> UUID | None:
    """Write a task row; None when an open task with the same unique key exists already."""
    row = {
        "id": uuid4(),
        "name": name,
        "queue": queue,
        "args": args,
        "status": PENDING,
        "priority": priority,
        "attempts": 0,
        "max_attempts": max_attempts,
        "run_at": run_at or now,
        "unique_key": unique_key,
        "progress": 0.0,
        "organisation_id": organisation_id,
        "correlation_id": correlation_id(),
        "created_at": now,
    }
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    added = session.execute(insert(TaskRow).values(row).on_conflict_do_nothing().returning(TaskRow.id))
    return added.scalar_one_or_none()


def claim(session: Session, queues: list[str], holder: str, now: datetime, *, limit: int = 1) -> list[Claimed]:
    """Lease the next tasks of some queues, the most urgent and oldest first."""
    due = (
        select(TaskRow.id)
        .where(TaskRow.queue.in_(queues), TaskRow.status == PENDING, TaskRow.run_at <= now)
        .order_by(TaskRow.priority.desc(), TaskRow.run_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
        # PostgreSQL may run a plain subquery once per row, and each run would skip what the last one locked: more
        # tasks than the limit would be claimed.
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return _lease(session, TaskRow.id.in_(select(due.c.id)), holder, now)


def has_due(session: Session, queue: str, now: datetime) -> bool:
    """Tell whether a queue has work: cheaper than a claim, which takes SQLite's one write lock."""
    due = select(TaskRow.id).where(TaskRow.queue == queue, TaskRow.status == PENDING, TaskRow.run_at <= now)
    return session.scalar(due.limit(1)) is not None


def claim_one(session: Session, task_id: UUID, holder: str, now: datetime) -> Claimed | None:
    """Lease a certain task, as a Celery message names it; None when somebody else has it or had it."""
    found = _lease(
        session, (TaskRow.id == task_id) & (TaskRow.status == PENDING) & (TaskRow.run_at <= now), holder, now
    )
    return found[0] if found else None


def _lease(session: Session, which: Any, holder: str, now: datetime) -> list[Claimed]:
    rows = session.execute(
        update(TaskRow)
        .where(which, TaskRow.status == PENDING)
        .values(
            status=RUNNING,
            leased_by=holder,
            lease_until=now + timedelta(seconds=LEASE_S),
            attempts=TaskRow.attempts + 1,
            started_at=func.coalesce(TaskRow.started_at, now),
        )
        .returning(
            TaskRow.id,
            TaskRow.name,
            TaskRow.args,
            TaskRow.attempts,
            TaskRow.max_attempts,
            TaskRow.correlation_id,
            TaskRow.organisation_id,
        )
        .execution_options(synchronize_session=False)
    )
    return [Claimed(*row) for row in rows]


def keep(session: Session, ids: list[UUID], holder: str, now: datetime) -> list[UUID]:
    """Renew leases; return those that are still this holder's."""
    kept = session.execute(
        update(TaskRow)
        .where(TaskRow.id.in_(ids), TaskRow.leased_by == holder, TaskRow.status == RUNNING)
        .values(lease_until=now + timedelta(seconds=LEASE_S))
        .returning(TaskRow.id)
        .execution_options(synchronize_session=False)
    )
    return list(kept.scalars())


def finish(session: Session, task: Claimed, holder: str, now: datetime, result: dict[str, Any] | None) -> bool:
    """Mark a task done; False when its lease was lost meanwhile."""
    return _close(session, task.id, holder, status=DONE, finished_at=now, result=result, progress=1.0, error=None)


def fail(session: Session, task: Claimed, holder: str, now: datetime, error: str, *, permanent: bool) -> bool:
    """Mark an attempt failed: tried again later with growing distance, unless that is pointless."""
    if permanent or task.attempts >= task.max_attempts:
        return _close(session, task.id, holder, status=FAILED, finished_at=now, error=error[:ERROR_LIMIT])
    wait_s = min(RETRY_BASE_S * 4 ** (task.attempts - 1), RETRY_LIMIT_S)
    return _close(
        session, task.id, holder, status=PENDING, run_at=now + timedelta(seconds=wait_s), error=error[:ERROR_LIMIT]
    )


def hand_back(session: Session, task: Claimed, holder: str, now: datetime) -> bool:
    """Return an unfinished task at shutdown; the attempt does not count."""
    return _close(session, task.id, holder, status=PENDING, run_at=now, attempts=task.attempts - 1)


def _close(session: Session, task_id: UUID, holder: str, **values: Any) -> bool:
    closed = session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.leased_by == holder, TaskRow.status == RUNNING)
        .values(leased_by=None, lease_until=None, **values)
        .returning(TaskRow.id)
        .execution_options(synchronize_session=False)
    )
    return closed.first() is not None


def cancel(session: Session, task_id: UUID, now: datetime) -> bool:
    """Cancel a task that has not begun."""
    cancelled = session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.status == PENDING)
        .values(status=CANCELLED, finished_at=now)
        .returning(TaskRow.id)
        .execution_options(synchronize_session=False)
    )
    return cancelled.first() is not None


def set_progress(session: Session, task_id: UUID, holder: str, progress: float) -> None:
    """Tell how far a running task has come, 0 to 1."""
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.leased_by == holder)
        .values(progress=min(max(progress, 0.0), 1.0))
        .execution_options(synchronize_session=False)
    )


def sweep(session: Session, now: datetime) -> int:
    """Put tasks of dead workers back in their queue, or fail those that have used up their attempts."""
    lost = (TaskRow.status == RUNNING, TaskRow.lease_until < now)
    session.execute(
        update(TaskRow)
        .where(*lost, TaskRow.attempts >= TaskRow.max_attempts)
        .values(status=FAILED, leased_by=None, lease_until=None, finished_at=now, error="the worker died each time")
        .execution_options(synchronize_session=False)
    )
    back = session.execute(
        update(TaskRow)
        .where(*lost)
        .values(status=PENDING, leased_by=None, lease_until=None, run_at=now)
        .returning(TaskRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(list(back))


def queue_depths(session: Session) -> dict[tuple[str, str], int]:
    """Count open and recent tasks by (queue, status)."""
    rows = session.execute(select(TaskRow.queue, TaskRow.status, func.count()).group_by(TaskRow.queue, TaskRow.status))
    return {(queue, status): count for queue, status, count in rows}
