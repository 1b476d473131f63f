"""Tables of places: what each method says of a stream, when it was last looked at, and what corrections taught."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.stations.models import BigId


class PlaceVote(Row):
    """What one method says of where a stream is, and why."""

    __tablename__ = "place_votes"
    retention = Retention(reason="as long as the stream; written anew when the evidence changes")
    __table_args__ = (UniqueConstraint("stream_id", "method"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    method: Mapped[str]
    country_code: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius_km: Mapped[int | None]
    confidence: Mapped[float]
    evidence: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class PlaceLook(Row):
    """When a stream's place was last worked out, and of which evidence."""

    __tablename__ = "place_looks"
    retention = Retention(reason="as long as the stream")
    __table_args__ = (Index("ix_place_looks_looked", "looked_at"),)

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    evidence_key: Mapped[str]  # SHA-256 of what was known; "" when it must be looked at again whatever is known
    looked_at: Mapped[datetime]


class PlaceTrust(Row):
    """How often a method was right where people told the truth; on one host, or (host "") anywhere."""

    __tablename__ = "place_trust"
    retention = Retention(reason="what people's corrections taught")

    method: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True)
    right: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)


class PlaceSibling(Row):
    """How many of a domain's streams people placed in a country."""

    __tablename__ = "place_siblings"
    retention = Retention(reason="what people's corrections taught")

    domain: Mapped[str] = mapped_column(primary_key=True)
    country_code: Mapped[str] = mapped_column(primary_key=True)
    streams: Mapped[int] = mapped_column(default=0)
