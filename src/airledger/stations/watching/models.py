"""The tables of watching: habits, roll-ups, trends, and how far each of them has come."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row


class StreamHabit(Row):
    """Which hours of the last eight weeks a stream played and failed in; only of streams that have failed."""

    __tablename__ = "stream_habits"
    retention = Retention(days=70, age_column="updated_at", reason="ten weeks: what it holds is forgotten by then")

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    time_zone: Mapped[str]  # whose hours they are
    days: Mapped[bytes] = mapped_column(LargeBinary)  # as watching/habit.py packs them
    updated_at: Mapped[datetime]


class _Rolled:
    """What a stretch of checks comes to."""

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    checks: Mapped[int]
    successes: Mapped[int]
    response_p50_ms: Mapped[int | None]  # of checks that got an answer
    response_p95_ms: Mapped[int | None]
    response_mean_ms: Mapped[float | None]
    bandwidth_kbps: Mapped[int | None]  # mean of the checks that measured it
    downtime_s: Mapped[int]
    causes: Mapped[dict[str, Any]]  # how many checks failed for which cause


class StreamHour(_Rolled, Row):
    """An hour of a stream's checks."""

    __tablename__ = "stream_hours"
    retention = Retention(days=90, age_column="begins_at", reason="a quarter in hours; days are kept for ever")


class StreamDay(_Rolled, Row):
    """A day (UTC) of a stream's checks."""

    __tablename__ = "stream_days"
    retention = Retention(reason="the history of the world's stations; a row a day and stream")


class StreamTrend(Row):
    """What the analyser last made of a stream's weeks, where it found something."""

    __tablename__ = "stream_trends"
    retention = Retention(days=60, age_column="at", reason="replaced every day while there is something to say")

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]
    since: Mapped[datetime]
    reasons: Mapped[list[Any]]


class WatchMark(Row):
    """How far a roll-up or an archive has come: everything before `at` is done."""

    __tablename__ = "watch_marks"
    retention = Retention(reason="a row for each of them")

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
