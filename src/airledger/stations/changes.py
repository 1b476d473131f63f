"""What changed in the catalogue since some moment, in the order in which it changed, for those who keep a copy.

`streams.updated_at` is the moment at which something changed that a copy would want: what a stream is called, where it
is, whether it plays. That it was checked once more, and how often it is clicked, is no change. Nothing is ever deleted:
a stream that was taken off comes as a row in state `retired`, which tells a copy to drop its own.
"""

import base64
import binascii
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import inspect, tuple_
from sqlalchemy.orm import Session

from airledger.platform.errors import InputError
from airledger.stations.catalogue import MAX_LIMIT, Page, StreamView, view_of, view_query
from airledger.stations.filters import StreamFilter, conditions
from airledger.stations.models import Stream

SETTLED = timedelta(seconds=10)
"""A unit of work takes its time before it is committed: what is younger may still be joined by something older."""
LONGEST_CURSOR = 200
TOLD = frozenset(
    {
        "name",
        "type",
        "genre",
        "bitrate",
        "codec",
        "country_code",
        "country_name",
        "city",
        "language",
        "website",
        "description",
        "logo",
        "tags",
        "station_id",
        "is_active",
        "state",
        "cause",
        "warnings",
        "is_hls",
        "has_sound",
        "has_picture",
        "playable_in",
        "https_url",
    }
)


def note_change(stream: Stream, now: datetime) -> bool:
    """Date a loaded stream's change, if what was set on it since it was loaded is one; tell whether it is."""
    attributes: Any = inspect(stream).attrs
    has_changed = any(attributes[name].history.has_changes() for name in TOLD)
    if has_changed:
        stream.updated_at = now
    return has_changed


def list_changed(
    session: Session,
    wanted: StreamFilter,
    *,
    since: datetime,
    now: datetime,
    limit: int,
    cursor: str | None = None,
) -> Page:
    """List what changed at or after a moment, the oldest change first, in one query.

    Args:
        session: Of a read.
        wanted: Which ones; without a state, streams of every state.
        since: The `updated_at` of the last row that the caller has, which comes again.
        now: The present; the last ten seconds are left for the next time.
        limit: Rows of a page.
        cursor: `next_cursor` of the page before, instead of `since`.

    Raises:
        InputError: The limit, the filter or the cursor cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}.")
    place = (Stream.updated_at, Stream.id)
    query = view_query().where(*conditions(replace(wanted, all=True)), Stream.updated_at <= now - SETTLED)
    if cursor is None:
        query = query.where(Stream.updated_at >= since)
    else:
        query = query.where(tuple_(*place) > tuple_(*_decode(cursor)))
    rows = session.execute(query.order_by(*place).limit(limit + 1)).all()
    views = [view_of(row) for row in rows[:limit]]
    return Page(views, _encode(views[-1]) if len(rows) > limit else None)


def _encode(last: StreamView) -> str:
    return base64.urlsafe_b64encode(f"{last.updated_at.isoformat()} {last.id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(cursor[:LONGEST_CURSOR] + "=" * (-len(cursor) % 4)).decode("ascii")
        moment, last_id = text.split(" ")
        return datetime.fromisoformat(moment).astimezone(UTC), int(last_id)
    except (ValueError, binascii.Error, OverflowError):
        raise InputError("The cursor is not one that this list gave out: begin without it.") from None
