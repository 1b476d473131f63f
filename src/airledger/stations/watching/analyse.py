"""The performance analyser: trends by stream, host, network, country and source, and streams that get worse."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from airledger.platform.db import Database, Unit
from airledger.platform.events import publish
from airledger.stations.events import StreamDegrading
from airledger.stations.models import PLAYING, Listing, Stream
from airledger.stations.watching.models import StreamDay, StreamTrend
from airledger.stations.watching.network import network_of
from airledger.stations.watching.rollup import Rolled, as_rolled
from airledger.stations.watching.trends import Point, Trend, Worse, begins, trend, what_gets_worse

Dimension = Literal["stream", "host", "network", "country", "source"]
LOOKED_AT = timedelta(days=35)
STREAMS_AT_ONCE = 200
UNKNOWN = "unknown"
MAX_ROWS = 1_000
_LISTED = select(Listing.stream_id, Listing.source).distinct().subquery("listed")


@dataclass
class _Day:
    """One group's day, summed."""

    checks: int = 0
    successes: int = 0
    downtime_s: int = 0
    response_sum: float = 0.0
    responses: int = 0
    bandwidth_sum: float = 0.0
    bandwidths: int = 0


@dataclass
class _Group:
    """What one value of a dimension did, day by day."""

    days: dict[datetime, _Day] = field(default_factory=lambda: defaultdict(_Day))
    streams: int = 0
    causes: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True)
class Performance:
    """What one host (or network, country, source, stream) did.

    Attributes:
        key: Which.
        uptime: Share of checks that succeeded; None without a check that counts.
        response_ms: Mean of the daily means.
        response_trend: Milliseconds per day.
        uptime_trend: Share per day.
        bandwidth_trend: kbit/s per day.
        causes: How many checks failed for which cause, the most frequent first.
    """

    key: str
    streams: int
    checks: int
    uptime: float | None
    downtime_s: int
    response_ms: float | None
    bandwidth_kbps: float | None
    response_trend: Trend
    uptime_trend: Trend
    bandwidth_trend: Trend
    causes: dict[str, int]


def analyse(
    session: Session,
    dimension: Dimension,
    since: datetime,
    until: datetime,
    *,
    limit: int = 100,
    network: Callable[[str], str | None] = network_of,
) -> list[Performance]:
    """Sum the days up by a dimension, the most checked first.

    Args:
        session: To read with.
        dimension: By what.
        since: First day.
        until: The day after the last.
        limit: How many groups at most.
        network: Names the network of an address; by default the /24 or /48 that it lies in.
    """
    key = {
        "stream": Stream.id,
        "host": Stream.host,
        "network": Stream.remote_address,
        "country": Stream.country_code,
        "source": _LISTED.c.source,
    }[dimension]

    def named(value: Any) -> str:
        found = network(value) if dimension == "network" and value else value
        return str(found) if found is not None and found != "" else UNKNOWN

    groups: dict[str, _Group] = defaultdict(_Group)
    _add_days(session, groups, key, named, since, until)
    _add_streams_and_causes(session, groups, key, named, since, until)
    chosen = sorted(groups.items(), key=lambda one: (-sum(day.checks for day in one[1].days.values()), one[0]))
    return [_performance(name, group) for name, group in chosen[: min(limit, MAX_ROWS)]]


