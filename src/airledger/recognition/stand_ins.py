"""Recordings that are the same sound: one is listened for, the others stand back behind it until it is removed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update

from airledger.platform.db import Unit
from airledger.recognition.changes import next_revision
from airledger.recognition.models import Fingerprint, RemovedTrack


def stand_back(unit: Unit, row: Fingerprint, for_recording: UUID, now: datetime) -> None:
    """Have another recording get the plays of this sound; every running process drops its track."""
    row.stands_for = for_recording
    row.revision = next_revision(unit.session)
    gone = unit.session.get(RemovedTrack, row.track)
    if gone is None:
        unit.session.add(RemovedTrack(track=row.track, revision=row.revision, removed_at=now))
    else:
        gone.revision, gone.removed_at = row.revision, now
    unit.session.execute(
        update(Fingerprint)
        .where(Fingerprint.stands_for == row.recording_id)
        .values(stands_for=for_recording)
        .execution_options(synchronize_session=False)
    )


def step_forward(unit: Unit, recording_ids: Sequence[UUID]) -> int:
    """Listen again for what stood back behind recordings that are removed; return how many that are.

    They are checked anew: the first of them takes the place of the one that is gone.
    """
    rows = unit.session.scalars(select(Fingerprint).where(Fingerprint.stands_for.in_(recording_ids))).all()
    if rows:
        revision = next_revision(unit.session)
        tracks = [row.track for row in rows]
        unit.session.execute(delete(RemovedTrack).where(RemovedTrack.track.in_(tracks)))
        for row in rows:
            row.stands_for, row.duplicates_checked_at, row.revision = None, None, revision
    return len(rows)
