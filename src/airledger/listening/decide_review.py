"""Carrying out what people decided on a doubtful sound: the play is written, or corrected."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.listening.models import CLOSED, AudioDetection, UnknownSound
from airledger.listening.outside_play import Heard, NamedSound, extent_of, name_sound, stretch_of
from airledger.listening.record import DetectionClosed
from airledger.listening.tracker import TrackerParams
from airledger.platform.audit import Actor
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError
from airledger.platform.events import publish
from airledger.recognition.outside.answer import OutsideMatch, match_from_json
from airledger.recognition.outside.models import RecognitionReview
from airledger.recognition.outside.recordings import metadata_of, recording_of
from airledger.recognition.outside.reviews import Decision, decide, get_review
from airledger.recognition.outside.sample import MOST_S

DECIDED_BY_PEOPLE = 1.0


def decide_review(
    unit: Unit,
    actor: Actor,
    organisation_id: UUID,
    review_id: UUID,
    decision: Decision,
    *,
    note: str | None,
    default_pro: str,
    now: datetime,
) -> RecognitionReview:
    """Decide a review and carry it out.

    `outside` of unknown sound: its play is written, and the past plays of its cluster. `outside` where a play was
    logged under our own candidate's name: that play gets the right name. Otherwise nothing changes but what scores
    are calibrated with.

    Raises:
        NotFoundError: There is no such review.
        ConflictError: It is decided already, or the play in question is still running.
        InputError: The decision does not fit the review.
    """
    review = get_review(unit.session, organisation_id, review_id)
    decide(unit, actor, review, decision, note=note, now=now)
    if decision != "outside":
        return review
    match = match_from_json(review.outside_match)
    recording = recording_of(unit, actor, organisation_id, match, now)
    sound = _sound_of(unit.session, review)
    if sound is not None:
        _name(unit, actor, sound, match, recording.id, review, default_pro, now)
    elif review.local_recording_id is not None:
        _correct(unit, review, recording.id, recording.isrc, match, now)
    return review


def _sound_of(session: Session, review: RecognitionReview) -> UnknownSound | None:
    """Fetch the unknown stretch that a review is about, unless it was forgotten."""
    given: Any = review.context.get("sound_id")
    if not isinstance(given, str):
        return None
    return session.scalar(select(UnknownSound).where(UnknownSound.id == UUID(given)))


def _name(
    unit: Unit,
    actor: Actor,
    sound: UnknownSound,
    match: OutsideMatch,
    recording_id: UUID,
    review: RecognitionReview,
    default_pro: str,
    now: datetime,
) -> None:
    begin_s, end_s, _ = stretch_of(unit.session, sound, match)
    clip_s = (sound.clip_at or sound.started_at).timestamp()
    extent = extent_of(Heard(begin_s, end_s, clip_s, MOST_S, match), TrackerParams())
    metadata = {**metadata_of(match), "review_id": str(review.id)}
    named = NamedSound(recording_id, extent, review.provider, DECIDED_BY_PEOPLE, None, metadata)
    name_sound(unit, actor, sound, named, default_pro, now)


def _correct(
    unit: Unit, review: RecognitionReview, recording_id: UUID, isrc: str | None, match: OutsideMatch, now: datetime
) -> None:
    """Give the detection that rests on our own candidate the right recording; its play follows by its event."""
    heard_s = review.heard_at.timestamp()
    rows = unit.session.scalars(
        select(AudioDetection).where(
            AudioDetection.stream_id == review.stream_id,
            AudioDetection.recording_id == review.local_recording_id,
            AudioDetection.started_at < from_epoch(heard_s + MOST_S),
            AudioDetection.ended_at > review.heard_at,
        )
    )
    for row in rows.all():
        if row.processing_status != CLOSED:  # the listener would write its own name over it
            raise ConflictError("this play is still running: decide once it has ended")
        row.recording_id, row.isrc = recording_id, isrc
        row.detection_source, row.confidence_score = review.provider, DECIDED_BY_PEOPLE
        row.external_metadata = {**metadata_of(match), "review_id": str(review.id)}
        row.revision += 1
        told = DetectionClosed(detection_id=row.detection_id, stream_id=row.stream_id)
        publish(unit, told, at=now, organisation_id=row.organisation_id)
