"""Live sessions and what was heard in them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row

BigId = BigInteger().with_variant(Integer, "sqlite")

TENTATIVE, ACTIVE, HOLD, CLOSED = "tentative", "active", "hold", "closed"
OPEN, KEPT, COMPARED, SPEECH = "open", "kept", "compared", "speech"  # states of unknown sound
NEW, NAMED, IGNORED, MERGED = "new", "named", "ignored", "merged"  # of what was heard more than once


class ListeningSession(Row):
    """That a stream is listened to: the wish, the lease of the listener that does it, and how it goes."""

    __tablename__ = "listening_sessions"
    retention = Retention(reason="a row per stream listened to")
    __table_args__ = (Index("ix_listening_sessions_lease", "is_wanted", "lease_until"),)

    session_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), unique=True)
    is_wanted: Mapped[bool] = mapped_column(default=True)
    is_manual: Mapped[bool] = mapped_column(default=False)
    status: Mapped[str]  # waiting, connecting, listening, reconnecting, stopped
    listener: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    last_sound_at: Mapped[datetime | None]
    windows: Mapped[int] = mapped_column(default=0)
    matched: Mapped[int] = mapped_column(default=0)
    reconnects: Mapped[int] = mapped_column(default=0)
    last_speed: Mapped[float | None]
    error: Mapped[str | None]
    config: Mapped[dict[str, Any]]


class ShownTitle(Row):
    """A title that a station showed, and when it began to."""

    __tablename__ = "shown_titles"
    retention = Retention(days=365, age_column="shown_at", reason="what stations said they played, to compare with")
    __table_args__ = (Index("ix_shown_titles_stream", "stream_id", "shown_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    title: Mapped[str]
    shown_at: Mapped[datetime] = mapped_column(index=True)


class AudioDetection(Row):
    """A run of windows at one alignment, updated in place. The mission's AudioDetection."""

    __tablename__ = "audio_detections"
    retention = Retention(reason="plays are rebuilt from detections; money refers to them")
    __table_args__ = (
        Index("ix_audio_detections_station", "stream_id", "started_at"),
        Index("ix_audio_detections_open", "processing_status"),
        Index("ix_audio_detections_recent", "organisation_id", "started_at"),
    )

    detection_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    session_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id"))
    recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recordings.id"), index=True)
    detection_source: Mapped[str]  # local, acrcloud, hybrid
    confidence_score: Mapped[float]
    processing_status: Mapped[str]  # active, hold, closed
    isrc: Mapped[str | None]
    pro_affiliation: Mapped[str | None]
    audio_fingerprint: Mapped[str | None]  # key of the stored peaks of the best window
    fingerprint_version: Mapped[str | None]
    processing_time_ms: Mapped[int | None]
    retry_count: Mapped[int] = mapped_column(default=0)
    acrcloud_response: Mapped[dict[str, Any] | None]
    external_metadata: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime]  # when the first audible sample was aired
    ended_at: Mapped[datetime]
    reference_start_ms: Mapped[int]
    reference_end_ms: Mapped[int]
    alignment_s: Mapped[float]  # air time of the reference's first sample, seconds since 1970
    speed: Mapped[float] = mapped_column(default=1.0)
    windows: Mapped[int]
    segments: Mapped[int] = mapped_column(default=1)
    is_partial: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=0)


