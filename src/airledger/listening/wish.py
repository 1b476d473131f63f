"""Which streams shall be listened to."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from airledger.listening.models import ListeningSession
from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, Stream

PATIENCE = timedelta(hours=1)
WORTHLESS = (Cause.SILENT.value, Cause.LOOPED.value)


def want_all(unit: Unit, organisation_id: UUID, now: datetime) -> tuple[int, int]:
    """Want every proven stream with sound, TV too; return how many sessions were begun and ended.

    A stream that fails for a moment is kept for an hour, since listening itself reconnects; one that is silent or
    looped is dropped at once. What was started by hand is left alone.
    """
    worth = or_(
        Stream.state == PLAYING,
        and_(
            Stream.state == FAILING,
            Stream.last_success > now - PATIENCE,
            or_(Stream.cause.is_(None), Stream.cause.not_in(WORTHLESS)),
        ),
    )
    wanted = set(unit.session.scalars(select(Stream.id).where(worth, Stream.is_active, Stream.has_sound.is_not(False))))
    rows = {row.stream_id: row for row in unit.session.scalars(select(ListeningSession))}
    begun = [stream_id for stream_id in wanted if not _is_on(rows.get(stream_id))]
    ended = [row for row in rows.values() if row.is_wanted and not row.is_manual and row.stream_id not in wanted]
    for stream_id in begun:
        row = rows.get(stream_id)
        if row is None:
            unit.session.add(_row(organisation_id, stream_id, is_manual=False))
        elif not row.is_manual:
            row.is_wanted = True
    for row in ended:
        row.is_wanted = False
    return len(begun), len(ended)


def start(unit: Unit, actor: Actor, organisation_id: UUID, stream_id: int, now: datetime) -> UUID:
    """Listen to a stream because somebody asked for it.

    Raises:
        NotFoundError: There is no such stream.
    """
    if unit.session.get(Stream, stream_id) is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    row = of_stream(unit.session, stream_id)
    if row is None:
        row = _row(organisation_id, stream_id, is_manual=True)
        unit.session.add(row)
        unit.session.flush()
    row.is_wanted, row.is_manual = True, True
    record_change(unit, actor, "started", "listening_session", row.session_id, {"stream_id": stream_id}, at=now)
    return row.session_id


def stop(unit: Unit, actor: Actor, stream_id: int, now: datetime) -> None:
    """Stop listening to a stream, until somebody starts it again.

    Raises:
        NotFoundError: Nobody listens to it.
    """
    row = of_stream(unit.session, stream_id)
    if row is None:
        raise NotFoundError(f"nobody listens to stream {stream_id}")
    row.is_wanted, row.is_manual = False, True
    record_change(unit, actor, "stopped", "listening_session", row.session_id, {"stream_id": stream_id}, at=now)


def of_stream(session: Session, stream_id: int) -> ListeningSession | None:
    """Find the session of a stream."""
    return session.scalar(select(ListeningSession).where(ListeningSession.stream_id == stream_id))


def _is_on(row: ListeningSession | None) -> bool:
    return row is not None and (row.is_wanted or row.is_manual)


def _row(organisation_id: UUID, stream_id: int, *, is_manual: bool) -> ListeningSession:
    return ListeningSession(
        session_id=uuid4(),
        organisation_id=organisation_id,
        stream_id=stream_id,
        is_wanted=True,
        is_manual=is_manual,
        status="waiting",
        config={},
    )
