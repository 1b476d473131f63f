"""From notices to messages, and out: claimed in one unit, delivered by tasks that try again.

A message is made and its notices are claimed in the same unit, so two workers that see the same notices make one
message. Delivery is at least once: the identity of a message (Message-ID, webhook-id) stays the same when it is tried
again, so that receivers can tell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, distinct, func, select, update
from sqlalchemy.orm import Session

from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError, ConfigurationError, UnavailableError
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchError
from airledger.platform.notify import Notifier
from airledger.platform.tasks.registry import Registry
from airledger.platform.webhooks.patience import judge, no_answer
from airledger.platform.webhooks.sign import message_body, message_id, signed_headers
from airledger.stations.alerts.channels import EMAIL, WEBHOOK
from airledger.stations.alerts.gather import EVERYTHING_FROM, HOUR, Bundle, Notice, gather, keys_of
from airledger.stations.alerts.models import (
    FAILING,
    LOST,
    SENT,
    STILL,
    WAITING,
    WORKING,
    Alert,
    AlertAck,
    AlertChannel,
    AlertMessage,
    AlertNotice,
)
from airledger.stations.alerts.quiet import is_quiet, quiet_ended
from airledger.stations.alerts.words import Subject, shown, subject_of, text_of
from airledger.stations.models import PLAYING, Stream

DELIVER = "alerts.deliver"
TIMEOUT_S = 10.0
MOST_AT_ONCE = 5_000
ERROR_CHARS = 500
EVENT_TYPE, TEST_TYPE = "alert", "alert.test"


@dataclass(frozen=True)
class Waiting:
    """What waits for a channel, with what is needed to decide about it."""

    notices: list[Notice]
    told: dict[str, datetime]
    about: dict[int, Subject]
    watched_hosts: int


class AlertPost:
    """Makes and delivers messages. Keeps no state between calls."""

    def __init__(
        self, database: Database, registry: Registry, clock: Clock, fetcher: Fetcher, notifier: Notifier
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._fetcher = fetcher
        self._notifier = notifier

    def gather_all(self, *, stopping: Callable[[], bool] = lambda: False) -> int:
        """Make the messages that are due, of all channels, and enqueue their delivery; return how many."""
        with self._database.read() as session:
            channels = session.scalars(select(AlertChannel).order_by(AlertChannel.created_at)).all()
        return sum(self._gather(channel) for channel in channels if not stopping())

    def deliver(self, identity: UUID, *, is_last: bool) -> str:
        """Deliver one message; return its status.

        Args:
            identity: Of the message.
            is_last: No other attempt will follow a failure.

        Raises:
            AirledgerError: It could not be delivered; the task tries again.
        """
        with self._database.read() as session:
            message = session.get(AlertMessage, identity)
            channel = session.get(AlertChannel, message.channel_id) if message is not None else None
        if message is None or channel is None or message.status in {SENT, LOST}:
            return message.status if message is not None else LOST
        try:
            self._send(channel, message, EVENT_TYPE)
        except AirledgerError as error:
            is_hopeless = isinstance(error, ConfigurationError)
            self._settle(message, channel, error.message, is_lost=is_last or is_hopeless)
            raise
        self._settle(message, channel, None, is_lost=False)
        return SENT

    def test(self, channel: AlertChannel) -> AlertMessage:
        """Send a test message now, quiet or not; return the row that tells what came of it."""
        now = self._clock.now()
        message = AlertMessage(
            id=uuid4(),
            channel_id=channel.id,
            scope="test",
            subject="Airledger: a test",
            text=f"Alerts for the channel {channel.name or channel.kind!r} arrive here.\n",
            data={"notices": []},
            status=WAITING,
            attempts=0,
            at=now,
        )
        with self._database.unit() as unit:
            unit.session.add(message)
        try:
            self._send(channel, message, TEST_TYPE)
        except AirledgerError as error:
            self._settle(message, channel, error.message, is_lost=True)
        else:
            self._settle(message, channel, None, is_lost=False)
        with self._database.read() as session:
            return session.get_one(AlertMessage, message.id)

    def _gather(self, channel: AlertChannel) -> int:
        now = self._clock.now()
        hours = channel.time_zone, channel.quiet_from, channel.quiet_to
        if is_quiet(now, *hours):
            return 0
        if channel.resend_hours:
            with self._database.unit() as unit:
                remind(unit, channel, now)
        with self._database.read() as session:
            waiting = waiting_for(session, channel, now)
        if not waiting.notices:
            return 0
        decided = gather(
            waiting.notices,
            waiting.told,
            now,
            watched_hosts=waiting.watched_hosts,
            quiet_ended=quiet_ended(now, *hours),
        )
        if not decided.bundles and not decided.dropped:
            return 0
        with self._database.unit() as unit:
            _drop(unit.session, decided.dropped)
            made = [self._claim(unit, channel, bundle, waiting.about, now) for bundle in decided.bundles]
        return sum(made)

    def _claim(
        self, unit: Unit, channel: AlertChannel, bundle: Bundle, about: dict[int, Subject], now: datetime
    ) -> bool:
        """Make a message of a bundle, unless another process has taken any of it."""
        ids = [one.id for one in bundle.notices]
        free = select(AlertNotice.id).where(AlertNotice.id.in_(ids), AlertNotice.message_id.is_(None))
        if len(unit.session.scalars(free.with_for_update()).all()) < len(ids):
            return False
        message = AlertMessage(
            id=uuid4(),
            channel_id=channel.id,
            scope=bundle.scope,
            subject=subject_of(bundle, about),
            text=text_of(bundle, about, channel.time_zone),
            data={"scope": bundle.scope, "key": bundle.key, "notices": shown(bundle.notices, about)},
            status=WAITING,
            attempts=0,
            at=now,
        )
        unit.session.add(message)
        unit.session.flush()
        claimed = update(AlertNotice).where(AlertNotice.id.in_(ids)).values(message_id=message.id, told_at=now)
        unit.session.execute(claimed.execution_options(synchronize_session=False))
        self._registry.enqueue(
            unit.session,
            DELIVER,
            {"message_id": str(message.id)},
            now=now,
            unique_key=f"alert:{message.id}",
            organisation_id=channel.organisation_id,
        )
        return True

    def _send(self, channel: AlertChannel, message: AlertMessage, event_type: str) -> None:
        if channel.kind == EMAIL:
            identity = f"alert-{message.id}"
            self._notifier.mail(channel.addresses, message.subject, message.text, identity=identity, at=message.at)
        elif channel.kind == WEBHOOK:
            self._post(channel, message, event_type)
        else:
            self._notifier.operator(channel.addresses[0], message.subject, message.text)

    def _post(self, channel: AlertChannel, message: AlertMessage, event_type: str) -> None:
        payload: dict[str, Any] = {"subject": message.subject, "text": message.text, **message.data}
        body = message_body(event_type, message.at, None, payload)
        keys = [channel.secret] if channel.secret else []
        headers = signed_headers(message_id(channel.id, str(message.id)), body, keys, self._clock.now())
        try:
            posted = self._fetcher.post(channel.addresses[0], body, headers=headers, timeout_s=TIMEOUT_S)
        except FetchError as error:
            tried = no_answer(error, 0.0)
        else:
            tried = judge(posted.status, posted.headers, posted.total_ms, posted.body)
        if tried.error is not None:
            raise (ConfigurationError if tried.is_hopeless else UnavailableError)(tried.error)

    def _settle(self, read: AlertMessage, of: AlertChannel, error: str | None, *, is_lost: bool) -> None:
        """Write an attempt down, where its channel can be seen to fail."""
        now = self._clock.now()
        with self._database.unit() as unit:
            message, channel = unit.session.get(AlertMessage, read.id), unit.session.get(AlertChannel, of.id)
            if message is None or channel is None:
                return
            message.attempts += 1
            message.error = error[:ERROR_CHARS] if error else None
            if error is None:
                message.status, message.sent_at = SENT, now
                channel.status, channel.error, channel.failing_since, channel.last_sent_at = WORKING, None, None, now
                return
            message.status = LOST if is_lost else WAITING
            channel.status, channel.error = FAILING, message.error
            channel.failing_since = channel.failing_since or now


def waiting_for(session: Session, channel: AlertChannel, now: datetime) -> Waiting:
    """Read what waits for a channel."""
    query = select(AlertNotice, Alert, Stream.is_flapping).join(Alert, Alert.id == AlertNotice.alert_id)
    query = query.join(Stream, Stream.id == Alert.stream_id)
    query = query.where(AlertNotice.channel_id == channel.id, AlertNotice.message_id.is_(None))
    rows = session.execute(query.order_by(AlertNotice.id).limit(MOST_AT_ONCE)).all()
    notices = [_notice(notice, alert, is_flapping=is_flapping) for notice, alert, is_flapping in rows]
    about = {alert.id: Subject(alert.name, alert.cause, alert.detail) for _, alert, _ in rows}
    watched = 0
    if len({one.host for one in notices}) >= EVERYTHING_FROM:
        watched = session.scalar(select(func.count(distinct(Stream.host))).where(Stream.state == PLAYING)) or 0
    return Waiting(notices, told_lately(session, channel, now) if notices else {}, about, watched)


def told_lately(session: Session, channel: AlertChannel, now: datetime) -> dict[str, datetime]:
    """Return when a channel was last told of what, within the last hour."""
    query = select(AlertNotice, Alert, AlertMessage.scope).join(Alert, Alert.id == AlertNotice.alert_id)
    query = query.join(AlertMessage, AlertMessage.id == AlertNotice.message_id)
    query = query.where(AlertNotice.channel_id == channel.id, AlertNotice.told_at > now - HOUR)
    told: dict[str, datetime] = {}
    for notice, alert, scope in session.execute(query):
        told_at = notice.told_at or now
        for key in keys_of(scope, [_notice(notice, alert)]):
            told[key] = max(told.get(key, told_at), told_at)
    return told


def remind(unit: Unit, channel: AlertChannel, now: datetime) -> int:
    """Note anew what has been wrong for long, was told, and nobody of the organisation has acknowledged."""
    is_theirs = and_(AlertAck.alert_id == Alert.id, AlertAck.organisation_id == channel.organisation_id)
    query = (
        select(Alert.id, func.count(), func.max(AlertNotice.told_at))
        .join(AlertNotice, AlertNotice.alert_id == Alert.id)
        .outerjoin(AlertAck, is_theirs)
        .where(AlertNotice.channel_id == channel.id, Alert.closed_at.is_(None), AlertAck.alert_id.is_(None))
        .group_by(Alert.id)
        .having(func.count() == func.count(AlertNotice.told_at))
    )
    long_ago = now - timedelta(hours=channel.resend_hours)
    due = [row for row in unit.session.execute(query) if row[2] is not None and row[2] <= long_ago]
    for alert_id, times, _ in due:
        what = f"{STILL} {times}"
        unit.session.add(AlertNotice(alert_id=alert_id, channel_id=channel.id, what=what, at=now))
    return len(due)


def _drop(session: Session, ids: Sequence[int]) -> None:
    """Delete the notices of what was over before it was told; the alert itself stays in the list."""
    if ids:
        rows = session.scalars(select(AlertNotice).where(AlertNotice.id.in_(ids), AlertNotice.message_id.is_(None)))
        for row in rows:
            session.delete(row)


def _notice(row: AlertNotice, alert: Alert, *, is_flapping: bool = False) -> Notice:
    return Notice(
        id=row.id,
        alert_id=alert.id,
        kind=alert.kind,
        what=row.what,
        at=row.at,
        opened_at=alert.opened_at,
        stream_id=alert.stream_id,
        host=alert.host,
        network=alert.network,
        is_over=alert.closed_at is not None,
        is_flapping=is_flapping,
    )
