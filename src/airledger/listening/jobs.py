"""Tasks of the listening room."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from airledger.listening.broadcast import may_broadcast
from airledger.listening.models import CLOSED, AudioDetection, ListeningSession
from airledger.listening.record import DetectionClosed
from airledger.listening.wish import want_all
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.events import publish
from airledger.platform.tasks.registry import Context, Registry, Result

PLAN = "listening.plan"
CLOSE_STALE = "listening.close_stale"
STALE = timedelta(minutes=10)


def declare(registry: Registry, database: Database, clock: Clock, organisation_id: UUID) -> None:
    """Make the tasks of this room known."""

    def plan(context: Context) -> Result:
        del context
        with database.unit() as unit:
            begun, ended = want_all(unit, organisation_id, clock.now())
        return {"begun": begun, "ended": ended}

    def close_stale_detections(context: Context) -> Result:
        del context
        with database.unit() as unit:
            return {"closed": close_stale(unit, clock)}

    registry.declare(PLAN, "default", plan)
    registry.declare(CLOSE_STALE, "default", close_stale_detections)


def close_stale(unit: Unit, clock: Clock) -> int:
    """Close detections that no listener has touched for ten minutes: theirs died and nobody took the stream over."""
    now = clock.now()
    alive = select(ListeningSession.stream_id).where(ListeningSession.lease_until > now)
    rows = unit.session.scalars(
        select(AudioDetection).where(
            AudioDetection.processing_status != CLOSED,
            AudioDetection.ended_at < now - STALE,
            AudioDetection.stream_id.not_in(alive),
        )
    ).all()
    for row in rows:
        row.processing_status, row.is_partial, row.revision = CLOSED, True, row.revision + 1
        closed = DetectionClosed(
            detection_id=row.detection_id,
            stream_id=row.stream_id,
            station_id=row.station_id,
            recording_id=row.recording_id,
        )
        live = may_broadcast(unit.session, row.session_id)
        publish(unit, closed, at=now, organisation_id=row.organisation_id, is_broadcast=live)
    return len(rows)
