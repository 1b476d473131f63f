"""Forgetting unknown sound: rows, peaks and clips go together, and clusters of which nothing is left."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from airledger.listening.models import NAMED, SPEECH, UnknownOccurrence, UnknownRecording, UnknownSound
from airledger.listening.unknown_kept import day_folder
from airledger.platform.db import Database
from airledger.platform.storage import Storage

CHUNK = 100
NIGHTS = 7


def forget_before(
    database: Database, storage: Storage, before: datetime, *, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Forget all unknown sound that ended before a moment; return how many stretches.

    Objects go first: a crash between the two leaves a row without an object, which the next night removes. An object
    whose row was never written goes with the folder of its day.
    """
    forgotten = _forget(database, storage, UnknownSound.ended_at < before, stopping)
    _drop_empty_clusters(database)
    for night in range(2, NIGHTS + 2):  # a stretch lies in the folder of the day on which it began
        for key in list(storage.list(day_folder(before - timedelta(days=night)))):
            storage.delete(key)
    return forgotten


def forget_stream(database: Database, storage: Storage, stream_id: int) -> int:
    """Forget all unknown sound of one stream; return how many stretches."""
    forgotten = _forget(database, storage, UnknownSound.stream_id == stream_id, lambda: False)
    _drop_empty_clusters(database)
    return forgotten


def forget_speech(database: Database, storage: Storage, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Forget stretches that turned out to be speech; return how many."""
    return _forget(database, storage, UnknownSound.state == SPEECH, stopping)


def forget_clips(database: Database, storage: Storage, before: datetime) -> int:
    """Forget the sound of older stretches and keep their peaks; return how many clips."""
    forgotten = 0
    while True:
        with database.read() as session:
            rows = session.execute(
                select(UnknownSound.number, UnknownSound.clip_key)
                .where(UnknownSound.clip_key.is_not(None), UnknownSound.ended_at < before)
                .limit(CHUNK)
            ).all()
        if not rows:
            return forgotten
        for row in rows:
            storage.delete(str(row.clip_key))
        with database.unit() as unit:
            unit.session.execute(
                update(UnknownSound).where(UnknownSound.number.in_([row.number for row in rows])).values(clip_key=None)
            )
        forgotten += len(rows)


def list_kept_sounds(session: Session, stream_id: int) -> list[dict[str, Any]]:
    """List what is kept of one stream's unknown sound: when it was aired, and under which keys its objects lie."""
    query = select(UnknownSound).where(UnknownSound.stream_id == stream_id).order_by(UnknownSound.started_at)
    return [
        {
            "id": str(row.id),
            "started_at": row.started_at.isoformat(),
            "ended_at": row.ended_at.isoformat(),
            "peaks_key": row.peaks_key,
            "clip_key": row.clip_key,
        }
        for row in session.scalars(query)
    ]


def _forget(database: Database, storage: Storage, which: ColumnElement[bool], stopping: Callable[[], bool]) -> int:
    forgotten = 0
    while not stopping():
        with database.read() as session:
            rows = session.execute(
                select(UnknownSound.number, UnknownSound.id, UnknownSound.peaks_key, UnknownSound.clip_key)
                .where(which)
                .limit(CHUNK)
            ).all()
        if not rows:
            break
        for row in rows:
            for key in (row.peaks_key, row.clip_key):
                if key is not None:
                    storage.delete(key)
        _delete_rows(database, [row.number for row in rows], [row.id for row in rows])
        forgotten += len(rows)
    return forgotten


def _delete_rows(database: Database, numbers: Sequence[int], ids: Sequence[UUID]) -> None:
    with database.unit() as unit:
        unit.session.execute(delete(UnknownOccurrence).where(UnknownOccurrence.sound_id.in_(ids)))
        unit.session.execute(delete(UnknownSound).where(UnknownSound.number.in_(numbers)))


def _drop_empty_clusters(database: Database) -> None:
    """Drop clusters without occurrences; those with a name tell where their plays came from and stay."""
    with database.unit() as unit:
        some = exists().where(UnknownOccurrence.unknown_id == UnknownRecording.id)
        unit.session.execute(
            delete(UnknownRecording)
            .where(~some, UnknownRecording.state != NAMED)
            .execution_options(synchronize_session=False)
        )
