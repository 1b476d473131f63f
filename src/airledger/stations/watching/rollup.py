"""Rolling measurements up: hours are kept for 90 days, days for ever, raw rows for a week and until both are made.

Each hour and day is made from the raw rows alone, so making it again changes nothing. A check tells for how long
before it the stream was held to be failing; where that reaches back into earlier hours, those are made again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Database, Row
from airledger.stations.models import StreamMetric
from airledger.stations.watching.models import StreamDay, StreamHour, WatchMark

HOURS, DAYS = "hours", "days"
STEPS = {HOURS: timedelta(hours=1), DAYS: timedelta(days=1)}
TABLES: dict[str, type[StreamHour] | type[StreamDay]] = {HOURS: StreamHour, DAYS: StreamDay}
SETTLED_AFTER = timedelta(minutes=5)  # a proof that was made at the end of an hour is written by then
LONGEST_DOWN = timedelta(hours=26)  # between two checks: the longest pause is a day and its spread
STREAMS_AT_ONCE = 500
P50, P95 = 0.5, 0.95


class Measured(NamedTuple):
    """One check as it counts. `is_healthy` is None where it does not (off in its off hours)."""

    at: datetime
    is_healthy: bool | None
    response_ms: int
    bandwidth_kbps: int
    cause: str
    down_s: int


class Rolled(NamedTuple):
    """What the checks of a stretch come to; response times are of checks that got an answer."""

    begins_at: datetime
    checks: int
    successes: int
    response_p50_ms: int | None
    response_p95_ms: int | None
    response_mean_ms: float | None
    bandwidth_kbps: int | None
    downtime_s: int
    causes: dict[str, int]


def rolled(measured: Sequence[Measured], begins_at: datetime, ends_at: datetime) -> Rolled | None:
    """Sum up a stretch; None where nothing is known of it.

    Args:
        measured: Checks of one stream; those after the end tell of downtime that reaches back.
        begins_at: Of the stretch.
        ends_at: The first moment after it.
    """
    inside = [one for one in measured if begins_at <= one.at < ends_at]
    counted = [one for one in inside if one.is_healthy is not None]
    downtime_s = sum(_overlap_s(one, begins_at, ends_at) for one in measured)
    if not inside and not downtime_s:
        return None
    responses = sorted(one.response_ms for one in counted if one.response_ms)
    bandwidths = [one.bandwidth_kbps for one in counted if one.bandwidth_kbps]
    return Rolled(
        begins_at=begins_at,
        checks=len(counted),
        successes=sum(bool(one.is_healthy) for one in counted),
        response_p50_ms=_rank(responses, P50),
        response_p95_ms=_rank(responses, P95),
        response_mean_ms=round(sum(responses) / len(responses), 1) if responses else None,
        bandwidth_kbps=round(sum(bandwidths) / len(bandwidths)) if bandwidths else None,
        downtime_s=round(downtime_s),
        causes=dict(Counter(one.cause for one in counted if one.cause and not one.is_healthy)),
    )


def roll_up(database: Database, now: datetime, *, stopping: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Make all hours and days that are over; return how many rows of each were written.

    Args:
        database: Whose measurements.
        now: The present.
        stopping: Asked between chunks; the next run goes on with the hour that was not finished.
    """
    written = {HOURS: 0, DAYS: 0}
    for step, length in STEPS.items():
        begins_at = _first(database, step)
        while begins_at is not None and begins_at + length + SETTLED_AFTER <= now:
            count = _roll_stretch(database, step, begins_at, stopping)
            if count is None:
                return written
            written[step] += count
            begins_at += length
            _set_mark(database, step, begins_at)
    return written


def rolled_up_to(session: Session) -> datetime | None:
    """Return up to when raw rows are not needed any more; None where nothing has been rolled up yet."""
    marks = [session.get(WatchMark, step) for step in STEPS]
    if any(mark is None for mark in marks):
        return None
    return min(mark.at for mark in marks if mark is not None) - LONGEST_DOWN


def floor_to(step: str, moment: datetime) -> datetime:
    """Return the beginning of the hour or day (UTC) that a moment lies in."""
    whole = moment.replace(minute=0, second=0, microsecond=0)
    return whole if step == HOURS else whole.replace(hour=0)


def as_rolled(row: Row) -> Rolled:
    """Return a row of `stream_hours` or `stream_days` as a value."""
    return Rolled(*(getattr(row, name) for name in Rolled._fields))


