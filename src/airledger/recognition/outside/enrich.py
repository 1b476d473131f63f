"""Filling what a recording does not say of itself from what sources know of its ISRC. What people wrote stays."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.recognition.outside.compare import normal_title
from airledger.recognition.outside.isrc import IsrcAnswer, IsrcCandidate
from airledger.repertoire.models import Recording


def due_for_metadata(session: Session, organisation_id: UUID, *, limit: int) -> list[tuple[UUID, str]]:
    """List recordings with an ISRC that lack album or label, oldest first."""
    rows = session.execute(
        select(Recording.id, Recording.isrc)
        .where(
            Recording.organisation_id == organisation_id,
            Recording.isrc.is_not(None),
            or_(Recording.album.is_(None), Recording.label.is_(None)),
        )
        .order_by(Recording.created_at, Recording.id)
        .limit(limit)
    )
    return [(identity, isrc) for identity, isrc in rows if isrc is not None]


def isrcs_of_recordings(session: Session, organisation_id: UUID, ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """List the ISRCs of an organisation's recordings; those without one are left out."""
    rows = session.execute(
        select(Recording.id, Recording.isrc).where(
            Recording.organisation_id == organisation_id, Recording.id.in_(ids), Recording.isrc.is_not(None)
        )
    )
    return [(identity, isrc) for identity, isrc in rows if isrc is not None]


def fill_from(unit: Unit, actor: Actor, recording_id: UUID, answer: IsrcAnswer, now: datetime) -> bool:
    """Fill album and label where they are empty; tell whether anything changed."""
    recording = unit.session.get(Recording, recording_id)
    if recording is None:
        return False
    best = _fitting(recording, answer.candidates)
    if best is None:
        return False
    change = {
        name: value
        for name, value in (("album", best.album), ("label", best.label))
        if value and not getattr(recording, name)
    }
    for name, value in change.items():
        setattr(recording, name, value)
    if change:
        record_change(unit, actor, "filled", "recording", recording.id, {**change, "source": best.source}, at=now)
    return bool(change)


def _fitting(recording: Recording, candidates: Sequence[IsrcCandidate]) -> IsrcCandidate | None:
    """Pick the candidate with our title: an ISRC that was given twice must not name a stranger's album."""
    title = normal_title(recording.title)
    return next((one for one in candidates if normal_title(one.title) == title), None)
