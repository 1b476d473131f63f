"""The tables of verdicts: what each stream was found to be, and what people said of it."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Integer, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

BigId = BigInteger().with_variant(Integer, "sqlite")


class StreamVerdict(Row):
    """The last close look at a stream, weighed. One row a stream."""

    __tablename__ = "stream_verdicts"
    retention = Retention(reason="as long as the stream; the next look replaces it")

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    looked_at: Mapped[datetime | None] = mapped_column(index=True)  # None: a first look is due or under way
    due_at: Mapped[datetime] = mapped_column(index=True)
    is_valid: Mapped[bool | None]  # None: a look saw nothing, and says nothing
    confidence: Mapped[float | None]
    risk_score: Mapped[float | None]
    label: Mapped[str | None]  # the class; `class` is Python's own word
    probabilities: Mapped[dict[str, Any]]
    quality: Mapped[float | None]
    reasons: Mapped[list[str]]
    faults: Mapped[list[str]]  # of the picture: black, frozen, placeholder
    model_version: Mapped[str | None]
    features: Mapped[str | None]  # version of the vector
    vector: Mapped[dict[str, Any]]  # by column: what a person's word on this look will teach
    error: Mapped[str | None]  # why a look saw nothing


class VerdictLabel(Row):
    """What a person said that a look had heard, with the vector it was said of: a lesson."""

    __tablename__ = "verdict_labels"
    retention = Retention(
        reason="lessons for later models: measures of sound and no sound; who gave them is told by a number alone"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(index=True)
    label: Mapped[str]  # what the person says
    was: Mapped[str]  # what the verdict had said
    looked_at: Mapped[datetime]
    model_version: Mapped[str]
    features: Mapped[str]
    vector: Mapped[dict[str, Any]]
