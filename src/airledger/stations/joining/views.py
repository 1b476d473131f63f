"""Reading merges and simulcasts, as people and programs see them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from airledger.platform.errors import InputError
from airledger.stations.joining.merge import members, station_now
from airledger.stations.joining.models import SameSoundPair, StationMerge
from airledger.stations.joining.why import HEARD_RELATED, HEARD_SAME
from airledger.stations.models import Station, Stream

MAX_LIMIT = 1_000


@dataclass(frozen=True)
class MergeView:
    """A merge with the names of both stations."""

    id: int
    kept_station_id: int
    kept_name: str
    merged_station_id: int
    merged_name: str
    stream_ids: list[int]
    reason: str
    evidence: dict[str, Any]
    confidence: float
    at: datetime
    by: str
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True)
class MergePage:
    """Some merges, and where to go on; `next_cursor` is None at the end."""

    rows: list[MergeView]
    next_cursor: str | None


@dataclass(frozen=True)
class SimulcastView:
    """That another stream carries the same programme as one of a station's, or a part of it.

    Attributes:
        delay_s: How much later the other stream has it; negative: earlier.
        since: The first look that found them the same; None where they are only related.
    """

    stream_id: int
    other_stream_id: int
    other_station_id: int | None
    other_name: str | None
    verdict: str
    probability: float
    delay_s: float | None
    since: datetime | None
    last_seen: datetime
    looks_agreed: int
    looks_disagreed: int


def find_merges(
    session: Session,
    *,
    station_id: int | None = None,
    reason: str | None = None,
    standing: bool | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> MergePage:
    """List merges, newest first.

    Args:
        session: Of a read.
        station_id: Only those that a station, or one that was merged into it, had part in.
        reason: Only those of one reason.
        standing: Only those that stand (true), or that were taken back (false).
        limit: Rows of a page, 1 to 1,000.
        cursor: `next_cursor` of the page before.

    Raises:
        InputError: The limit or the cursor cannot be used.
        NotFoundError: There is no such station.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must lie between 1 and {MAX_LIMIT}")
    kept, merged = aliased(Station), aliased(Station)
    query = (
        select(StationMerge, kept.name, merged.name)
        .join(kept, kept.id == StationMerge.kept_station_id)
        .join(merged, merged.id == StationMerge.merged_station_id)
    )
    if station_id is not None:
        concerned = members(session, station_now(session, station_id)) | {station_id}
        query = query.where(
            or_(StationMerge.kept_station_id.in_(concerned), StationMerge.merged_station_id.in_(concerned))
        )
    if reason is not None:
        query = query.where(StationMerge.reason == reason)
    if standing is not None:
        query = query.where(StationMerge.undone_at.is_(None) if standing else StationMerge.undone_at.is_not(None))
    if cursor is not None:
        query = query.where(StationMerge.id < _place(cursor))
    rows = session.execute(query.order_by(StationMerge.id.desc()).limit(limit + 1)).all()
    views = [_view(*row) for row in rows[:limit]]
    return MergePage(views, str(views[-1].id) if len(rows) > limit else None)


def find_merge(session: Session, merge_id: int) -> MergeView | None:
    """Find one merge."""
    kept, merged = aliased(Station), aliased(Station)
    row = session.execute(
        select(StationMerge, kept.name, merged.name)
        .join(kept, kept.id == StationMerge.kept_station_id)
        .join(merged, merged.id == StationMerge.merged_station_id)
        .where(StationMerge.id == merge_id)
    ).first()
    return None if row is None else _view(*row)


def simulcasts_of(session: Session, station_id: int) -> list[SimulcastView]:
    """List streams that carry what a station's streams carry: the same first, then what is related.

    Raises:
        NotFoundError: There is no such station.
    """
    now_id = station_now(session, station_id)
    ours = set(session.scalars(select(Stream.id).where(Stream.station_id == now_id)))
    if not ours:
        return []
    pairs = session.scalars(
        select(SameSoundPair)
        .where(
            or_(SameSoundPair.stream_a.in_(ours), SameSoundPair.stream_b.in_(ours)),
            SameSoundPair.verdict.in_([HEARD_SAME, HEARD_RELATED]),
        )
        .order_by(SameSoundPair.probability.desc(), SameSoundPair.id)
    ).all()
    streams = _streams(session, {each for pair in pairs for each in (pair.stream_a, pair.stream_b)})
    return [_simulcast(pair, ours, streams) for pair in pairs]


def _simulcast(pair: SameSoundPair, ours: Collection[int], streams: dict[int, Any]) -> SimulcastView:
    is_turned = pair.stream_a not in ours
    mine, other = (pair.stream_b, pair.stream_a) if is_turned else (pair.stream_a, pair.stream_b)
    delay_s = None if pair.delay_s is None else round(-pair.delay_s if is_turned else pair.delay_s, 2)
    return SimulcastView(
        stream_id=mine,
        other_stream_id=other,
        other_station_id=streams[other].station_id,
        other_name=streams[other].name,
        verdict=pair.verdict,
        probability=pair.probability,
        delay_s=delay_s,
        since=pair.same_since,
        last_seen=pair.last_seen,
        looks_agreed=pair.looks_agreed,
        looks_disagreed=pair.looks_related + pair.looks_disagreed,
    )


def _streams(session: Session, stream_ids: Collection[int]) -> dict[int, Any]:
    query = select(Stream.id, Stream.name, Stream.station_id).where(Stream.id.in_(stream_ids))
    return {row.id: row for row in session.execute(query)}


def _place(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:  # noqa: PLR2004  digits of a 64-bit number
        raise InputError("the cursor is not one that this list gave out: begin without it")
    return int(cursor)


def _view(row: StationMerge, kept_name: str, merged_name: str) -> MergeView:
    return MergeView(
        id=row.id,
        kept_station_id=row.kept_station_id,
        kept_name=kept_name,
        merged_station_id=row.merged_station_id,
        merged_name=merged_name,
        stream_ids=list(row.stream_ids),
        reason=row.reason,
        evidence=row.evidence,
        confidence=row.confidence,
        at=row.at,
        by=row.by,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
    )
