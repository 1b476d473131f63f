"""Reading the catalogue: the mission's default filter and order, one query a page."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row as ResultRow
from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from airledger.platform.errors import InputError, NotFoundError
from airledger.stations.models import PLAYING, Geolocation, Stream, StreamMetric, Verification

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
MAX_HISTORY = 1_000
RELIABLE = 0.7
MAX_WORDS = 8
MAX_QUERY_CHARS = 200
LIKE_ESCAPE = "\\"


@dataclass(frozen=True)
class StreamFilter:
    """Which streams. Nothing set: what the mission serves, active and reliable ones, proven to play.

    Attributes:
        all: True lifts the default (active, reliability > 0.7, playing); an explicit `state` lifts it as well.
        bbox: West, south, east, north in degrees; west > east crosses the antimeridian.
        q: Words that must all occur in name, place, genre, tags or address.
    """

    type: str | None = None
    country: str | None = None
    q: str | None = None
    state: str | None = None
    language: str | None = None
    codec: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    all: bool = False


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


def list_streams(
    session: Session, wanted: StreamFilter, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page:
    """List streams, the most reliable first, then the best sounding, then the newest, in one query.

    Args:
        session: Of a read.
        wanted: Which ones.
        limit: Rows of a page, 1 to 10,000.
        cursor: `next_cursor` of the page before.

    Raises:
        InputError: The limit, the cursor or the query cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}.")
    query = _view_query().where(*conditions(wanted))
    if cursor is not None:
        query = query.where(_after(cursor))
    ordered = query.order_by(Stream.reliability_score.desc(), Stream.quality_score.desc(), Stream.id.desc())
    rows = session.execute(ordered.limit(limit + 1)).all()
    views = [_view(row) for row in rows[:limit]]
    return Page(views, _cursor(views[-1]) if len(rows) > limit else None)


def stream_view(session: Session, stream_id: int) -> StreamView:
    """Find one stream.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = session.execute(_view_query().where(Stream.id == stream_id)).first()
    if row is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    return _view(row)


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


def search_words(text: str) -> list[str]:
    """Split what people type into case-folded words.

    Raises:
        InputError: It is longer than 200 characters.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise InputError(f"The search text is longer than {MAX_QUERY_CHARS} characters.")
    return text.casefold().replace("\x00", " ").split()[:MAX_WORDS]


def _view_query() -> Select[Any]:
    return select(*_VIEW_COLUMNS).outerjoin(Geolocation, Geolocation.stream_id == Stream.id)


def _view(row: ResultRow[Any]) -> StreamView:
    fields = row._asdict()
    resolved, is_wrapped = fields.pop("url_resolved"), fields.pop("is_wrapped")
    # A redirect's target may be a token of one visit; only a playlist in front is what players cannot read.
    return StreamView(**fields, playable_url=resolved if is_wrapped and resolved else fields["url"])


def conditions(wanted: StreamFilter) -> list[ColumnElement[bool]]:
    """Return what `where` takes for a filter; the query must have joined `Geolocation`, as an outer join."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.state:
        conditions.append(Stream.state == wanted.state)
    elif not wanted.all:
        conditions += [Stream.is_active.is_(True), Stream.reliability_score > RELIABLE, Stream.state == PLAYING]
    if wanted.type:
        conditions.append(Stream.type == wanted.type)
    if wanted.country:
        conditions.append(Stream.country_code == wanted.country.upper())
    if wanted.language:
        conditions.append(func.lower(Stream.language) == wanted.language.lower())
    if wanted.codec:
        conditions.append(func.lower(Stream.codec) == wanted.codec.lower())
    if wanted.bbox:
        conditions += _inside(wanted.bbox)
    conditions += [
        Stream.search_text.contains(word, autoescape=True, escape=LIKE_ESCAPE) for word in search_words(wanted.q or "")
    ]
    return conditions


def _inside(bbox: tuple[float, float, float, float]) -> list[ColumnElement[bool]]:
    west, south, east, north = bbox
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004  degrees
        raise InputError("bbox must be west,south,east,north in degrees.")
    across = Geolocation.longitude >= west, Geolocation.longitude <= east
    return [Geolocation.latitude.between(south, north), and_(*across) if west <= east else or_(*across)]


def _cursor(last: StreamView) -> str:
    place = json.dumps([last.reliability_score, last.quality_score, last.id])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _after(cursor: str) -> ColumnElement[bool]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor[:200] + "=" * (-len(cursor) % 4)))
        reliability, quality, last_id = float(place[0]), float(place[1]), int(place[2])
    except (ValueError, TypeError, LookupError, binascii.Error, RecursionError):
        raise InputError("The cursor is not one that this list gave out: begin without it.") from None
    # Compared as a row, so that an index in this order is walked from there on.
    return tuple_(Stream.reliability_score, Stream.quality_score, Stream.id) < tuple_(reliability, quality, last_id)
