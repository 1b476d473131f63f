"""Channels and subscriptions: where an organisation wants to be told, and of what. Each steers its own."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.curl_request import checked_url
from airledger.platform.db import Unit
from airledger.platform.errors import ForbiddenError, InputError, LimitError, NotFoundError
from airledger.platform.fetch_error import FetchError
from airledger.platform.webhooks.sign import make_secret
from airledger.stations.alerts.models import WORKING, AlertChannel, AlertSubscription
from airledger.stations.alerts.quiet import checked_hours
from airledger.stations.alerts.raise_alerts import KINDS

EMAIL, WEBHOOK, OPERATOR = "email", "webhook", "operator"
MOST_CHANNELS = 50
MOST_MAILBOXES = 20
MOST_SUBSCRIPTIONS = 200
MOST_NAMES = 1_000
_MAILBOX = re.compile(r"[^@\s\x00-\x1f<>,;\"()]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


@dataclass(frozen=True)
class ChannelPlan:
    """What a channel shall be."""

    kind: str
    addresses: tuple[str, ...]
    name: str = ""
    time_zone: str = "UTC"
    quiet_from: str | None = None
    quiet_to: str | None = None
    resend_hours: int = 0


@dataclass(frozen=True)
class SubscriptionPlan:
    """Which alerts a channel shall get; empty does not narrow."""

    channel_id: UUID
    kinds: tuple[str, ...] = ()
    station_ids: tuple[int, ...] = ()
    stream_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Allowed:
    """What this caller and installation may use.

    Attributes:
        operator_names: Entries of `alert_urls`, for those who run the installation; empty for all others.
    """

    operator_names: Collection[str] = ()


def create_channel(
    unit: Unit, actor: Actor, organisation_id: UUID, plan: ChannelPlan, allowed: Allowed, *, now: datetime
) -> AlertChannel:
    """Create a channel; a webhook's `secret` is shown this once.

    Raises:
        InputError: An address, a zone or the quiet hours cannot be used.
        ForbiddenError: Only the operator may use services of `alert_urls`.
        LimitError: The organisation has 50 already.
    """
    counted = select(func.count()).select_from(AlertChannel).where(AlertChannel.organisation_id == organisation_id)
    if (unit.session.scalar(counted) or 0) >= MOST_CHANNELS:
        raise LimitError(f"an organisation may have {MOST_CHANNELS} channels: delete one first")
    channel = AlertChannel(
        id=uuid4(),
        organisation_id=organisation_id,
        secret=make_secret() if plan.kind == WEBHOOK else None,
        status=WORKING,
        created_by=actor.name,
        created_at=now,
    )
    _fill(channel, plan, allowed, now)
    unit.session.add(channel)
    unit.session.flush()
    record_change(unit, actor, "created", "alert_channel", channel.id, _shown(channel), at=now)
    return channel


def change_channel(
    unit: Unit, actor: Actor, channel: AlertChannel, plan: ChannelPlan, allowed: Allowed, *, now: datetime
) -> None:
    """Give a channel other addresses or hours; what failed before is forgotten.

    Raises:
        InputError: As for a new one, or it would become of another kind.
        ForbiddenError: Only the operator may use services of `alert_urls`.
    """
    if plan.kind != channel.kind:
        raise InputError(f"this channel is of kind {channel.kind}: make another one instead")
    _fill(channel, plan, allowed, now)
    channel.status, channel.error, channel.failing_since = WORKING, None, None
    record_change(unit, actor, "changed", "alert_channel", channel.id, _shown(channel), at=now)


def delete_channel(unit: Unit, actor: Actor, channel: AlertChannel, *, now: datetime) -> None:
    """Delete a channel with its subscriptions and messages."""
    record_change(unit, actor, "deleted", "alert_channel", channel.id, _shown(channel), at=now)
    unit.session.delete(channel)


def get_channel(session: Session, organisation_id: UUID, channel_id: UUID) -> AlertChannel:
    """Fetch one channel of an organisation.

    Raises:
        NotFoundError: It has none with this id.
    """
    channel = session.get(AlertChannel, channel_id)
    if channel is None or channel.organisation_id != organisation_id:
        raise NotFoundError(f"there is no alert channel {channel_id}")
    return channel


def find_channels(session: Session, organisation_id: UUID) -> Sequence[AlertChannel]:
    """List an organisation's channels, oldest first."""
    query = select(AlertChannel).where(AlertChannel.organisation_id == organisation_id)
    return session.scalars(query.order_by(AlertChannel.created_at, AlertChannel.id)).all()