class Coverage(Row):
    """A stretch of time of one stream: heard, or not, and why."""

    __tablename__ = "coverage"
    retention = Retention(reason="what was not heard cannot be paid or disputed without it")
    __table_args__ = (
        Index("ix_coverage_stream", "stream_id", "started_at"),
        Index("ix_coverage_recent", "ended_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str]  # heard, gap, silent
    cause: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]


class UnknownSound(Row):
    """A stretch of sound that nothing enrolled explains: its peaks are kept, and a clip of it for asking."""

    __tablename__ = "unknown_sounds"
    retention = Retention(
        reason="unmatched_days (30), with its peaks and clip (listening.forget_unknown); a recording enrolled late "
        "gets its plays of that time",
        personal=True,
        export="airledger.listening.unknown_forget:list_kept_sounds",
        delete="airledger.listening.unknown_forget:forget_stream",
    )
    __table_args__ = (
        Index("ix_unknown_sounds_stream", "stream_id", "started_at"),
        Index("ix_unknown_sounds_state", "state", "ended_at"),
        Index("ix_unknown_sounds_ended", "ended_at"),
        {"sqlite_autoincrement": True},  # its number in the index of unknown sounds is never given twice
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    state: Mapped[str]  # OPEN (it grows), KEPT (to be compared), COMPARED, SPEECH (to be forgotten)
    revision: Mapped[int] = mapped_column(default=0)
    peaks_key: Mapped[str]
    clip_key: Mapped[str | None]  # some seconds of its sound, until they were judged and asked about
    clip_at: Mapped[datetime | None]
    music_share: Mapped[float | None]  # of the clip; None until it was judged
    cluster_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("unknown_recordings.id", ondelete="SET NULL"), index=True
    )
    asked_at: Mapped[datetime | None]
    ask_outcome: Mapped[str | None]


class UnknownRecording(Row):
    """Unknown sound that was heard more than once: it has an id until it has a name."""

    __tablename__ = "unknown_recordings"
    retention = Retention(reason="until nothing of it is kept any more (listening.forget_unknown); named ones stay")
    __table_args__ = (Index("ix_unknown_recordings_state", "organisation_id", "state", "times_heard"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    state: Mapped[str]  # NEW, NAMED, IGNORED, MERGED
    recording_id: Mapped[UUID | None] = mapped_column(ForeignKey("recordings.id", ondelete="SET NULL"))
    merged_into: Mapped[UUID | None] = mapped_column(Uuid)
    merged_because: Mapped[str | None]
    first_heard_at: Mapped[datetime]
    last_heard_at: Mapped[datetime]
    times_heard: Mapped[int]
    stations: Mapped[int]
    duration_ms: Mapped[int]  # estimate: the median of its occurrences
    suggested_class: Mapped[str | None]
    updated_at: Mapped[datetime]


class UnknownOccurrence(Row):
    """When and where an unknown recording was heard."""

    __tablename__ = "unknown_occurrences"
    retention = Retention(reason="as long as the sound it was found in (listening.forget_unknown)")
    __table_args__ = (Index("ix_unknown_occurrences_stream", "stream_id", "started_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    unknown_id: Mapped[UUID] = mapped_column(ForeignKey("unknown_recordings.id", ondelete="CASCADE"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"))
    sound_id: Mapped[UUID] = mapped_column(ForeignKey("unknown_sounds.id", ondelete="CASCADE"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    score: Mapped[float]
    detection_id: Mapped[UUID | None] = mapped_column(Uuid)  # once it is named


class EvidenceClip(Row):
    """The sound that a detection rests on: its best window as an object, with its hash."""

    __tablename__ = "evidence_clips"
    retention = Retention(
        reason="as the setting evidence_days says; row and objects go together, by the task evidence.cleanup",
        personal=True,
        export="airledger.listening.evidence:find_clip",
        delete="airledger.listening.evidence:delete_clip",
    )

    detection_id: Mapped[UUID] = mapped_column(
        ForeignKey("audio_detections.detection_id", ondelete="CASCADE"), primary_key=True
    )
    organisation_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    key: Mapped[str]
    media_type: Mapped[str]
    sha256: Mapped[str]
    bytes: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(index=True)  # when the clip's first sample was aired
    duration_ms: Mapped[int]
    score: Mapped[float]
    peaks_key: Mapped[str | None]
    created_at: Mapped[datetime]


class ArchiveFile(Row):
    """A logger's file that was heard, or is being heard, and where hearing stands behind it."""

    __tablename__ = "archive_files"
    retention = Retention(reason="as long as the station's plays: without it its hours would be heard anew")
    __table_args__ = (
        UniqueConstraint("stream_id", "path"),
        Index("ix_archive_files_time", "stream_id", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(Uuid)
    path: Mapped[str]  # below the archive's folder, with /
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    head_sha256: Mapped[str]  # of the first 64 KiB: a file that was only copied or touched is known again
    state: Mapped[str]  # hearing, heard, unreadable
    cause: Mapped[str | None]
    detail: Mapped[str | None]
    dated_by: Mapped[str]  # name, tags, pattern
    doubt: Mapped[str | None]  # ambiguous_hour, nonexistent_hour
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    position: Mapped[int] = mapped_column(BigInteger)  # samples of it (8 kHz) that were taken
    progress: Mapped[dict[str, Any]]
    heard_at: Mapped[datetime]


class RemoteSource(Row):
    """A remote listener, and the number of its last batch that is here."""

    __tablename__ = "remote_sources"
    retention = Retention(reason="a row per remote listener; without it a batch sent again would be heard twice")

    client_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime]


class RemoteWindow(Row):
    """A window that a remote listener sent, until it is recognised."""

    __tablename__ = "remote_windows"
    retention = Retention(days=7, age_column="received_at", reason="deleted when recognised; nobody waits for a week")
    __table_args__ = (Index("ix_remote_windows_session", "session_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.id"), index=True)
    session_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[int]
    start_s: Mapped[float]
    length_s: Mapped[float]
    payload: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(index=True)


class RemotePlace(Row):
    """Where recognising a remote session's windows stands."""

    __tablename__ = "remote_places"
    retention = Retention(reason="a row per remote session, overwritten in place")

    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("listening_sessions.session_id", ondelete="CASCADE"), primary_key=True
    )
    progress: Mapped[dict[str, Any]]
    lost_by: Mapped[str | None]  # what the client said of the gap that follows


class SoundPrints(Row):
    """That a listener stored what its streams sounded like in a look; the object goes once it was compared."""

    __tablename__ = "sound_prints"
    retention = Retention(reason="minutes: until the look was compared")

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    look: Mapped[int] = mapped_column(index=True)
    listener: Mapped[str]
    object_key: Mapped[str]
    streams: Mapped[int]
    created_at: Mapped[datetime]
