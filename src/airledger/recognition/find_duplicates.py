"""Finding the duplicates that were told: which recordings share sound, and how."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from airledger.recognition.models import Duplicate
from airledger.recognition.overlap_kinds import MIRRORED
from airledger.repertoire.models import Recording


@dataclass(frozen=True)
class FoundDuplicate:
    """A recording that shares sound with another one."""

    recording_id: UUID
    title: str
    of_recording_id: UUID
    of_title: str
    kind: str
    speed: float
    share: float
    share_of: float
    score: float


def find_duplicates(
    session: Session, organisation_id: UUID, recording_ids: Sequence[UUID] | None = None, *, limit: int = 1_000
) -> list[FoundDuplicate]:
    """List duplicates, newest first; of some recordings, told from their side, or of all.

    Args:
        session: Of a read.
        organisation_id: Whose.
        recording_ids: Only what concerns these; None for all.
        limit: At most so many.
    """
    one, other = aliased(Recording), aliased(Recording)
    query = (
        select(Duplicate, one.title, other.title)
        .join(one, one.id == Duplicate.recording_id)
        .join(other, other.id == Duplicate.of_recording_id)
        .where(Duplicate.organisation_id == organisation_id, one.removed_at.is_(None), other.removed_at.is_(None))
        .order_by(Duplicate.found_at.desc(), Duplicate.id)
        .limit(limit)
    )
    if recording_ids is not None:
        wanted = list(recording_ids)
        query = query.where(or_(Duplicate.recording_id.in_(wanted), Duplicate.of_recording_id.in_(wanted)))
    asked = set(recording_ids or ())
    return [
        _told(found, title, of_title, is_mirrored=bool(asked) and found.recording_id not in asked)
        for found, title, of_title in session.execute(query)
    ]


def count_duplicates(session: Session, organisation_id: UUID) -> dict[str, int]:
    """Count an organisation's duplicates by kind."""
    query = select(Duplicate.kind, func.count()).where(Duplicate.organisation_id == organisation_id)
    return dict(session.execute(query.group_by(Duplicate.kind)).all())


def _told(found: Duplicate, title: str, of_title: str, *, is_mirrored: bool) -> FoundDuplicate:
    if is_mirrored:
        return FoundDuplicate(
            found.of_recording_id,
            of_title,
            found.recording_id,
            title,
            MIRRORED[found.kind],  # type: ignore[index]  # only kinds are stored
            1 / found.speed,
            found.share_of,
            found.share,
            found.score,
        )
    return FoundDuplicate(
        found.recording_id,
        title,
        found.of_recording_id,
        of_title,
        found.kind,
        found.speed,
        found.share,
        found.share_of,
        found.score,
    )
