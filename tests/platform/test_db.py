"""Units are whole or nothing, wait for each other instead of failing, and times are aware."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from airledger.platform.db import Database
from airledger.platform.errors import UnavailableError
from airledger.platform.events import EventCursor
from airledger.platform.leases import Lease, release, try_lease
from airledger.platform.migrate import differences, head_revision, is_current, upgrade

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(EventCursor.name).order_by(EventCursor.name)))


def test_a_unit_that_fails_leaves_nothing_and_calls_nobody(database: Database) -> None:
    called: list[str] = []

    def fail() -> None:
        with database.unit() as unit:
            unit.session.add(EventCursor(name="lost", position=1))
            unit.session.flush()
            unit.after_commit(lambda: called.append("lost"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.unit() as unit:
        unit.session.add(EventCursor(name="kept", position=1))
        unit.after_commit(lambda: called.append("kept"))
        assert called == []
    assert (names(database), called) == (["kept"], ["kept"])


def test_eight_threads_that_read_and_then_write_lose_nothing_and_never_fail(database: Database) -> None:
    with database.unit() as unit:
        unit.session.add(EventCursor(name="sum", position=0))
    start = threading.Barrier(8)

    def add(_: int) -> None:
        start.wait()
        for _turn in range(25):
            with database.unit() as unit:
                row = unit.session.get_one(EventCursor, "sum", with_for_update=True)
                row.position += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
    with database.read() as session:
        assert session.get_one(EventCursor, "sum").position == 200


def test_a_reader_hinders_no_writer(database: Database) -> None:
    with database.read() as session:
        assert session.scalars(select(EventCursor)).all() == []
        with database.unit() as unit:
            unit.session.add(EventCursor(name="meanwhile", position=1))
    assert names(database) == ["meanwhile"]


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with database.unit() as unit:
        unit.session.add(Lease(name="l", holder="h", until=elsewhere))
    with database.read() as session:
        until = session.get_one(Lease, "l").until
    assert (until, until.tzinfo) == (NOW, UTC)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.unit() as unit:
        unit.session.add(Lease(name="l", holder="h", until=NOW.replace(tzinfo=None)))


def test_a_lease_has_one_holder_until_it_ends(database: Database) -> None:
    def take(holder: str, at: datetime) -> bool:
        with database.unit() as unit:
            return try_lease(unit.session, "thing", holder, at, 10)

    assert take("a", NOW)
    assert not take("b", NOW + timedelta(seconds=9))
    assert take("a", NOW + timedelta(seconds=9))
    assert not take("b", NOW + timedelta(seconds=18))
    assert take("b", NOW + timedelta(seconds=19))
    assert not take("a", NOW + timedelta(seconds=20))
    with database.unit() as unit:
        release(unit.session, "thing", "b")
    assert take("a", NOW + timedelta(seconds=20))


def test_of_many_who_want_a_lease_at_once_one_gets_it(database: Database) -> None:
    start = threading.Barrier(6)

    def take(number: int) -> bool:
        start.wait()
        with database.unit() as unit:
            return try_lease(unit.session, "thing", str(number), NOW, 10)

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1


def test_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    assert is_current(database)
    assert head_revision()
    assert differences(database) == []


def test_several_processes_may_migrate_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, databases))
    assert all(is_current(one) for one in databases)
    for one in databases:
        one.close()


def test_a_database_that_is_not_there_is_unavailable() -> None:
    away = Database("postgresql+psycopg://nobody:x@127.0.0.1:1/none")
    assert not away.is_up()
    with pytest.raises(UnavailableError), away.unit():
        pytest.fail("it opened")
    with pytest.raises(UnavailableError), away.read() as session:
        session.execute(select(1))
    away.close()
