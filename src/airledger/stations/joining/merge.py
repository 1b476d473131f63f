"""Making two stations one, and two of one again. Nothing is deleted: rows say where they went, and come back.

A station that was merged keeps its row and points to the one that has its streams (`merged_into_id`). Whatever refers
to it (plays, detections) stays as it was written; `station_now` tells where its streams are now.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.platform.events import publish
from airledger.platform.webhooks.stations import forget_station, hear_station_too
from airledger.stations.events import StationMerged, StationParted
from airledger.stations.joining.facts import StationFacts, Told, choose_facts
from airledger.stations.joining.models import StationApart, StationMerge
from airledger.stations.joining.why import BY_HAND, Reason
from airledger.stations.models import Station, Stream

MOST_STEPS = 64


@dataclass(frozen=True)
class Merged:
    """What a merge has made: the row of it, and which station has the streams now."""

    merge_id: int
    kept_station_id: int


def station_now(session: Session, station_id: int) -> int:
    """Tell which station has the streams of this one: itself, unless it was merged.

    Raises:
        NotFoundError: There is no such station.
    """
    at = station_id
    for _ in range(MOST_STEPS):
        row = session.execute(select(Station.id, Station.merged_into_id).where(Station.id == at)).first()
        if row is None:
            raise NotFoundError(f"there is no station {station_id}")
        if row.merged_into_id is None:
            return at
        at = row.merged_into_id
    raise ConflictError(f"station {station_id} was merged in a circle: undo one of its merges")


def members(session: Session, station_id: int) -> set[int]:
    """Name a station and all that were merged into it, also by way of others."""
    found, fresh = {station_id}, {station_id}
    while fresh:
        fresh = set(session.scalars(select(Station.id).where(Station.merged_into_id.in_(fresh)))) - found
        found |= fresh
    return found


def merge(
    unit: Unit, one: int, other: int, reason: Reason, actor: Actor, *, now: datetime, keep: int | None = None
) -> Merged | None:
    """Make two stations one, unless they are already, or somebody said that they are not.

    The one with more streams is kept (of equals the older), unless `keep` says which.

    Args:
        unit: The unit to work in.
        one: A station.
        other: Another.
        reason: Why; kept for whoever wonders.
        actor: Who says so. A merge by hand takes back an earlier word that the two are not the same.
        now: The present.
        keep: Which of the two is kept.

    Returns:
        The merge; None where there was nothing to do or it is not allowed.

    Raises:
        NotFoundError: There is no such station.
    """
    first, second = station_now(unit.session, one), station_now(unit.session, other)
    if first == second:
        return None
    if reason.kind == BY_HAND:
        _allow(unit, first, second)
    elif are_apart(unit.session, first, second):
        return None
    kept_id, merged_id = _order(unit.session, first, second, keep)
    kept, merged = _load(unit, kept_id), _load(unit, merged_id)
    before = _facts_of(kept)
    moved = list(unit.session.scalars(select(Stream.id).where(Stream.station_id == merged_id).order_by(Stream.id)))
    _move(unit, moved, kept_id, now)
    merged.merged_into_id = kept_id
    row = StationMerge(
        kept_station_id=kept_id,
        merged_station_id=merged_id,
        stream_ids=moved,
        reason=reason.kind,
        evidence=reason.evidence,
        confidence=reason.confidence,
        facts_before=before.to_json(),
        webhook_ids=hear_station_too(unit.session, merged_id, kept_id),
        at=now,
        by=actor.name,
    )
    unit.session.add(row)
    unit.session.flush()
    _set_facts(kept, choose_facts(_told(unit.session, kept_id), before))
    change = {"merge_id": row.id, "merged": merged_id, "streams": moved, "reason": reason.kind, **reason.evidence}
    record_change(unit, actor, "merged", "station", kept_id, change, at=now)
    publish(
        unit,
        StationMerged(
            merge_id=row.id,
            station_id=kept_id,
            merged_station_id=merged_id,
            stream_ids=moved,
            reason=reason.kind,
            confidence=reason.confidence,
        ),
        at=now,
    )
    return Merged(row.id, kept_id)


def undo(unit: Unit, merge_id: int, actor: Actor, *, now: datetime, apart: bool = True) -> None:
    """Take a merge back: the streams that it moved return, and what the kept station was called.

    Args:
        unit: The unit to work in.
        merge_id: Which merge; later ones may stand.
        actor: Who takes it back.
        now: The present.
        apart: Whether the two shall not be joined by themselves again.

    Raises:
        NotFoundError: There is no such merge.
        ConflictError: It was taken back before.
    """
    row = unit.session.get(StationMerge, merge_id)
    if row is None:
        raise NotFoundError(f"there is no merge {merge_id}")
    if row.undone_at is not None:
        raise ConflictError(f"merge {merge_id} was taken back before")
    kept, merged = _load(unit, row.kept_station_id), _load(unit, row.merged_station_id)
    holder = station_now(unit.session, kept.id)
    back = _still_at(unit.session, row.stream_ids, holder)
    _move(unit, back, merged.id, now)
    merged.merged_into_id = None
    row.undone_at, row.undone_by = now, actor.name
    unit.session.flush()
    forget_station(unit.session, row.webhook_ids, kept.id)
    _restore_facts(unit, row, kept)
    if holder != kept.id:
        _choose_again(unit, holder)
    if apart:
        keep_apart(unit, kept.id, merged.id, actor, now=now)
    change = {"merge_id": row.id, "parted": merged.id, "streams": back}
    record_change(unit, actor, "parted", "station", kept.id, change, at=now)
    parted = StationParted(merge_id=row.id, station_id=kept.id, parted_station_id=merged.id, stream_ids=back)
    publish(unit, parted, at=now)


def take_in(unit: Unit, merged_id: int, now: datetime) -> int:
    """Give streams that a crawl has added to a merged station to the one that has its others; return how many."""
    row = unit.session.scalar(
        select(StationMerge).where(StationMerge.merged_station_id == merged_id, StationMerge.undone_at.is_(None))
    )
    fresh = list(unit.session.scalars(select(Stream.id).where(Stream.station_id == merged_id)))
    if row is None or not fresh:
        return 0
    row.stream_ids = sorted({*row.stream_ids, *fresh})
    _move(unit, fresh, station_now(unit.session, row.kept_station_id), now)
    return len(fresh)


def keep_apart(unit: Unit, one: int, other: int, actor: Actor, *, now: datetime) -> None:
    """Note that two stations are not the same, so that nothing joins them by itself."""
    pair = {"station_a": min(one, other), "station_b": max(one, other)}
    known = select(StationApart.id).where(*(getattr(StationApart, name) == value for name, value in pair.items()))
    if one != other and unit.session.scalar(known) is None:
        unit.session.add(StationApart(**pair, at=now, by=actor.name))
        unit.session.flush()


def tell_apart(unit: Unit, one: int, other: int, actor: Actor, *, now: datetime) -> None:
    """Note a person's word that two stations are not the same.

    Raises:
        NotFoundError: There is no such station.
        ConflictError: They are one at present: the merge is to be taken back instead.
    """
    first, second = station_now(unit.session, one), station_now(unit.session, other)
    if first == second:
        raise ConflictError("these two are one station at present: undo the merge instead")
    keep_apart(unit, first, second, actor, now=now)
    record_change(unit, actor, "kept apart", "station", first, {"other": second}, at=now)


def are_apart(session: Session, one: int, other: int) -> bool:
    """Tell whether somebody said of any two of the stations behind these that they are not the same."""
    return session.scalar(_between(members(session, one), members(session, other))) is not None


def _between(ours: Collection[int], theirs: Collection[int]) -> Any:
    crossing = or_(
        StationApart.station_a.in_(ours) & StationApart.station_b.in_(theirs),
        StationApart.station_a.in_(theirs) & StationApart.station_b.in_(ours),
    )
    return select(StationApart.id).where(crossing).limit(1)


def _allow(unit: Unit, one: int, other: int) -> None:
    between = _between(members(unit.session, one), members(unit.session, other)).limit(None)
    for apart_id in unit.session.scalars(between).all():
        unit.session.delete(unit.session.get(StationApart, apart_id))


def _order(session: Session, one: int, other: int, keep: int | None) -> tuple[int, int]:
    """Which is kept, which is merged."""
    if keep is not None and station_now(session, keep) in {one, other}:
        kept = station_now(session, keep)
    else:
        counts = dict(
            session.execute(
                select(Stream.station_id, func.count())
                .where(Stream.station_id.in_([one, other]))
                .group_by(Stream.station_id)
            ).all()
        )
        kept = min((one, other), key=lambda each: (-counts.get(each, 0), each))
    return kept, other if kept == one else one


def _load(unit: Unit, station_id: int) -> Station:
    row = unit.session.get(Station, station_id)
    if row is None:
        raise NotFoundError(f"there is no station {station_id}")
    return row


def _move(unit: Unit, stream_ids: Sequence[int], station_id: int, now: datetime) -> None:
    if stream_ids:
        unit.session.execute(
            update(Stream).where(Stream.id.in_(stream_ids)).values(station_id=station_id, updated_at=now)
        )


def _still_at(session: Session, stream_ids: Sequence[int], station_id: int) -> list[int]:
    """Those of the streams that nobody has given to yet another station."""
    query = select(Stream.id).where(Stream.id.in_(stream_ids), Stream.station_id == station_id).order_by(Stream.id)
    return list(session.scalars(query))


def _restore_facts(unit: Unit, undone: StationMerge, kept: Station) -> None:
    """Give the kept station back what it had; where later merges stand, these remember what it had before them all."""
    later = unit.session.scalar(
        select(StationMerge)
        .where(
            StationMerge.kept_station_id == kept.id,
            StationMerge.undone_at.is_(None),
            StationMerge.id > undone.id,
        )
        .order_by(StationMerge.id)
        .limit(1)
    )
    if later is None:
        _set_facts(kept, StationFacts.from_json(undone.facts_before))
    else:
        later.facts_before = undone.facts_before
        unit.session.flush()
        _choose_again(unit, kept.id)


def _choose_again(unit: Unit, station_id: int) -> None:
    """Choose a station's facts anew, from what it had before its first merge that stands and the streams it has now."""
    row = _load(unit, station_id)
    first = unit.session.scalar(
        select(StationMerge)
        .where(StationMerge.kept_station_id == station_id, StationMerge.undone_at.is_(None))
        .order_by(StationMerge.id)
        .limit(1)
    )
    if first is not None:
        _set_facts(row, choose_facts(_told(unit.session, station_id), StationFacts.from_json(first.facts_before)))


def _facts_of(row: Station) -> StationFacts:
    return StationFacts(row.name, row.country_code, row.website, row.time_zone)


def _set_facts(row: Station, facts: StationFacts) -> None:
    row.name, row.country_code = facts.name, facts.country_code
    row.website, row.time_zone = facts.website, facts.time_zone


def _told(session: Session, station_id: int) -> list[Told]:
    columns = (Stream.id, Stream.name, Stream.country_code, Stream.website, Stream.reliability_lower_bound)
    return [Told(*row) for row in session.execute(select(*columns).where(Stream.station_id == station_id))]
