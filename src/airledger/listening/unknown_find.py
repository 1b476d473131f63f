"""Finding unknown recordings: what was heard more than once and has no name, the most frequent first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from airledger.listening.models import IGNORED, MERGED, NAMED, NEW, UnknownOccurrence, UnknownRecording
from airledger.listening.unknown_join import Span, airings, extent
from airledger.platform.clock import from_epoch
from airledger.platform.errors import InputError, NotFoundError
from airledger.repertoire.models import Recording
from airledger.stations.models import Stream

STATES = (NEW, NAMED, IGNORED)
MAX_LIMIT = 1_000
AIRINGS_SHOWN = 200


@dataclass(frozen=True)
class UnknownView:
    """An unknown recording, and its name once it has one."""

    id: UUID
    state: str
    suggested_class: str | None
    times_heard: int
    stations: int
    duration_ms: int
    first_heard_at: datetime
    last_heard_at: datetime
    recording_id: UUID | None
    title: str | None
    artist: str | None


@dataclass(frozen=True)
class AiringView:
    """One airing of it."""

    stream_id: int
    station_name: str | None
    started_at: datetime
    ended_at: datetime
    detection_id: UUID | None


@dataclass(frozen=True)
class MergedView:
    """Another unknown recording that turned out to be this one, and why."""

    id: UUID
    because: str


@dataclass(frozen=True)
class UnknownDetail:
    """An unknown recording with its newest airings and what was merged into it."""

    unknown: UnknownView
    airings: list[AiringView]
    merged: list[MergedView]


def find_unknowns(
    session: Session,
    organisation_id: UUID,
    *,
    state: str | None = NEW,
    limit: int = 100,
    after: UUID | None = None,
) -> list[UnknownView]:
    """List unknown recordings, those heard most often first.

    Args:
        session: Of a read.
        organisation_id: Whose.
        state: new, named or ignored; None for all of these.
        limit: At most so many.
        after: Go on behind this one.

    Raises:
        InputError: The state or the limit cannot be used.
        NotFoundError: There is no unknown recording `after`.
    """
    if state is not None and state not in STATES:
        raise InputError(f"{state[:40]!r} is not a state of unknown recordings: use one of {', '.join(STATES)}")
    if not 1 <= limit <= MAX_LIMIT + 1:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}")
    query = select(UnknownRecording, Recording).outerjoin(Recording, Recording.id == UnknownRecording.recording_id)
    query = query.where(UnknownRecording.organisation_id == organisation_id, UnknownRecording.state != MERGED)
    if state is not None:
        query = query.where(UnknownRecording.state == state)
    if after is not None:
        last = find_unknown(session, organisation_id, after)
        fewer = UnknownRecording.times_heard < last.times_heard
        later = (UnknownRecording.times_heard == last.times_heard) & (UnknownRecording.id > last.id)
        query = query.where(or_(fewer, later))
    order = (UnknownRecording.times_heard.desc(), UnknownRecording.id)
    return [_view(row, recording) for row, recording in session.execute(query.order_by(*order).limit(limit))]


def show_unknown(session: Session, organisation_id: UUID, unknown_id: UUID) -> UnknownDetail:
    """Find one unknown recording with its newest 200 airings.

    Raises:
        NotFoundError: The organisation has none with this id.
    """
    row = find_unknown(session, organisation_id, unknown_id)
    recording = session.get(Recording, row.recording_id) if row.recording_id is not None else None
    into = select(UnknownRecording).where(UnknownRecording.merged_into == row.id).order_by(UnknownRecording.updated_at)
    merged = [MergedView(one.id, one.merged_because or "") for one in session.scalars(into)]
    return UnknownDetail(_view(row, recording), _airings(session, row.id), merged)


def find_unknown(session: Session, organisation_id: UUID | None, unknown_id: UUID) -> UnknownRecording:
    """Fetch an unknown recording; one that was merged into another gives the other.

    Raises:
        NotFoundError: The organisation has none with this id.
    """
    row = session.get(UnknownRecording, unknown_id)
    if row is not None and row.state == MERGED and row.merged_into is not None:
        row = session.get(UnknownRecording, row.merged_into)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"there is no unknown recording {unknown_id}")
    return row


def _airings(session: Session, unknown_id: UUID) -> list[AiringView]:
    rows = session.execute(
        select(UnknownOccurrence, func.coalesce(Stream.name, Stream.url))
        .join(Stream, Stream.id == UnknownOccurrence.stream_id)
        .where(UnknownOccurrence.unknown_id == unknown_id)
    ).all()
    known = {
        Span.of(row.stream_id, row.started_at.timestamp(), row.ended_at.timestamp()): (row, name) for row, name in rows
    }
    views = []
    for airing in airings(known):
        span, (row, name) = extent(airing), known[airing[0]]
        views.append(AiringView(span.stream_id, name, from_epoch(span.from_s), from_epoch(span.to_s), row.detection_id))
    return sorted(views, key=lambda view: view.started_at, reverse=True)[:AIRINGS_SHOWN]


def _view(row: UnknownRecording, recording: Recording | None) -> UnknownView:
    return UnknownView(
        row.id,
        row.state,
        row.suggested_class,
        row.times_heard,
        row.stations,
        row.duration_ms,
        row.first_heard_at,
        row.last_heard_at,
        row.recording_id,
        recording.title if recording is not None else None,
        recording.artist if recording is not None else None,
    )
