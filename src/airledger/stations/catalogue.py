"""Reading the catalogue: the mission's default filter and order, one query a page."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy import Row as ResultRow
from sqlalchemy.orm import Session

from airledger.platform.errors import InputError, NotFoundError
from airledger.stations.cause import Cause
from airledger.stations.filters import StreamFilter, search_of
from airledger.stations.models import Geolocation, Stream, StreamMetric, Verification
from airledger.stations.page_query import find_page
from airledger.stations.probing.playable import from_text

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
MAX_HISTORY = 1_000


@dataclass(frozen=True, slots=True)
class StreamView:
    """A stream as the outside sees it: the mission's row `s.*, latitude, longitude`, and what we know beyond it."""

    id: int
    uuid: UUID
    station_id: int | None
    url: str
    name: str | None
    type: str | None
    genre: str | None
    bitrate: int | None
    codec: str | None
    country_code: str | None
    country_name: str | None
    city: str | None
    language: str | None
    website: str | None
    description: str | None
    logo: str | None
    tags: list[str]
    is_active: bool
    last_checked: datetime | None
    last_success: datetime | None
    check_frequency: int
    reliability_score: float
    reliability_lower_bound: float
    quality_score: float
    created_at: datetime
    updated_at: datetime
    latitude: float | None
    longitude: float | None
    accuracy_radius_km: int | None
    state: str
    cause: str | None
    warnings: list[str]
    bitrate_measured_kbps: int | None
    has_sound: bool | None
    has_picture: bool | None
    is_hls: bool
    playable_url: str
    stream_title: str | None
    playable_in: list[str]
    https_url: str | None
    votes: int
    click_count: int
    click_trend: int


