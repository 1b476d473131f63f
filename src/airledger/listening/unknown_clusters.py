"""Clusters of unknown sound as rows: joined pair by pair, merged where they turn out to be one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from airledger.listening.models import IGNORED, MERGED, NAMED, NEW, UnknownOccurrence, UnknownRecording, UnknownSound
from airledger.listening.unknown_join import Span, airings, extent, touched
from airledger.listening.unknown_plays import name_airings
from airledger.platform.clock import from_epoch
from airledger.platform.db import Unit
from airledger.platform.logging import logger
from airledger.repertoire.models import ADVERT, JINGLE, MUSIC

SPOT_LEAST_MS, SPOT_MOST_MS = 5_000, 60_000
SPOT_PER_DAY = 3
JINGLE_MOST_MS = 15_000
CLIP_SLACK = timedelta(seconds=2)
CLIP_LEAST = timedelta(seconds=8)

log = logger(__name__)

Airing = tuple[int, float, float, UUID]
"""A stream, from and to in air time, and the kept stretch in which it begins."""


@dataclass(frozen=True)
class Pair:
    """The same sound, here and there."""

    here: Airing
    there: Airing
    organisation_id: UUID
    score: float


def join_pairs(unit: Unit, pairs: Iterable[Pair], now: datetime) -> set[UUID]:
    """Put pairs into clusters; return the clusters that changed."""
    changed: set[UUID] = set()
    for pair in pairs:
        joined = _join(unit.session, pair, now)
        if joined is not None:
            changed.add(joined)
    alive = [one for one in changed if (row := unit.session.get(UnknownRecording, one)) and row.state != MERGED]
    for identity in alive:
        refresh(unit, identity, now)
    return set(alive)


def refresh(unit: Unit, unknown_id: UUID, now: datetime) -> None:
    """Bring what is told of a cluster up to its occurrences; one that has a name names its new airings too."""
    session = unit.session
    cluster = session.get_one(UnknownRecording, unknown_id)
    heard = [extent(one) for one in airings(spans_of(session, unknown_id))]
    if not heard:
        return
    lengths_ms = sorted(round((one.to_s - one.from_s) * 1000) for one in heard)
    cluster.first_heard_at = from_epoch(min(one.from_s for one in heard))
    cluster.last_heard_at = from_epoch(max(one.to_s for one in heard))
    cluster.times_heard = len(heard)
    cluster.stations = len({one.stream_id for one in heard})
    cluster.duration_ms = lengths_ms[len(lengths_ms) // 2]
    cluster.suggested_class = suggested_class(heard)
    cluster.updated_at = now
    if cluster.state == NAMED and cluster.recording_id is not None:
        name_airings(unit, cluster, now)


def suggested_class(heard: Sequence[Span]) -> str:
    """Guess what a repeated sound is by its airings.

    5 to 60 s at least three times on one day (UTC) are an advert; up to 15 s on one station only, a jingle.
    """
    lengths_ms = sorted(round((one.to_s - one.from_s) * 1000) for one in heard)
    length_ms = lengths_ms[len(lengths_ms) // 2]
    days: dict[str, int] = {}
    for one in heard:
        day = f"{from_epoch(one.from_s):%Y%m%d}"
        days[day] = days.get(day, 0) + 1
    if not SPOT_LEAST_MS <= length_ms <= SPOT_MOST_MS or max(days.values()) < SPOT_PER_DAY:
        return MUSIC
    is_one_station = len({one.stream_id for one in heard}) == 1
    return JINGLE if is_one_station and length_ms <= JINGLE_MOST_MS else ADVERT


def spans_of(session: Session, unknown_id: UUID) -> list[Span]:
    """List the spans of a cluster."""
    rows = session.execute(
        select(UnknownOccurrence.stream_id, UnknownOccurrence.started_at, UnknownOccurrence.ended_at).where(
            UnknownOccurrence.unknown_id == unknown_id
        )
    )
    return [Span.of(row.stream_id, row.started_at.timestamp(), row.ended_at.timestamp()) for row in rows]


def _join(session: Session, pair: Pair, now: datetime) -> UUID | None:
    """Put one pair in; return its cluster, None when its two sides have different names already."""
    spans = [Span.of(*airing[:3]) for airing in (pair.here, pair.there)]
    known = [(other, row) for span in spans for other, row in _near(session, pair.organisation_id, span)]
    belongs = {cluster for span in spans for cluster in touched(span, ((o, row.unknown_id) for o, row in known))}
    clusters = [session.get_one(UnknownRecording, one) for one in sorted(belongs)]
    names = {one.recording_id for one in clusters if one.state == NAMED}
    if len(names) > 1:
        log.info("unknown_not_merged", clusters=[str(one.id) for one in clusters], reason="they have different names")
        return None
    cluster = _merged(session, clusters, spans[0], now) if clusters else _new(session, pair, spans, now)
    there_already = {(other, row.unknown_id) for other, row in known}
    for span, airing in zip(spans, (pair.here, pair.there), strict=True):
        if not any(other == span for other, _ in there_already):
            _add(session, cluster, pair, span, airing[3])
    session.flush()
    return cluster.id


def _near(session: Session, organisation_id: UUID, span: Span) -> list[tuple[Span, UnknownOccurrence]]:
    """The spans of its stream that overlap one."""
    rows = session.scalars(
        select(UnknownOccurrence).where(
            UnknownOccurrence.stream_id == span.stream_id,
            UnknownOccurrence.started_at < from_epoch(span.to_s),
            UnknownOccurrence.ended_at > from_epoch(span.from_s),
            UnknownOccurrence.organisation_id == organisation_id,
        )
    )
    return [(Span.of(row.stream_id, row.started_at.timestamp(), row.ended_at.timestamp()), row) for row in rows]


def _new(session: Session, pair: Pair, spans: Sequence[Span], now: datetime) -> UnknownRecording:
    cluster = UnknownRecording(
        id=uuid4(),
        organisation_id=pair.organisation_id,
        state=NEW,
        first_heard_at=from_epoch(min(span.from_s for span in spans)),
        last_heard_at=from_epoch(max(span.to_s for span in spans)),
        times_heard=len(spans),
        stations=len({span.stream_id for span in spans}),
        duration_ms=round((spans[0].to_s - spans[0].from_s) * 1000),
        updated_at=now,
    )
    session.add(cluster)
    session.flush()
    return cluster


def _merged(session: Session, clusters: list[UnknownRecording], span: Span, now: datetime) -> UnknownRecording:
    """Make one of all; what has a name keeps it, what was ignored stays ignored, else the one heard first stays."""
    rank = {NAMED: 0, IGNORED: 1, NEW: 2}
    first, *others = sorted(clusters, key=lambda one: (rank[one.state], one.first_heard_at, one.id))
    for other in others:
        other.state, other.merged_into, other.updated_at = MERGED, first.id, now
        other.merged_because = (
            f"what stream {span.stream_id} aired at {from_epoch(span.from_s):%Y-%m-%d %H:%M:%S} UTC belongs to both"
        )
        for table, column in ((UnknownOccurrence, "unknown_id"), (UnknownSound, "cluster_id")):
            session.execute(
                update(table)
                .where(getattr(table, column) == other.id)
                .values({column: first.id})
                .execution_options(synchronize_session="fetch")
            )
        session.execute(
            update(UnknownRecording).where(UnknownRecording.merged_into == other.id).values(merged_into=first.id)
        )
    return first


def _add(session: Session, cluster: UnknownRecording, pair: Pair, span: Span, sound_id: UUID) -> None:
    session.add(
        UnknownOccurrence(
            unknown_id=cluster.id,
            organisation_id=pair.organisation_id,
            sound_id=sound_id,
            stream_id=span.stream_id,
            started_at=from_epoch(span.from_s),
            ended_at=from_epoch(span.to_s),
            score=pair.score,
        )
    )
    # A stretch belongs to the cluster that its clip is a part of: asking about the clip asks about the cluster.
    session.execute(
        update(UnknownSound)
        .where(
            UnknownSound.stream_id == span.stream_id,
            UnknownSound.organisation_id == pair.organisation_id,
            UnknownSound.clip_at >= from_epoch(span.from_s) - CLIP_SLACK,
            UnknownSound.clip_at <= from_epoch(span.to_s) - CLIP_LEAST,
        )
        .values(cluster_id=cluster.id)
        .execution_options(synchronize_session=False)
    )
