"""A stream's history for charts: raw checks, hours or days, the newest made of raw rows where not rolled up yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.errors import InputError
from airledger.stations.watching.models import WatchMark
from airledger.stations.watching.rollup import (
    DAYS,
    HOURS,
    LONGEST_DOWN,
    STEPS,
    TABLES,
    Measured,
    Rolled,
    as_rolled,
    floor_to,
    measurements,
    rolled,
)

Step = Literal["raw", "hour", "day"]
LONGEST = {"raw": timedelta(days=8), "hour": timedelta(days=92), "day": timedelta(days=3_660)}
USUAL = {"raw": timedelta(days=1), "hour": timedelta(days=7), "day": timedelta(days=90)}


def span(step: Step, begins_at: datetime | None, ends_at: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return what a chart shows: what was asked for, or the usual stretch up to now.

    Raises:
        InputError: The end lies before the beginning, or it is more than the step allows.
    """
    until = ends_at or now
    since = begins_at or until - USUAL[step]
    if since >= until:
        raise InputError("`from` must lie before `to`.")
    if until - since > LONGEST[step]:
        raise InputError(f"At most {LONGEST[step].days} days at step {step!r}: choose a coarser step.")
    return since, until


def raw_history(session: Session, stream_id: int, since: datetime, until: datetime) -> list[Measured]:
    """List the checks of a stream, oldest first."""
    return measurements(session, [stream_id], since, until).get(stream_id, [])


def rolled_history(
    session: Session, stream_id: int, step: Literal["hour", "day"], since: datetime, until: datetime
) -> list[Rolled]:
    """List the hours or days of a stream, oldest first; those without any check are left out."""
    name = HOURS if step == "hour" else DAYS
    table = TABLES[name]
    mark = session.get(WatchMark, name)
    begins = floor_to(name, since)
    query = select(table).where(table.stream_id == stream_id, table.begins_at >= begins, table.begins_at < until)
    made = [as_rolled(row) for row in session.scalars(query.order_by(table.begins_at))]
    fresh_from = max(mark.at, begins) if mark is not None else begins
    return [*(one for one in made if one.begins_at < fresh_from), *_fresh(session, stream_id, name, fresh_from, until)]


def _fresh(session: Session, stream_id: int, name: str, since: datetime, until: datetime) -> list[Rolled]:
    """Make what is not rolled up yet."""
    measured: Sequence[Measured] = measurements(session, [stream_id], since, until + LONGEST_DOWN).get(stream_id, [])
    found, begins_at = [], floor_to(name, measured[0].at - timedelta(seconds=measured[0].down_s)) if measured else until
    begins_at = max(begins_at, since)
    while begins_at < until:
        one = rolled(measured, begins_at, begins_at + STEPS[name])
        if one is not None:
            found.append(one)
        begins_at += STEPS[name]
    return found
