"""Which unknown sound is worth asking an outside service about, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from airledger.listening.models import COMPARED, NEW, UnknownRecording, UnknownSound
from airledger.platform.db import Unit
from airledger.platform.errors import NotFoundError

AskOutcome = Literal["hit", "none", "unfit", "budget", "failed"]
LATER: frozenset[AskOutcome] = frozenset({"budget", "failed"})  # no answer: asked again on another day
LEAST_MUSIC = 0.5


@dataclass(frozen=True)
class AskCandidate:
    """A stretch of unknown music that may be asked about.

    Attributes:
        sound_id: The stretch; tell `answered` about it.
        unknown_id: Its cluster, when it was heard more than once.
        organisation_id: For whom it was heard.
        stream_id: Where.
        station_id: The stream's station, if it is known.
        clip_key: Object with its sound: WAV, mono, 8 kHz, 16 bit, at most 12 s.
        clip_at: Air time of the clip's first sample.
        times_heard: Of the cluster; 1 without one.
    """

    sound_id: UUID
    unknown_id: UUID | None
    organisation_id: UUID
    stream_id: int
    station_id: int | None
    clip_key: str
    clip_at: datetime
    times_heard: int


def next_to_ask(session: Session, now: datetime, *, limit: int) -> list[AskCandidate]:
    """List what to ask next: one stretch per unknown cluster, the one heard most often first; then single stretches.

    Single stretches take turns among streams, the newest of each first, so that no station uses up the budget. What
    was judged speech, has no clip, was answered before, or belongs to a cluster that was answered before, is left out;
    what was put off is listed again on the next day (UTC).
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = [_candidate(row) for row in session.execute(_of_clusters(today).limit(limit))]
    if len(found) < limit:
        found += [_candidate(row) for row in session.execute(_single(today).limit(limit - len(found)))]
    return found


def answered(unit: Unit, sound_id: UUID, outcome: AskOutcome, now: datetime) -> None:
    """Note what came of asking about a stretch.

    Raises:
        NotFoundError: There is no such stretch (any more).
    """
    row = unit.session.scalar(select(UnknownSound).where(UnknownSound.id == sound_id))
    if row is None:
        raise NotFoundError(f"there is no unknown sound {sound_id}")
    row.asked_at, row.ask_outcome = now, outcome


def _askable(today: datetime) -> Any:
    put_off = and_(UnknownSound.ask_outcome.in_(LATER), UnknownSound.asked_at < today)
    return and_(
        UnknownSound.state == COMPARED,
        UnknownSound.clip_key.is_not(None),
        UnknownSound.music_share >= LEAST_MUSIC,
        or_(UnknownSound.asked_at.is_(None), put_off),
    )


def _columns() -> Sequence[Any]:
    return (
        UnknownSound.id,
        UnknownSound.cluster_id,
        UnknownSound.organisation_id,
        UnknownSound.stream_id,
        UnknownSound.station_id,
        UnknownSound.clip_key,
        UnknownSound.clip_at,
    )


def _of_clusters(today: datetime) -> Select[Any]:
    """The clip with most music of each cluster that nobody was asked about."""
    answered_before = (
        select(UnknownSound.cluster_id)
        .where(
            UnknownSound.cluster_id.is_not(None),
            UnknownSound.asked_at.is_not(None),
            or_(UnknownSound.ask_outcome.not_in(LATER), UnknownSound.asked_at >= today),
        )
        .distinct()
    )
    rank = func.row_number().over(
        partition_by=UnknownSound.cluster_id, order_by=(UnknownSound.music_share.desc(), UnknownSound.number)
    )
    ranked = (
        select(*_columns(), UnknownRecording.times_heard, UnknownRecording.duration_ms, rank.label("rank"))
        .join(UnknownRecording, UnknownRecording.id == UnknownSound.cluster_id)
        .where(_askable(today), UnknownRecording.state == NEW, UnknownSound.cluster_id.not_in(answered_before))
        .subquery()
    )
    order = (ranked.c.times_heard.desc(), ranked.c.duration_ms.desc(), ranked.c.id)
    return select(ranked).where(ranked.c.rank == 1).order_by(*order)


def _single(today: datetime) -> Select[Any]:
    rank = func.row_number().over(partition_by=UnknownSound.stream_id, order_by=UnknownSound.started_at.desc())
    ranked = (
        select(*_columns(), rank.label("rank"), UnknownSound.started_at)
        .where(_askable(today), UnknownSound.cluster_id.is_(None))
        .subquery()
    )
    return select(ranked).order_by(ranked.c.rank, ranked.c.started_at.desc(), ranked.c.id)


def _candidate(row: Any) -> AskCandidate:
    return AskCandidate(
        sound_id=row.id,
        unknown_id=row.cluster_id,
        organisation_id=row.organisation_id,
        stream_id=row.stream_id,
        station_id=row.station_id,
        clip_key=row.clip_key,
        clip_at=row.clip_at,
        times_heard=getattr(row, "times_heard", 1),
    )
