"""Finding detections: an organisation's own, newest first, with what is kept as evidence of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from airledger.listening.models import AudioDetection, EvidenceClip
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.errors import InputError, NotFoundError
from airledger.repertoire.models import Recording
from airledger.stations.joining.streams_of import streams_of_station
from airledger.stations.models import Station, Stream

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class DetectionFilter:
    """Which detections; what is None does not narrow. `since` and `until` bound the start, `until` is excluded."""

    stream_id: int | None = None
    station_id: int | None = None
    recording_id: UUID | None = None
    session_id: UUID | None = None
    source: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class DetectionView:
    """A detection with what was recognised, where, and the clip that is kept of it."""

    detection: AudioDetection
    station_name: str | None
    title: str | None
    artist: str | None
    clip: EvidenceClip | None


def find_detections(
    session: Session, organisation_id: UUID, wanted: DetectionFilter, *, limit: int = 100, cursor: str | None = None
) -> tuple[list[DetectionView], str | None]:
    """List detections, newest first, in one query, and the cursor of the next page.

    Raises:
        InputError: The limit or the cursor cannot be used.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}")
    started_at, identity = AudioDetection.started_at, AudioDetection.detection_id
    query = _narrowed(_views().where(AudioDetection.organisation_id == organisation_id), wanted)
    if cursor is not None:
        at, last = decode_place(cursor)
        query = query.where(or_(started_at < at, (started_at == at) & (identity < last)))
    rows = session.execute(query.order_by(started_at.desc(), identity.desc()).limit(limit + 1)).all()
    views = _shown(rows[:limit])
    if len(rows) <= limit:
        return views, None
    newest = views[-1].detection
    return views, encode_place(newest.started_at, newest.detection_id)


def find_detection(session: Session, organisation_id: UUID, detection_id: UUID) -> DetectionView:
    """Find one detection.

    Raises:
        NotFoundError: The organisation has none with this id.
    """
    mine = _views().where(
        AudioDetection.organisation_id == organisation_id, AudioDetection.detection_id == detection_id
    )
    rows = session.execute(mine).all()
    if not rows:
        raise NotFoundError(f"there is no detection {detection_id}")
    return _shown(rows)[0]


_COLUMNS: tuple[Any, ...] = (
    AudioDetection,
    func.coalesce(Station.name, Stream.name),
    Recording.title,
    Recording.artist,
    EvidenceClip,
)


def _views() -> Select[Any]:
    return (
        select(*_COLUMNS)
        .join(Stream, Stream.id == AudioDetection.stream_id)
        .outerjoin(Station, Station.id == func.coalesce(Stream.station_id, AudioDetection.station_id))
        .outerjoin(Recording, Recording.id == AudioDetection.recording_id)
        .outerjoin(EvidenceClip, EvidenceClip.detection_id == AudioDetection.detection_id)
    )


def _shown(rows: Sequence[Any]) -> list[DetectionView]:
    return [DetectionView(*row) for row in rows]


def _narrowed(query: Select[Any], wanted: DetectionFilter) -> Select[Any]:
    equal = {
        AudioDetection.stream_id: wanted.stream_id,
        AudioDetection.recording_id: wanted.recording_id,
        AudioDetection.session_id: wanted.session_id,
        AudioDetection.detection_source: wanted.source,
        AudioDetection.processing_status: wanted.status,
    }
    for column, value in equal.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.station_id is not None:
        query = query.where(AudioDetection.stream_id.in_(streams_of_station(wanted.station_id)))
    if wanted.since is not None:
        query = query.where(AudioDetection.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AudioDetection.started_at < wanted.until)
    return query
