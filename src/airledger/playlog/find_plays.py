"""Finding plays: an organisation's own, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.errors import InputError, NotFoundError
from airledger.playlog.models import PlayLog
from airledger.repertoire.describe import checked_class
from airledger.repertoire.models import ADVERT, BED, JINGLE, Recording
from airledger.stations.joining.streams_of import streams_of_station
from airledger.stations.models import Geolocation, Station, Stream

MAX_LIMIT = 1_000
MAX_QUERY_CHARS = 200
PLAYING = "playing"


@dataclass(frozen=True)
class PlayFilter:
    """Which plays; what is None does not narrow. `since` and `until` bound the start, `until` is excluded."""

    stream_id: int | None = None
    station_id: int | None = None
    recording_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    recording_class: str | None = None


@dataclass(frozen=True, slots=True)
class PlayView:
    """A play with what was played and where."""

    id: UUID
    station_id: int | None
    stream_id: int
    station_name: str | None
    recording_id: UUID
    title: str
    artist: str
    album: str | None
    isrc: str | None
    started_at: datetime
    ended_at: datetime
    duration_ms: int
    status: str
    confidence_score: float
    detection_source: str
    speed: float
    is_partial: bool
    is_short_use: bool
    usage: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class PlayPage:
    """Some plays, and where to go on; `next_cursor` is None at the end."""

    rows: list[PlayView]
    next_cursor: str | None


@dataclass(frozen=True)
class NowPlaying:
    """What a stream plays at present."""

    recording_id: UUID
    title: str
    artist: str
    since: datetime


_USAGES = {BED: "background", JINGLE: "jingle", ADVERT: "advert"}
"""How a class of recording is used on air: what lies under speech is background."""
_STATION_NOW = func.coalesce(Stream.station_id, PlayLog.station_id)
"""Whose a play is: who has its stream now, since stations turn out to be one, or not to be."""
_COLUMNS: tuple[Any, ...] = (
    PlayLog.id,
    _STATION_NOW,
    PlayLog.stream_id,
    func.coalesce(Station.name, Stream.name),
    PlayLog.recording_id,
    Recording.title,
    Recording.artist,
    Recording.album,
    Recording.isrc,
    PlayLog.started_at,
    PlayLog.ended_at,
    PlayLog.duration_ms,
    PlayLog.status,
    PlayLog.confidence_score,
    PlayLog.detection_source,
    PlayLog.speed,
    PlayLog.is_partial,
    PlayLog.is_short_use,
    case(_USAGES, value=Recording.recording_class, else_="foreground"),
    Geolocation.latitude,
    Geolocation.longitude,
)


def find_plays(
    session: Session, organisation_id: UUID, wanted: PlayFilter, *, limit: int = 100, cursor: str | None = None
) -> PlayPage:
    """List plays, newest first, in one query.

    Args:
        session: Of a read.
        organisation_id: Whose plays.
        wanted: Which ones.
        limit: Rows of a page, 1 to 1,000.
        cursor: `next_cursor` of the page before.

    Raises:
        InputError: The limit, the cursor or the search text cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}")
    query = _narrowed(_views().where(PlayLog.organisation_id == organisation_id), wanted)
    if cursor is not None:
        started_at, play_id = decode_place(cursor)
        older = PlayLog.started_at < started_at
        query = query.where(or_(older, (PlayLog.started_at == started_at) & (PlayLog.id < play_id)))
    rows = session.execute(query.order_by(PlayLog.started_at.desc(), PlayLog.id.desc()).limit(limit + 1)).all()
    views = [PlayView(*row) for row in rows[:limit]]
    return PlayPage(views, encode_place(views[-1].started_at, views[-1].id) if len(rows) > limit else None)


def find_play(session: Session, organisation_id: UUID, play_id: UUID) -> PlayView:
    """Find one play.

    Raises:
        NotFoundError: The organisation has none with this id.
    """
    row = session.execute(_views().where(PlayLog.organisation_id == organisation_id, PlayLog.id == play_id)).first()
    if row is None:
        raise NotFoundError("there is no such play")
    return PlayView(*row)


def now_playing(
    session: Session, organisation_id: UUID, stream_ids: Sequence[int] | None = None
) -> dict[int, NowPlaying]:
    """Tell what streams play at present, by stream id.

    Args:
        session: Of a read.
        organisation_id: Whose plays.
        stream_ids: Only these; None for all, which is cheaper than many.
    """
    query = (
        select(PlayLog.stream_id, Recording.id, Recording.title, Recording.artist, PlayLog.started_at)
        .join(Recording, Recording.id == PlayLog.recording_id)
        .where(PlayLog.organisation_id == organisation_id, PlayLog.status == PLAYING)
        .order_by(PlayLog.started_at)
    )
    if stream_ids is not None:
        query = query.where(PlayLog.stream_id.in_(stream_ids))
    return {row[0]: NowPlaying(*row[1:]) for row in session.execute(query)}


def plays_by_recording(session: Session, recording_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count the plays of recordings."""
    query = select(PlayLog.recording_id, func.count()).where(PlayLog.recording_id.in_(recording_ids))
    return dict(session.execute(query.group_by(PlayLog.recording_id)).all())


def count_plays(session: Session) -> int:
    """Count all plays of the installation."""
    return session.scalar(select(func.count()).select_from(PlayLog)) or 0


def _views() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(Recording, Recording.id == PlayLog.recording_id)
        .join(Stream, Stream.id == PlayLog.stream_id)
        .outerjoin(Station, Station.id == _STATION_NOW)
        .outerjoin(Geolocation, Geolocation.stream_id == PlayLog.stream_id)
    )


def _narrowed(query: Select[Any], wanted: PlayFilter) -> Select[Any]:
    if wanted.stream_id is not None:
        query = query.where(PlayLog.stream_id == wanted.stream_id)
    if wanted.station_id is not None:
        query = query.where(PlayLog.stream_id.in_(streams_of_station(wanted.station_id)))
    if wanted.recording_id is not None:
        query = query.where(PlayLog.recording_id == wanted.recording_id)
    if wanted.since is not None:
        query = query.where(PlayLog.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(PlayLog.started_at < wanted.until)
    if wanted.recording_class is not None:
        query = query.where(Recording.recording_class == checked_class(wanted.recording_class))
    text = (wanted.q or "").replace("\x00", " ").strip()
    if len(text) > MAX_QUERY_CHARS:
        raise InputError(f"the search text is longer than {MAX_QUERY_CHARS} characters")
    if text:
        columns = (Recording.title, Recording.artist, Recording.isrc, Station.name, Stream.name)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    return query
