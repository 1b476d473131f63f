"""Forgetting sound that was kept for questions and reviews, when its time is over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from airledger.platform.db import Database, Unit
from airledger.platform.storage import Storage
from airledger.recognition.outside.models import RecognitionReview

QUESTIONS = "questions/"
BATCH = 100
QUESTION_DAYS = 2  # a question that nobody carried out by then was lost with its task


def question_key(at: datetime, name: str) -> str:
    """Return where the sound of a question lies: by day, so that leftovers are found."""
    return f"{QUESTIONS}{at:%Y%m%d}/{name}.wav"


def forget_sounds(
    database: Database, storage: Storage, now: datetime, *, days: int, stopping: Callable[[], bool] = lambda: False
) -> tuple[int, int]:
    """Delete the sounds of reviews older than `days`, and of questions older than two; return how many of each."""
    return _forget_reviews(database, storage, now - timedelta(days=days), stopping), _forget_questions(storage, now)


def forget_review_sound(unit: Unit, storage: Storage, review_id: UUID) -> bool:
    """Delete the sound of one review before its time, as when somebody who speaks in it asks for it."""
    row = unit.session.get(RecognitionReview, review_id)
    if row is None or row.sound_key is None:
        return False
    storage.delete(row.sound_key)
    row.sound_key = None
    return True


def _forget_reviews(database: Database, storage: Storage, before: datetime, stopping: Callable[[], bool]) -> int:
    """Objects first: a crash between the two leaves a row that names nothing, never a sound that nothing names."""
    total = 0
    old = (RecognitionReview.sound_key.is_not(None), RecognitionReview.created_at < before)
    while not stopping():
        with database.read() as session:
            rows = session.scalars(select(RecognitionReview).where(*old).limit(BATCH)).all()
        for row in rows:
            storage.delete(str(row.sound_key))
        with database.unit() as unit:
            for row in rows:
                kept = unit.session.get(RecognitionReview, row.id)
                if kept is not None:
                    kept.sound_key = None
        total += len(rows)
        if len(rows) < BATCH:
            break
    return total


def _forget_questions(storage: Storage, now: datetime) -> int:
    newest = f"{QUESTIONS}{now - timedelta(days=QUESTION_DAYS):%Y%m%d}"
    old = [key for key in storage.list(QUESTIONS) if key < newest]
    for key in old:
        storage.delete(key)
    return len(old)
