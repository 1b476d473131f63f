"""Schedules: rows that enqueue a task each time they are due."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.rows import Schedule, ScheduleRun

DAY_S = 86_400


def declare_schedule(
    session: Session,
    name: str,
    task: str,
    args: dict[str, Any],
    *,
    now: datetime,
    every_s: int,
    daily_at: str | None = None,
) -> None:
    """Create a schedule, or adapt it to changed settings without losing its place or whether it is paused.

    Args:
        session: Of a unit.
        name: Key of the schedule.
        task: Name of a registered task.
        args: Its arguments.
        now: The present; a new schedule is due at once, or at its time of day.
        every_s: Distance between runs in seconds.
        daily_at: `HH:MM` in UTC for daily ones.
    """
    row = session.get(Schedule, name)
    if row is None:
        first = _next_time_of_day(now, daily_at) if daily_at else now
        session.add(
            Schedule(
                name=name, task=task, args=args, every_s=every_s, daily_at=daily_at, is_enabled=True, next_due=first
            )
        )
        return
    if (row.task, row.args, row.every_s, row.daily_at) != (task, args, every_s, daily_at):
        row.task, row.args, row.every_s, row.daily_at = task, args, every_s, daily_at
        row.next_due = min(row.next_due, now + timedelta(seconds=every_s))


def retire_schedules(session: Session, prefix: str, keep: set[str]) -> None:
    """Remove schedules below a prefix that the settings no longer name."""
    for row in session.scalars(select(Schedule).where(Schedule.name.startswith(prefix))):
        if row.name not in keep:
            session.delete(row)


def fire_due(session: Session, registry: Registry, now: datetime) -> int:
    """Enqueue what is due; a schedule that was missed for long fires once, not once per miss."""
    fired = 0
    for row in session.scalars(
        select(Schedule).where(Schedule.is_enabled, Schedule.next_due <= now).with_for_update(skip_locked=True)
    ).all():
        fired += _fire(session, registry, row, now)
    return fired


def _fire(session: Session, registry: Registry, row: Schedule, now: datetime) -> int:
    due = row.next_due
    row.next_due = _next_time_of_day(now, row.daily_at) if row.daily_at else now + timedelta(seconds=row.every_s)
    row.last_run = now
    task_id = registry.enqueue(session, row.task, row.args, now=now, unique_key=f"schedule:{row.name}")
    if task_id is None:
        return 0
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    session.execute(insert(ScheduleRun).values(schedule=row.name, due_at=due, task_id=task_id).on_conflict_do_nothing())
    return 1


def _next_time_of_day(now: datetime, daily_at: str) -> datetime:
    hour, minute = (int(part) for part in daily_at.split(":"))
    candidate = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return candidate if candidate > now else candidate + timedelta(seconds=DAY_S)
