"""Whatever happens to receiver, clock and cursor: in the end each event that concerns a webhook was taken, in order."""

import json
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, cast
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airledger.platform.audit import Actor
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.events import Dispatcher, Event, latest_position, publish
from airledger.platform.fetch import Fetcher, Posted
from airledger.platform.tasks.queue import claim
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.run import Runner
from airledger.platform.webhooks import hooks, jobs
from airledger.platform.webhooks.feed import WebhookFeed
from airledger.platform.webhooks.hooks import WebhookPlan
from airledger.platform.webhooks.rows import PAUSED, Webhook

US = Actor("user:test")
STEPS = st.lists(
    st.sampled_from(["tell", "tell", "tell others", "work", "break", "mend", "wait", "replay", "pause", "resume"]),
    max_size=25,
)


class Numbered(Event):
    name: ClassVar[str] = "test.numbered"


class Unwanted(Event):
    name: ClassVar[str] = "other.numbered"


@dataclass
class Taker:
    """Stands for the network: takes what is posted, or fails."""

    is_broken: bool = False
    taken: list[int] = field(default_factory=list)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float) -> Posted:
        del url, headers, timeout_s
        if self.is_broken:
            return Posted(500, {}, b"", 1.0)
        self.taken.append(json.loads(body)["position"])
        return Posted(200, {}, b"", 1.0)


@dataclass
class Play:
    """One installation, driven step by step."""

    database: Database
    clock: SteppedClock = field(default_factory=SteppedClock)
    registry: Registry = field(default_factory=Registry)
    taker: Taker = field(default_factory=Taker)
    wanted: list[int] = field(default_factory=list)

    def begin(self) -> None:
        jobs.declare(self.registry, self.database, self.clock, cast("Fetcher", self.taker))
        with self.database.unit() as unit:
            self.home_id: UUID = ensure_home(unit, self.clock)
            plan = WebhookPlan("http://receiver.test/", types=("test.*",))
            self.hook_id: UUID = hooks.create_webhook(unit, US, self.home_id, plan, now=self.clock.now())[0].id
        self.feed = WebhookFeed(self.database, self.registry, self.clock)

    def do(self, step: str) -> None:
        if step.startswith("tell"):
            self.tell(Numbered() if step == "tell" else Unwanted())
        elif step == "work":
            self.work()
        elif step in {"break", "mend"}:
            self.taker.is_broken = step == "break"
        elif step == "wait":
            self.clock.step(700)
        else:
            self.steer(step)

    def tell(self, event: Event) -> None:
        with self.database.unit() as unit:
            publish(unit, event, at=self.clock.now(), organisation_id=self.home_id)
        Dispatcher(self.database, self.clock, "test").turn()
        if isinstance(event, Numbered):
            with self.database.read() as session:
                self.wanted.append(latest_position(session))

    def work(self) -> None:
        self.feed.turn()
        runner = Runner(self.database, self.registry, self.clock, "test", threading.Event())
        with self.database.unit() as unit:
            tasks = claim(unit.session, ["deliver"], "test", self.clock.now(), limit=5)
        for task in tasks:
            runner.run(task)

    def steer(self, step: str) -> None:
        with self.database.unit() as unit:
            hook = unit.session.get_one(Webhook, self.hook_id)
            if step == "replay":
                hooks.replay(unit, US, hook, hook.position // 2, now=self.clock.now())
                self.taker.taken = [one for one in self.taker.taken if one <= hook.position]
            elif step == "pause":
                hooks.pause(unit, US, hook, "by hand", now=self.clock.now())
            else:
                hooks.resume(unit, US, hook, now=self.clock.now())

    def heal(self) -> None:
        self.taker.is_broken = False
        self.steer("resume")
        for _ in range(4):
            self.clock.step(4 * 3_600)
            self.work()


@given(STEPS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_event_is_taken_in_order(migrated_file: Path, steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated_file, Path(folder) / "a.db")
        play = Play(Database(f"sqlite:///{folder}/a.db"))
        try:
            play.begin()
            for step in steps:
                play.do(step)
            play.heal()
            with play.database.read() as session:
                hook = session.get_one(Webhook, play.hook_id)
            assert hook.status != PAUSED
            assert play.taker.taken == play.wanted
            assert play.feed.turn() == 0
        finally:
            play.database.close()
