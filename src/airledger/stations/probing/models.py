"""Tables of probing: provers at other places, and what they see."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.stations.models import BigId


class ProbeAgent(Row):
    """A prober at another place."""

    __tablename__ = "probe_agents"
    retention = Retention(reason="as long as its checks are kept: they name it")

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    organisation_id: Mapped[UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(unique=True)  # the vantage that its checks carry
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(BigId, default=0)  # last stream of the round; the next is behind it
    checks: Mapped[int] = mapped_column(default=0)


class VantageView(Row):
    """What one place saw of a stream last, and whether it is looking now."""

    __tablename__ = "vantage_views"
    retention = Retention(days=90, age_column="leased_until", reason="as long as the checks that it sums up")
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(
        ForeignKey("probe_agents.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    leased_until: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    is_healthy: Mapped[bool | None]
    level: Mapped[int | None]
    cause: Mapped[str | None]
    http_status: Mapped[int | None]
