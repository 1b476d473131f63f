"""What asking outside leaves behind: calls and their cost, circuits, cached answers, names, reviews."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

OUT = "out"  # a call that has not come back
OPEN, DECIDED = "open", "decided"


class OutsideCall(Row):
    """One request to a provider: the budget counts these rows, so all processes share it.

    Stations and streams stand above this room, so their ids are kept without a foreign key.
    """

    __tablename__ = "outside_calls"
    retention = Retention(days=800, age_column="at", reason="two years, to be held against the providers' invoices")
    __table_args__ = (Index("ix_outside_calls_day", "provider", "day"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    provider: Mapped[str]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    station_id: Mapped[int | None]
    stream_id: Mapped[int | None]
    sharer: Mapped[str]  # whose share of the day it is taken from: a station, a stream, or the house
    sound_sha256: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    day: Mapped[str]  # of UTC, as the provider counts: 2026-11-20
    attempt: Mapped[int] = mapped_column(default=1)
    outcome: Mapped[str]  # out, hit, none, unfit, failed, refused, throttled
    code: Mapped[int | None]
    latency_ms: Mapped[int | None]
    billed_halves: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    lease_until: Mapped[datetime]  # a process that died gives its place among the concurrent ones back


class OutsideProvider(Row):
    """A provider's circuit and pace, shared by all processes."""

    __tablename__ = "outside_providers"
    retention = Retention(reason="a row per provider")

    name: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    openings: Mapped[int] = mapped_column(default=0)  # in a row
    open_until: Mapped[datetime | None]
    trial_until: Mapped[datetime | None]  # somebody tries whether it works again
    not_before: Mapped[datetime | None]  # the pace that the provider asked for
    sharers: Mapped[int] = mapped_column(default=0)  # stations among which the day is shared, as last told
    reason: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime]


class OutsideAnswerRow(Row):
    """A provider's answer to a sound, kept for a while: the same sound is not paid for twice."""

    __tablename__ = "outside_answers"
    retention = Retention(days=1, age_column="expires_at", reason="a cache: an hour for hits, minutes for the rest")

    provider: Mapped[str] = mapped_column(primary_key=True)
    sound_sha256: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[dict[str, Any]]
    stored_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class OutsideVote(Row):
    """That the outside heard a recording at a certain alignment: two that agree are a play, as two windows are."""

    __tablename__ = "outside_votes"
    retention = Retention(days=2, age_column="at", reason="no airing lasts longer")
    __table_args__ = (Index("ix_outside_votes_stream", "stream_id", "recording_id"),)

    sound_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)  # the stretch that was asked about
    stream_id: Mapped[int]
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    alignment_s: Mapped[float]  # air time of the recording's beginning, seconds since 1970
    at: Mapped[datetime] = mapped_column(index=True)


class OutsideCalibration(Row):
    """How a provider's score was last mapped to a probability."""

    __tablename__ = "outside_calibrations"
    retention = Retention(reason="a row per provider, overwritten by each refit")

    provider: Mapped[str] = mapped_column(primary_key=True)
    points: Mapped[list[Any]]  # [[score, probability], ...], both ascending
    answers: Mapped[int]  # confirmed or refuted answers it was fitted on
    fitted_at: Mapped[datetime]


class OutsideRecording(Row):
    """Which of our recordings a provider's id means."""

    __tablename__ = "outside_recordings"
    retention = Retention(reason="as long as the recording")

    provider: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), index=True)
    found: Mapped[dict[str, Any]]  # the match as it was first told
    created_at: Mapped[datetime]


class RecognitionReview(Row):
    """A sound on which we and the outside disagree, or of which the outside is not sure enough: people decide."""

    __tablename__ = "recognition_reviews"
    retention = Retention(
        reason="decisions on what was paid, and what scores are calibrated with; the sound for evidence_days",
        personal=True,
        export="airledger.recognition.outside.reviews:get_review",
        delete="airledger.recognition.outside.forget:forget_review_sound",
    )
    __table_args__ = (
        Index("ix_recognition_reviews_queue", "organisation_id", "state", "created_at"),
        Index("uq_recognition_reviews_sound", "organisation_id", "sound_sha256", unique=True),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    station_id: Mapped[int | None]
    stream_id: Mapped[int | None]
    heard_at: Mapped[datetime]  # when the first sample of the sound was aired
    sound_sha256: Mapped[str]
    sound_key: Mapped[str | None]  # the WAV that was sent, in storage
    reason: Mapped[str]  # disagreement, unsure
    local_recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recordings.id", ondelete="SET NULL"))
    local_score: Mapped[float | None]
    provider: Mapped[str]
    outside_match: Mapped[dict[str, Any]]
    outside_score: Mapped[float]  # calibrated at the time
    state: Mapped[str] = mapped_column(default=OPEN)
    decision: Mapped[str | None]  # local, outside, neither
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]
    context: Mapped[dict[str, Any]]  # what to do once it is decided: the stretch it was cut from
    created_at: Mapped[datetime]


class IsrcMetadata(Row):
    """What a source knows of an ISRC, kept for a week; that it knows nothing, for an hour."""

    __tablename__ = "isrc_metadata"
    retention = Retention(days=30, age_column="expires_at", reason="a cache: an old name beats none while away")

    isrc: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    candidates: Mapped[list[Any]]
    fetched_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ProMapping(Row):
    """Which society may administer a party of a recording's work, on what evidence."""

    __tablename__ = "pro_mappings"
    retention = Retention(reason="statements show on what evidence a society was paid")
    __table_args__ = (
        Index("uq_pro_mappings_party", "recording_id", "party", "level", unique=True),
        Index("ix_pro_mappings_organisation", "organisation_id", "noted_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    party: Mapped[str]  # a writer's name; empty: whoever wrote it
    ipi: Mapped[str | None]
    society_code: Mapped[str]  # CISAC's three digits
    level: Mapped[str]  # register, work, provider, musicbrainz, presumed
    source: Mapped[str]
    noted_at: Mapped[datetime]
    fresh_until: Mapped[datetime]
    rank: Mapped[int] = mapped_column(Integer)  # of the level; the lowest wins
