"""Listing alerts, and acknowledging them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Unit
from airledger.platform.errors import InputError, NotFoundError
from airledger.stations.alerts.models import Alert, AlertAck, AlertChannel, AlertMessage

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts. Nothing set: all."""

    is_open: bool | None = None
    kind: str | None = None
    stream_id: int | None = None
    host: str | None = None
    is_acknowledged: bool | None = None


@dataclass(frozen=True)
class AlertView:
    """An alert, and whether the asking organisation has acknowledged it."""

    alert: Alert
    ack: AlertAck | None


def find_alerts(
    session: Session, organisation_id: UUID, wanted: AlertFilter, *, limit: int = 100, cursor: str | None = None
) -> tuple[list[AlertView], str | None]:
    """List alerts, newest first, and the cursor of the next page.

    Raises:
        InputError: The cursor cannot be used.
    """
    is_mine = (AlertAck.alert_id == Alert.id) & (AlertAck.organisation_id == organisation_id)
    query = select(Alert, AlertAck).outerjoin(AlertAck, is_mine)
    if wanted.is_open is not None:
        query = query.where(Alert.closed_at.is_(None) if wanted.is_open else Alert.closed_at.is_not(None))
    if wanted.is_acknowledged is not None:
        is_seen = AlertAck.alert_id.is_not(None)
        query = query.where(is_seen if wanted.is_acknowledged else ~is_seen)
    for column, value in ((Alert.kind, wanted.kind), (Alert.stream_id, wanted.stream_id), (Alert.host, wanted.host)):
        if value is not None:
            query = query.where(column == value)
    if cursor is not None:
        query = query.where(tuple_(Alert.opened_at, Alert.id) < _place(cursor))
    rows = session.execute(query.order_by(Alert.opened_at.desc(), Alert.id.desc()).limit(limit + 1)).all()
    views = [AlertView(row[0], row[1]) for row in rows[:limit]]
    return views, _cursor(views[-1].alert) if len(rows) > limit else None


def acknowledge(
    unit: Unit, actor: Actor, organisation_id: UUID, alert_id: int, note: str, *, now: datetime
) -> AlertView:
    """Say that an alert has been seen: it is not repeated to this organisation. Saying it again changes the note.

    Raises:
        NotFoundError: There is no such alert.
    """
    alert = _alert(unit.session, alert_id)
    ack = unit.session.get(AlertAck, (alert_id, organisation_id))
    if ack is None:
        ack = AlertAck(alert_id=alert_id, organisation_id=organisation_id, by=actor.name, note=note, at=now)
        unit.session.add(ack)
    else:
        ack.by, ack.note, ack.at = actor.name, note, now
    record_change(unit, actor, "acknowledged", "alert", alert_id, {"note": note}, at=now)
    return AlertView(alert, ack)


def unacknowledge(unit: Unit, actor: Actor, organisation_id: UUID, alert_id: int, *, now: datetime) -> AlertView:
    """Take an acknowledgement back.

    Raises:
        NotFoundError: There is no such alert.
    """
    alert = _alert(unit.session, alert_id)
    ack = unit.session.get(AlertAck, (alert_id, organisation_id))
    if ack is not None:
        unit.session.delete(ack)
        record_change(unit, actor, "unacknowledged", "alert", alert_id, {}, at=now)
    return AlertView(alert, None)


def find_messages(session: Session, channel: AlertChannel, limit: int = 100) -> Sequence[AlertMessage]:
    """List what a channel was told, newest first."""
    query = select(AlertMessage).where(AlertMessage.channel_id == channel.id)
    return session.scalars(query.order_by(AlertMessage.at.desc(), AlertMessage.id).limit(limit)).all()


def _alert(session: Session, alert_id: int) -> Alert:
    alert = session.get(Alert, alert_id)
    if alert is None:
        raise NotFoundError(f"there is no alert {alert_id}")
    return alert


def _cursor(alert: Alert) -> str:
    return encode_place(alert.opened_at, UUID(int=alert.id))


def _place(cursor: str) -> tuple[datetime, int]:
    at, place = decode_place(cursor)
    if place.int > 2**63 - 1:
        raise InputError("The cursor is not one that this list gave out: begin without it.")
    return at, place.int
