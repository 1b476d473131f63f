"""Webhooks against a real receiver: what is sent, in which order, and what happens when nobody takes it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from airledger.platform.audit import SYSTEM, Actor, AuditEntry
from airledger.platform.auth.accounts import create_organisation
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError, LimitError
from airledger.platform.events import Dispatcher, Event, EventRow, latest_position, publish
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.rows import TaskRow
from airledger.platform.tasks.worker import work
from airledger.platform.webhooks import hooks, jobs
from airledger.platform.webhooks.deliver import Courier
from airledger.platform.webhooks.feed import PASS_AFTER, SLOW_AT_ONCE, WebhookFeed, choose, key_of
from airledger.platform.webhooks.hooks import WebhookPlan
from airledger.platform.webhooks.rows import Webhook, WebhookDelivery
from receiver import Got, Receiver, Reply, receiver

PATIENCE_S = 60.0
LOOPBACK = AddressGuard([ip_network("127.0.0.0/8")])
US = Actor("user:test")


class Happened(Event):
    name: ClassVar[str] = "test.happened"
    number: int
    station_id: int | None = None


@dataclass
class Post:
    """An installation's events and webhooks, and a receiver."""

    database: Database
    clock: SteppedClock
    receiver: Receiver
    registry: Registry
    courier: Courier
    organisation_id: UUID

    def hook(self, path: str = "/hook", **plan: object) -> Webhook:
        with self.database.unit() as unit:
            wanted = WebhookPlan(url=self.receiver.base + path, **plan)  # type: ignore[arg-type]
            return hooks.create_webhook(unit, US, self.organisation_id, wanted, now=self.clock.now())[0]

    def tell(self, *numbers: int, organisation_id: UUID | None = None) -> int:
        with self.database.unit() as unit:
            for number in numbers:
                owner = organisation_id or self.organisation_id
                publish(
                    unit, Happened(number=number, station_id=number % 2), at=self.clock.now(), organisation_id=owner
                )
        Dispatcher(self.database, self.clock, "test").turn()
        with self.database.read() as session:
            return latest_position(session)

    def read(self, hook: Webhook) -> Webhook:
        with self.database.read() as session:
            return session.get_one(Webhook, hook.id)

    def log(self, hook: Webhook) -> list[WebhookDelivery]:
        with self.database.read() as session:
            query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook.id)
            return list(session.scalars(query.order_by(WebhookDelivery.position, WebhookDelivery.attempt)))

    def numbers(self, path: str = "/hook") -> list[int]:
        return [json.loads(got.body)["data"]["number"] for got in self.receiver.at(path)]

    def feed(self) -> WebhookFeed:
        return WebhookFeed(self.database, self.registry, self.clock)

    def open_tasks(self) -> int:
        with self.database.read() as session:
            return len(session.scalars(select(TaskRow).where(TaskRow.status == "pending")).all())


@pytest.fixture
def post(database: Database) -> Iterator[Post]:
    clock, registry = SteppedClock(), Registry()
    fetcher = Fetcher(LOOPBACK, "Airledger-test/1")
    jobs.declare(registry, database, clock, fetcher)
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
    with receiver() as running:
        yield Post(
            database, clock, running, registry, Courier(database, clock, fetcher, timeout_s=1.0), organisation_id
        )


def is_signed(got: Got, secret: str) -> bool:
    """Verify as a receiver would, from the text of Standard Webhooks and with none of our code."""
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return any(hmac.compare_digest(one, f"v1,{expected}") for one in got.headers["webhook-signature"].split(" "))


