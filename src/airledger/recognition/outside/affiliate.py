"""Noting which society may administer a recording's works, with the evidence it stands on.

Only what a source says of the work or its writers counts as evidence; without it the society is presumed from the
artist's country as MusicBrainz knows it, else the house's default, and marked so. An ISRC decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.recognition.outside.models import IsrcMetadata, ProMapping
from airledger.recognition.outside.societies import LEVELS, Presumption, Society, presume, pro_mappings
from airledger.repertoire.models import MUSIC, Recording

FRESH = timedelta(hours=24)
PRESUMED = "presumed"


@dataclass(frozen=True)
class Affiliation:
    """A recording's society as it stands: on what evidence, since when."""

    recording_id: UUID
    party: str
    society: Society
    level: str
    source: str
    noted_at: datetime


def affiliations(session: Session, recording_ids: Sequence[UUID]) -> dict[UUID, Affiliation]:
    """Return the strongest affiliation of each recording that has one."""
    rows = session.scalars(
        select(ProMapping)
        .where(ProMapping.recording_id.in_(recording_ids))
        .order_by(ProMapping.rank.desc(), ProMapping.noted_at)
    )
    by_code = {one.code: one for one in pro_mappings()}
    return {  # the strongest comes last and stays
        row.recording_id: Affiliation(
            row.recording_id, row.party, by_code[row.society_code], row.level, row.source, row.noted_at
        )
        for row in rows
        if row.society_code in by_code
    }


def due_for_mapping(session: Session, organisation_id: UUID, now: datetime, *, limit: int) -> list[UUID]:
    """List music whose mapping is missing or older than a day, oldest recordings first."""
    stale = (
        select(Recording.id)
        .outerjoin(ProMapping, and_(ProMapping.recording_id == Recording.id, ProMapping.level == PRESUMED))
        .where(
            Recording.organisation_id == organisation_id,
            Recording.recording_class == MUSIC,
            or_(ProMapping.id.is_(None), ProMapping.fresh_until <= now),
        )
        .order_by(Recording.created_at, Recording.id)
        .limit(limit)
    )
    return list(session.scalars(stale))


def map_presumed(unit: Unit, recording_ids: Sequence[UUID], default_pro: str, now: datetime) -> int:
    """Note the presumed society of recordings; return how many are new or have changed."""
    changed = 0
    for recording in unit.session.scalars(select(Recording).where(Recording.id.in_(recording_ids))):
        countries = artist_countries(unit.session, recording.isrc)
        changed += _note(unit, recording, presume(countries, default_pro), now)
    return changed


def artist_countries(session: Session, isrc: str | None) -> list[str]:
    """List the countries of the artists behind an ISRC, as sources told them; its own letters are not looked at."""
    if isrc is None:
        return []
    rows = session.scalars(select(IsrcMetadata).where(IsrcMetadata.isrc == isrc).order_by(IsrcMetadata.source))
    return [code for row in rows for one in row.candidates if (code := one.get("country"))]


def _note(unit: Unit, recording: Recording, presumed: Presumption, now: datetime) -> bool:
    known = unit.session.scalar(
        select(ProMapping).where(
            ProMapping.recording_id == recording.id, ProMapping.party == "", ProMapping.level == PRESUMED
        )
    )
    if known is None:
        unit.session.add(
            ProMapping(
                id=uuid4(),
                organisation_id=recording.organisation_id,
                recording_id=recording.id,
                party="",
                society_code=presumed.society.code,
                level=PRESUMED,
                source=presumed.source,
                noted_at=now,
                fresh_until=now + FRESH,
                rank=LEVELS.index(PRESUMED),
            )
        )
        return True
    has_changed = (known.society_code, known.source) != (presumed.society.code, presumed.source)
    known.society_code, known.source, known.fresh_until = presumed.society.code, presumed.source, now + FRESH
    if has_changed:
        known.noted_at = now
    return has_changed
