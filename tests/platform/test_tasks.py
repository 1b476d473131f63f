"""Tasks: claimed once, tried again, recovered from dead workers, and never doubled by schedules."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from airledger.platform.clock import SteppedClock, SystemClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.tasks.queue import (
    LEASE_S,
    Claimed,
    add_task,
    cancel,
    claim,
    claim_one,
    fail,
    finish,
    hand_back,
    keep,
    queue_depths,
    sweep,
)
from airledger.platform.tasks.registry import Context, Registry
from airledger.platform.tasks.rows import Schedule, ScheduleRun, TaskRow
from airledger.platform.tasks.run import HandedBackError, Runner
from airledger.platform.tasks.schedules import declare_schedule, fire_due, retire_schedules
from airledger.platform.tasks.worker import work

PATIENCE_S = 30.0


def add(
    database: Database, clock: SteppedClock, name: str = "t", queue: str = "default", **more: object
) -> UUID | None:
    with database.unit() as unit:
        return add_task(unit.session, name, queue, {}, now=clock.now(), **more)  # type: ignore[arg-type]


def take(database: Database, clock: SteppedClock, holder: str = "w", limit: int = 1) -> list[Claimed]:
    with database.unit() as unit:
        return claim(unit.session, ["default"], holder, clock.now(), limit=limit)


def row(database: Database, task_id: UUID | None) -> TaskRow:
    with database.read() as session:
        return session.get_one(TaskRow, task_id)


def test_each_task_is_claimed_once_whoever_asks_at_the_same_time(database: Database) -> None:
    clock = SteppedClock()
    added = {add(database, clock) for _ in range(60)}
    start = threading.Barrier(6)

    def grab(number: int) -> list[UUID]:
        start.wait()
        found: list[UUID] = []
        while batch := take(database, clock, f"worker {number}", limit=3):
            assert len(batch) <= 3  # PostgreSQL took more than asked for, once
            found += [task.id for task in batch]
        return found

    with ThreadPoolExecutor(6) as pool:
        claimed = [task_id for found in pool.map(grab, range(6)) for task_id in found]
    assert len(claimed) == len(added)
    assert set(claimed) == added


def test_one_open_task_per_key_and_a_new_one_when_it_is_over(database: Database) -> None:
    clock = SteppedClock()
    first = add(database, clock, unique_key="k")
    assert first is not None
    assert add(database, clock, unique_key="k") is None
    (task,) = take(database, clock)
    assert add(database, clock, unique_key="k") is None
    with database.unit() as unit:
        assert finish(unit.session, task, "w", clock.now(), {"n": 1})
    assert add(database, clock, unique_key="k") is not None
    assert row(database, first).result == {"n": 1}


def test_the_urgent_come_first_then_the_oldest_and_none_before_its_time(database: Database) -> None:
    clock = SteppedClock()
    later = add(database, clock, run_at=clock.now() + timedelta(seconds=5))
    old = add(database, clock)
    clock.step(1)
    young = add(database, clock)
    urgent = add(database, clock, priority=5)
    assert [take(database, clock)[0].id for _ in range(3)] == [urgent, old, young]
    assert take(database, clock) == []
    clock.step(4)
    assert [task.id for task in take(database, clock)] == [later]


def test_a_failed_attempt_is_tried_again_ever_later_and_given_up_in_the_end(database: Database) -> None:
    clock = SteppedClock()
    task_id = add(database, clock, max_attempts=3)
    waits: list[float] = []
    for _ in range(3):
        (task,) = take(database, clock)
        before = clock.now()
        with database.unit() as unit:
            assert fail(unit.session, task, "w", before, "broke", permanent=False)
        found = row(database, task_id)
        if found.status == "pending":
            waits.append((found.run_at - before).total_seconds())
            clock.step(waits[-1])
    assert waits == [5, 20]
    assert (row(database, task_id).status, row(database, task_id).error) == ("failed", "broke")


def test_what_a_dead_worker_held_is_given_back_and_its_late_answer_is_not_taken(database: Database) -> None:
    clock = SteppedClock()
    task_id = add(database, clock, max_attempts=2)
    (lost,) = take(database, clock, "dead")
    with database.unit() as unit:
        assert sweep(unit.session, clock.now()) == 0
    clock.step(LEASE_S + 1)
    with database.unit() as unit:
        assert keep(unit.session, [lost.id], "another", clock.now()) == []
        assert sweep(unit.session, clock.now()) == 1
    (again,) = take(database, clock, "alive")
    assert (again.id, again.attempts) == (task_id, 2)
    with database.unit() as unit:
        assert not finish(unit.session, lost, "dead", clock.now(), None)
        assert not fail(unit.session, lost, "dead", clock.now(), "late", permanent=True)
    clock.step(LEASE_S + 1)
    with database.unit() as unit:
        sweep(unit.session, clock.now())
    assert row(database, task_id).status == "failed"


def test_a_kept_lease_is_not_swept(database: Database) -> None:
    clock = SteppedClock()
    add(database, clock)
    (task,) = take(database, clock)
    clock.step(LEASE_S - 1)
    with database.unit() as unit:
        assert keep(unit.session, [task.id], "w", clock.now()) == [task.id]
    clock.step(LEASE_S - 1)
    with database.unit() as unit:
        assert sweep(unit.session, clock.now()) == 0


def test_a_task_handed_back_costs_no_attempt(database: Database) -> None:
    clock = SteppedClock()
    task_id = add(database, clock)
    (task,) = take(database, clock)
    with database.unit() as unit:
        assert hand_back(unit.session, task, "w", clock.now())
    assert (row(database, task_id).status, row(database, task_id).attempts) == ("pending", 0)


def test_only_what_waits_can_be_cancelled_or_claimed_by_its_id(database: Database) -> None:
    clock = SteppedClock()
    first, second = add(database, clock), add(database, clock)
    assert first is not None
    assert second is not None
    with database.unit() as unit:
        assert cancel(unit.session, first, clock.now())
        assert claim_one(unit.session, first, "w", clock.now()) is None
        assert claim_one(unit.session, second, "w", clock.now()) is not None
        assert claim_one(unit.session, second, "x", clock.now()) is None
        assert not cancel(unit.session, second, clock.now())
    with database.read() as session:
        assert queue_depths(session) == {("default", "cancelled"): 1, ("default", "running"): 1}


def test_what_is_rolled_back_was_never_enqueued(database: Database) -> None:
    clock, registry = SteppedClock(), Registry()
    registry.declare("t", "default", lambda _: None)

    def fail_after_enqueueing() -> None:
        with database.unit() as unit:
            registry.enqueue(unit.session, "t", {}, now=clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_enqueueing()
    assert take(database, clock) == []
    with pytest.raises(NotFoundError), database.unit() as unit:
        registry.enqueue(unit.session, "unknown", {}, now=clock.now())


def test_outcomes_of_running_a_task(database: Database) -> None:
    clock, registry = SteppedClock(), Registry()

    def refuse(_: Context) -> None:
        raise InputError("never works")

    def breaks(_: Context) -> None:
        raise ZeroDivisionError

    def leave(_: Context) -> None:
        raise HandedBackError

    calls = {"fine": lambda context: {"attempt": context.attempt}, "refuse": refuse, "breaks": breaks, "leave": leave}
    for name, call in calls.items():
        registry.declare(name, "default", call)
    ids = {name: add(database, clock, name) for name in (*calls, "unknown")}
    runner = Runner(database, registry, clock, "w", threading.Event())
    for task in take(database, clock, limit=10):
        runner.run(task)
    found = {name: row(database, task_id) for name, task_id in ids.items()}
    assert (found["fine"].status, found["fine"].result) == ("done", {"attempt": 1})
    assert (found["refuse"].status, found["refuse"].error) == ("failed", "InputError: never works")
    assert (found["breaks"].status, found["breaks"].attempts) == ("pending", 1)
    assert (found["leave"].status, found["leave"].attempts) == ("pending", 0)
    assert found["unknown"].status == "failed"


def test_a_worker_does_its_queues_and_a_full_one_starves_no_other(sqlite_database: Database) -> None:
    database, clock, registry = sqlite_database, SystemClock(), Registry()
    is_free, stop, quick = threading.Event(), threading.Event(), threading.Event()

    def hang(context: Context) -> None:
        while not is_free.wait(0.05):
            if context.stopping():
                raise HandedBackError

    registry.declare("hang", "probe", hang)
    registry.declare("quick", "default", lambda _: quick.set())
    with database.unit() as unit:
        hanging = [registry.enqueue(unit.session, "hang", {}, now=clock.now()) for _ in range(5)]
        registry.enqueue(unit.session, "quick", {}, now=clock.now())
    options = {"holder": "w", "concurrency": {"probe": 2, "default": 1}, "stop": stop}
    worker = threading.Thread(target=work, args=(database, registry, clock), kwargs=options)
    worker.start()
    assert quick.wait(PATIENCE_S)
    until(lambda: statuses(database, hanging).count("running") == 2)
    stop.set()
    worker.join(PATIENCE_S)
    assert not worker.is_alive()
    assert statuses(database, hanging) == ["pending"] * 5


def statuses(database: Database, ids: list[UUID | None]) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(TaskRow.status).where(TaskRow.id.in_(ids))))


def until(is_true: object) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def scheduled() -> Registry:
    registry = Registry()
    registry.declare("t", "default", lambda _: None)
    return registry


def test_two_schedulers_fire_each_due_time_once(database: Database) -> None:
    clock, registry = SteppedClock(), scheduled()
    with database.unit() as unit:
        for number in range(10):
            declare_schedule(unit.session, f"s{number}", "t", {"n": number}, now=clock.now(), every_s=60)
    start = threading.Barrier(4)

    def fire(_: int) -> int:
        start.wait()
        with database.unit() as unit:
            return fire_due(unit.session, registry, clock.now())

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(fire, range(4))) == 10
    with database.read() as session:
        assert len(session.scalars(select(TaskRow)).all()) == 10
        assert len(session.scalars(select(ScheduleRun)).all()) == 10


def test_a_schedule_that_was_missed_for_long_fires_once(database: Database) -> None:
    clock, registry = SteppedClock(), scheduled()
    with database.unit() as unit:
        declare_schedule(unit.session, "s", "t", {}, now=clock.now(), every_s=60)
    clock.step(86_400)
    with database.unit() as unit:
        assert fire_due(unit.session, registry, clock.now()) == 1
        assert fire_due(unit.session, registry, clock.now()) == 0
    clock.step(60)
    with database.unit() as unit:
        assert fire_due(unit.session, registry, clock.now()) == 0  # the first task is open still


def test_a_paused_schedule_stays_paused_when_it_is_declared_anew(database: Database) -> None:
    clock, registry = SteppedClock(), scheduled()
    with database.unit() as unit:
        declare_schedule(unit.session, "s", "t", {}, now=clock.now(), every_s=60)
        unit.session.flush()
        unit.session.get_one(Schedule, "s").is_enabled = False
    with database.unit() as unit:
        declare_schedule(unit.session, "s", "t", {"new": 1}, now=clock.now(), every_s=30)
        assert fire_due(unit.session, registry, clock.now()) == 0
    with database.unit() as unit:
        found = unit.session.get_one(Schedule, "s")
        assert (found.is_enabled, found.args, found.every_s) == (False, {"new": 1}, 30)
        retire_schedules(unit.session, "s", set())
    with database.read() as session:
        assert session.get(Schedule, "s") is None


def test_a_daily_schedule_fires_at_its_time_of_day(database: Database) -> None:
    clock, registry = SteppedClock(), scheduled()
    clock.step(3 * 3_600)
    with database.unit() as unit:
        declare_schedule(unit.session, "s", "t", {}, now=clock.now(), every_s=86_400, daily_at="02:00")
    clock.step(22 * 3_600)
    with database.unit() as unit:
        assert fire_due(unit.session, registry, clock.now()) == 0
    clock.step(3_600)
    with database.unit() as unit:
        assert fire_due(unit.session, registry, clock.now()) == 1
    with database.read() as session:
        assert session.get_one(Schedule, "s").next_due - clock.now() == timedelta(days=1)
