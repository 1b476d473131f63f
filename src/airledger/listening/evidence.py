"""Evidence: for each detection the sound of its best window, kept as an object with its hash for `evidence_days`."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from airledger.listening.models import AudioDetection, EvidenceClip
from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError, NotFoundError
from airledger.platform.storage import Storage

FOLDER = "evidence"
CHUNK = 200
NIGHTS = 7  # whose leftovers are looked for: a crash between object and row leaves one


class EvidenceDamagedError(AirledgerError):
    """The stored sound is not what was stored: its hash differs. It proves nothing any more."""

    code = "evidence_damaged"


def find_clip(session: Session, organisation_id: UUID, detection_id: UUID) -> EvidenceClip:
    """Fetch the evidence of one detection of an organisation.

    Raises:
        NotFoundError: There is no such detection of theirs, or nothing is kept of it (any more).
    """
    clip = session.get(EvidenceClip, detection_id)
    if clip is None or clip.organisation_id != organisation_id:
        raise NotFoundError(f"no sound is kept of a detection {detection_id}")
    return clip


def read_sound(storage: Storage, clip: EvidenceClip) -> bytes:
    """Read a clip, and make sure that it is what was stored.

    Raises:
        NotFoundError: The object is gone.
        EvidenceDamagedError: It is not what was stored.
    """
    with storage.open(clip.key) as file:
        sound = file.read(clip.bytes + 1)
    if hashlib.sha256(sound).hexdigest() != clip.sha256:
        raise EvidenceDamagedError(
            f"the sound kept of detection {clip.detection_id} is damaged: its SHA-256 is not the one that was "
            "written with it; bring the object back from a backup"
        )
    return sound


def delete_clip(unit: Unit, storage: Storage, actor: Actor, clip: EvidenceClip, *, now: datetime) -> None:
    """Delete the sound of one detection, as when somebody who speaks in it asks for it."""
    keys = _keys(clip)
    _forget(unit.session, [clip.detection_id])
    record_change(unit, actor, "deleted", "evidence", clip.detection_id, {"sha256": clip.sha256}, at=now)
    unit.after_commit(lambda: delete_objects(storage, keys))


def delete_old_clips(
    database: Database,
    storage: Storage,
    now: datetime,
    *,
    days: int,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Delete evidence that is older than its days, objects first, so that a crash leaves no object behind a row's back.

    Args:
        database: Where the rows are.
        storage: Where the objects are.
        now: The present.
        days: How long evidence is kept.
        stopping: Asked between chunks.

    Returns:
        How many clips were deleted.
    """
    before = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    deleted = 0
    while not stopping():
        with database.read() as session:
            old = session.scalars(select(EvidenceClip).where(EvidenceClip.started_at < before).limit(CHUNK)).all()
        for clip in old:
            delete_objects(storage, _keys(clip))
        if not old:
            break
        with database.unit() as unit:
            _forget(unit.session, [clip.detection_id for clip in old])
        deleted += len(old)
    for night in range(1, NIGHTS + 1):
        delete_objects(storage, list(storage.list(day_folder(before - timedelta(days=night)))))
    return deleted


def day_folder(at: datetime) -> str:
    """Return where the evidence of a day lies, so that a day's leftovers can be found."""
    return f"{FOLDER}/{at:%Y%m%d}/"


def _keys(clip: EvidenceClip) -> list[str]:
    return [clip.key, *([clip.peaks_key] if clip.peaks_key else [])]


def _forget(session: Session, detection_ids: list[UUID]) -> None:
    session.execute(
        update(AudioDetection)
        .where(AudioDetection.detection_id.in_(detection_ids))
        .values(audio_fingerprint=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(EvidenceClip).where(EvidenceClip.detection_id.in_(detection_ids)))


def delete_objects(storage: Storage, keys: list[str]) -> None:
    """Delete objects; those that are gone already are no error."""
    for key in keys:
        storage.delete(key)
