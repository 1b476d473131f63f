"""Finding sessions and what was covered by them: an organisation's own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening.models import Coverage, ListeningSession
from airledger.stations.models import Station, Stream

MAX_ROWS = 10_000
RECENT = timedelta(minutes=5)
LIVE = "listening"
_TAKEN_IN = ("heard", "silent", "looped")


@dataclass(frozen=True, slots=True)
class SessionView:
    """How listening to one stream goes.

    Attributes:
        real_time_factor: Seconds of sound taken in per second of the last 5 minutes (or since the start, if that is
            less); 1 keeps up. None before there was any.
    """

    session_id: UUID
    stream_id: int
    station_name: str | None
    status: str
    is_wanted: bool
    is_manual: bool
    started_at: datetime | None
    real_time_factor: float | None
    windows: int
    matched: int
    reconnects: int
    last_sound_at: datetime | None
    listener: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class CoverageView:
    """A stretch of time that was heard, or was not."""

    stream_id: int
    started_at: datetime
    ended_at: datetime
    kind: str
    cause: str | None


def find_sessions(session: Session, organisation_id: UUID, now: datetime, *, limit: int = 1_000) -> list[SessionView]:
    """List the sessions of an organisation, wanted ones first, in two queries."""
    found = session.execute(
        select(ListeningSession, func.coalesce(Station.name, Stream.name))
        .join(Stream, Stream.id == ListeningSession.stream_id)
        .outerjoin(Station, Station.id == Stream.station_id)
        .where(ListeningSession.organisation_id == organisation_id)
        .order_by(ListeningSession.is_wanted.desc(), ListeningSession.stream_id)
        .limit(min(limit, MAX_ROWS))
    ).all()
    factors = real_time_factors(session, now)
    return [
        SessionView(
            session_id=row.session_id,
            stream_id=row.stream_id,
            station_name=name,
            status=row.status,
            is_wanted=row.is_wanted,
            is_manual=row.is_manual,
            started_at=row.started_at,
            real_time_factor=factors.get(row.session_id),
            windows=row.windows,
            matched=row.matched,
            reconnects=row.reconnects,
            last_sound_at=row.last_sound_at,
            listener=row.listener,
            error=row.error,
        )
        for row, name in found
    ]


def find_coverage(
    session: Session,
    organisation_id: UUID,
    *,
    stream_id: int | None = None,
    since: datetime | None = None,
    limit: int = 500,
) -> list[CoverageView]:
    """List what was heard and what was missed, newest first."""
    query = (
        select(Coverage.stream_id, Coverage.started_at, Coverage.ended_at, Coverage.kind, Coverage.cause)
        .join(ListeningSession, ListeningSession.session_id == Coverage.session_id)
        .where(ListeningSession.organisation_id == organisation_id)
    )
    if stream_id is not None:
        query = query.where(Coverage.stream_id == stream_id)
    if since is not None:
        query = query.where(Coverage.ended_at > since)
    query = query.order_by(Coverage.started_at.desc(), Coverage.id).limit(min(limit, MAX_ROWS))
    return [CoverageView(*row) for row in session.execute(query)]


def real_time_factors(session: Session, now: datetime) -> dict[UUID, float]:
    """Return how fast each session takes sound in, by session id."""
    begin = now - RECENT
    query = select(Coverage.session_id, Coverage.kind, Coverage.started_at, Coverage.ended_at)
    spans: dict[UUID, list[tuple[str, datetime, datetime]]] = defaultdict(list)
    for session_id, kind, started_at, ended_at in session.execute(query.where(Coverage.ended_at > begin)):
        spans[session_id].append((kind, started_at, ended_at))
    factors = {identity: _factor(rows, begin, now) for identity, rows in spans.items()}
    return {identity: factor for identity, factor in factors.items() if factor is not None}


def _factor(spans: Sequence[tuple[str, datetime, datetime]], begin: datetime, now: datetime) -> float | None:
    first = max(begin, min(started_at for _, started_at, _ in spans))
    wall_s = (now - first).total_seconds()
    taken_s = sum(
        (min(ended_at, now) - max(started_at, begin)).total_seconds()
        for kind, started_at, ended_at in spans
        if kind in _TAKEN_IN
    )
    return round(max(0.0, taken_s) / wall_s, 3) if wall_s >= 1 else None


def count_sessions(session: Session) -> dict[str, int]:
    """Count the wanted sessions of the installation by status."""
    query = select(ListeningSession.status, func.count()).where(ListeningSession.is_wanted)
    return dict(session.execute(query.group_by(ListeningSession.status)).all())
