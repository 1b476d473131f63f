"""What the index holds, and how it came there, as rows."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

RUNNING, FINISHED, STOPPED = "running", "finished", "stopped"


class Fingerprint(Row):
    """That a recording is enrolled: its number in the index, and the peaks from which the index can be made again."""

    __tablename__ = "fingerprints"
    retention = Retention(reason="as long as the recording")
    __table_args__ = ({"sqlite_autoincrement": True},)  # a number is never given twice

    track: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), unique=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    engine_version: Mapped[str]
    params_hash: Mapped[str]
    peaks_key: Mapped[str]  # object in storage: the peaks, from which any index can be rebuilt
    duration_ms: Mapped[int]
    audible_from_ms: Mapped[int]  # where the recording begins and ends to the ear
    audible_to_ms: Mapped[int]
    quality: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    profile: Mapped[str | None]  # by which the peaks were chosen; None: balanced, before there was a choice
    source_sha256: Mapped[str | None]
    source_key: Mapped[str | None]  # the file itself, where it is kept
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0", index=True)  # of the library, when it came
    # The recording that plays of this sound go to, where it is the same sound as one enrolled earlier.
    stands_for: Mapped[UUID | None] = mapped_column(ForeignKey("recordings.id", ondelete="SET NULL"), index=True)
    duplicates_checked_at: Mapped[datetime | None] = mapped_column(index=True)
    looked_back_at: Mapped[datetime | None] = mapped_column(index=True)  # when its plays before enrolment were sought


class LibraryState(Row):
    """One row: how often the library has changed. Whoever changes it holds this row until the commit.

    So changes commit in the order of their numbers, and who has read up to one has missed none below it.
    """

    __tablename__ = "library_state"
    retention = Retention(reason="one row")

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)


class RemovedTrack(Row):
    """That a track is no longer listened for. Running processes read it; one that starts compares everything."""

    __tablename__ = "removed_tracks"
    retention = Retention(days=30, age_column="removed_at", reason="until every running process has read it")

    track: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger, index=True)
    removed_at: Mapped[datetime]


class EnrolledFile(Row):
    """What a file on some machine held when it was read last, so that it need not be read again to be known."""

    __tablename__ = "enrolled_files"
    retention = Retention(reason="as long as the recording; the nightly cleanup removes the rest")

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_sha256: Mapped[str] = mapped_column(index=True)
    refusal: Mapped[str | None]  # why it cannot be used
    seen_at: Mapped[datetime]


class EnrolmentRun(Row):
    """One run of enrolment: how far it is, and what became of its files."""

    __tablename__ = "enrolment_runs"
    retention = Retention(days=90, age_column="started_at", reason="to ask what became of an import")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    started_by: Mapped[str]
    status: Mapped[str] = mapped_column(default=RUNNING)
    files: Mapped[int]
    enrolled: Mapped[int] = mapped_column(default=0)
    renewed: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    audio_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    refusals: Mapped[list[Any]]  # the first of them: file and reason
    recordings: Mapped[list[Any]]  # the first of them: ids
    started_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RecognitionBatch(Row):
    """Many sounds asked for at once: spread over the shards of the index, and joined again."""

    __tablename__ = "recognition_batches"
    retention = Retention(days=14, age_column="created_at", reason="as long as tasks")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    status: Mapped[str] = mapped_column(default=RUNNING)
    queries: Mapped[int]
    shards: Mapped[int]
    tracks: Mapped[int]  # searched in all
    parts_left: Mapped[int]
    answers: Mapped[list[Any] | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RecognitionPart(Row):
    """What one shard answered to a batch."""

    __tablename__ = "recognition_parts"
    retention = Retention(days=14, age_column="created_at", reason="as long as the batch")

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("recognition_batches.id", ondelete="CASCADE"), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tracks: Mapped[int]  # how many were searched
    candidates: Mapped[list[Any]]
    cpu_ms: Mapped[float]
    worker: Mapped[str]
    created_at: Mapped[datetime]


class Duplicate(Row):
    """That an enrolled recording shares sound with another one, enrolled earlier."""

    __tablename__ = "duplicates"
    retention = Retention(reason="as long as both recordings")
    __table_args__ = (Index("uq_duplicates_pair", "recording_id", "of_recording_id", unique=True),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    of_recording_id: Mapped[UUID] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]  # same, speed, edit, contained, contains
    speed: Mapped[float]  # of the later one, against the earlier one
    share: Mapped[float]  # of the later one's sound that is in the earlier one
    share_of: Mapped[float]  # of the earlier one's sound that is in the later one
    spans: Mapped[list[Any]]  # [from, to, from, to] in seconds: of the later one, of the earlier one
    score: Mapped[float]
    found_at: Mapped[datetime]
