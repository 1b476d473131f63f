"""Webhooks: create, list, change, pause, replay, delete. Each organisation steers its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.auth.rows import Organisation
from airledger.platform.auth.scopes import HOME_SLUG
from airledger.platform.curl_request import checked_url
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Unit
from airledger.platform.errors import InputError, LimitError, NotFoundError
from airledger.platform.events import Event, latest_position, publish
from airledger.platform.fetch_error import FetchError
from airledger.platform.webhooks.concerns import EVERY, Wanted
from airledger.platform.webhooks.rows import ACTIVE, PAUSED, Webhook, WebhookDelivery
from airledger.platform.webhooks.sign import make_secret

MOST_PER_ORGANISATION = 50
MOST_NAMES = 100
OLD_SECRET_SIGNS_FOR = timedelta(hours=24)


class WebhookPaused(Event):
    """A webhook is no longer told anything until somebody resumes it; `reason` says why."""

    name: ClassVar[str] = "webhook.paused"
    webhook_id: UUID
    webhook: str
    url: str
    reason: str


@dataclass(frozen=True)
class WebhookPlan:
    """What a webhook shall be: where to post and what about."""

    url: str
    name: str = ""
    types: tuple[str, ...] = (EVERY,)
    station_ids: tuple[int, ...] = ()
    stream_ids: tuple[int, ...] = ()
    recording_ids: tuple[UUID, ...] = field(default=())
    owner_organisation_id: UUID | None = None


def create_webhook(
    unit: Unit, actor: Actor, organisation_id: UUID, plan: WebhookPlan, *, now: datetime
) -> tuple[Webhook, str]:
    """Create a webhook that hears of everything from now on; return it and its secret, which is not shown again.

    Raises:
        InputError: The address or a filter cannot be used.
        LimitError: The organisation has 50 already.
    """
    counted = select(func.count()).select_from(Webhook).where(Webhook.organisation_id == organisation_id)
    if (unit.session.scalar(counted) or 0) >= MOST_PER_ORGANISATION:
        raise LimitError(f"an organisation may have {MOST_PER_ORGANISATION} webhooks: delete one first")
    secret = make_secret()
    hook = Webhook(
        id=uuid4(),
        organisation_id=organisation_id,
        secret=secret,
        status=ACTIVE,
        attempts=0,
        position=latest_position(unit.session),
        created_by=actor.name,
        created_at=now,
    )
    _fill(hook, plan, now)
    unit.session.add(hook)
    unit.session.flush()
    record_change(unit, actor, "created", "webhook", hook.id, _shown(hook), at=now)
    return hook, secret


def change_webhook(unit: Unit, actor: Actor, hook: Webhook, plan: WebhookPlan, *, now: datetime) -> None:
    """Give a webhook another address or other filters; they hold for what is not delivered yet, too.

    Raises:
        InputError: The address or a filter cannot be used.
    """
    _fill(hook, plan, now)
    _begin_afresh(hook)
    record_change(unit, actor, "changed", "webhook", hook.id, _shown(hook), at=now)


def pause(unit: Unit, actor: Actor, hook: Webhook, reason: str, *, now: datetime) -> None:
    """Stop telling a webhook; what happens meanwhile waits for it, for as long as events are kept."""
    if hook.status == PAUSED:
        return
    hook.status, hook.pause_reason, hook.updated_at = PAUSED, reason, now
    record_change(unit, actor, "paused", "webhook", hook.id, {"reason": reason}, at=now)
    told = WebhookPaused(webhook_id=hook.id, webhook=hook.name, url=_host(hook.url), reason=reason)
    publish(unit, told, at=now, organisation_id=hook.organisation_id)


def resume(unit: Unit, actor: Actor, hook: Webhook, *, now: datetime) -> None:
    """Go on telling a webhook, from where it stopped."""
    if hook.status == ACTIVE:
        return
    hook.status, hook.pause_reason, hook.updated_at = ACTIVE, None, now
    _begin_afresh(hook)
    record_change(unit, actor, "resumed", "webhook", hook.id, {}, at=now)


def replay(unit: Unit, actor: Actor, hook: Webhook, since: int, *, now: datetime) -> int:
    """Tell a webhook everything after a position again, in order; return the newest position.

    Events that are no longer kept are left out; one beyond the newest skips what waits.
    """
    newest = latest_position(unit.session)
    hook.position, hook.updated_at = min(since, newest), now
    _begin_afresh(hook)
    record_change(unit, actor, "replayed", "webhook", hook.id, {"since": since}, at=now)
    return newest


def change_secret(unit: Unit, actor: Actor, hook: Webhook, *, now: datetime) -> str:
    """Give a webhook another secret; the old one signs beside it for a day, so that receivers can change over."""
    hook.previous_secret, hook.previous_secret_until = hook.secret, now + OLD_SECRET_SIGNS_FOR
    hook.secret, hook.updated_at = make_secret(), now
    record_change(unit, actor, "changed", "webhook", hook.id, {"secret": "another one"}, at=now)
    return hook.secret


def delete_webhook(unit: Unit, actor: Actor, hook: Webhook, *, now: datetime) -> None:
    """Delete a webhook and its log."""
    record_change(unit, actor, "deleted", "webhook", hook.id, _shown(hook), at=now)
    unit.session.delete(hook)


def get_webhook(session: Session, organisation_id: UUID, webhook_id: UUID) -> Webhook:
    """Fetch one webhook of an organisation.

    Raises:
        NotFoundError: It has none with this id.
    """
    hook = session.get(Webhook, webhook_id)
    if hook is None or hook.organisation_id != organisation_id:
        raise NotFoundError(f"there is no webhook {webhook_id}")
    return hook


def find_webhooks(session: Session, organisation_id: UUID) -> Sequence[Webhook]:
    """List an organisation's webhooks, oldest first."""
    query = select(Webhook).where(Webhook.organisation_id == organisation_id)
    return session.scalars(query.order_by(Webhook.created_at, Webhook.id)).all()


