"""Giving unknown recordings their names: all their plays, past and coming, are written under it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.fingerprint.params import ENGINE_VERSION, Params, params_hash
from airledger.fingerprint.peaks import Peaks, strongest
from airledger.listening.models import IGNORED, NAMED, UnknownRecording, UnknownSound
from airledger.listening.unknown_clusters import spans_of
from airledger.listening.unknown_find import find_unknown
from airledger.listening.unknown_index import place_of
from airledger.listening.unknown_join import Span, airings, extent
from airledger.listening.unknown_plays import name_airings, take_back
from airledger.listening.unknown_stretch import LONGEST_S, joined
from airledger.platform.audit import Actor, record_change
from airledger.platform.clock import from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import ConflictError
from airledger.platform.events import publish
from airledger.platform.storage import Storage
from airledger.recognition.changes import next_revision
from airledger.recognition.events import RecordingEnrolled
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_cut import cut_peaks
from airledger.recognition.peaks_file import from_bytes, to_bytes
from airledger.recognition.profiles import profile_of
from airledger.repertoire.describe import Description
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import add_recording, find_by_content, get_recording

LEAST_REFERENCE_S = 5.0


@dataclass(frozen=True)
class Named:
    """What came of naming."""

    unknown_id: UUID
    recording_id: UUID
    plays: int


def name_unknown(
    unit: Unit, actor: Actor, unknown_id: UUID, recording_id: UUID, now: datetime, *, source: str = "local"
) -> Named:
    """Say what an unknown recording is; plays are written for each of its airings that has none.

    Naming it anew gives it the new name; plays that were written under the old one stay, for they may have been paid.

    Args:
        unit: Of the change.
        actor: Who says so; only their organisation's are found.
        unknown_id: Which; one that was merged stands for the one it went into.
        recording_id: What it is.
        now: The present.
        source: Who knew it: local, acrcloud, audd or hybrid.

    Raises:
        NotFoundError: There is no such unknown recording, or no such recording.
    """
    cluster = find_unknown(unit.session, _organisation(actor, unit.session, unknown_id), unknown_id)
    recording = get_recording(unit.session, cluster.organisation_id, recording_id)
    if cluster.recording_id not in {None, recording.id}:
        take_back(unit, cluster.id)
    cluster.state, cluster.recording_id, cluster.updated_at = NAMED, recording.id, now
    unit.session.flush()
    plays = name_airings(unit, cluster, now, source=source)
    change = {"recording_id": str(recording.id), "plays": plays}
    record_change(unit, actor, "named", "unknown_recording", cluster.id, change, at=now)
    return Named(cluster.id, recording.id, plays)


def ignore_unknown(unit: Unit, actor: Actor, unknown_id: UUID, now: datetime) -> None:
    """Say that an unknown recording need not be named: nobody is asked about it any more.

    Raises:
        NotFoundError: There is no such unknown recording.
        ConflictError: It has a name already.
    """
    cluster = find_unknown(unit.session, _organisation(actor, unit.session, unknown_id), unknown_id)
    if cluster.state == NAMED:
        raise ConflictError("this recording has a name already; it is not unknown any more")
    cluster.state, cluster.updated_at = IGNORED, now
    record_change(unit, actor, "ignored", "unknown_recording", cluster.id, {}, at=now)


def describe_unknown(
    unit: Unit, actor: Actor, cluster: UnknownRecording, described: Description, now: datetime
) -> Recording:
    """Add the recording that an unknown one turned out to be; naming the same cluster twice gives the same row."""
    digest = hashlib.sha256(f"heard on air: {cluster.id}/{described.title}/{described.artist}".encode()).hexdigest()
    known = find_by_content(unit.session, cluster.organisation_id, digest)
    return known or add_recording(
        unit,
        actor,
        cluster.organisation_id,
        described,
        duration_ms=cluster.duration_ms,
        source_name="heard on air",
        content_sha256=digest,
        tags={},
        at=now,
    )


def enrol_longest(
    database: Database, storage: Storage, unknown_id: UUID, recording_id: UUID, params: Params, now: datetime
) -> bool:
    """Enrol the longest airing of an unknown recording as the fingerprint of what it is, unless that has one.

    Returns:
        Whether it was enrolled.
    """
    with database.read() as session:
        spans = [extent(one) for one in airings(spans_of(session, unknown_id))]
        if not spans or _has_fingerprint(session, recording_id):
            return False
    longest = max(spans, key=lambda span: (span.to_s - span.from_s, -span.first))
    peaks = strongest(_heard_at(database, storage, longest), params.reference_peaks_per_s)
    if peaks.duration_s < LEAST_REFERENCE_S or not len(peaks):
        return False
    digest = hashlib.sha256(to_bytes(peaks)).hexdigest()
    with database.read() as session:
        organisation_id = session.get_one(Recording, recording_id).organisation_id
    key = f"peaks/{organisation_id.hex}/{digest[:2]}/{digest}.npz"
    storage.put(key, to_bytes(peaks))
    with database.unit() as unit:
        if _has_fingerprint(unit.session, recording_id):
            return False
        _add_fingerprint(unit, organisation_id, recording_id, key, peaks, params, now)
    return True


def _add_fingerprint(
    unit: Unit, organisation_id: UUID, recording_id: UUID, key: str, peaks: Peaks, params: Params, now: datetime
) -> None:
    row = Fingerprint(
        recording_id=recording_id,
        organisation_id=organisation_id,
        engine_version=str(ENGINE_VERSION),
        params_hash=params_hash(params),
        profile=profile_of(params_hash(params)),
        peaks_key=key,
        duration_ms=round(peaks.duration_s * 1000),
        audible_from_ms=0,
        audible_to_ms=round(peaks.duration_s * 1000),
        quality={"duration_s": peaks.duration_s, "source": "heard on air"},
        created_at=now,
        revision=next_revision(unit.session),
    )
    unit.session.add(row)
    unit.session.flush()
    told = RecordingEnrolled(recording_id=recording_id, track=row.track)
    publish(unit, told, at=now, organisation_id=organisation_id)


def _heard_at(database: Database, storage: Storage, span: Span) -> Peaks:
    """The kept peaks of a stretch of a stream's air time, times from its beginning."""
    with database.read() as session:
        rows = session.scalars(
            select(UnknownSound)
            .where(
                UnknownSound.stream_id == span.stream_id,
                UnknownSound.started_at < from_epoch(span.to_s),
                UnknownSound.started_at > from_epoch(span.from_s - 2 * LONGEST_S),
                UnknownSound.ended_at > from_epoch(span.from_s),
            )
            .order_by(UnknownSound.started_at)
        )
        kept = [place_of(row) for row in rows]
    pieces = []
    for place in kept:
        with storage.open(place.peaks_key) as file:
            peaks = from_bytes(file.read())
        begin_s, end_s = max(0.0, span.from_s - place.start_s), min(peaks.duration_s, span.to_s - place.start_s)
        if end_s > begin_s:
            pieces.append((place.start_s + begin_s - span.from_s, cut_peaks(peaks, begin_s, end_s)))
    return joined(pieces, span.to_s - span.from_s) if pieces else Peaks.empty()


def _has_fingerprint(session: Session, recording_id: UUID) -> bool:
    return session.scalar(select(Fingerprint.track).where(Fingerprint.recording_id == recording_id)) is not None


def _organisation(actor: Actor, session: Session, unknown_id: UUID) -> UUID | None:
    """Whose unknown recordings an actor may name; parts of Airledger itself name everybody's."""
    if actor.organisation_id is not None:
        return actor.organisation_id
    row = session.get(UnknownRecording, unknown_id)
    return None if row is None else row.organisation_id
