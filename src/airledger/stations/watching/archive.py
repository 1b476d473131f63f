"""Putting old proofs into storage before they are deleted: one object of compressed JSON lines for each day."""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.stations.models import Verification
from airledger.stations.watching.models import WatchMark

MARK = "checks_archived"
KEPT = timedelta(days=90)
DAY = timedelta(days=1)
PAGE = 2_000
ARCHIVIST = Actor("system:archive")


def archive_checks(
    database: Database, storage: Storage, now: datetime, *, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Write each whole day of `verification_history` older than 90 days to `checks/YYYY/MM/DD.jsonl.gz`.

    A day that was cut off is written anew, whole: its rows go only behind the mark.

    Returns:
        How many proofs were written.
    """
    written = 0
    day = _next_day(database)
    while day is not None and day + DAY <= now - KEPT and not stopping():
        written += _archive_day(database, storage, day, now)
        day += DAY
    return written


def archived_to(session: Session) -> datetime | None:
    """Return up to when proofs lie in storage; None where none do."""
    mark = session.get(WatchMark, MARK)
    return mark.at if mark is not None else None


def object_key(day: datetime) -> str:
    """Return where the proofs of a day lie."""
    return f"checks/{day:%Y/%m/%d}.jsonl.gz"


def _next_day(database: Database) -> datetime | None:
    with database.read() as session:
        mark = archived_to(session)
        oldest = session.scalar(select(Verification.checked_at).order_by(Verification.checked_at).limit(1))
    if oldest is None:
        return mark
    first = oldest.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(first, mark) if mark is not None else first


def _archive_day(database: Database, storage: Storage, day: datetime, now: datetime) -> int:
    with tempfile.TemporaryFile() as file:
        count = _write_day(database, day, file)
        if count:
            file.seek(0)
            storage.put(object_key(day), file)
    with database.unit() as unit:
        mark = unit.session.get(WatchMark, MARK)
        if mark is None:
            unit.session.add(WatchMark(name=MARK, at=day + DAY))
        else:
            mark.at = day + DAY
        if count:
            change = {"rows": count, "object": object_key(day)}
            record_change(unit, ARCHIVIST, "archived", "verification_history", f"{day:%Y-%m-%d}", change, at=now)
    return count


def _write_day(database: Database, day: datetime, file: IO[bytes]) -> int:
    count = 0
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
        for row in _rows(database, day):
            fields = {column.key: getattr(row, column.key) for column in Verification.__table__.columns}
            fields["checked_at"] = row.checked_at.isoformat()
            packed.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            count += 1
    return count


def _rows(database: Database, day: datetime) -> Iterator[Verification]:
    """Yield a day's proofs in order, a page at a time, each in a look of its own."""
    query = select(Verification).where(Verification.checked_at >= day, Verification.checked_at < day + DAY)
    query = query.order_by(Verification.checked_at, Verification.id).limit(PAGE)
    after: tuple[datetime, int] | None = None
    while True:
        page = query if after is None else query.where(tuple_(Verification.checked_at, Verification.id) > after)
        with database.read() as session:
            rows = session.scalars(page).all()
        yield from rows
        if len(rows) < PAGE:
            return
        after = rows[-1].checked_at, rows[-1].id
