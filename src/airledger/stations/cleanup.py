"""The nightly clean-up: streams that have long been dead for a reason that does not pass are retired, not deleted."""

from datetime import datetime, timedelta

from sqlalchemy import select

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, Stream
from airledger.stations.submit import retire_stream

DEAD = "dead"
DEAD_AFTER_DAYS = 30
CHUNK = 100
PERMANENT = sorted(cause.value for cause in Cause if cause.permanent)
CLEANER = Actor("system:cleanup")


def retire_dead(unit: Unit, now: datetime) -> int:
    """Retire up to 100 streams that have failed for 30 days for a permanent cause; return how many."""
    query = select(Stream).where(
        Stream.state == FAILING,
        Stream.failing_since < now - timedelta(days=DEAD_AFTER_DAYS),
        Stream.cause.in_(PERMANENT),
    )
    dead = unit.session.scalars(query.limit(CHUNK)).all()
    for stream in dead:
        change = {"reason": DEAD, "cause": stream.cause, "failing_since": str(stream.failing_since)}
        record_change(unit, CLEANER, "retired", "stream", stream.id, change, at=now)
        retire_stream(unit, stream, DEAD, now)
    return len(dead)
