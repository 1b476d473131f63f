"""Answers kept for a while: the same sound is neither sent nor paid for twice."""

from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.recognition.outside.answer import ANSWERED, OutsideAnswer
from airledger.recognition.outside.models import OutsideAnswerRow

KEEP_HIT = timedelta(hours=1)
KEEP_MISS = timedelta(minutes=5)


def recall(session: Session, provider: str, sound_sha256: str, now: datetime) -> OutsideAnswer | None:
    """Return the answer that a provider gave to exactly this sound a short while ago."""
    row = session.get(OutsideAnswerRow, (provider, sound_sha256))
    if row is None or row.expires_at <= now:
        return None
    try:
        return OutsideAnswer.from_json(row.answer)
    except (KeyError, TypeError):  # written by another version: ask anew
        return None


def remember(unit: Unit, provider: str, sound_sha256: str, answer: OutsideAnswer, now: datetime) -> None:
    """Keep a hit for an hour and a miss for five minutes; what failed is not kept."""
    if answer.outcome not in ANSWERED:
        return
    kept = KEEP_HIT if answer.outcome == "hit" else KEEP_MISS
    values = {"answer": answer.to_json(), "stored_at": now, "expires_at": now + kept}
    insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    unit.session.execute(
        insert(OutsideAnswerRow)
        .values(provider=provider, sound_sha256=sound_sha256, **values)
        .on_conflict_do_update(index_elements=["provider", "sound_sha256"], set_=values)
    )
