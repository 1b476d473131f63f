"""Storing what live sessions heard: one unit for all of them. Storing the same batch twice changes nothing."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.fingerprint.params import ENGINE_VERSION
from airledger.listening.models import CLOSED, AudioDetection, Coverage, ListeningSession
from airledger.listening.outbox import Batch, HeardPlay
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.events import Event, publish
from airledger.repertoire.models import Recording
from airledger.stations.models import Stream


class DetectionOpened(Event):
    """A recording was recognised on air and goes on playing."""

    name: ClassVar[str] = "detection.opened"
    detection_id: UUID
    stream_id: int


class DetectionClosed(Event):
    """It has ended; the row is final."""

    name: ClassVar[str] = "detection.closed"
    detection_id: UUID
    stream_id: int


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
    for target, stretch in batch.coverage.values():
        values = {
            "id": stretch.id,
            "stream_id": target.stream_id,
            "session_id": target.session_id,
            "kind": stretch.kind,
            "cause": stretch.cause,
            "started_at": from_epoch(stretch.start_s),
            "ended_at": from_epoch(stretch.end_s),
        }
        _upsert(session, Coverage, values, "id")
    _store_sessions(unit, batch, now)
    _store_titles(unit, batch.titles, now)
    return changed


def _store_plays(unit: Unit, plays: Iterable[HeardPlay], now: datetime) -> int:
    wanted = {heard.hypothesis.recording_id for heard in plays}
    if not wanted:
        return 0
    isrcs = dict(unit.session.execute(select(Recording.id, Recording.isrc).where(Recording.id.in_(wanted))).all())
    # A recording that was deleted while it played has no detection any more.
    return sum(
        _store_play(unit, heard, isrcs[heard.hypothesis.recording_id], now)
        for heard in plays
        if heard.hypothesis.recording_id in isrcs
    )


def _store_play(unit: Unit, heard: HeardPlay, isrc: str | None, now: datetime) -> bool:
    """Store one play's newest state, unless the row has it already; tell when it began and when it ended."""
    hypothesis, organisation_id = heard.hypothesis, heard.target.organisation_id
    known = unit.session.execute(
        select(AudioDetection.revision, AudioDetection.processing_status).where(
            AudioDetection.detection_id == hypothesis.id
        )
    ).first()
    if known is not None and known.revision >= hypothesis.revision:
        return False
    _upsert(unit.session, AudioDetection, _detection(heard, isrc), "detection_id")
    if known is None:
        opened = DetectionOpened(detection_id=hypothesis.id, stream_id=heard.target.stream_id)
        publish(unit, opened, at=now, organisation_id=organisation_id)
    if hypothesis.state == CLOSED and (known is None or known.processing_status != CLOSED):
        closed = DetectionClosed(detection_id=hypothesis.id, stream_id=heard.target.stream_id)
        publish(unit, closed, at=now, organisation_id=organisation_id)
    return True


def _detection(heard: HeardPlay, isrc: str | None) -> dict[str, Any]:
    hypothesis, target = heard.hypothesis, heard.target
    return {
        "detection_id": hypothesis.id,
        "organisation_id": target.organisation_id,
        "session_id": target.session_id,
        "station_id": target.station_id,
        "stream_id": target.stream_id,
        "recording_id": hypothesis.recording_id,
        "detection_source": "local",
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
    if not batch.sessions:
        return
    rows = unit.session.scalars(select(ListeningSession).where(ListeningSession.session_id.in_(batch.sessions)))
    for row in rows:
        state = batch.sessions[row.session_id]
        has_changed = row.status != state.status
        row.status, row.error = state.status, state.error
        row.windows, row.matched, row.reconnects = state.windows, state.matched, state.reconnects
        row.last_sound_at = state.last_sound_at or row.last_sound_at
        row.last_speed = state.last_speed
        if has_changed:
            told = SessionChanged(
                session_id=row.session_id, stream_id=row.stream_id, status=state.status, error=state.error
            )
            publish(unit, told, at=now, organisation_id=row.organisation_id)


def _store_titles(unit: Unit, titles: dict[int, str], now: datetime) -> None:
    for stream_id, title in titles.items():
        changed = unit.session.execute(
            update(Stream)
            .where(Stream.id == stream_id, Stream.stream_title.is_distinct_from(title))
            .values(stream_title=title)
            .returning(Stream.id)
            .execution_options(synchronize_session=False)
        )
        if changed.first() is not None:
            publish(unit, StreamTitle(stream_id=stream_id, title=title), at=now)


def _upsert(session: Session, table: type[AudioDetection | Coverage], values: dict[str, Any], key: str) -> None:
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    rest = {name: value for name, value in values.items() if name != key}
    session.execute(insert(table).values(values).on_conflict_do_update(index_elements=[key], set_=rest))