def test_an_event_is_posted_once_signed_and_as_it_is(post: Post) -> None:
    hook = post.hook()
    position = post.tell(7)
    assert post.courier.deliver(hook.id) == 1
    assert post.courier.deliver(hook.id) == 0
    (got,) = post.receiver.got
    assert (got.method, got.path, got.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert json.loads(got.body) == {
        "type": "test.happened",
        "timestamp": post.clock.now().isoformat(),
        "position": position,
        "data": {"number": 7, "station_id": 1},
    }
    assert is_signed(got, hook.secret)
    assert not is_signed(got, "whsec_" + base64.b64encode(bytes(32)).decode())
    assert int(got.headers["webhook-timestamp"]) == int(post.clock.now().timestamp())
    assert "expect" not in got.headers
    (row,) = post.log(hook)
    assert (row.status, row.http_status, row.body_excerpt, row.attempt) == ("delivered", 200, "thanks", 1)
    assert row.message_id == got.headers["webhook-id"]


def test_events_come_in_order_and_one_that_fails_holds_the_others_back(post: Post) -> None:
    hook, other = post.hook(), post.hook("/other")
    post.tell(1, 2, 3)
    is_up = threading.Event()
    post.receiver.reply = lambda got: Reply() if is_up.is_set() or b'"number":1' in got.body else Reply(500, b"broken")
    assert post.courier.deliver(hook.id) == 1
    held = post.read(hook)
    assert (held.attempts, held.status, held.failing_since) == (1, "active", post.clock.now())
    assert held.next_attempt_at is not None
    assert held.next_attempt_at > post.clock.now()
    assert post.courier.deliver(hook.id) == 0, "it is not tried again before its time"
    post.clock.step(10)
    assert post.courier.deliver(hook.id) == 0
    assert post.read(hook).attempts == 2
    is_up.set()
    assert post.courier.deliver(other.id) == 3, "others have cursors of their own"
    post.clock.step(60)
    assert post.courier.deliver(hook.id) == 2
    assert post.numbers() == [1, 2, 2, 2, 3]
    ids = [got.headers["webhook-id"] for got in post.receiver.at("/hook")]
    assert len(set(ids)) == 3
    assert ids[1] == ids[2] == ids[3]
    assert [(row.attempt, row.http_status) for row in post.log(hook)] == [
        (1, 200), (1, 500), (2, 500), (3, 200), (1, 200),
    ]  # fmt: skip
    assert post.read(hook).failing_since is None


def test_a_receiver_that_does_not_answer_costs_its_timeout_and_is_told_as_such(post: Post) -> None:
    hook = post.hook()
    post.receiver.reply = post.receiver.hang
    post.tell(1)
    assert post.courier.deliver(hook.id) == 0
    (row,) = post.log(hook)
    assert (row.status, row.http_status) == ("failed", None)
    assert row.error is not None


def test_a_redirect_is_refused_and_not_followed(post: Post) -> None:
    hook = post.hook()
    there = (("Location", post.receiver.base + "/elsewhere"),)
    post.receiver.reply = lambda _: Reply(307, b"", there)
    post.tell(1)
    assert post.courier.deliver(hook.id) == 0
    assert post.receiver.at("/elsewhere") == []
    (row,) = post.log(hook)
    assert row.http_status == 307
    assert "redirect" in (row.error or "")


def test_a_long_answer_is_cut_and_counts_by_its_status(post: Post) -> None:
    hook = post.hook()
    post.receiver.reply = lambda _: Reply(200, b"x" * 100_000 + b"\0")
    post.tell(1)
    assert post.courier.deliver(hook.id) == 1
    assert post.log(hook)[0].body_excerpt == "x" * 1_024


def test_a_replay_tells_everything_after_a_position_again_with_the_same_ids(post: Post) -> None:
    hook = post.hook()
    first = post.tell(1)
    post.tell(2, 3)
    assert post.courier.deliver(hook.id) == 3
    with post.database.unit() as unit:
        row = unit.session.get_one(Webhook, hook.id)
        newest = hooks.replay(unit, US, row, first, now=post.clock.now())
    assert newest == first + 2
    assert post.courier.deliver(hook.id) == 2
    assert post.numbers() == [1, 2, 3, 2, 3]
    ids = [got.headers["webhook-id"] for got in post.receiver.got]
    assert ids[1:3] == ids[3:5]
    with post.database.unit() as unit:
        hooks.replay(unit, US, unit.session.get_one(Webhook, hook.id), 10**9, now=post.clock.now())
    assert post.read(hook).position == newest


def test_a_replay_during_a_delivery_is_not_lost(post: Post) -> None:
    hook = post.hook()
    post.tell(1, 2)

    def replay_once(got: Got) -> Reply:
        if len(post.receiver.got) == 2:
            with post.database.unit() as unit:
                hooks.replay(unit, US, unit.session.get_one(Webhook, hook.id), 0, now=post.clock.now())
        del got
        return Reply()

    post.receiver.reply = replay_once
    post.courier.deliver(hook.id)
    assert post.numbers()[:4] == [1, 2, 1, 2]


def test_who_takes_nothing_for_a_day_is_paused_and_its_owner_told(post: Post) -> None:
    hook = post.hook()
    post.receiver.reply = lambda _: Reply(503)
    post.tell(1)
    waits = []
    while post.read(hook).status == "active":
        before = post.clock.now()
        assert post.courier.deliver(hook.id) == 0
        row = post.read(hook)
        assert row.next_attempt_at is not None
        waits.append((row.next_attempt_at - before).total_seconds())
        post.clock.step(waits[-1])
        assert len(waits) < 50
    assert waits[0] < 6
    assert sorted(waits[:6]) == waits[:6]
    assert max(waits) < 3.2 * 3600
    assert 24 * 3600 <= sum(waits[:-1]) < 28 * 3600
    reason = post.read(hook).pause_reason or ""
    assert "24 hours" in reason
    assert "503" in reason
    with post.database.read() as session:
        told = session.scalars(select(EventRow).where(EventRow.type == "webhook.paused")).one()
        audit = session.scalars(select(AuditEntry).where(AuditEntry.action == "paused")).one()
    assert told.organisation_id == audit.organisation_id == post.organisation_id
    assert told.payload["webhook_id"] == str(hook.id)
    with post.database.unit() as unit:
        hooks.resume(unit, US, unit.session.get_one(Webhook, hook.id), now=post.clock.now())
    post.receiver.reply = lambda _: Reply()
    assert post.courier.deliver(hook.id) == 1, "nothing was lost"


def test_a_receiver_that_is_gone_or_lies_in_a_private_network_is_paused_at_once(post: Post) -> None:
    gone, private = post.hook(), post.hook("/private")
    post.receiver.reply = lambda _: Reply(410)
    post.tell(1)
    guarded = Courier(post.database, post.clock, Fetcher(AddressGuard(), "test"), timeout_s=1.0)
    assert (post.courier.deliver(gone.id), guarded.deliver(private.id)) == (0, 0)
    assert "410" in (post.read(gone).pause_reason or "")
    assert "not a public address" in (post.read(private).pause_reason or "")
    assert post.receiver.at("/private") == []


def test_a_receiver_is_waited_for_as_long_as_it_asks(post: Post) -> None:
    hook = post.hook()
    post.receiver.reply = lambda _: Reply(429, b"", (("Retry-After", "900"),))
    post.tell(1)
    post.courier.deliver(hook.id)
    at = post.read(hook).next_attempt_at
    assert at is not None
    assert (at - post.clock.now()).total_seconds() == 900


def test_both_secrets_sign_while_one_is_changed(post: Post) -> None:
    hook = post.hook()
    with post.database.unit() as unit:
        fresh = hooks.change_secret(unit, US, unit.session.get_one(Webhook, hook.id), now=post.clock.now())
    post.tell(1)
    post.courier.deliver(hook.id)
    assert is_signed(post.receiver.got[0], hook.secret)
    assert is_signed(post.receiver.got[0], fresh)
    post.clock.step(25 * 3600)
    post.tell(2)
    post.courier.deliver(hook.id)
    assert is_signed(post.receiver.got[1], fresh)
    assert not is_signed(post.receiver.got[1], hook.secret)


def test_a_test_message_comes_even_while_paused_and_moves_nothing(post: Post) -> None:
    hook = post.hook(types=("play.started",))
    with post.database.unit() as unit:
        hooks.pause(unit, US, unit.session.get_one(Webhook, hook.id), "by hand", now=post.clock.now())
    before = post.read(hook)
    row = post.courier.test(before)
    assert (row.type, row.status, row.position) == ("webhook.test", "delivered", None)
    assert is_signed(post.receiver.got[0], hook.secret)
    assert post.read(hook).position == before.position


def test_each_webhook_hears_its_own_organisation_and_what_it_asked_for(post: Post) -> None:
    with post.database.unit() as unit:
        other_id = create_organisation(unit, SYSTEM, "other", "Other", now=post.clock.now()).id
    odd, all_ours = post.hook("/odd", station_ids=(1,)), post.hook("/all", types=("test.*",))
    none = post.hook("/none", types=("play.started",))
    post.tell(1, 2, 3)
    post.tell(9, organisation_id=other_id)
    delivered = [post.courier.deliver(hook.id) for hook in (odd, all_ours, none)]
    assert delivered == [2, 3, 0]
    assert post.numbers("/odd") == [1, 3]
    assert post.numbers("/all") == [1, 2, 3]


def test_what_cannot_be_is_refused(post: Post) -> None:
    for url in ("ftp://a.test/", "http://", "http://user:secret@a.test/", "file:///etc/passwd", "http://a b\n.test"):
        with pytest.raises(InputError), post.database.unit() as unit:
            hooks.create_webhook(unit, US, post.organisation_id, WebhookPlan(url), now=post.clock.now())
    plan = WebhookPlan("http://a.test/", owner_organisation_id=uuid4())
    with pytest.raises(InputError), post.database.unit() as unit:
        hooks.create_webhook(unit, US, post.organisation_id, plan, now=post.clock.now())
    for _ in range(50):
        post.hook()
    with pytest.raises(LimitError):
        post.hook()


def test_the_feed_makes_one_task_for_whom_it_concerns_and_passes_the_rest_by(post: Post) -> None:
    concerned, other = post.hook(), post.hook("/other", types=("play.started",))
    feed = post.feed()
    assert feed.turn() == 0
    newest = post.tell(*range(PASS_AFTER + 1))
    assert feed.turn() == 1
    assert feed.turn() == 0, "its task is open"
    assert post.open_tasks() == 1
    assert post.read(other).position == newest, "so that a restart does not look through everything again"
    assert post.feed().turn() == 0
    assert post.read(concerned).position < newest


def test_the_feed_notices_what_happened_while_a_task_was_at_its_end(post: Post) -> None:
    hook = post.hook()
    post.tell(1)
    feed = post.feed()
    assert feed.turn() == 1
    with post.database.unit() as unit:
        task = unit.session.scalars(select(TaskRow)).one()
        task.status = "running"
    post.courier.deliver(hook.id)
    post.tell(2)
    assert feed.turn() == 0
    with post.database.unit() as unit:
        unit.session.get_one(TaskRow, task.id).status = "done"
    assert feed.turn() == 1


def test_failing_receivers_take_turns(post: Post) -> None:
    failing = [Webhook(id=uuid4(), failing_since=post.clock.now(), updated_at=post.clock.now()) for _ in range(9)]
    well = [Webhook(id=uuid4(), updated_at=post.clock.now(), last_ms=20) for _ in range(9)]
    chosen = choose([*failing, *well], set())
    assert {hook.id for hook in well} < {hook.id for hook in chosen}
    assert len(chosen) == len(well) + SLOW_AT_ONCE
    busy = {key_of(hook.id) for hook in failing[:SLOW_AT_ONCE]}
    assert choose(failing, busy) == []


def until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        threading.Event().wait(0.02)


def test_dead_receivers_delay_nobody(post: Post) -> None:
    """A worker's hands are never all held by receivers that hang, however many there are."""
    dead = [post.hook("/dead") for _ in range(20)]
    with post.database.unit() as unit:
        for hook in dead:
            unit.session.get_one(Webhook, hook.id).failing_since = post.clock.now()
    alive = post.hook("/alive")
    post.receiver.reply = lambda got: post.receiver.hang(got) if got.path == "/dead" else Reply()
    stop, feed = threading.Event(), post.feed()
    hands = {"deliver": 8}
    worker = threading.Thread(
        target=work,
        args=(post.database, post.registry, post.clock),
        kwargs={"holder": "test", "concurrency": hands, "stop": stop},
    )
    worker.start()
    try:
        for number in range(3):
            post.tell(number)
            feed.turn()
            until(lambda: len(post.receiver.at("/dead")) == SLOW_AT_ONCE, "the dead ones to hang")
            until(lambda number=number: number in post.numbers("/alive"), "the living one to be told")  # type: ignore[misc]
        assert not post.receiver.released.is_set()
        assert post.read(alive).failing_since is None
    finally:
        post.receiver.released.set()
        stop.set()
        worker.join()
