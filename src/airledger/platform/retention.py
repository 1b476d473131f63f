"""Deleting what each table no longer has to keep, in chunks that hold the lock for a blink."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import Table, delete, select, tuple_

from airledger.platform.db import Database, Retention, Row
from airledger.platform.logging import logger

LOCK_GOAL_S = 0.04  # well below the 100 ms that a chunk may hold the lock, since one chunk measures for the next
FIRST_CHUNK = 200
LARGEST_CHUNK = 5_000
PAUSE_S = 0.01

log = logger(__name__)


def declared() -> Iterator[tuple[type[Row], Retention]]:
    """List all tables with what they declare."""
    for mapper in sorted(Row.registry.mappers, key=lambda mapper: mapper.class_.__tablename__):
        yield mapper.class_, mapper.class_.retention


def delete_expired(
    database: Database,
    now: datetime,
    *,
    stopping: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, int]:
    """Delete rows older than their table keeps; others can write between two chunks.

    Args:
        database: Whose rows.
        now: The present.
        stopping: Asked between chunks; what is left waits for the next night.
        pause: Lets others write between two chunks.

    Returns:
        How many rows were deleted, by table.
    """
    deleted: dict[str, int] = {}
    for row_class, retention in declared():
        if retention.days is None or retention.age_column is None:
            continue
        before = _may_go_before(database, retention, now - timedelta(days=retention.days))
        if before is None:
            continue
        count = _delete_older(database, row_class.__table__, retention.age_column, before, stopping, pause)
        if count:
            deleted[row_class.__tablename__] = count
            log.info("expired_rows_deleted", table=row_class.__tablename__, rows=count)
    return deleted


def _may_go_before(database: Database, retention: Retention, before: datetime) -> datetime | None:
    """Return up to when rows may be deleted, given their age alone; None for not at all."""
    if retention.not_after is None:
        return before
    module, name = retention.not_after.split(":")
    with database.read() as session:
        ready: datetime | None = getattr(import_module(module), name)(session)
    return min(before, ready) if ready is not None else None


def _delete_older(
    database: Database,
    table: Any,
    age_column: str,
    before: datetime,
    stopping: Callable[[], bool],
    pause: Callable[[float], None],
) -> int:
    total, chunk = 0, FIRST_CHUNK
    while not stopping():
        begun = time.perf_counter()
        count = _delete_chunk(database, table, age_column, before, chunk)
        total += count
        if count < chunk:
            break
        chunk = next_chunk(chunk, time.perf_counter() - begun)
        pause(PAUSE_S)
    return total


def _delete_chunk(database: Database, table: Table, age_column: str, before: datetime, chunk: int) -> int:
    keys = list(table.primary_key.columns)
    oldest = select(*keys).where(table.c[age_column] < before).limit(chunk)
    which = keys[0].in_(oldest) if len(keys) == 1 else tuple_(*keys).in_(oldest)
    with database.unit() as unit:
        gone = unit.session.execute(delete(table).where(which).returning(keys[0]))
        return len(gone.all())


def next_chunk(chunk: int, seconds: float) -> int:
    """Return how many rows the next chunk may take, this one having held the lock for so long."""
    fitting = chunk * LOCK_GOAL_S / max(seconds, 1e-4)
    return max(1, min(LARGEST_CHUNK, chunk * 2, int(fitting)))
