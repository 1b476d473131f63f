"""Recordings: add, find, list."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError
from airledger.platform.events import Event, publish
from airledger.repertoire.describe import Description, checked, checked_class
from airledger.repertoire.models import Recording


class RecordingAdded(Event):
    """A recording can be heard from now on."""

    name: ClassVar[str] = "recording.added"
    recording_id: UUID
    title: str
    artist: str


def add_recording(
    unit: Unit,
    actor: Actor,
    organisation_id: UUID,
    described: Description,
    *,
    duration_ms: int,
    source_name: str,
    content_sha256: str,
    tags: dict[str, Any],
    at: datetime,
) -> Recording:
    """Add a recording to an organisation's repertoire."""
    recording = Recording(
        **asdict(described),
        organisation_id=organisation_id,
        duration_ms=duration_ms,
        source_name=source_name,
        content_sha256=content_sha256,
        tags=tags,
        created_at=at,
    )
    unit.session.add(recording)
    unit.session.flush()
    record_change(unit, actor, "added", "recording", recording.id, asdict(described), at=at)
    told = RecordingAdded(recording_id=recording.id, title=recording.title, artist=recording.artist)
    publish(unit, told, at=at, organisation_id=organisation_id)
    return recording


def find_by_content(session: Session, organisation_id: UUID, content_sha256: str) -> Recording | None:
    """Find the recording that was made from exactly these bytes."""
    return session.scalar(
        select(Recording).where(
            Recording.organisation_id == organisation_id, Recording.content_sha256 == content_sha256
        )
    )


def get_recording(session: Session, organisation_id: UUID, recording_id: UUID) -> Recording:
    """Fetch one recording of an organisation.

    Raises:
        NotFoundError: There is none with this id, or it is another organisation's.
    """
    recording = session.get(Recording, recording_id)
    if recording is None or recording.organisation_id != organisation_id:
        raise NotFoundError(f"there is no recording {recording_id} in your library")
    return recording


def change_description(
    unit: Unit,
    actor: Actor,
    organisation_id: UUID,
    recording_id: UUID,
    changes: Mapping[str, str | None],
    *,
    at: datetime,
) -> Recording:
    """Change what a recording is called; keys are those of a Description.

    Raises:
        NotFoundError: There is none with this id, or it is another organisation's.
        InputError: A value cannot be used: no class, no ISRC, or nothing where there must be something.
    """
    recording = get_recording(unit.session, organisation_id, recording_id)
    before = {name: getattr(recording, name) for name in changes}
    for name, value in checked(changes).items():
        setattr(recording, name, value)
    change = {name: [old, getattr(recording, name)] for name, old in before.items()}
    record_change(unit, actor, "changed", "recording", recording.id, change, at=at)
    return recording


def list_recordings(
    session: Session,
    organisation_id: UUID,
    *,
    text: str = "",
    recording_class: str | None = None,
    limit: int = 100,
    after: tuple[str, UUID] | None = None,
) -> Sequence[Recording]:
    """List recordings by title; `text` must occur in title, artist, album or ISRC."""
    query = select(Recording).where(Recording.organisation_id == organisation_id, Recording.removed_at.is_(None))
    if recording_class is not None:
        query = query.where(Recording.recording_class == checked_class(recording_class))
    if text:
        columns = (Recording.title, Recording.artist, Recording.album, Recording.isrc)
        query = query.where(or_(*(column.icontains(text, autoescape=True) for column in columns)))
    if after is not None:
        title, identity = after
        query = query.where(or_(Recording.title > title, (Recording.title == title) & (Recording.id > identity)))
    return session.scalars(query.order_by(Recording.title, Recording.id).limit(limit)).all()


def count_recordings(session: Session) -> int:
    """Count all recordings of the installation."""
    counted = select(func.count()).select_from(Recording).where(Recording.removed_at.is_(None))
    return session.scalar(counted) or 0
