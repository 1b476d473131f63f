"""The table of announcements."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.stations.models import BigId


class YpAnnouncement(Row):
    """That a server says a mount of its is on the air; kept up by touches."""

    __tablename__ = "yp_announcements"
    retention = Retention(days=30, age_column="last_touch", reason="a month to look into abuse of the directory")
    __table_args__ = (
        Index("ix_yp_announcements_open", "ended_at", "expires_at"),
        Index("ix_yp_announcements_from", "announced_from", "ended_at"),
    )

    sid: Mapped[str] = mapped_column(primary_key=True)  # known to the server and us alone
    stream_id: Mapped[int] = mapped_column(BigId, ForeignKey("streams.id", ondelete="CASCADE"), index=True)
    listen_url: Mapped[str]
    announced_from: Mapped[str]  # the network address that announced it
    is_own: Mapped[bool]  # the listen URL's host has that very address
    told: Mapped[dict[str, Any]]
    current_song: Mapped[str | None]
    listeners: Mapped[int | None]
    touches: Mapped[int] = mapped_column(default=0)
    added_at: Mapped[datetime]
    last_touch: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]  # removed, expired, replaced
