"""The tables of webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

ACTIVE, PAUSED = "active", "paused"
DELIVERED, FAILED = "delivered", "failed"


class Webhook(Row):
    """An address that is told what happens, and how far it has been told."""

    __tablename__ = "webhooks"
    retention = Retention(reason="until its owner deletes it")
    __table_args__ = (Index("ix_webhooks_due", "status", "position"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str]
    url: Mapped[str]
    types: Mapped[list[str]]  # "*", or names and prefixes of events
    station_ids: Mapped[list[Any]]
    stream_ids: Mapped[list[Any]]
    recording_ids: Mapped[list[str]]
    owner_organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    secret: Mapped[str]  # signing needs it as it is, so no hash would do
    previous_secret: Mapped[str | None]
    previous_secret_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(default=ACTIVE)
    pause_reason: Mapped[str | None]
    position: Mapped[int] = mapped_column(BigInteger)  # of the last event that was delivered or did not concern it
    attempts: Mapped[int] = mapped_column(default=0)  # of the event that is next
    failing_since: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    last_delivered_at: Mapped[datetime | None]
    last_ms: Mapped[int | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebhookDelivery(Row):
    """One attempt to tell a webhook one event: what was sent is `message_id` and the event, what came back is here."""

    __tablename__ = "webhook_deliveries"
    retention = Retention(days=30, age_column="at", reason="as long as the events that it tells of")
    __table_args__ = (Index("ix_webhook_deliveries_hook", "webhook_id", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    message_id: Mapped[str]
    position: Mapped[int | None] = mapped_column(BigInteger)  # of the event; none for a test
    type: Mapped[str]
    attempt: Mapped[int]
    status: Mapped[str]  # delivered, failed
    http_status: Mapped[int | None]
    ms: Mapped[int]
    error: Mapped[str | None]
    body_excerpt: Mapped[str | None]  # the first characters of the receiver's answer
    at: Mapped[datetime] = mapped_column(index=True)
