"""Which listener hears which stream: leases on session rows.

So listeners share the stations, and those of a dead one are taken over.
"""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from airledger.listening.coverage import Stretch
from airledger.listening.models import CLOSED, HOLD, AudioDetection, Coverage, ListeningSession
from airledger.listening.outbox import Target
from airledger.listening.session import Resumed
from airledger.listening.tracker import Hypothesis, TrackerState
from airledger.recognition.models import Fingerprint
from airledger.stations.models import Stream

LEASE_S = 15
STOPPED = "stopped"


@dataclass(frozen=True)
class Claimed:
    """A session that is ours now, and where it was left."""

    target: Target
    resumed: Resumed
    config: dict[str, Any]


def renew(session: Session, listener: str, now: datetime) -> dict[UUID, dict[str, Any]]:
    """Renew this listener's leases; return the sessions that are still its own and wanted, with their settings."""
    kept = session.execute(
        update(ListeningSession)
        .where(ListeningSession.listener == listener, ListeningSession.is_wanted)
        .values(lease_until=now + timedelta(seconds=LEASE_S))
        .returning(ListeningSession.session_id, ListeningSession.config)
        .execution_options(synchronize_session=False)
    )
    return {row.session_id: row.config for row in kept}


def is_wanted(session: Session, session_id: UUID) -> bool:
    """Tell whether somebody still wants this session, here or elsewhere."""
    return bool(session.scalar(select(ListeningSession.is_wanted).where(ListeningSession.session_id == session_id)))


def claim(session: Session, listener: str, now: datetime, limit: int) -> list[Claimed]:
    """Take sessions that nobody hears: never taken, given back, or of a listener that stopped renewing."""
    free = (
        select(ListeningSession.session_id)
        .where(
            ListeningSession.is_wanted,
            or_(ListeningSession.lease_until.is_(None), ListeningSession.lease_until < now),
        )
        .order_by(ListeningSession.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(session.scalars(free))
    if not ids:
        return []
    session.execute(
        update(ListeningSession)
        .where(ListeningSession.session_id.in_(ids))
        .values(listener=listener, lease_until=now + timedelta(seconds=LEASE_S), status="waiting", started_at=now)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(
        select(ListeningSession, Stream)
        .join(Stream, Stream.id == ListeningSession.stream_id)
        .where(ListeningSession.session_id.in_(ids))
    )
    return [Claimed(_target(one, stream), _resumed(session, stream.id), one.config) for one, stream in rows]


def give_back(session: Session, listener: str, ids: list[UUID], *, status: str = "waiting") -> None:
    """Let others have these sessions at once."""
    session.execute(
        update(ListeningSession)
        .where(ListeningSession.session_id.in_(ids), ListeningSession.listener == listener)
        .values(listener=None, lease_until=None, status=status)
        .execution_options(synchronize_session=False)
    )


def release_dead(session: Session, me: str = "") -> int:
    """Free what listeners of this machine held that no longer run: after a crash nobody need wait for their leases.

    Args:
        session: within a unit.
        me: the listener that asks; another one of its process number is of before the machine started anew.
    """
    here = f"listener-{socket.gethostname()}-"
    holders = session.scalars(
        select(ListeningSession.listener).where(ListeningSession.listener.startswith(here, autoescape=True)).distinct()
    )
    dead = [holder for holder in holders if holder is not None and holder != me and not _runs(holder)]
    if dead:
        session.execute(
            update(ListeningSession)
            .where(ListeningSession.listener.in_(dead))
            .values(listener=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
    return len(dead)


def _runs(holder: str) -> bool:
    pid = holder.rsplit("-", 2)[-2]
    return pid.isdigit() and int(pid) != os.getpid() and Path(f"/proc/{pid}").exists()


def _target(row: ListeningSession, stream: Stream) -> Target:
    return Target(
        session_id=row.session_id,
        organisation_id=row.organisation_id,
        stream_id=stream.id,
        station_id=stream.station_id,
        url=stream.url,
        name=stream.name or stream.url,
        last_speed=row.last_speed,
        request_headers={str(key): str(value) for key, value in (stream.request_headers or {}).items()},
        is_remote=row.config.get("kind") == "remote",
    )


def _resumed(session: Session, stream_id: int) -> Resumed:
    last = session.scalar(
        select(Coverage).where(Coverage.stream_id == stream_id).order_by(Coverage.ended_at.desc()).limit(1)
    )
    if last is None:
        return Resumed()
    stretch = Stretch(last.id, last.kind, last.started_at.timestamp(), last.ended_at.timestamp(), last.cause)
    open_rows = session.execute(
        select(AudioDetection, Fingerprint)
        .join(Fingerprint, Fingerprint.recording_id == AudioDetection.recording_id)
        .where(AudioDetection.stream_id == stream_id, AudioDetection.processing_status != CLOSED)
    )
    hypotheses = tuple(_hypothesis(row, enrolled) for row, enrolled in open_rows)
    return Resumed(TrackerState(hypotheses, stretch.end_s), stretch)


def _hypothesis(row: AudioDetection, enrolled: Fingerprint) -> Hypothesis:
    """Take a stored detection up again, held until the next window decides."""
    started_s = row.started_at.timestamp()
    return Hypothesis(
        id=row.detection_id,
        recording_id=enrolled.recording_id,
        alignment_s=row.alignment_s,
        origin_s=started_s - enrolled.audible_from_ms / 1000 / row.speed,
        speed=row.speed,
        audible_from_s=enrolled.audible_from_ms / 1000,
        audible_to_s=enrolled.audible_to_ms / 1000,
        state=HOLD,
        votes=row.windows,
        best_score=row.confidence_score,
        first_heard_s=started_s,
        last_heard_s=row.ended_at.timestamp(),
        reference_first_s=row.reference_start_ms / 1000,
        reference_last_s=row.reference_end_ms / 1000,
        segments=row.segments,
        is_partial=row.is_partial,
        revision=row.revision,
    )