def subscribe(
    unit: Unit, actor: Actor, organisation_id: UUID, plan: SubscriptionPlan, *, now: datetime
) -> AlertSubscription:
    """Have a channel told of some alerts from now on.

    Raises:
        NotFoundError: The organisation has no such channel.
        InputError: There is no such kind of alert, or a list is too long.
        LimitError: The organisation has 200 subscriptions already.
    """
    channel = get_channel(unit.session, organisation_id, plan.channel_id)
    mine = select(func.count()).select_from(AlertSubscription)
    if (unit.session.scalar(mine.where(AlertSubscription.organisation_id == organisation_id)) or 0) >= (
        MOST_SUBSCRIPTIONS
    ):
        raise LimitError(f"an organisation may have {MOST_SUBSCRIPTIONS} subscriptions: delete one first")
    unknown = sorted(set(plan.kinds) - set(KINDS))
    if unknown:
        raise InputError(f"there is no kind of alert {unknown[0]!r}: choose from {', '.join(KINDS)}")
    if any(len(one) > MOST_NAMES for one in (plan.station_ids, plan.stream_ids, plan.tags, plan.countries)):
        raise InputError(f"give at most {MOST_NAMES} of each")
    row = AlertSubscription(
        id=uuid4(),
        organisation_id=organisation_id,
        channel_id=channel.id,
        kinds=sorted(set(plan.kinds)),
        station_ids=sorted(set(plan.station_ids)),
        stream_ids=sorted(set(plan.stream_ids)),
        tags=sorted(set(plan.tags)),
        countries=sorted({code.upper() for code in plan.countries}),
        created_at=now,
    )
    unit.session.add(row)
    unit.session.flush()
    record_change(unit, actor, "created", "alert_subscription", row.id, {"channel": str(channel.id)}, at=now)
    return row


def unsubscribe(unit: Unit, actor: Actor, organisation_id: UUID, subscription_id: UUID, *, now: datetime) -> None:
    """Delete a subscription.

    Raises:
        NotFoundError: The organisation has none with this id.
    """
    row = unit.session.get(AlertSubscription, subscription_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"there is no subscription {subscription_id}")
    record_change(unit, actor, "deleted", "alert_subscription", row.id, {"channel": str(row.channel_id)}, at=now)
    unit.session.delete(row)


def find_subscriptions(session: Session, organisation_id: UUID) -> Sequence[AlertSubscription]:
    """List an organisation's subscriptions, oldest first."""
    query = select(AlertSubscription).where(AlertSubscription.organisation_id == organisation_id)
    return session.scalars(query.order_by(AlertSubscription.created_at, AlertSubscription.id)).all()


def export_address(session: Session, mailbox: str) -> list[dict[str, Any]]:
    """Return what is kept under a person's mail address."""
    rows = session.scalars(select(AlertChannel).where(AlertChannel.kind == EMAIL).order_by(AlertChannel.created_at))
    return [
        {"channel": str(row.id), "name": row.name, "since": row.created_at.isoformat()}
        for row in rows
        if mailbox.casefold() in {one.casefold() for one in row.addresses}
    ]


def delete_address(unit: Unit, actor: Actor, mailbox: str, *, now: datetime) -> int:
    """Take a person's mail address out of all channels; one that loses its last address goes. Return how many."""
    rows = unit.session.scalars(select(AlertChannel).where(AlertChannel.kind == EMAIL)).all()
    count = 0
    for row in rows:
        left = [one for one in row.addresses if one.casefold() != mailbox.casefold()]
        if len(left) == len(row.addresses):
            continue
        count += 1
        if left:
            row.addresses, row.updated_at = left, now
            record_change(unit, actor, "changed", "alert_channel", row.id, {"addresses": len(left)}, at=now)
        else:
            delete_channel(unit, actor, row, now=now)
    return count


def _fill(channel: AlertChannel, plan: ChannelPlan, allowed: Allowed, now: datetime) -> None:
    checked_hours(plan.time_zone, plan.quiet_from, plan.quiet_to)
    _check_addresses(plan, allowed)
    channel.kind, channel.name, channel.addresses = plan.kind, plan.name, list(plan.addresses)
    channel.time_zone, channel.resend_hours = plan.time_zone, plan.resend_hours
    channel.quiet_from, channel.quiet_to, channel.updated_at = plan.quiet_from, plan.quiet_to, now


def _check_addresses(plan: ChannelPlan, allowed: Allowed) -> None:
    if plan.kind == EMAIL:
        if not 1 <= len(plan.addresses) <= MOST_MAILBOXES or not all(map(_MAILBOX.fullmatch, plan.addresses)):
            raise InputError(f"give 1 to {MOST_MAILBOXES} mail addresses, like name@example.org")
        return
    if len(plan.addresses) != 1:
        raise InputError(f"a channel of kind {plan.kind} has one address")
    if plan.kind == WEBHOOK:
        _check_url(plan.addresses[0])
    elif plan.addresses[0] not in allowed.operator_names:
        raise ForbiddenError(
            "services of other kinds are the operator's: an entry of alert_urls in airledger.toml, "
            "used by those who run this installation"
        )


def _check_url(url: str) -> None:
    try:
        checked_url(url)
    except FetchError as error:
        raise InputError(error.message) from error
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise InputError("name and password do not belong into a webhook's address: the signature tells who we are")


def _shown(channel: AlertChannel) -> dict[str, Any]:
    """What the audit log may hold: neither mailboxes nor paths of receivers."""
    return {"name": channel.name, "kind": channel.kind, "addresses": len(channel.addresses)}
