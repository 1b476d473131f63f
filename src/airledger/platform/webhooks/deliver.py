"""Telling one webhook what waits for it: in order, one at a time, each attempt written down.

An event that cannot be delivered holds back those behind it, since a receiver that sees `play.finished` before
`play.started` is told a wrong story. Other webhooks have cursors of their own and do not notice.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.events import EventRow, Told, told
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchError
from airledger.platform.webhooks.concerns import Wanted
from airledger.platform.webhooks.hooks import home_of, pause, wanted_of
from airledger.platform.webhooks.patience import Tried, judge, no_answer, pause_reason, wait_s
from airledger.platform.webhooks.rows import ACTIVE, DELIVERED, FAILED, Webhook, WebhookDelivery
from airledger.platform.webhooks.sign import message_body, message_id, signed_headers

TIMEOUT_S = 10.0
SLICE_S = 20.0
BATCH = 500
ERROR_LIMIT = 500
TEST_TYPE = "webhook.test"


@dataclass(frozen=True)
class Message:
    """What is posted: an event, or a test."""

    id: str
    position: int | None
    type: str
    at: datetime
    body: bytes


@dataclass(frozen=True)
class Waiting:
    """What waits for one webhook.

    Attributes:
        hook: Its row as it was read.
        events: The next ones that concern it, oldest first.
        seen: The position up to which nothing else concerns it.
        is_all: There is nothing behind them.
    """

    hook: Webhook
    events: list[Told]
    seen: int
    is_all: bool


class Courier:
    """Delivers. Thread-safe: it keeps no state between calls."""

    def __init__(self, database: Database, clock: Clock, fetcher: Fetcher, *, timeout_s: float = TIMEOUT_S) -> None:
        self._database = database
        self._clock = clock
        self._fetcher = fetcher
        self._timeout_s = timeout_s

    def deliver(self, webhook_id: UUID, *, stopping: Callable[[], bool] = lambda: False) -> int:
        """Tell a webhook what waits for it, for up to 20 s; return how many events were delivered.

        Ends at the first failure: when it is tried again stands in the row, and the feed comes back to it.
        """
        delivered, began = 0, time.monotonic()
        while not stopping() and time.monotonic() - began < SLICE_S:
            with self._database.read() as session:
                waiting = next_events(session, webhook_id, self._clock.now())
            if waiting is None:
                return delivered
            position = waiting.hook.position
            for event in waiting.events:
                tried = self._tell(waiting.hook, _message(waiting.hook.id, event))
                is_ours = self._settle(waiting.hook, event, position, tried)
                delivered += tried.is_delivered
                if not tried.is_delivered:
                    return delivered
                if not is_ours or stopping() or time.monotonic() - began > SLICE_S:
                    break  # it was replayed, changed or paused meanwhile: read it again
                position = event.position
            else:
                self._move(waiting.hook, position, waiting.seen)
                if waiting.is_all:
                    return delivered
        return delivered

    def test(self, hook: Webhook) -> WebhookDelivery:
        """Post a `webhook.test` message now, paused or not; return the row that was written, whatever came of it."""
        now = self._clock.now()
        payload = {"webhook_id": str(hook.id), "webhook": hook.name}
        body = message_body(TEST_TYPE, now, None, payload)
        message = Message(message_id(hook.id, f"test {uuid4()}"), None, TEST_TYPE, now, body)
        row = _row(hook, message, self._tell(hook, message), 1, self._clock.now())
        with self._database.unit() as unit:
            unit.session.add(row)
        return row

    def _tell(self, hook: Webhook, message: Message) -> Tried:
        now, began = self._clock.now(), time.monotonic()
        keys = [hook.secret]
        if hook.previous_secret and hook.previous_secret_until and hook.previous_secret_until > now:
            keys.append(hook.previous_secret)
        headers = signed_headers(message.id, message.body, keys, now)
        try:
            posted = self._fetcher.post(hook.url, message.body, headers=headers, timeout_s=self._timeout_s)
        except FetchError as error:
            return no_answer(error, (time.monotonic() - began) * 1000)
        return judge(posted.status, posted.headers, posted.total_ms, posted.body)

    def _settle(self, read: Webhook, event: Told, position: int, tried: Tried) -> bool:
        """Write an attempt down; False when the webhook was changed meanwhile and has to be read again."""
        now = self._clock.now()
        with self._database.unit() as unit:
            hook = unit.session.get(Webhook, read.id)
            if hook is None:
                return False
            unit.session.add(_row(hook, _message(hook.id, event), tried, hook.attempts + 1, now))
            if hook.position != position:
                return False
            hook.last_ms = tried.ms
            is_same = hook.updated_at == read.updated_at
            if tried.is_delivered:
                hook.position, hook.last_delivered_at = event.position, now
                hook.attempts, hook.failing_since, hook.next_attempt_at = 0, None, None
                return is_same
            if not is_same:  # the failure says nothing of the new address
                return False
            hook.attempts += 1
            hook.failing_since = hook.failing_since or now
            spread = random.random()  # noqa: S311  spreads retries
            hook.next_attempt_at = now + timedelta(seconds=wait_s(hook.attempts, tried, spread))
            reason = pause_reason(tried, hook.failing_since, now)
            if reason is not None:
                pause(unit, Actor("system:webhooks", hook.organisation_id), hook, reason, now=now)
            return True

    def _move(self, hook: Webhook, position: int, seen: int) -> None:
        """Pass what does not concern a webhook, unless it was replayed meanwhile."""
        if seen <= position:
            return
        with self._database.unit() as unit:
            pass_by(unit.session, [hook.id], position, seen)


def pass_by(session: Session, webhook_ids: list[UUID], position: int, seen: int) -> None:
    """Move webhooks that still stand at a position on to another; between the two nothing concerned them."""
    session.execute(
        update(Webhook)
        .where(Webhook.id.in_(webhook_ids), Webhook.position == position)
        .values(position=seen)
        .execution_options(synchronize_session=False)
    )


def next_events(session: Session, webhook_id: UUID, now: datetime) -> Waiting | None:
    """Read what waits for a webhook; None when it is paused, gone, or not to be tried again yet."""
    hook = session.get(Webhook, webhook_id)
    if hook is None or hook.status != ACTIVE or (hook.next_attempt_at is not None and hook.next_attempt_at > now):
        return None
    wanted = wanted_of(hook, home_of(session))
    events = read_after(session, wanted, hook.position)
    seen = events[-1].position if events else hook.position
    concerning = [event for event in events if wanted.hears(event)]
    return Waiting(hook, concerning, seen, len(events) < BATCH)


def read_after(session: Session, wanted: Wanted, position: int) -> list[Told]:
    """Read events after a position that may concern somebody, as far as the database can tell."""
    owner = EventRow.organisation_id
    query = select(EventRow).where(EventRow.position > position, or_(owner.is_(None), owner == wanted.organisation_id))
    rows = session.scalars(query.order_by(EventRow.position).limit(BATCH))
    return [told(row) for row in rows]


def _message(webhook_id: UUID, event: Told) -> Message:
    body = message_body(event.type, event.at, event.position, event.payload)
    return Message(message_id(webhook_id, event.position), event.position, event.type, event.at, body)


def _row(hook: Webhook, message: Message, tried: Tried, attempt: int, now: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        id=uuid4(),
        webhook_id=hook.id,
        message_id=message.id,
        position=message.position,
        type=message.type,
        attempt=attempt,
        status=DELIVERED if tried.is_delivered else FAILED,
        http_status=tried.http_status,
        ms=tried.ms,
        error=tried.error[:ERROR_LIMIT] if tried.error else None,
        body_excerpt=tried.excerpt,
        at=now,
    )
