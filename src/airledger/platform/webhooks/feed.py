"""Noticing that something waits for a webhook, and enqueueing the task that delivers it.

The feed sends nothing itself, so a receiver that is slow or dead cannot hold it up. What it remembers only saves
queries: a new one begins from the rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.events import Told, events_after, latest_position
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.rows import PENDING, RUNNING, TaskRow
from airledger.platform.webhooks.deliver import pass_by
from airledger.platform.webhooks.hooks import home_of, wanted_of
from airledger.platform.webhooks.rows import ACTIVE, Webhook

DELIVER = "webhooks.deliver"
KEY = "webhook:"
LOOK_AHEAD = 1_000
PASS_AFTER = 500
SLOW_MS = 2_000
SLOW_AT_ONCE = 4  # of the eight hands of a worker: failing and slow receivers never take them all


@dataclass(frozen=True)
class _Looked:
    """That nothing concerned a webhook up to `seen`, while its row was this."""

    position: int
    updated_at: datetime
    seen: int


class WebhookFeed:
    """Call `turn` a few times a second, in the scheduler."""

    def __init__(self, database: Database, registry: Registry, clock: Clock) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._looked: dict[UUID, _Looked] = {}

    def turn(self) -> int:
        """Enqueue a task for each webhook that something waits for; return for how many."""
        now = self._clock.now()
        with self._database.read() as session:
            hooks = self._behind(session, now)
            if not hooks:
                return 0
            due = self._concerned(session, hooks)
            busy = _open_keys(session) if due else set()
        chosen = choose(due, busy)
        self._pass(hooks)
        if not chosen:
            return 0
        with self._database.unit() as unit:
            for hook in chosen:
                self._registry.enqueue(
                    unit.session,
                    DELIVER,
                    {"webhook_id": str(hook.id)},
                    now=now,
                    unique_key=key_of(hook.id),
                    organisation_id=hook.organisation_id,
                )
        return len(chosen)

    def _behind(self, session: Session, now: datetime) -> list[Webhook]:
        """Webhooks that have not seen everything and may be tried now."""
        latest = latest_position(session)
        query = select(Webhook).where(
            Webhook.status == ACTIVE,
            Webhook.position < latest,
            or_(Webhook.next_attempt_at.is_(None), Webhook.next_attempt_at <= now),
        )
        hooks = session.scalars(query).all()
        living = {hook.id for hook in hooks}
        self._looked = {identity: looked for identity, looked in self._looked.items() if identity in living}
        return [hook for hook in hooks if self._seen(hook) < latest]

    def _seen(self, hook: Webhook) -> int:
        looked = self._looked.get(hook.id)
        if looked is None or (looked.position, looked.updated_at) != (hook.position, hook.updated_at):
            return hook.position
        return looked.seen

    def _concerned(self, session: Session, hooks: Sequence[Webhook]) -> list[Webhook]:
        """Those for which something is known to wait, or too much to look through here."""
        home = home_of(session)
        by_place: dict[int, list[Webhook]] = defaultdict(list)
        for hook in hooks:
            by_place[self._seen(hook)].append(hook)
        due: list[Webhook] = []
        for place, group in by_place.items():
            events = events_after(session, place, limit=LOOK_AHEAD)
            if len(events) == LOOK_AHEAD:
                due += group  # the task looks through the rest
                continue
            for hook in group:
                wanted = wanted_of(hook, home)
                if any(wanted.hears(event) for event in events):
                    due.append(hook)
                else:
                    self._remember(hook, events)
        return due

    def _remember(self, hook: Webhook, events: Sequence[Told]) -> None:
        if events:
            self._looked[hook.id] = _Looked(hook.position, hook.updated_at, events[-1].position)

    def _pass(self, hooks: Sequence[Webhook]) -> None:
        """Move rows on now and then, so that a restart does not look through everything again."""
        far = [hook for hook in hooks if self._seen(hook) - hook.position > PASS_AFTER]
        if not far:
            return
        with self._database.unit() as unit:
            for hook in far:
                pass_by(unit.session, [hook.id], hook.position, self._seen(hook))


def choose(due: Iterable[Webhook], busy: set[str]) -> list[Webhook]:
    """Choose which webhooks get a task now.

    Those that fail or answer slowly take turns, a few at once and the longest waiting first; the others all go.
    """
    waiting = list(due)
    slow_busy = sum(key_of(hook.id) in busy for hook in waiting if is_slow(hook))
    free = [hook for hook in waiting if key_of(hook.id) not in busy]
    slow = sorted((hook for hook in free if is_slow(hook)), key=lambda hook: hook.next_attempt_at or hook.updated_at)
    return [hook for hook in free if not is_slow(hook)] + slow[: max(0, SLOW_AT_ONCE - slow_busy)]


def is_slow(hook: Webhook) -> bool:
    """Tell whether a receiver failed last, or took long."""
    return hook.failing_since is not None or (hook.last_ms or 0) > SLOW_MS


def key_of(webhook_id: UUID) -> str:
    """Return the key that keeps a webhook from being delivered to twice at once."""
    return KEY + webhook_id.hex


def _open_keys(session: Session) -> set[str]:
    query = select(TaskRow.unique_key).where(TaskRow.name == DELIVER, TaskRow.status.in_((PENDING, RUNNING)))
    return {key for key in session.scalars(query) if key is not None}