@dataclass(frozen=True)
class Page:
    """Some streams, and where to go on; `next_cursor` is None at the end."""

    rows: list[StreamView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CheckView:
    """One proof of a stream. `level`: -1 nothing, 0 connects, 1 headers, 2 frames decode, 3 rate, 4 live sound."""

    checked_at: datetime
    level: int
    is_healthy: bool
    cause: str | None
    cause_family: str | None
    cause_confidence: float | None
    permanent: bool
    detail: str | None
    http_status: int | None
    response_time_ms: int | None
    bandwidth_kbps: int | None
    bitrate_claimed: int | None
    codec: str | None
    sample_rate_hz: int | None
    channels: int | None
    sound_s: float
    stream_title: str | None
    warnings: list[str]
    vantage: str


@dataclass(frozen=True, slots=True)
class MetricView:
    """One row of the mission's `stream_metrics`."""

    check_timestamp: datetime
    response_time_ms: int
    uptime_percentage: float
    error_count: int
    last_error_type: str
    bandwidth_kbps: int


@dataclass(frozen=True)
class CatalogueStats:
    """The mission's figures. `countries` are ISO codes, sorted."""

    total_streams: int
    radio_streams: int
    tv_streams: int
    active_streams: int
    avg_reliability: float | None
    countries: list[str]
    streams_by_state: dict[str, int]


_OWN_COLUMNS = [name for name in StreamView.__slots__ if name in Stream.__table__.columns]
_VIEW_COLUMNS = (
    *(getattr(Stream, name) for name in _OWN_COLUMNS),
    Stream.url_resolved,
    Stream.is_wrapped,
    Geolocation.latitude,
    Geolocation.longitude,
    Geolocation.accuracy_radius_km,
)
_VIEW_NAMES = [column.key for column in _VIEW_COLUMNS]


def list_streams(
    session: Session,
    wanted: StreamFilter,
    *,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
    more: Sequence[ColumnElement[bool]] = (),
) -> Page:
    """List streams, the most reliable first, then the best sounding, then the newest, in one query or two.

    Where words are searched for, those that they name come before those that they only tell of (`stations/search.py`).

    Args:
        session: Of a read.
        wanted: Which ones.
        limit: Rows of a page, 1 to 10,000.
        cursor: `next_cursor` of the page before.
        more: Further conditions on `Stream`.

    Raises:
        InputError: The limit, the cursor or the query cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}.")
    width = 3 if search_of(wanted) is None else 4
    after = decode_order(cursor, width) if cursor is not None else None
    rows = find_page(session, view_query().where(*more), wanted, limit=limit + 1, after=after)
    following = encode_order(rows[limit - 1][-width:]) if len(rows) > limit else None
    return Page([view_of(row) for row in rows[:limit]], following)


def stream_view(session: Session, stream_id: int) -> StreamView:
    """Find one stream.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = session.execute(view_query().where(Stream.id == stream_id)).first()
    if row is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    return view_of(row)


def checks(session: Session, stream_id: int, limit: int = 100) -> list[CheckView]:
    """List the proofs of a stream, newest first."""
    query = select(Verification).where(Verification.stream_id == stream_id)
    query = query.order_by(Verification.checked_at.desc(), Verification.id.desc()).limit(min(limit, MAX_HISTORY))
    return [
        CheckView(
            checked_at=row.checked_at,
            level=row.level,
            is_healthy=row.is_healthy,
            cause=row.cause,
            cause_family=Cause(row.cause).family.value if row.cause else None,
            cause_confidence=row.cause_confidence,
            permanent=row.is_permanent,
            detail=row.detail,
            http_status=row.http_status,
            response_time_ms=row.response_time_ms,
            bandwidth_kbps=row.bandwidth_kbps,
            bitrate_claimed=row.bitrate_claimed_kbps,
            codec=row.codec,
            sample_rate_hz=row.sample_rate_hz,
            channels=row.channels,
            sound_s=row.sound_s,
            stream_title=row.stream_title,
            warnings=row.warnings,
            vantage=row.vantage,
        )
        for row in session.scalars(query)
    ]


def metrics(session: Session, stream_id: int, limit: int = 100) -> list[MetricView]:
    """List the measurements of a stream, newest first."""
    columns = [getattr(StreamMetric, name) for name in MetricView.__slots__]
    query = select(*columns).where(StreamMetric.stream_id == stream_id)
    query = query.order_by(StreamMetric.check_timestamp.desc(), StreamMetric.id.desc()).limit(min(limit, MAX_HISTORY))
    return [MetricView(*row) for row in session.execute(query)]


def stats(session: Session) -> CatalogueStats:
    """Count the catalogue, in two queries."""
    groups = session.execute(
        select(
            Stream.state,
            Stream.type,
            Stream.is_active,
            func.count(),
            func.sum(Stream.reliability_score),
        ).group_by(Stream.state, Stream.type, Stream.is_active)
    ).all()
    total = sum(row[3] for row in groups)
    by_state: dict[str, int] = {}
    for row in groups:
        by_state[row[0]] = by_state.get(row[0], 0) + row[3]
    codes = session.scalars(select(Stream.country_code).where(Stream.country_code.is_not(None)).distinct())
    return CatalogueStats(
        total_streams=total,
        radio_streams=sum(row[3] for row in groups if row[1] == "radio"),
        tv_streams=sum(row[3] for row in groups if row[1] == "tv"),
        active_streams=sum(row[3] for row in groups if row[2]),
        avg_reliability=sum(row[4] for row in groups) / total if total else None,
        countries=sorted(code for code in codes if code),
        streams_by_state=by_state,
    )


def view_query(*more: Any) -> Select[Any]:
    """Return the query for what `view_of` makes a view from, and further columns behind it."""
    return select(*_VIEW_COLUMNS, *more).outerjoin(Geolocation, Geolocation.stream_id == Stream.id)


def view_of(row: ResultRow[Any]) -> StreamView:
    """Make a view of a row of `view_query`."""
    values = list(row[: len(_VIEW_COLUMNS)])
    fields = dict(zip(_VIEW_NAMES, values, strict=True))
    resolved, is_wrapped = fields.pop("url_resolved"), fields.pop("is_wrapped")
    fields["playable_in"] = from_text(fields["playable_in"] or "")
    # A redirect's target may be a token of one visit; only a playlist in front is what players cannot read.
    return StreamView(**fields, playable_url=resolved if is_wrapped and resolved else fields["url"])


def encode_order(place: Sequence[Any]) -> str:
    """Write a row's place in an order as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(list(place)).encode()).decode().rstrip("=")


def decode_order(cursor: str, count: int) -> list[float | int]:
    """Read a cursor of so many numbers.

    Raises:
        InputError: It is none of ours.
    """
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor) % 4)))
        numbers = [float(value) for value in place[:-1]] + [int(place[-1])]
    except (ValueError, TypeError, LookupError, binascii.Error, RecursionError, OverflowError):
        numbers = []
    if len(numbers) != count or any(number != number for number in numbers):  # noqa: PLR0124  NaN alone differs
        raise InputError("The cursor is not one that this list gave out: begin without it.")
    return numbers
