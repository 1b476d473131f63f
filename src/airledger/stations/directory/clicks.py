"""Clicks and votes that no header can forge: one per address, stream and day.

The address is that of the connection, or what a proxy of ours vouches for (`trusted_proxies`); nothing else that a
request says about its origin is read. Of IPv6 the customer's /64 counts. Addresses are never stored: a click leaves a
keyed hash under a key of the day, which is forgotten two days later (docs/decisions/0041-clicks-and-votes.md).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError
from airledger.stations.directory.models import StreamClick, VisitMark
from airledger.stations.models import RETIRED, Stream

CLICK, VOTE = "click", "vote"
MARK_BYTES = 16
DAY = timedelta(days=1)
BURST_CLICKS = 50  # an hour with fewer is nobody's business
BURST_FACTOR = 10
REPEATED_SHARE = 0.2  # so few of the clicks from addresses of their own: a script
ROLLED_AT_ONCE = 500


@dataclass(frozen=True)
class Burst:
    """An hour in which a stream was started far more often than it usually is.

    Attributes:
        usual: Median of its hours with clicks in the week before; 0 without any.
        is_repeated: Few addresses made them.
    """

    stream_id: int
    day: datetime
    hour: int
    count: int
    addresses: int
    usual: float
    is_repeated: bool


def mark_of(secret: bytes, deed: str, stream_id: int, address: str, now: datetime) -> str:
    """Return the mark that an address leaves today: HMAC (RFC 2104) under a key made of the secret and the day."""
    key = hmac.digest(secret, f"visits of {now:%Y-%m-%d}".encode(), "sha256")
    return hmac.new(key, f"{deed} {stream_id} {address}".encode(), hashlib.sha256).hexdigest()[: 2 * MARK_BYTES]


def click(unit: Unit, stream_id: int, address: str, secret: bytes, *, now: datetime) -> bool:
    """Count that a stream was started; tell whether it is this address's first time today.

    Raises:
        NotFoundError: There is no such stream in the catalogue.
    """
    _require(unit.session, stream_id)
    is_first = _leave_mark(unit.session, mark_of(secret, CLICK, stream_id, address, now), now)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    row = {"stream_id": stream_id, "day": day, "hour": now.hour, "count": 1, "addresses": int(is_first)}
    statement = _insert(unit.session, StreamClick.__table__).values(row)
    added = {name: StreamClick.__table__.c[name] + statement.excluded[name] for name in ("count", "addresses")}
    unit.session.execute(statement.on_conflict_do_update(index_elements=["stream_id", "day", "hour"], set_=added))
    if is_first:
        values = {"click_count": Stream.click_count + 1, "click_trend": Stream.click_trend + 1, "clicked_at": now}
        unit.session.execute(update(Stream).where(Stream.id == stream_id).values(values))
    return is_first


def vote(unit: Unit, stream_id: int, address: str, secret: bytes, *, now: datetime) -> bool:
    """Count a vote for a stream, unless this address gave it one today; tell whether it counts.

    Raises:
        NotFoundError: There is no such stream in the catalogue.
    """
    _require(unit.session, stream_id)
    if not _leave_mark(unit.session, mark_of(secret, VOTE, stream_id, address, now), now):
        return False
    unit.session.execute(update(Stream).where(Stream.id == stream_id).values(votes=Stream.votes + 1))
    return True


def find_clicked(session: Session, now: datetime) -> dict[int, tuple[int, int]]:
    """Return, by stream, the counted clicks of the last 24 hours and how many more they are than the 24 before."""
    today = _in_window(now - DAY, now)
    before = _in_window(now - 2 * DAY, now - DAY)
    since = (now - 2 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = session.execute(
        select(StreamClick.stream_id, func.sum(today), func.sum(before))
        .where(StreamClick.day >= since)
        .group_by(StreamClick.stream_id)
    )
    return {stream_id: (recent, recent - earlier) for stream_id, recent, earlier in rows}


def find_stale(session: Session, now: datetime) -> list[dict[str, Any]]:
    """List the streams whose counts in the catalogue are not those of the hour, with what they should be."""
    clicked = find_clicked(session, now)
    shown = session.execute(
        select(Stream.id, Stream.click_count, Stream.click_trend).where(
            (Stream.click_count != 0) | (Stream.click_trend != 0) | Stream.id.in_(list(clicked))
        )
    )
    stale = []
    for stream_id, count, trend in shown:
        wanted = clicked.get(stream_id, (0, 0))
        if (count, trend) != wanted:
            stale.append({"id": stream_id, "click_count": wanted[0], "click_trend": wanted[1]})
    return stale


def find_bursts(session: Session, *, since: datetime, now: datetime) -> list[Burst]:
    """List hours since a moment that had at least 50 clicks and ten times the stream's usual, the latest first."""
    week = (since - 7 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    loud = select(StreamClick.stream_id).where(StreamClick.day >= since - DAY, StreamClick.count >= BURST_CLICKS)
    rows = session.scalars(
        select(StreamClick)
        .where(StreamClick.stream_id.in_(loud), StreamClick.day >= week, StreamClick.day <= now)
        .order_by(StreamClick.stream_id, StreamClick.day, StreamClick.hour)
    ).all()
    found, hours = [], dict[int, list[int]]()
    for row in rows:
        before = hours.setdefault(row.stream_id, [])
        usual = float(median(before)) if before else 0.0
        if row.day + timedelta(hours=row.hour + 1) > since and row.count >= max(BURST_CLICKS, BURST_FACTOR * usual):
            is_repeated = row.addresses < REPEATED_SHARE * row.count
            found.append(Burst(row.stream_id, row.day, row.hour, row.count, row.addresses, usual, is_repeated))
        before.append(row.count)
    return sorted(found, key=lambda burst: (burst.day, burst.hour, burst.count), reverse=True)


def _in_window(begin: datetime, end: datetime) -> Any:
    """Return a stream's counted clicks of hours that lie between two moments; the first hour only counts whole."""
    hour = StreamClick.hour
    in_days = []
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        first = begin.hour + 1 if day.date() == begin.date() else 0
        last = end.hour if day.date() == end.date() else 23
        in_days.append(((StreamClick.day == day) & hour.between(first, last), StreamClick.addresses))
        day += DAY
    return case(*in_days, else_=0)


def _require(session: Session, stream_id: int) -> None:
    if session.scalar(select(Stream.id).where(Stream.id == stream_id, Stream.state != RETIRED)) is None:
        raise NotFoundError(f"there is no stream {stream_id}")


def _leave_mark(session: Session, mark: str, now: datetime) -> bool:
    statement = _insert(session, VisitMark.__table__).values(mark=mark, at=now).on_conflict_do_nothing()
    return session.scalar(statement.returning(VisitMark.mark)) is not None


def _insert(session: Session, table: Any) -> Any:
    return (insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql)(table)
