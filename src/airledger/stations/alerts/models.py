"""The tables of alerts.

An alert is of the catalogue, which everybody may see. Who is told of it, where and when, is an organisation's own.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

BigId = BigInteger().with_variant(Integer, "sqlite")
OPENED, CLOSED, STILL = "opened", "closed", "still"
WORKING, FAILING = "working", "failing"
WAITING, HELD, SENT, LOST = "waiting", "held", "sent", "lost"


class Alert(Row):
    """Something that is, or was, wrong with a stream: open until it is over."""

    __tablename__ = "alerts"
    retention = Retention(days=730, age_column="opened_at", reason="two years of what went wrong")
    __table_args__ = (
        Index("ix_alerts_newest", "opened_at", "id"),
        Index("ix_alerts_stream", "stream_id", "opened_at"),
        Index(
            "uq_alerts_open",
            "stream_id",
            "kind",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    kind: Mapped[str]  # down, flapping, degrading, silence, wrong_programme, certificate
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    cause: Mapped[str | None]
    detail: Mapped[str]
    name: Mapped[str]  # of the stream, as it was called then
    host: Mapped[str]
    network: Mapped[str | None]


class AlertAck(Row):
    """That somebody of an organisation has seen an alert: it is not repeated to them."""

    __tablename__ = "alert_acks"
    retention = Retention(reason="as long as the alert")

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    by: Mapped[str]
    note: Mapped[str]
    at: Mapped[datetime]


class AlertChannel(Row):
    """Where an organisation wants to be told: mailboxes, a webhook, or an address that the operator configured."""

    __tablename__ = "alert_channels"
    retention = Retention(
        reason="until its owner deletes it",
        personal=True,
        export="airledger.stations.alerts.channels:export_address",
        delete="airledger.stations.alerts.channels:delete_address",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]  # email, webhook, operator
    addresses: Mapped[list[str]]  # mailboxes; one URL; or one name of `alert_urls` in airledger.toml
    secret: Mapped[str | None]  # signs what a webhook gets
    time_zone: Mapped[str]
    quiet_from: Mapped[str | None]  # HH:MM by that zone's clock
    quiet_to: Mapped[str | None]
    resend_hours: Mapped[int]  # repeats what is still wrong and not acknowledged; 0: never
    status: Mapped[str] = mapped_column(default=WORKING)
    error: Mapped[str | None]
    failing_since: Mapped[datetime | None]
    last_sent_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AlertSubscription(Row):
    """Which alerts go to a channel. Empty lists do not narrow; several narrow together."""

    __tablename__ = "alert_subscriptions"
    retention = Retention(reason="until its owner deletes it, or the channel")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("alert_channels.id", ondelete="CASCADE"), index=True)
    kinds: Mapped[list[str]]
    station_ids: Mapped[list[Any]]
    stream_ids: Mapped[list[Any]]
    tags: Mapped[list[str]]
    countries: Mapped[list[str]]
    created_at: Mapped[datetime]


class AlertMessage(Row):
    """One message to one channel: what several notices were put into."""

    __tablename__ = "alert_messages"
    retention = Retention(days=90, age_column="at", reason="a quarter of what was told to whom")
    __table_args__ = (Index("ix_alert_messages_channel", "channel_id", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("alert_channels.id", ondelete="CASCADE"))
    scope: Mapped[str]  # stream, host, network, everything, summary
    subject: Mapped[str]
    text: Mapped[str]
    data: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(default=WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class AlertNotice(Row):
    """That a channel shall hear of an alert's beginning or end; `message_id` once it has been put into a message.

    The key makes it once: however many processes see the same flip, one notice is written.
    """

    __tablename__ = "alert_notices"
    retention = Retention(days=90, age_column="at", reason="as long as the messages")
    __table_args__ = (
        UniqueConstraint("alert_id", "channel_id", "what"),
        Index("ix_alert_notices_waiting", "message_id", "at"),
        Index("ix_alert_notices_told", "channel_id", "told_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("alert_channels.id", ondelete="CASCADE"), index=True)
    what: Mapped[str]  # opened, closed
    at: Mapped[datetime]
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert_messages.id", ondelete="CASCADE"))
    told_at: Mapped[datetime | None]