def find_deliveries(
    session: Session, webhook_id: UUID, *, status: str | None = None, limit: int = 100, cursor: str | None = None
) -> tuple[list[WebhookDelivery], str | None]:
    """List the attempts to tell a webhook, newest first, and the cursor of the next page.

    Raises:
        InputError: The cursor cannot be used.
    """
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if status is not None:
        query = query.where(WebhookDelivery.status == status)
    if cursor is not None:
        at, identity = decode_place(cursor)
        older = WebhookDelivery.at < at
        query = query.where(or_(older, (WebhookDelivery.at == at) & (WebhookDelivery.id < identity)))
    newest = query.order_by(WebhookDelivery.at.desc(), WebhookDelivery.id.desc()).limit(limit + 1)
    rows = list(session.scalars(newest))
    return rows[:limit], encode_place(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None


def wanted_of(hook: Webhook, home_id: UUID | None) -> Wanted:
    """Return what a webhook shall hear."""
    return Wanted(
        organisation_id=hook.organisation_id,
        types=frozenset(hook.types),
        station_ids=frozenset(hook.station_ids),
        stream_ids=frozenset(hook.stream_ids),
        recording_ids=frozenset(hook.recording_ids),
        owner_organisation_id=hook.owner_organisation_id,
        is_home=hook.organisation_id == home_id,
    )


def home_of(session: Session) -> UUID | None:
    """Return the organisation that runs this installation."""
    return session.scalar(select(Organisation.id).where(Organisation.slug == HOME_SLUG))


def _fill(hook: Webhook, plan: WebhookPlan, now: datetime) -> None:
    try:
        checked_url(plan.url)
    except FetchError as error:
        raise InputError(error.message) from error
    parts = urlsplit(plan.url)
    if parts.username or parts.password:
        raise InputError("name and password do not belong into a webhook's address: the signature tells who we are")
    if plan.owner_organisation_id not in {None, hook.organisation_id}:
        raise InputError("owner_organisation_id must be your own organisation: another's events are not told to you")
    lists = (plan.types, plan.station_ids, plan.stream_ids, plan.recording_ids)
    if not plan.types or any(len(one) > MOST_NAMES for one in lists):
        raise InputError(f"give 1 to {MOST_NAMES} types ('*' for all), and at most {MOST_NAMES} of each filter")
    hook.url, hook.name, hook.types = plan.url, plan.name, sorted(set(plan.types))
    hook.station_ids, hook.stream_ids = sorted(set(plan.station_ids)), sorted(set(plan.stream_ids))
    hook.recording_ids = sorted({str(one) for one in plan.recording_ids})
    hook.owner_organisation_id, hook.updated_at = plan.owner_organisation_id, now


def _begin_afresh(hook: Webhook) -> None:
    """Forget earlier failures: whoever changes or resumes a webhook has mended something."""
    hook.attempts, hook.failing_since, hook.next_attempt_at = 0, None, None


def _shown(hook: Webhook) -> dict[str, Any]:
    return {"name": hook.name, "host": _host(hook.url), "types": hook.types}


def _host(url: str) -> str:
    """The part of an address that holds no secret: paths and queries of receivers often carry tokens."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"
