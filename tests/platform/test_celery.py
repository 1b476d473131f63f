"""Celery on a real Redis: it carries ids, and what it loses is sent again."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.events import EventCursor
from airledger.platform.migrate import upgrade
from airledger.platform.tasks.celery import Sender, carrier
from airledger.platform.tasks.queue import add_task
from airledger.platform.tasks.rows import TaskRow
from servers.redis import RedisServer

PATIENCE_S = 60.0
WORKER = """
import sys, threading
from uuid import uuid4
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.events import EventCursor
from airledger.platform.tasks.celery import carrier, work_by_celery
from airledger.platform.tasks.registry import Registry

database, registry = Database(sys.argv[1]), Registry()

def note(context, number):
    with database.unit() as unit:
        unit.session.add(EventCursor(name=f"ran {uuid4()}", position=number))

registry.declare("note", "default", note)
stop = threading.Event()
work_by_celery(
    carrier(sys.argv[2]), database, registry, SystemClock(),
    holder="celery", queues=("default",), concurrency=2, stop=stop,
)
"""


@dataclass
class Carried:
    """A Celery worker on a Redis of its own, over one SQLite file."""

    database: Database
    redis: RedisServer
    worker: subprocess.Popen[bytes]
    log: Path

    def sender(self, resend_s: float = 60) -> Sender:
        return Sender(carrier(self.redis.url), self.database, SystemClock(), resend_s=resend_s)

    def add(self, *numbers: int) -> list[UUID | None]:
        with self.database.unit() as unit:
            return [
                add_task(unit.session, "note", "default", {"number": number}, now=SystemClock().now())
                for number in numbers
            ]

    def ran(self) -> Counter[int]:
        with self.database.read() as session:
            return Counter(session.scalars(select(EventCursor.position).where(EventCursor.name.startswith("ran "))))

    def statuses(self) -> Counter[str]:
        with self.database.read() as session:
            return Counter(session.scalars(select(TaskRow.status)))

    def until(self, is_true: Callable[[], bool], *, turning: Sender | None = None) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_true():
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.worker.poll() is None, self.log.read_text()
            if turning:
                turning.turn()
            threading.Event().wait(0.05)


@pytest.fixture(scope="module")
def carried(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carried]:
    folder = tmp_path_factory.mktemp("celery")
    database = Database(f"sqlite:///{folder / 'airledger.db'}")
    upgrade(database)
    redis_server.start()
    redis_server.empty()
    log = folder / "worker.log"
    with log.open("wb") as out:
        command = [sys.executable, "-c", WORKER, database.url, redis_server.url]
        worker = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ, cwd=folder)
        try:
            yield Carried(database, redis_server, worker, log)
        finally:
            worker.kill()
            worker.wait()
            database.close()


def test_each_task_runs_once_even_if_its_message_comes_twice(carried: Carried) -> None:
    carried.add(*range(1, 21))
    assert carried.sender().turn() == 20
    carried.sender().turn()
    carried.until(lambda: carried.statuses()["done"] == 20)
    assert carried.ran() == Counter(range(1, 21))


def test_a_message_is_sent_once_per_attempt(carried: Carried) -> None:
    sender = carried.sender()
    carried.add(30)
    assert sender.turn() <= 1
    assert sender.turn() == 0
    carried.until(lambda: carried.ran()[30] == 1, turning=sender)


def test_what_a_dead_broker_lost_is_sent_again_and_runs_once(carried: Carried) -> None:
    sender = carried.sender(resend_s=0.5)
    carried.redis.kill()
    carried.add(40, 41)
    assert sender.turn() == 0
    carried.redis.start()
    carried.until(lambda: carried.ran()[40] == carried.ran()[41] == 1, turning=sender)


def test_messages_lost_on_the_way_are_sent_again(carried: Carried) -> None:
    sender = carried.sender(resend_s=0.5)
    carried.until(lambda: carried.statuses().keys() == {"done"})  # stopped in a unit, it would hold SQLite's lock
    carried.add(50, 51)
    os.kill(carried.worker.pid, signal.SIGSTOP)
    try:
        assert sender.turn() == 2
        carried.redis.empty()
    finally:
        os.kill(carried.worker.pid, signal.SIGCONT)
    carried.until(lambda: carried.ran()[50] == carried.ran()[51] == 1, turning=sender)


def test_the_worker_leaves_when_told_to(carried: Carried) -> None:
    carried.worker.send_signal(signal.SIGTERM)
    assert carried.worker.wait(PATIENCE_S) == 0
    assert carried.statuses().keys() == {"done"}