def look_for_worse(
    database: Database, now: datetime, *, stopping: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Judge every playing stream's weeks; tell of those that begin or cease to get worse.

    Returns:
        How many streams get worse now, and of how many that was told.
    """
    after, worse, told = 0, 0, 0
    while not stopping():
        with database.read() as session:
            query = select(Stream.id).where(Stream.id > after, Stream.state == PLAYING).order_by(Stream.id)
            ids = list(session.scalars(query.limit(STREAMS_AT_ONCE)))
            days = _days_of(session, ids, now)
        if not ids:
            break
        after = ids[-1]
        found = {stream_id: reasons for stream_id in ids if (reasons := what_gets_worse(days.get(stream_id, [])))}
        with database.unit() as unit:
            told += _write(unit, ids, found, now)
        worse += len(found)
    return worse, told


def _write(unit: Unit, ids: Sequence[int], found: dict[int, list[Worse]], now: datetime) -> int:
    session = unit.session
    known = {row.stream_id: row for row in session.scalars(select(StreamTrend).where(StreamTrend.stream_id.in_(ids)))}
    for stream_id, reasons in found.items():
        told = [{"what": one.what, "since": one.since.isoformat(), "sentence": one.sentence} for one in reasons]
        row = known.get(stream_id)
        if row is not None:
            row.at, row.reasons = now, told
            continue
        since = begins(min(one.since for one in reasons), now)
        session.add(StreamTrend(stream_id=stream_id, at=now, since=since, reasons=told))
        sentences = [one.sentence for one in reasons]
        publish(unit, StreamDegrading(stream_id=stream_id, reasons=sentences), at=now)
    over = sorted(set(known) - set(found))
    if over:
        gone = delete(StreamTrend).where(StreamTrend.stream_id.in_(over))
        session.execute(gone.execution_options(synchronize_session=False))
        for stream_id in over:
            publish(unit, StreamDegrading(stream_id=stream_id, reasons=[]), at=now)
    return len(set(found) - set(known)) + len(over)


def _days_of(session: Session, ids: Sequence[int], now: datetime) -> dict[int, list[Rolled]]:
    query = select(StreamDay).where(StreamDay.stream_id.in_(ids), StreamDay.begins_at >= now - LOOKED_AT)
    found: dict[int, list[Rolled]] = defaultdict(list)
    for row in session.scalars(query.order_by(StreamDay.stream_id, StreamDay.begins_at)):
        found[row.stream_id].append(as_rolled(row))
    return found


def _add_days(
    session: Session,
    groups: dict[str, _Group],
    key: Any,
    named: Callable[[Any], str],
    since: datetime,
    until: datetime,
) -> None:
    query = select(
        key,
        StreamDay.begins_at,
        func.sum(StreamDay.checks),
        func.sum(StreamDay.successes),
        func.sum(StreamDay.downtime_s),
        func.sum(StreamDay.response_mean_ms),
        func.count(StreamDay.response_mean_ms),
        func.sum(StreamDay.bandwidth_kbps),
        func.count(StreamDay.bandwidth_kbps),
    )
    for row in session.execute(_joined(query, key, since, until).group_by(key, StreamDay.begins_at)):
        day = groups[named(row[0])].days[row[1]]
        day.checks, day.successes = day.checks + row[2], day.successes + row[3]
        day.downtime_s += row[4]
        day.response_sum, day.responses = day.response_sum + (row[5] or 0.0), day.responses + row[6]
        day.bandwidth_sum, day.bandwidths = day.bandwidth_sum + float(row[7] or 0), day.bandwidths + row[8]


def _add_streams_and_causes(
    session: Session,
    groups: dict[str, _Group],
    key: Any,
    named: Callable[[Any], str],
    since: datetime,
    until: datetime,
) -> None:
    counted = _joined(select(key, func.count(func.distinct(StreamDay.stream_id))), key, since, until)
    for value, count in session.execute(counted.group_by(key)):
        groups[named(value)].streams += count
    failed = _joined(select(key, StreamDay.causes), key, since, until).where(StreamDay.successes < StreamDay.checks)
    for value, causes in session.execute(failed):
        group = groups[named(value)]
        for cause, count in causes.items():
            group.causes[cause] += count


def _joined(query: Any, key: Any, since: datetime, until: datetime) -> Any:
    query = query.join(Stream, Stream.id == StreamDay.stream_id)
    if key is _LISTED.c.source:
        query = query.join(_LISTED, _LISTED.c.stream_id == StreamDay.stream_id)
    return query.where(StreamDay.begins_at >= since, StreamDay.begins_at < until)


def _performance(name: str, group: _Group) -> Performance:
    days = sorted(group.days.items())
    checks, successes = sum(day.checks for _, day in days), sum(day.successes for _, day in days)
    responses = [Point(at.toordinal(), day.response_sum / day.responses) for at, day in days if day.responses]
    bandwidths = [Point(at.toordinal(), day.bandwidth_sum / day.bandwidths) for at, day in days if day.bandwidths]
    shares = [Point(at.toordinal(), day.successes / day.checks) for at, day in days if day.checks]
    return Performance(
        key=name,
        streams=group.streams,
        checks=checks,
        uptime=successes / checks if checks else None,
        downtime_s=sum(day.downtime_s for _, day in days),
        response_ms=_mean(one.value for one in responses),
        bandwidth_kbps=_mean(one.value for one in bandwidths),
        response_trend=trend(responses),
        uptime_trend=trend(shares),
        bandwidth_trend=trend(bandwidths),
        causes=dict(sorted(group.causes.items(), key=lambda one: (-one[1], one[0]))),
    )


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(sum(found) / len(found), 1) if found else None
