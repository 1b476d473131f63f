"""Ceasing to listen for recordings. Their rows stay, for plays and money refer to them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError
from airledger.platform.events import publish
from airledger.recognition.changes import forget_tracks
from airledger.recognition.events import RecordingRemoved
from airledger.recognition.models import Fingerprint
from airledger.recognition.stand_ins import step_forward
from airledger.repertoire.models import Recording


def remove_recordings(
    unit: Unit, actor: Actor, organisation_id: UUID, recording_ids: Sequence[UUID], *, now: datetime
) -> int:
    """Take recordings out of an organisation's library; enrolling the same file again brings them back.

    Returns:
        How many were in it.

    Raises:
        NotFoundError: One of them is not in the library; then none is removed.
    """
    gone = 0
    tracks: list[int] = []
    for recording_id in recording_ids:
        row = unit.session.get(Recording, recording_id)
        if row is None or row.organisation_id != organisation_id:
            raise NotFoundError(f"there is no recording {recording_id} in your library")
        if row.removed_at is not None:
            continue
        row.removed_at = now
        tracks += unit.session.scalars(select(Fingerprint.track).where(Fingerprint.recording_id == recording_id))
        record_change(unit, actor, "removed", "recording", recording_id, {"title": row.title}, at=now)
        publish(unit, RecordingRemoved(recording_id=recording_id), at=now, organisation_id=organisation_id)
        gone += 1
    step_forward(unit, recording_ids)
    forget_tracks(unit, tracks, now)
    return gone
