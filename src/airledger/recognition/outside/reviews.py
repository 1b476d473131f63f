"""The review queue: sounds on which people decide, and what their decisions teach."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.platform.events import Event, publish
from airledger.recognition.answer import Identified
from airledger.recognition.outside.answer import OutsideMatch
from airledger.recognition.outside.budget import Asker
from airledger.recognition.outside.models import DECIDED, OPEN, RecognitionReview
from airledger.recognition.outside.route import Reason

Decision = Literal["local", "outside", "neither"]
NOTE_LIMIT = 2_000


class ReviewOpened(Event):
    """A sound waits for people to decide who it is."""

    name: ClassVar[str] = "review.opened"
    review_id: UUID
    reason: str
    stream_id: int | None


class ReviewDecided(Event):
    """People have decided."""

    name: ClassVar[str] = "review.decided"
    review_id: UUID
    decision: str
    stream_id: int | None


@dataclass(frozen=True)
class Doubt:
    """What there is to decide."""

    asker: Asker
    heard_at: datetime
    sound_sha256: str
    sound_key: str | None
    reason: Reason
    local: Identified | None
    match: OutsideMatch
    outside_score: float
    context: Mapping[str, Any]


def queue_review(unit: Unit, doubt: Doubt, now: datetime) -> UUID:
    """Put a sound into the queue; the same sound waits there once."""
    same = select(RecognitionReview.id).where(
        RecognitionReview.organisation_id == doubt.asker.organisation_id,
        RecognitionReview.sound_sha256 == doubt.sound_sha256,
    )
    known = unit.session.scalar(same)
    if known is not None:
        return known
    row = RecognitionReview(
        id=uuid4(),
        organisation_id=doubt.asker.organisation_id,
        station_id=doubt.asker.station_id,
        stream_id=doubt.asker.stream_id,
        heard_at=doubt.heard_at,
        sound_sha256=doubt.sound_sha256,
        sound_key=doubt.sound_key,
        reason=doubt.reason,
        local_recording_id=doubt.local.recording_id if doubt.local else None,
        local_score=doubt.local.score if doubt.local else None,
        provider=doubt.match.provider,
        outside_match=asdict(doubt.match),
        outside_score=doubt.outside_score,
        state=OPEN,
        context=dict(doubt.context),
        created_at=now,
    )
    unit.session.add(row)
    unit.session.flush()
    told = ReviewOpened(review_id=row.id, reason=row.reason, stream_id=row.stream_id)
    publish(unit, told, at=now, organisation_id=row.organisation_id)
    return row.id


def get_review(session: Session, organisation_id: UUID, review_id: UUID) -> RecognitionReview:
    """Fetch one review of an organisation.

    Raises:
        NotFoundError: There is none with this id, or it is another organisation's.
    """
    row = session.get(RecognitionReview, review_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"there is no review {review_id}")
    return row


def list_reviews(
    session: Session, organisation_id: UUID, *, state: str | None = OPEN, limit: int = 100, cursor: str | None = None
) -> tuple[Sequence[RecognitionReview], str | None]:
    """List reviews, newest first, and the cursor of the next page.

    Raises:
        InputError: The cursor cannot be used.
    """
    table = RecognitionReview
    query = select(table).where(table.organisation_id == organisation_id)
    if state is not None:
        query = query.where(table.state == state)
    if cursor is not None:
        at, row_id = decode_place(cursor)
        query = query.where(or_(table.created_at < at, (table.created_at == at) & (table.id < row_id)))
    rows = session.scalars(query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)).all()
    more = encode_place(rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None
    return rows[:limit], more


def decide(
    unit: Unit, actor: Actor, review: RecognitionReview, decision: Decision, *, note: str | None, now: datetime
) -> None:
    """Write what people decided: whom to believe.

    Raises:
        ConflictError: It is decided already.
        InputError: There is no local candidate to believe, or the note is too long.
    """
    if review.state == DECIDED:
        raise ConflictError(f"this review was decided already: {review.decision}")
    if decision == "local" and review.local_recording_id is None:
        raise InputError("there is no local candidate in this review: choose 'outside' or 'neither'")
    if note is not None and len(note) > NOTE_LIMIT:
        raise InputError(f"a note has at most {NOTE_LIMIT:,} characters")
    review.state, review.decision, review.decided_by = DECIDED, decision, actor.name
    review.decided_at, review.note = now, note
    record_change(unit, actor, "decided", "recognition_review", review.id, {"decision": decision}, at=now)
    told = ReviewDecided(review_id=review.id, decision=decision, stream_id=review.stream_id)
    publish(unit, told, at=now, organisation_id=review.organisation_id)


def decided_answers(session: Session, provider: str) -> list[tuple[float | None, bool]]:
    """List a provider's scores in decided reviews, and whether it was right: what its curve is refitted from."""
    rows = session.execute(
        select(RecognitionReview.outside_match, RecognitionReview.decision).where(
            RecognitionReview.state == DECIDED, RecognitionReview.provider == provider
        )
    )
    return [(match.get("score"), decision == "outside") for match, decision in rows]
