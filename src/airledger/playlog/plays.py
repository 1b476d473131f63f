"""Plays are made from detections: again and again, with the same result."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import or_, select

from airledger.listening.broadcast import may_broadcast
from airledger.listening.models import CLOSED, AudioDetection
from airledger.platform.db import Unit
from airledger.platform.events import Event, publish
from airledger.playlog.find_plays import find_play
from airledger.playlog.models import PlayLog

PLAYING, FINISHED = "playing", "finished"
SHORT_USE = timedelta(seconds=30)


class _PlayEvent(Event):
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


class PlayStarted(_PlayEvent):
    """A recording began to play; it was recognised some seconds later."""

    name: ClassVar[str] = "play.started"


class PlayFinished(_PlayEvent):
    """A play has ended; its times are final."""

    name: ClassVar[str] = "play.finished"


def log_play(unit: Unit, detection_id: UUID, now: datetime) -> bool:
    """Make or update the play of a detection; False when there is nothing new."""
    detection = unit.session.get(AudioDetection, detection_id)
    if detection is None or detection.recording_id is None:
        return False
    play = unit.session.get(PlayLog, detection_id)
    if play is not None and play.revision >= detection.revision:
        return False
    is_new = play is None
    if play is None:
        play = PlayLog(id=detection_id, audio_detection_id=detection_id)
        unit.session.add(play)
    was_finished = play.status == FINISHED
    _fill(play, detection)
    unit.session.flush()
    is_finished = play.status == FINISHED
    if is_new or is_finished != was_finished:
        view = find_play(unit.session, play.organisation_id, detection_id)
        event = PlayFinished if is_finished else PlayStarted
        live = may_broadcast(unit.session, detection.session_id)
        publish(unit, event(**asdict(view)), at=now, organisation_id=play.organisation_id, is_broadcast=live)
    return True


def _fill(play: PlayLog, detection: AudioDetection) -> None:
    length = detection.ended_at - detection.started_at
    play.organisation_id = detection.organisation_id
    play.station_id, play.stream_id = detection.station_id, detection.stream_id
    if detection.recording_id is not None:
        play.recording_id = detection.recording_id
    play.started_at, play.ended_at = detection.started_at, detection.ended_at
    play.duration_ms = round(length.total_seconds() * 1000)
    play.status = FINISHED if detection.processing_status == CLOSED else PLAYING
    play.is_short_use = play.status == FINISHED and length < SHORT_USE
    play.is_partial = detection.is_partial
    play.confidence_score, play.detection_source = detection.confidence_score, detection.detection_source
    play.speed, play.revision = detection.speed, detection.revision


def rebuild(unit: Unit, now: datetime, *, limit: int = 500) -> int:
    """Bring plays up to detections that are ahead of them; return how many changed. Repeat until it returns 0."""
    ahead = (
        select(AudioDetection.detection_id)
        .outerjoin(PlayLog, PlayLog.id == AudioDetection.detection_id)
        .where(
            AudioDetection.recording_id.is_not(None),
            or_(PlayLog.id.is_(None), PlayLog.revision < AudioDetection.revision),
        )
        .limit(limit)
    )
    return sum(log_play(unit, detection_id, now) for detection_id in unit.session.scalars(ahead).all())
