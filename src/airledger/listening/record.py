"""Storing what live sessions heard: one unit for all of them. Storing the same batch twice changes nothing."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.fingerprint.params import ENGINE_VERSION
from airledger.listening.broadcast import may_broadcast
from airledger.listening.coverage import Stretch
from airledger.listening.models import CLOSED, AudioDetection, Coverage, ListeningSession, ShownTitle
from airledger.listening.outbox import Batch, HeardPlay, SessionState, Shown, Target
from airledger.listening.unknown_kept import store_kept
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.events import Event, publish
from airledger.repertoire.models import Recording
from airledger.stations.models import Stream

LOCAL = "local"


class DetectionOpened(Event):
    """A recording was recognised on air and goes on playing."""

    name: ClassVar[str] = "detection.opened"
    detection_id: UUID
    stream_id: int
    station_id: int | None = None
    recording_id: UUID | None = None


class DetectionClosed(Event):
    """It has ended; the row is final."""

    name: ClassVar[str] = "detection.closed"
    detection_id: UUID
    stream_id: int
    station_id: int | None = None
    recording_id: UUID | None = None


class SessionChanged(Event):
    """A session connects, listens, reconnects or has stopped."""

    name: ClassVar[str] = "session.changed"
    session_id: UUID
    stream_id: int
    status: str
    error: str | None


class StreamTitle(Event):
    """A station shows another title."""

    name: ClassVar[str] = "stream.title"
    stream_id: int
    title: str


def store(unit: Unit, batch: Batch, now: datetime) -> int:
    """Store a batch; return how many detections changed."""
    session = unit.session
    changed = _store_plays(unit, batch.plays.values(), now)
    rows = [_covered(target, stretch) for target, stretch in batch.coverage.values()]
    _upsert(session, Coverage, rows, "id")
    _store_sessions(unit, batch, now)
    _store_titles(unit, batch.titles, now)
    store_kept(session, batch.unknown.values())
    return changed


def _covered(target: Target, stretch: Stretch) -> dict[str, Any]:
    return {
        "id": stretch.id,
        "stream_id": target.stream_id,
        "session_id": target.session_id,
        "kind": stretch.kind,
        "cause": stretch.cause,
        "started_at": from_epoch(stretch.start_s),
        "ended_at": from_epoch(stretch.end_s),
    }


def _store_plays(unit: Unit, plays: Collection[HeardPlay], now: datetime) -> int:
    """Store the newest states of plays that the rows do not have yet; tell which began and which ended."""
    if not plays:
        return 0
    wanted = {heard.hypothesis.recording_id for heard in plays}
    isrcs = dict(unit.session.execute(select(Recording.id, Recording.isrc).where(Recording.id.in_(wanted))).all())
    known = _known(unit.session, [heard.hypothesis.id for heard in plays])
    # A recording that was deleted while it played has no detection any more.
    newer = [
        heard
        for heard in plays
        if heard.hypothesis.recording_id in isrcs
        and (heard.hypothesis.id not in known or known[heard.hypothesis.id].revision < heard.hypothesis.revision)
    ]
    rows = [_detection(heard, isrcs[heard.hypothesis.recording_id]) for heard in newer]
    for values in rows:
        earlier = known.get(values["detection_id"])
        if earlier is not None and earlier.detection_source != LOCAL:  # an outside service has confirmed it meanwhile
            values["detection_source"] = earlier.detection_source
            values["confidence_score"] = max(values["confidence_score"], earlier.confidence_score)
    _upsert(unit.session, AudioDetection, rows, "detection_id")
    for heard in newer:
        _tell(unit, heard, known.get(heard.hypothesis.id), now)
    return len(newer)


def _known(session: Session, ids: list[UUID]) -> dict[UUID, Any]:
    columns = (
        AudioDetection.detection_id,
        AudioDetection.revision,
        AudioDetection.processing_status,
        AudioDetection.detection_source,
        AudioDetection.confidence_score,
    )
    return {
        row.detection_id: row for row in session.execute(select(*columns).where(AudioDetection.detection_id.in_(ids)))
    }


def _tell(unit: Unit, heard: HeardPlay, known: Any, now: datetime) -> None:
    """Tell that a play has begun, or ended, if that is new."""
    is_closed = heard.hypothesis.state == CLOSED and (known is None or known.processing_status != CLOSED)
    if known is not None and not is_closed:
        return
    told: dict[str, Any] = {
        "detection_id": heard.hypothesis.id,
        "stream_id": heard.target.stream_id,
        "station_id": heard.target.station_id,
        "recording_id": heard.hypothesis.recording_id,
    }
    events: list[Event] = [DetectionOpened(**told)] if known is None else []
    events += [DetectionClosed(**told)] if is_closed else []
    live = may_broadcast(unit.session, heard.target.session_id)
    for event in events:
        publish(unit, event, at=now, organisation_id=heard.target.organisation_id, is_broadcast=live)


def _detection(heard: HeardPlay, isrc: str | None) -> dict[str, Any]:
    hypothesis, target = heard.hypothesis, heard.target
    return {
        "detection_id": hypothesis.id,
        "organisation_id": target.organisation_id,
        "session_id": target.session_id,
        "station_id": target.station_id,
        "stream_id": target.stream_id,
        "recording_id": hypothesis.recording_id,
        "detection_source": LOCAL,
        "confidence_score": hypothesis.best_score,
        "processing_status": hypothesis.state,
        "isrc": isrc,
        "fingerprint_version": str(ENGINE_VERSION),
        "processing_time_ms": round(heard.cpu_ms),
        "retry_count": 0,
        "started_at": from_epoch(heard.started_s),
        "ended_at": from_epoch(heard.ended_s),
        "reference_start_ms": max(0, round(hypothesis.reference_first_s * 1000)),
        "reference_end_ms": max(0, round(hypothesis.reference_last_s * 1000)),
        "alignment_s": hypothesis.alignment_s,
        "speed": hypothesis.speed,
        "windows": hypothesis.votes,
        "segments": hypothesis.segments,
        "is_partial": hypothesis.is_partial,
        "revision": hypothesis.revision,
    }


def _store_sessions(unit: Unit, batch: Batch, now: datetime) -> None:
    """Store how sessions go: most have only counted on, and take one statement together."""
    if not batch.sessions:
        return
    columns = (
        ListeningSession.session_id,
        ListeningSession.stream_id,
        ListeningSession.organisation_id,
        ListeningSession.status,
        ListeningSession.last_sound_at,
    )
    found = unit.session.execute(select(*columns).where(ListeningSession.session_id.in_(batch.sessions))).all()
    if not found:
        return
    unit.session.execute(
        update(ListeningSession),
        [_went(row.session_id, batch.sessions[row.session_id], row.last_sound_at) for row in found],
    )
    for row in found:
        state = batch.sessions[row.session_id]
        if row.status != state.status:
            told = SessionChanged(
                session_id=row.session_id, stream_id=row.stream_id, status=state.status, error=state.error
            )
            live = may_broadcast(unit.session, row.session_id)
            publish(unit, told, at=now, organisation_id=row.organisation_id, is_broadcast=live)


def _went(session_id: UUID, state: SessionState, last_sound_at: datetime | None) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "status": state.status,
        "error": state.error,
        "windows": state.windows,
        "matched": state.matched,
        "reconnects": state.reconnects,
        "last_sound_at": state.last_sound_at or last_sound_at,
        "last_speed": state.last_speed,
    }


def _store_titles(unit: Unit, titles: dict[int, Shown], now: datetime) -> None:
    for stream_id, shown in titles.items():
        changed = unit.session.execute(
            update(Stream)
            .where(Stream.id == stream_id, Stream.stream_title.is_distinct_from(shown.title))
            .values(stream_title=shown.title)
            .returning(Stream.id)
            .execution_options(synchronize_session=False)
        )
        if changed.first() is not None:
            publish(unit, StreamTitle(stream_id=stream_id, title=shown.title), at=now)
        _remember_title(unit.session, stream_id, shown)


def _remember_title(session: Session, stream_id: int, shown: Shown) -> None:
    """Add to what the stream showed, unless it shows it still: another listener may have heard it begin."""
    newest = select(ShownTitle.title).where(ShownTitle.stream_id == stream_id)
    if session.scalar(newest.order_by(ShownTitle.shown_at.desc()).limit(1)) != shown.title:
        session.add(
            ShownTitle(
                stream_id=stream_id,
                session_id=shown.target.session_id,
                title=shown.title,
                shown_at=from_epoch(shown.shown_s),
            )
        )


def _upsert(session: Session, table: type[AudioDetection | Coverage], rows: list[dict[str, Any]], key: str) -> None:
    """Write rows, each new or over the one of its key; all of them by one statement."""
    if not rows:
        return
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    statement = insert(table)
    rest = {name: statement.excluded[name] for name in rows[0] if name != key}
    session.execute(statement.on_conflict_do_update(index_elements=[key], set_=rest), rows)
