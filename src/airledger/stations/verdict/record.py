"""Verdicts in rows: which streams are due for a look, and what was found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.stations.events import StreamClassChanged
from airledger.stations.levels import LIVE, SUSTAINED
from airledger.stations.models import PLAYING, Stream, Verification
from airledger.stations.verdict.models import StreamVerdict

if TYPE_CHECKING:  # the models load only in processes that look
    from airledger.stations.verdict.weigh import Weighed

CLAIM_S = 1_800
AGAIN_S = 6 * 3_600
VANTAGE = "look"


def find_due(session: Session, now: datetime, *, limit: int) -> list[int]:
    """List playing streams without a verdict, and those whose verdict is old."""
    is_due = or_(StreamVerdict.stream_id.is_(None), StreamVerdict.due_at <= now)
    query = (
        select(Stream.id)
        .outerjoin(StreamVerdict, StreamVerdict.stream_id == Stream.id)
        .where(Stream.is_active, Stream.state == PLAYING, is_due)
        .order_by(StreamVerdict.due_at, Stream.id)
    )
    return list(session.scalars(query.limit(limit)))


def claim(unit: Unit, stream_ids: Sequence[int], now: datetime) -> None:
    """Take streams for a look: nobody else gets them for half an hour."""
    known = {
        row.stream_id: row
        for row in unit.session.scalars(select(StreamVerdict).where(StreamVerdict.stream_id.in_(stream_ids)))
    }
    until = now + timedelta(seconds=CLAIM_S)
    for stream_id in stream_ids:
        if stream_id in known:
            known[stream_id].due_at = until
        else:
            unit.session.add(_blank(stream_id, until))


def record_verdict(unit: Unit, stream_id: int, found: "Weighed", *, now: datetime, every_s: float) -> None:
    """Write a verdict; a look that saw nothing leaves the last one standing, and comes again in six hours.

    What a look finds wrong with the picture is told in the stream's history, too.
    """
    stream = unit.session.get(Stream, stream_id)
    if stream is None:
        return
    row = unit.session.get(StreamVerdict, stream_id)
    if row is None:
        row = _blank(stream_id, now)
        unit.session.add(row)
    if found.confidence is None:
        row.error, row.due_at = found.error, now + timedelta(seconds=AGAIN_S)
        return
    if row.label and found.label and row.label != found.label:
        change = StreamClassChanged(stream_id=stream_id, from_class=row.label, to_class=found.label)
        publish(unit, change, at=now)
    row.looked_at, row.due_at, row.error = now, now + timedelta(seconds=every_s), None
    row.is_valid, row.confidence, row.risk_score = found.is_valid, found.confidence, found.risk_score
    row.label, row.probabilities, row.quality = found.label, found.probabilities, found.quality
    row.reasons, row.faults = list(found.reasons), list(found.faults)
    row.model_version, row.features, row.vector = found.model_version, found.features, dict(found.vector)
    if stream.has_picture:
        unit.session.add(_evidence(stream, found, now))


def _blank(stream_id: int, due_at: datetime) -> StreamVerdict:
    return StreamVerdict(stream_id=stream_id, due_at=due_at, probabilities={}, reasons=[], faults=[], vector={})


def _evidence(stream: Stream, found: "Weighed", now: datetime) -> Verification:
    """Write a look at pictures into the history: level 4 where they move, 3 and a cause where they do not."""
    return Verification(
        stream_id=stream.id,
        checked_at=now,
        level=SUSTAINED if found.faults else LIVE,
        is_healthy=not found.faults,
        cause=found.faults[0] if found.faults else None,
        detail="; ".join(found.reasons)[:500] or None,
        codec=stream.codec,
        warnings=list(found.faults),
        vantage=VANTAGE,
    )
