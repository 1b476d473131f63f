"""Looking through streams that changed for others of the same station, a few hundred at a time.

Each stream has a handful of clues (`clues.py`) in an indexed table; those that share one are compared (`why.py`). So
the work grows with what has changed, not with the catalogue.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.stations.joining.clues import ADDRESS, HOME, PAIRING, SERVER, TARGET, Clues, clues_of
from airledger.stations.joining.facts import read_zones
from airledger.stations.joining.merge import merge, take_in
from airledger.stations.joining.models import JoinProgress, SameSoundPair, StationClue
from airledger.stations.joining.why import Carried, Heard, Reason, StreamFacts, why_one
from airledger.stations.models import RETIRED, Station, Stream

JOINER = Actor("system:joining")
CHUNK = 300
SETTLED = timedelta(seconds=30)  # a unit that began before may still commit changes that are older than those seen
MERGES_IN_A_UNIT = 5
OTHERS_OF_A_CLUE = 24
_NOTHING = "undecided"

_Each = TypeVar("_Each")


@dataclass(frozen=True)
class Looked:
    """What a turn has done."""

    streams: int
    compared: int
    merged: int


@dataclass(frozen=True)
class Proposal:
    """Two stations that are one, and why."""

    one: int
    other: int
    reason: Reason


def turn(
    database: Database, clock: Clock, *, limit: int = CHUNK, stopping: Callable[[], bool] = lambda: False
) -> Looked:
    """Compare the streams that changed since the last turn, at most `limit`, and merge what belongs together."""
    with database.read() as session:
        changed = _changed(session, clock.now() - SETTLED, limit)
    if not changed:
        return Looked(0, 0, 0)
    read_zones()
    live = [row for row in changed if row.state != RETIRED]
    clues = {row.id: clues_of(row.url, row.url_resolved, row.name, row.website) for row in live}
    with database.unit() as unit:
        _keep_clues(unit, [row.id for row in changed], clues)
        _take_in_all(unit, {row.station_id for row in live}, clock.now())
    with database.read() as session:
        compared, proposals = proposals_for(session, clues)
    merged = 0
    for few in _some(proposals, MERGES_IN_A_UNIT):
        if stopping():
            return Looked(len(changed), compared, merged)  # the same streams come again: nothing is lost
        with database.unit() as unit:
            now = clock.now()
            merged += sum(merge(unit, each.one, each.other, each.reason, JOINER, now=now) is not None for each in few)
    with database.unit() as unit:
        _move_on(unit, changed[-1].updated_at, changed[-1].id)
    return Looked(len(changed), compared, merged)


def join_all(database: Database, clock: Clock, *, stopping: Callable[[], bool] = lambda: False) -> Looked:
    """Take turns until nothing that changed is left."""
    streams = compared = merged = 0
    while not stopping():
        done = turn(database, clock, stopping=stopping)
        streams, compared, merged = streams + done.streams, compared + done.compared, merged + done.merged
        if not done.streams:
            break
    return Looked(streams, compared, merged)


def proposals_for(session: Session, clues: dict[int, Clues]) -> tuple[int, list[Proposal]]:
    """Compare some streams with all that share a clue with them; how many pairs that were, and what is one."""
    beside = _beside(session, clues)
    wanted = {stream_id for pair in beside for stream_id in pair}
    facts = _facts(session, wanted)
    pairs = [
        (facts[a], facts[b])
        for a, b in beside
        if a in facts and b in facts and facts[a].station_id != facts[b].station_id
    ]
    carried = _carried(session, [one for pair in pairs for one in pair])
    heard = _heard(session, [(a.stream_id, b.stream_id) for a, b in pairs])
    proposals = []
    seen: set[tuple[int, int]] = set()
    for one, other in pairs:
        stations = (min(one.station_id, other.station_id), max(one.station_id, other.station_id))
        if stations in seen:
            continue
        reason = why_one(one, other, carried, heard.get((one.stream_id, other.stream_id)))
        if reason is not None:
            seen.add(stations)
            evidence = {**reason.evidence, "streams": [one.stream_id, other.stream_id]}
            proposals.append(Proposal(*stations, Reason(reason.kind, reason.confidence, evidence)))
    return len(pairs), proposals


def _changed(session: Session, before: datetime, limit: int) -> Sequence[Any]:
    place = (Stream.updated_at, Stream.id)
    query = select(
        Stream.id, Stream.station_id, Stream.url, Stream.url_resolved, Stream.name, Stream.website, Stream.state,
        Stream.updated_at,
    ).where(Stream.updated_at < before)  # fmt: skip
    reached = session.execute(select(JoinProgress.updated_at, JoinProgress.stream_id)).first()
    if reached is not None:
        query = query.where(tuple_(*place) > tuple_(reached.updated_at, reached.stream_id))
    return session.execute(query.order_by(*place).limit(limit)).all()


def _move_on(unit: Unit, updated_at: datetime, stream_id: int) -> None:
    row = unit.session.scalar(select(JoinProgress))
    if row is None:
        unit.session.add(JoinProgress(updated_at=updated_at, stream_id=stream_id))
    else:
        row.updated_at, row.stream_id = updated_at, stream_id


def _keep_clues(unit: Unit, stream_ids: Sequence[int], clues: dict[int, Clues]) -> None:
    unit.session.execute(delete(StationClue).where(StationClue.stream_id.in_(stream_ids)))
    rows = [
        {"stream_id": stream_id, "kind": kind, "clue": clue, "name_key": found.name_key}
        for stream_id, found in clues.items()
        for kind, clue in found.by_kind.items()
    ]
    if rows:
        unit.session.execute(insert(StationClue), rows)


def _take_in_all(unit: Unit, station_ids: Collection[int | None], now: datetime) -> None:
    merged = select(Station.id).where(Station.id.in_(station_ids), Station.merged_into_id.is_not(None))
    for station_id in unit.session.scalars(merged).all():
        take_in(unit, station_id, now)


def _beside(session: Session, clues: dict[int, Clues]) -> list[tuple[int, int]]:
    """Pairs of one of these streams and another one with a clue of the same worth, the lesser id first."""
    mine: dict[str, list[int]] = defaultdict(list)
    for stream_id, found in clues.items():
        for kind, clue in found.by_kind.items():
            if kind in PAIRING:
                mine[clue].append(stream_id)
    pairs: set[tuple[int, int]] = set()
    for clue, others in _carriers(session, mine):
        for stream_id in mine[clue]:
            pairs.update((min(stream_id, each), max(stream_id, each)) for each in others if each != stream_id)
    return sorted(pairs)


def _carriers(session: Session, clues: Iterable[str]) -> Iterator[tuple[str, list[int]]]:
    """For each clue, one stream of each station that carries it (some, where it is many)."""
    for some in _some(clues, CHUNK):
        query = (
            select(StationClue.clue, Stream.station_id, func.min(Stream.id).label("stream_id"))
            .join(Stream, Stream.id == StationClue.stream_id)
            .where(StationClue.clue.in_(some), StationClue.kind.in_(PAIRING), Stream.station_id.is_not(None))
            .group_by(StationClue.clue, Stream.station_id)
            .order_by(StationClue.clue, func.min(Stream.id))
        )
        found: dict[str, list[int]] = defaultdict(list)
        for row in session.execute(query):
            if len(found[row.clue]) < OTHERS_OF_A_CLUE:
                found[row.clue].append(row.stream_id)
        yield from ((clue, ids) for clue, ids in found.items() if len(ids) > 1)


def _facts(session: Session, stream_ids: Collection[int]) -> dict[int, StreamFacts]:
    columns = (
        Stream.id, Stream.station_id, Stream.name, Stream.country_code, Stream.type, Stream.url, Stream.url_resolved,
        Stream.website,
    )  # fmt: skip
    return {
        row.id: StreamFacts(
            row.id,
            row.station_id,
            row.name,
            row.country_code,
            row.type,
            clues_of(row.url, row.url_resolved, row.name, row.website),
        )
        for some in _some(sorted(stream_ids), CHUNK)
        for row in session.execute(select(*columns).where(Stream.id.in_(some), Stream.station_id.is_not(None)))
    }


def _carried(session: Session, facts: Sequence[StreamFacts]) -> Carried:
    wanted = {
        clue for one in facts for kind, clue in one.clues.by_kind.items() if kind in {ADDRESS, TARGET, HOME, SERVER}
    }
    names: dict[tuple[str, str], int] = {}
    for some in _some(sorted(wanted), CHUNK):
        query = (
            select(StationClue.kind, StationClue.clue, func.count(StationClue.name_key.distinct()))
            .where(StationClue.clue.in_(some), StationClue.kind.in_([ADDRESS, TARGET, HOME, SERVER]))
            .group_by(StationClue.kind, StationClue.clue)
        )
        names |= {(row[0], row[1]): row[2] for row in session.execute(query)}
    return Carried(names)


def _heard(session: Session, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Heard]:
    found: dict[tuple[int, int], Heard] = {}
    for some in _some(pairs, CHUNK):
        query = select(SameSoundPair).where(tuple_(SameSoundPair.stream_a, SameSoundPair.stream_b).in_(some))
        for row in session.scalars(query):
            if row.verdict != _NOTHING:
                looks = row.looks_agreed + row.looks_related + row.looks_disagreed
                found[row.stream_a, row.stream_b] = Heard(row.verdict, row.probability, looks, row.delay_s)
    return found


def _some(all_of_them: Iterable[_Each], size: int) -> Iterator[list[_Each]]:
    """So many at a time."""
    left = iter(all_of_them)
    while some := list(islice(left, size)):
        yield some
