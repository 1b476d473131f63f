"""Tables of what was joined, what shall stay apart, and by what streams are recognised as one station's."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.stations.models import BigId


class StationMerge(Row):
    """That one station's streams were given to another, why, and what was there before: enough to take it back."""

    __tablename__ = "station_merges"
    retention = Retention(reason="every merge stays explained, and can be undone")
    __table_args__ = (Index("ix_station_merges_order", "at", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kept_station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    merged_station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    stream_ids: Mapped[list[Any]]  # that moved
    reason: Mapped[str]  # as `why.REASONS`
    evidence: Mapped[dict[str, Any]]
    confidence: Mapped[float]
    facts_before: Mapped[dict[str, Any]]  # of the kept station
    webhook_ids: Mapped[list[str]]  # that asked for the merged station and since then hear of the kept one too
    at: Mapped[datetime]
    by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class StationApart(Row):
    """That somebody said two stations are not the same: nothing joins them by itself again."""

    __tablename__ = "station_apart"
    retention = Retention(reason="a person's word outlasts the evidence against it")
    __table_args__ = (UniqueConstraint("station_a", "station_b"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    station_a: Mapped[int] = mapped_column(ForeignKey("stations.id"))  # the lesser id
    station_b: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str]


class StationClue(Row):
    """Something of a stream that another stream of the same station would have too."""

    __tablename__ = "station_clues"
    retention = Retention(reason="as long as the stream; made again from its row")
    __table_args__ = (
        UniqueConstraint("stream_id", "kind"),
        Index("ix_station_clues_clue", "clue", "kind", "name_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    kind: Mapped[str]
    clue: Mapped[str]
    name_key: Mapped[
        str
    ]  # what the stream is called, folded: by how many names a clue is carried tells what it is worth


class JoinProgress(Row):
    """Up to which change of the catalogue streams were compared."""

    __tablename__ = "join_progress"
    retention = Retention(reason="one row")

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    updated_at: Mapped[datetime]
    stream_id: Mapped[int]


class SameSoundPair(Row):
    """What looks at the sound of two streams have told: whether they carry one programme, and how much later one is."""

    __tablename__ = "same_sound_pairs"
    retention = Retention(days=90, age_column="last_seen", reason="programmes change; what is the same is heard again")
    __table_args__ = (UniqueConstraint("stream_a", "stream_b"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_a: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))  # the lesser id
    stream_b: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), index=True)
    verdict: Mapped[str]  # as `why.HEARD_...`, or `undecided`
    probability: Mapped[float]  # that both carry the same programme, after all looks
    delay_s: Mapped[float | None]  # how much later b is, when it was last the same
    looks_agreed: Mapped[int]
    looks_related: Mapped[int]
    looks_disagreed: Mapped[int]
    log_odds: Mapped[float]
    same_since: Mapped[datetime | None]  # the first of the looks that agreed without one that did not
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime] = mapped_column(index=True)
