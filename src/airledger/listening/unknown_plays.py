"""Plays of what got its name late: one per airing of an unknown recording, at its true time, never a second one."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import select, update

from airledger.listening.models import CLOSED, AudioDetection, UnknownOccurrence, UnknownRecording, UnknownSound
from airledger.listening.record import DetectionClosed
from airledger.listening.unknown_join import Span, airings, extent
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.repertoire.models import Recording

NAMESPACE = UUID("5f0c9a6e-4c3e-4c55-9d0e-6a3f3a7f2b11")
SAME_SHARE = 0.3


def name_airings(unit: Unit, cluster: UnknownRecording, now: datetime, *, source: str = "local") -> int:
    """Write the plays of a named cluster's airings that have none; return how many.

    An airing that overlaps a play of the recording on that stream is that play.
    """
    session = unit.session
    rows = list(session.scalars(select(UnknownOccurrence).where(UnknownOccurrence.unknown_id == cluster.id)))
    by_span = {Span.of(row.stream_id, row.started_at.timestamp(), row.ended_at.timestamp()): row for row in rows}
    written = 0
    for airing in airings(by_span):
        members = [by_span[span] for span in airing]
        detection_id = next((row.detection_id for row in members if row.detection_id is not None), None)
        if detection_id is None:
            detection_id, is_new = _play(unit, cluster, extent(airing), members[0], now, source)
            written += is_new
        for row in members:
            row.detection_id = detection_id
    session.flush()
    return written


def overlapping_play(
    unit: Unit, recording_id: UUID, stream_id: int, from_s: float, to_s: float
) -> AudioDetection | None:
    """Find the play of a recording on a stream that a stretch of air time belongs to."""
    rows = unit.session.scalars(
        select(AudioDetection).where(
            AudioDetection.stream_id == stream_id,
            AudioDetection.recording_id == recording_id,
            AudioDetection.started_at < from_epoch(to_s),
            AudioDetection.ended_at > from_epoch(from_s),
        )
    )
    return next((row for row in rows if _shares(row, from_s, to_s)), None)


def _shares(row: AudioDetection, from_s: float, to_s: float) -> bool:
    begin_s, end_s = row.started_at.timestamp(), row.ended_at.timestamp()
    shared_s = min(end_s, to_s) - max(begin_s, from_s)
    return shared_s >= SAME_SHARE * min(end_s - begin_s, to_s - from_s)


def _play(
    unit: Unit, cluster: UnknownRecording, span: Span, first: UnknownOccurrence, now: datetime, source: str
) -> tuple[UUID | None, bool]:
    session, recording_id = unit.session, cluster.recording_id
    recording = session.get(Recording, recording_id) if recording_id is not None else None
    if recording is None:
        return None, False
    known = overlapping_play(unit, recording.id, span.stream_id, span.from_s, span.to_s)
    if known is not None:
        return known.detection_id, False
    detection_id = uuid5(NAMESPACE, f"{recording.id}/{span.stream_id}/{first.id}")
    sound = session.scalar(select(UnknownSound).where(UnknownSound.id == first.sound_id))
    if sound is None or session.get(AudioDetection, detection_id) is not None:
        return detection_id, False
    session.add(
        AudioDetection(
            detection_id=detection_id,
            organisation_id=cluster.organisation_id,
            session_id=sound.session_id,
            station_id=sound.station_id,
            stream_id=span.stream_id,
            recording_id=recording.id,
            detection_source=source,
            confidence_score=first.score,
            processing_status=CLOSED,
            isrc=recording.isrc,
            started_at=from_epoch(span.from_s),
            ended_at=from_epoch(span.to_s),
            reference_start_ms=0,
            reference_end_ms=round((span.to_s - span.from_s) * 1000),
            alignment_s=span.from_s,
            windows=1,
            revision=1,
        )
    )
    session.flush()
    told = DetectionClosed(detection_id=detection_id, stream_id=span.stream_id)
    publish(unit, told, at=now, organisation_id=cluster.organisation_id)
    return detection_id, True


def take_back(unit: Unit, cluster_id: UUID) -> None:
    """Forget which plays a cluster's airings have, as when it gets another name."""
    unit.session.execute(
        update(UnknownOccurrence)
        .where(UnknownOccurrence.unknown_id == cluster_id)
        .values(detection_id=None)
        .execution_options(synchronize_session="fetch")
    )
