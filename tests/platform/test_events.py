"""Events: a position after commit, in an order that no cursor can miss, and each subscriber served exactly once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

import pytest
from sqlalchemy import select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database, Unit
from airledger.platform.events import (
    Dispatcher,
    Event,
    EventCursor,
    EventRow,
    Told,
    events_after,
    latest_position,
    publish,
)


class Counted(Event):
    name: ClassVar[str] = "test.counted"
    number: int


class Other(Event):
    name: ClassVar[str] = "test.other"


def tell(database: Database, clock: SteppedClock, *numbers: int) -> None:
    with database.unit() as unit:
        for number in numbers:
            publish(unit, Counted(number=number), at=clock.now())


def heard(database: Database, after: int = 0) -> list[int]:
    with database.read() as session:
        return [event.payload["number"] for event in events_after(session, after)]


def test_nobody_hears_of_what_was_rolled_back_nor_before_it_is_placed(database: Database) -> None:
    clock = SteppedClock()

    def fail() -> None:
        with database.unit() as unit:
            publish(unit, Counted(number=1), at=clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    tell(database, clock, 2)
    assert heard(database) == []
    assert Dispatcher(database, clock, "d").turn() == 1
    assert heard(database) == [2]


def test_an_event_with_a_lower_id_that_commits_later_gets_the_later_position(database: Database) -> None:
    clock, dispatcher = SteppedClock(), Dispatcher(database, SteppedClock(), "d")

    def commit(identity: int) -> None:
        with database.unit() as unit:
            row = EventRow(id=identity, type="test.counted", at=clock.now(), payload={"number": identity})
            unit.session.add(row)

    commit(2)
    dispatcher.turn()
    with database.read() as session:
        cursor = latest_position(session)
    commit(1)
    dispatcher.turn()
    assert heard(database, cursor) == [1]
    assert heard(database) == [2, 1]


def test_of_two_open_transactions_the_higher_id_may_commit_first(migrated_postgres: Database) -> None:
    database, clock = migrated_postgres, SteppedClock()
    dispatcher = Dispatcher(database, clock, "d")
    is_written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with database.unit() as unit:
            publish(unit, Counted(number=1), at=clock.now())
            unit.session.flush()
            is_written.set()
            assert may_commit.wait(20)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow)
        assert is_written.wait(20)
        tell(database, clock, 2)
        dispatcher.turn()
        with database.read() as session:
            cursor = latest_position(session)
        assert heard(database) == [2]
        may_commit.set()
        waiting.result()
    dispatcher.turn()
    assert heard(database, cursor) == [1]


def test_a_subscriber_is_served_once_per_event_even_if_it_fails_in_between(database: Database) -> None:
    clock = SteppedClock()
    dispatcher = Dispatcher(database, clock, "d")
    fails = iter([False, True, False, False, False])
    seen: list[int] = []

    def handle(unit: Unit, event: Told) -> None:
        seen.append(event.payload["number"])
        unit.session.add(EventCursor(name=f"effect {event.payload['number']}", position=0))
        if next(fails):
            raise ZeroDivisionError

    dispatcher.subscribe("test", [Counted], handle)
    with database.unit() as unit:
        publish(unit, Other(), at=clock.now())
    tell(database, clock, 1, 2)
    with pytest.raises(ZeroDivisionError):
        dispatcher.turn()
    dispatcher.turn()
    dispatcher.turn()
    assert seen == [1, 2, 1, 2]  # the first attempt was rolled back whole, effects and cursor alike
    with database.read() as session:
        effects = session.scalars(select(EventCursor.name).where(EventCursor.name.startswith("effect"))).all()
        assert sorted(effects) == ["effect 1", "effect 2"]
        assert session.get_one(EventCursor, "test").position == latest_position(session) == 3


def test_two_dispatchers_serve_each_event_once(database: Database) -> None:
    clock = SteppedClock()
    served: list[int] = []

    def work(name: str) -> None:
        dispatcher = Dispatcher(database, clock, name)
        dispatcher.subscribe("test", [Counted], lambda _, event: served.append(event.payload["number"]))
        for _ in range(15):
            dispatcher.turn()

    tell(database, clock, *range(120))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ["a", "b"]))
    assert served == list(range(120))


def test_another_dispatcher_takes_over_when_the_first_is_gone(database: Database) -> None:
    clock = SteppedClock()
    first, second = Dispatcher(database, clock, "first"), Dispatcher(database, clock, "second")
    tell(database, clock, 1)
    assert first.turn() == 1
    tell(database, clock, 2)
    assert second.turn() == 0
    clock.step(6)
    assert second.turn() == 1
    assert heard(database) == [1, 2]


def test_events_can_be_narrowed_and_limited(database: Database) -> None:
    clock = SteppedClock()
    organisation_id = uuid4()
    with database.unit() as unit:
        publish(unit, Other(), at=clock.now(), organisation_id=organisation_id)
    clock.step(timedelta(minutes=1).total_seconds())
    tell(database, clock, 1, 2, 3)
    Dispatcher(database, clock, "d").turn()
    with database.read() as session:
        assert [one.payload["number"] for one in events_after(session, 0, types=["test.counted"], limit=2)] == [1, 2]
        first = events_after(session, 0, limit=1)[0]
    assert (first.type, first.organisation_id) == ("test.other", organisation_id)