def measurements(
    session: Session, stream_ids: Sequence[int], begins_at: datetime, ends_at: datetime
) -> dict[int, list[Measured]]:
    """Load the checks of some streams in a stretch, by stream and in order."""
    query = (
        select(
            StreamMetric.stream_id,
            StreamMetric.check_timestamp,
            StreamMetric.is_healthy,
            StreamMetric.response_time_ms,
            StreamMetric.bandwidth_kbps,
            StreamMetric.cause,
            StreamMetric.down_s,
        )
        .where(StreamMetric.stream_id.in_(stream_ids))
        .where(StreamMetric.check_timestamp >= begins_at, StreamMetric.check_timestamp < ends_at)
        .order_by(StreamMetric.stream_id, StreamMetric.check_timestamp, StreamMetric.id)
    )
    found: dict[int, list[Measured]] = {}
    for row in session.execute(query):
        found.setdefault(row[0], []).append(Measured(*row[1:]))
    return found


def _first(database: Database, step: str) -> datetime | None:
    """Return what is to be made next: after the mark, or where the raw rows begin."""
    with database.read() as session:
        mark = session.get(WatchMark, step)
        if mark is not None:
            return mark.at
        oldest = session.scalar(select(StreamMetric.check_timestamp).order_by(StreamMetric.check_timestamp).limit(1))
    return floor_to(step, oldest) if oldest is not None else None


def _roll_stretch(database: Database, step: str, begins_at: datetime, stopping: Callable[[], bool]) -> int | None:
    """Make one hour or day of all streams; None when stopped before the end."""
    ends_at = begins_at + STEPS[step]
    with database.read() as session:
        within = StreamMetric.check_timestamp >= begins_at, StreamMetric.check_timestamp < ends_at
        ids = list(session.scalars(select(StreamMetric.stream_id).where(*within).distinct()))
    count = 0
    for start in range(0, len(ids), STREAMS_AT_ONCE):
        if stopping():
            return None
        count += _roll_streams(database, step, sorted(ids[start : start + STREAMS_AT_ONCE]), begins_at)
    return count


def _roll_streams(database: Database, step: str, stream_ids: Sequence[int], begins_at: datetime) -> int:
    length = STEPS[step]
    ends_at = begins_at + length
    with database.read() as session:
        found = measurements(session, stream_ids, begins_at, ends_at + LONGEST_DOWN)
        rows = _rows(found, begins_at, ends_at)
        since = {
            stream_id: min(one.at - timedelta(seconds=one.down_s) for one in measured if one.at < ends_at)
            for stream_id, measured in found.items()
            if any(one.at < ends_at for one in measured)
        }
        earlier = begins_at - length
        while reaching := [stream_id for stream_id, moment in since.items() if moment < earlier + length]:
            again = measurements(session, reaching, earlier, ends_at + LONGEST_DOWN)
            rows += _rows(again, earlier, earlier + length)
            earlier -= length
    _write(database, step, rows)
    return len(rows)


def _rows(found: dict[int, list[Measured]], begins_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    made = ((stream_id, rolled(measured, begins_at, ends_at)) for stream_id, measured in found.items())
    return [{"stream_id": stream_id, **one._asdict()} for stream_id, one in made if one is not None]


def _write(database: Database, step: str, rows: Sequence[dict[str, Any]]) -> None:
    table = TABLES[step].__table__
    insert: Any = insert_sqlite if database.is_sqlite else insert_postgresql
    for start in range(0, len(rows), STREAMS_AT_ONCE):
        statement = insert(table)
        replaced = {name: statement.excluded[name] for name in Rolled._fields if name != "begins_at"}
        statement = statement.on_conflict_do_update(index_elements=["stream_id", "begins_at"], set_=replaced)
        with database.unit() as unit:
            unit.session.execute(statement, list(rows[start : start + STREAMS_AT_ONCE]))


def _set_mark(database: Database, step: str, at: datetime) -> None:
    with database.unit() as unit:
        mark = unit.session.get(WatchMark, step)
        if mark is None:
            unit.session.add(WatchMark(name=step, at=at))
        else:
            mark.at = at


def _overlap_s(one: Measured, begins_at: datetime, ends_at: datetime) -> float:
    from_at = max(one.at - timedelta(seconds=one.down_s), begins_at)
    return max((min(one.at, ends_at) - from_at).total_seconds(), 0.0)


def _rank(ordered: Sequence[int], share: float) -> int | None:
    """Return the nearest-rank percentile of sorted values."""
    return ordered[max(-(-len(ordered) * int(share * 100) // 100) - 1, 0)] if ordered else None
