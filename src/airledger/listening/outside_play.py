"""A play that the outside named: from when to when, and whether it convinces the tracker's own rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.listening.models import CLOSED, AudioDetection, UnknownSound
from airledger.listening.record import LOCAL, DetectionClosed
from airledger.listening.tracker import TrackerParams
from airledger.listening.unknown_plays import NAMESPACE, overlapping_play
from airledger.platform.audit import Actor
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.recognition.outside.affiliate import Affiliation, affiliations, map_presumed
from airledger.recognition.outside.answer import OutsideMatch
from airledger.recognition.outside.models import OutsideVote
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import get_recording

JOIN_S = 45.0  # what the tracker bridges (max_gap_s): talk-over, a pause, a lost connection
SAME_PLAY_S = 3.0  # two answers that put the recording's beginning this near mean one play


@dataclass(frozen=True)
class Extent:
    """From when to when a recording was heard, seconds since 1970; `alignment_s` is the air time of its beginning."""

    from_s: float
    to_s: float
    alignment_s: float

    @property
    def duration_s(self) -> float:
        """How long it was heard."""
        return self.to_s - self.from_s


@dataclass(frozen=True)
class Heard:
    """A stretch of sound, and what the outside said of a piece of it.

    Attributes:
        from_s: Air time of the stretch's first sample.
        to_s: Of its last.
        sample_s: Of the first sample that was sent.
        sample_duration_s: How long that piece is.
        match: What was found in it.
    """

    from_s: float
    to_s: float
    sample_s: float
    sample_duration_s: float
    match: OutsideMatch


def extent_of(heard: Heard, params: TrackerParams) -> Extent:
    """Tell when the recording was on air: where the stretch and the recording's own length overlap.

    The recording's beginning lies at sample + match in the sample - match in the recording. Where the stretch begins
    within the tracker's `edge_s` of it, or ends so, the recording's own edge is the play's, as for local plays. A match
    that does not tell its place in the recording makes the whole stretch the play.
    """
    match = heard.match
    if match.reference_begin_ms is None:
        return Extent(heard.from_s, heard.to_s, heard.from_s)
    alignment_s = heard.sample_s + ((match.sample_begin_ms or 0) - match.reference_begin_ms) / 1000
    from_s = max(heard.from_s, alignment_s)
    to_s = heard.to_s
    if 0 <= heard.from_s - alignment_s <= params.edge_s:
        from_s = alignment_s
    if match.duration_ms:
        end_s = alignment_s + match.duration_ms / 1000
        to_s = end_s if 0 <= end_s - heard.to_s <= params.edge_s else min(heard.to_s, end_s)
    return Extent(from_s, max(from_s, to_s), alignment_s)


def convinces(heard: Heard, extent: Extent, probability: float, votes: int, params: TrackerParams) -> bool:
    """Tell whether outside answers are a play by the tracker's own rules.

    One is when it is sure over enough sound, several when they agree on the alignment; and it must last long enough.
    """
    match = heard.match
    begin_s = (match.sample_begin_ms or 0) / 1000
    end_s = match.sample_end_ms / 1000 if match.sample_end_ms is not None else heard.sample_duration_s
    is_sure = probability >= params.sure_score and end_s - begin_s >= params.sure_matched_s
    return (is_sure or votes >= params.votes) and extent.duration_s >= params.minimum_play_s


def vote(
    unit: Unit,
    sound: UnknownSound,
    recording_id: UUID,
    heard: Heard,
    extent: Extent,
    params: TrackerParams,
    now: datetime,
) -> int:
    """Note that the outside heard a recording at an alignment; return how many stretches say the same by now."""
    if heard.match.reference_begin_ms is None:  # without a place in the recording nothing can agree
        return 1
    if unit.session.get(OutsideVote, sound.id) is None:
        unit.session.add(
            OutsideVote(
                sound_id=sound.id,
                stream_id=sound.stream_id,
                recording_id=recording_id,
                alignment_s=extent.alignment_s,
                at=now,
            )
        )
        unit.session.flush()
    agreeing = select(func.count()).where(
        OutsideVote.stream_id == sound.stream_id,
        OutsideVote.recording_id == recording_id,
        OutsideVote.alignment_s.between(
            extent.alignment_s - params.tolerance_s, extent.alignment_s + params.tolerance_s
        ),
    )
    return unit.session.scalar(agreeing) or 1


def stretch_of(session: Session, sound: UnknownSound, match: OutsideMatch) -> tuple[float, float, list[UnknownSound]]:
    """Return the stretch in which a play may lie: from when to when, and the kept sounds that make it up.

    A match that tells its place in a recording of known length says how far to look: then sounds on both sides belong
    to it that are no more than 45 s apart. Otherwise it is this one sound alone.
    """
    begin_s, end_s = sound.started_at.timestamp(), sound.ended_at.timestamp()
    if match.reference_begin_ms is None or not match.duration_ms:
        return begin_s, end_s, [sound]
    reach_s = match.duration_ms / 1000 + JOIN_S
    near = session.scalars(
        select(UnknownSound)
        .where(
            UnknownSound.stream_id == sound.stream_id,
            UnknownSound.started_at < from_epoch(end_s + reach_s),
            UnknownSound.ended_at > from_epoch(begin_s - reach_s),
        )
        .order_by(UnknownSound.started_at)
    ).all()
    index = next(number for number, one in enumerate(near) if one.id == sound.id)
    members = [near[index]]
    for later in near[index + 1 :]:
        if later.started_at.timestamp() - end_s > JOIN_S:
            break
        end_s = max(end_s, later.ended_at.timestamp())
        members.append(later)
    for earlier in reversed(near[:index]):
        if begin_s - earlier.ended_at.timestamp() > JOIN_S:
            break
        begin_s = min(begin_s, earlier.started_at.timestamp())
        members.append(earlier)
    return begin_s, end_s, members


@dataclass(frozen=True)
class NamedSound:
    """What an unknown stretch turned out to be: the recording, when it was on air, and who says so how surely."""

    recording_id: UUID
    extent: Extent
    source: str
    probability: float
    raw: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    processing_time_ms: int = 0
    retry_count: int = 0


def name_sound(
    unit: Unit, actor: Actor, sound: UnknownSound, named: NamedSound, default_pro: str, now: datetime
) -> int:
    """Write the play of a stretch, and the past plays of the cluster that it belongs to; return how many are new."""
    recording = get_recording(unit.session, sound.organisation_id, named.recording_id)
    map_presumed(unit, [recording.id], default_pro, now)
    unit.session.flush()
    plays = int(_write(unit, sound, recording, named, now))
    if sound.cluster_id is not None:
        from airledger.listening.unknown_names import name_unknown  # with it comes the engine

        plays += name_unknown(unit, actor, sound.cluster_id, recording.id, now, source=named.source).plays
    return plays


def _write(unit: Unit, sound: UnknownSound, recording: Recording, named: NamedSound, now: datetime) -> bool:
    """Write the detection, from which the play is made, unless there is one; tell whether it is new."""
    extent = named.extent
    if _extend(unit, sound, recording, extent, now):
        return False
    if overlapping_play(unit, recording.id, sound.stream_id, extent.from_s, extent.to_s) is not None:
        return False
    detection_id = uuid5(NAMESPACE, f"{recording.id}/{sound.stream_id}/{sound.id}")
    if unit.session.get(AudioDetection, detection_id) is not None:
        return False
    society = affiliations(unit.session, [recording.id]).get(recording.id)
    unit.session.add(
        AudioDetection(
            detection_id=detection_id,
            organisation_id=sound.organisation_id,
            session_id=sound.session_id,
            station_id=sound.station_id,
            stream_id=sound.stream_id,
            recording_id=recording.id,
            detection_source=named.source,
            confidence_score=named.probability,
            processing_status=CLOSED,
            isrc=recording.isrc,
            pro_affiliation=affiliation_text(society),
            processing_time_ms=named.processing_time_ms,
            retry_count=named.retry_count,
            acrcloud_response=dict(named.raw) if named.raw is not None else None,
            external_metadata=dict(named.metadata),
            started_at=from_epoch(extent.from_s),
            ended_at=from_epoch(extent.to_s),
            reference_start_ms=max(0, round((extent.from_s - extent.alignment_s) * 1000)),
            reference_end_ms=max(0, round((extent.to_s - extent.alignment_s) * 1000)),
            alignment_s=extent.alignment_s,
            windows=1,
            revision=1,
        )
    )
    unit.session.flush()
    told = DetectionClosed(detection_id=detection_id, stream_id=sound.stream_id)
    publish(unit, told, at=now, organisation_id=sound.organisation_id)
    return True


def _extend(unit: Unit, sound: UnknownSound, recording: Recording, extent: Extent, now: datetime) -> bool:
    """Let a play that the outside named before all of it was heard reach as far as it does now; tell if there is one.

    The same recording beginning at the same moment is the same airing, however much of it was heard.
    """
    rows = unit.session.scalars(
        select(AudioDetection).where(
            AudioDetection.stream_id == sound.stream_id,
            AudioDetection.recording_id == recording.id,
            AudioDetection.detection_source != LOCAL,
            AudioDetection.processing_status == CLOSED,
            AudioDetection.alignment_s.between(extent.alignment_s - SAME_PLAY_S, extent.alignment_s + SAME_PLAY_S),
        )
    ).all()
    for row in rows:
        begin, end = min(row.started_at, from_epoch(extent.from_s)), max(row.ended_at, from_epoch(extent.to_s))
        if (begin, end) == (row.started_at, row.ended_at):
            continue
        row.started_at, row.ended_at, row.windows = begin, end, row.windows + 1
        row.reference_start_ms = max(0, round((begin.timestamp() - row.alignment_s) * 1000))
        row.reference_end_ms = max(0, round((end.timestamp() - row.alignment_s) * 1000))
        row.revision += 1
        told = DetectionClosed(detection_id=row.detection_id, stream_id=row.stream_id)
        publish(unit, told, at=now, organisation_id=row.organisation_id)
    return bool(rows)


def affiliation_text(society: Affiliation | None) -> str | None:
    """Write a society with its evidence, as in `ghamro (presumed)`: a presumption must never look like a fact."""
    return None if society is None else f"{society.society.key} ({society.level})"
