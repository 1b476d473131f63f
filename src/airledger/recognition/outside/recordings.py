"""What the outside found becomes one of our recordings: known by its ISRC or by the provider's id, not enrolled."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.db import Unit
from airledger.recognition.outside.answer import OutsideMatch
from airledger.recognition.outside.models import OutsideRecording
from airledger.repertoire.describe import Description
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import add_recording, find_by_content


def find_outside(session: Session, organisation_id: UUID, match: OutsideMatch) -> Recording | None:
    """Find the recording that a match means: by the provider's id, else by one of its ISRCs, the oldest first."""
    row = session.get(OutsideRecording, (match.provider, match.provider_id, organisation_id))
    if row is not None:
        return session.get(Recording, row.recording_id)
    if not match.isrcs:
        return None
    by_isrc = select(Recording).where(Recording.organisation_id == organisation_id, Recording.isrc.in_(match.isrcs))
    return session.scalars(by_isrc.order_by(Recording.created_at, Recording.id).limit(1)).first()


def recording_of(unit: Unit, actor: Actor, organisation_id: UUID, match: OutsideMatch, at: datetime) -> Recording:
    """Find or add the recording that a match means, and remember that the provider's id means it."""
    found = find_outside(unit.session, organisation_id, match)
    if found is None:
        found = _add(unit, actor, organisation_id, match, at)
    known = unit.session.get(OutsideRecording, (match.provider, match.provider_id, organisation_id))
    if known is None:
        unit.session.add(
            OutsideRecording(
                provider=match.provider,
                provider_id=match.provider_id,
                organisation_id=organisation_id,
                recording_id=found.id,
                found=metadata_of(match),
                created_at=at,
            )
        )
        unit.session.flush()
    return found


def metadata_of(match: OutsideMatch) -> dict[str, Any]:
    """Return what a match tells beyond title and artist, as kept in `external_metadata`."""
    return {
        "provider": match.provider,
        "provider_id": match.provider_id,
        "title": match.title,
        "artists": list(match.artists),
        "album": match.album,
        "label": match.label,
        "release_date": match.release_date,
        "duration_ms": match.duration_ms,
        "isrcs": list(match.isrcs),
        "upcs": list(match.upcs),
        "iswcs": list(match.iswcs),
        "genres": list(match.genres),
        "writers": [{"name": one.name, "role": one.role, "ipi": one.ipi} for one in match.writers],
        "score": match.score,
        "is_custom": match.is_custom,
        "links": dict(match.links),
    }


def _add(unit: Unit, actor: Actor, organisation_id: UUID, match: OutsideMatch, at: datetime) -> Recording:
    content = f"outside:{match.provider}:{match.provider_id}"
    known = find_by_content(unit.session, organisation_id, content)
    if known is not None:
        return known
    described = Description(
        title=match.title or "untitled",
        artist=match.artist,
        album=match.album,
        label=match.label,
        isrc=match.isrcs[0] if match.isrcs else None,
    )
    return add_recording(
        unit,
        actor,
        organisation_id,
        described,
        duration_ms=match.duration_ms or 0,
        source_name=f"{match.provider}:{match.provider_id}",
        content_sha256=content,
        tags={"isrcs": list(match.isrcs), "source": match.provider},
        at=at,
    )
