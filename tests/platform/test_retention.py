"""Every table says what it keeps; what is older is deleted in chunks that let others write."""

import importlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from airledger.platform.db import Database, Retention, Row, UtcDateTime
from airledger.platform.events import EventCursor, EventRow
from airledger.platform.retention import LARGEST_CHUNK, LOCK_GOAL_S, declared, delete_expired, next_chunk
from airledger.platform.tasks.queue import add_task
from airledger.platform.tasks.rows import Schedule, ScheduleRun, TaskRow
from airledger.stations.models import Crawl

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("table", "retention"), list(declared()), ids=lambda one: getattr(one, "__tablename__", ""))
def test_every_table_declares_what_it_keeps_and_how_a_person_is_answered(
    table: type[Row], retention: Retention
) -> None:
    assert "retention" in vars(table), "a table states its own"
    assert retention.reason
    assert (retention.days is None) == (retention.age_column is None)
    if retention.age_column:
        assert isinstance(table.__table__.c[retention.age_column].type, UtcDateTime)
    if retention.personal:
        for verb in (retention.export, retention.delete):
            assert verb is not None
            module, name = verb.split(":")
            assert callable(getattr(importlib.import_module(module), name))


def test_all_tables_are_declared() -> None:
    assert {one.__tablename__ for one, _ in declared()} == set(Row.metadata.tables)


def fill(database: Database, count: int) -> None:
    with database.unit() as unit:
        for number in range(count):
            at = NOW - timedelta(days=31 if number % 2 else 29)
            unit.session.add(EventRow(type="t", at=at, payload={"number": number}))
        add_task(unit.session, "old", "default", {}, now=NOW - timedelta(days=15))
        add_task(unit.session, "new", "default", {}, now=NOW - timedelta(days=13))
        unit.session.add(Schedule(name="s", task="t", args={}, every_s=1, next_due=NOW))
        unit.session.flush()
        for days in (10, 31, 40):
            due = NOW - timedelta(days=days)
            unit.session.add(
                ScheduleRun(schedule="s", due_at=due, task_id=unit.session.scalars(select(TaskRow.id)).first())
            )
        unit.session.add(EventCursor(name="kept for ever", position=0))
        unit.session.add(Crawl(source="s", started_at=NOW - timedelta(days=366)))


def count(database: Database, table: type[Row]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_is_older_than_its_table_keeps_is_deleted_and_nothing_else(database: Database) -> None:
    fill(database, 900)
    deleted = delete_expired(database, NOW, pause=lambda _: None)
    assert deleted == {"events": 450, "tasks": 1, "schedule_runs": 2, "crawls": 1}
    assert (count(database, EventRow), count(database, TaskRow), count(database, ScheduleRun)) == (450, 1, 1)
    assert count(database, EventCursor) == 1
    assert delete_expired(database, NOW) == {}


def test_others_write_between_two_chunks_and_a_stop_is_heard(database: Database) -> None:
    fill(database, 1_000)
    written: list[float] = []

    def write(_: float) -> None:
        with database.unit() as unit:
            unit.session.add(EventCursor(name=f"between {len(written)}", position=0))
        written.append(1)

    delete_expired(database, NOW, stopping=lambda: len(written) >= 1, pause=write)
    assert len(written) == 1
    assert 500 < count(database, EventRow) < 1_000


def test_a_stop_before_the_first_chunk_deletes_nothing(sqlite_database: Database) -> None:
    fill(sqlite_database, 10)
    stop = threading.Event()
    stop.set()
    assert delete_expired(sqlite_database, NOW, stopping=stop.is_set) == {}


@given(
    chunk=st.integers(min_value=1, max_value=LARGEST_CHUNK),
    seconds=st.floats(min_value=0, max_value=100, allow_nan=False),
)
def test_chunks_shrink_when_they_took_long_and_grow_slowly(chunk: int, seconds: float) -> None:
    following = next_chunk(chunk, seconds)
    assert 1 <= following <= min(LARGEST_CHUNK, chunk * 2)
    assert following == 1 or following * seconds / chunk <= LOCK_GOAL_S * 1.01
