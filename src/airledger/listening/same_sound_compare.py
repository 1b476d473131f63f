"""Comparing what streams sounded like in a look: pairs that carry one programme become one station.

A look is compared once no listener adds to it any more. Candidates come from an inverted list (`fingerprint/alike.py`);
pairs that were the same before, and streams of one station, are looked at again whether they are candidates or not,
since what contradicts counts too.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from airledger.fingerprint.alike import Placed, alike
from airledger.fingerprint.same_sound import Sameness, peaks_same
from airledger.listening.models import SoundPrints
from airledger.listening.same_sound_judge import APART, PRIOR, PairState, after_look
from airledger.listening.same_sound_print import LookPlan, SoundPrint, from_bytes
from airledger.platform.audit import Actor
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.stations.joining.facts import read_zones
from airledger.stations.joining.merge import merge
from airledger.stations.joining.models import SameSoundPair
from airledger.stations.joining.why import HEARD_SAME, SAME_SOUND, Reason
from airledger.stations.models import Stream

EAR = Actor("system:same-sound")
MAX_DELAY_S = 90.0
SETTLED = timedelta(seconds=60)
PAIRS_IN_A_UNIT = 20
IDS_AT_A_TIME = 400

log = logger(__name__)

Pair = tuple[int, int]


@dataclass(frozen=True)
class Compared:
    """What a turn has done: how many looks and streams, how many pairs were looked at, how many agree, and merges."""

    looks: int = 0
    streams: int = 0
    pairs: int = 0
    agreed: int = 0
    merged: int = 0
    cpu_s: float = 0.0


class SameSoundSearch:
    """Compares looks, oldest first."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        clock: Clock,
        *,
        plan: LookPlan | None = None,
        settled: timedelta = SETTLED,
        apart: timedelta = APART,
    ) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._plan = plan or LookPlan()
        self._settled = settled
        self._apart = apart

    def turn(self, *, stopping: Callable[[], bool] = lambda: False) -> Compared:
        """Compare the oldest look that nobody adds to any more."""
        began = time.thread_time()
        with self._database.read() as session:
            look = session.scalar(
                select(SoundPrints.look)
                .group_by(SoundPrints.look)
                .having(func.max(SoundPrints.created_at) < self._clock.now() - self._settled)
                .order_by(SoundPrints.look)
                .limit(1)
            )
            rows = [] if look is None else session.scalars(select(SoundPrints).where(SoundPrints.look == look)).all()
        if look is None:
            return Compared()
        prints = self._prints(rows)
        found = self._look_at(prints, stopping)
        if stopping():
            return Compared()  # the look stays, and comes again
        at = from_epoch(self._plan.span(look)[1])
        merged = self._remember(found, at)
        self._forget(rows)
        agreed = sum(each.probability > 0.5 for each in found.values())  # noqa: PLR2004  more likely than not
        return Compared(1, len(prints), len(found), agreed, merged, time.thread_time() - began)

    def _prints(self, rows: Iterable[SoundPrints]) -> dict[int, SoundPrint]:
        """The prints of a look by stream; of a stream that changed listeners meanwhile, the longer one."""
        prints: dict[int, SoundPrint] = {}
        for row in rows:
            try:
                with self._storage.open(row.object_key) as file:
                    stored = from_bytes(file.read())
            except (OSError, AirledgerError) as error:
                log.warning("sound_prints_lost", key=row.object_key, error=str(error))
                continue
            for one in stored:
                known = prints.get(one.stream_id)
                if known is None or known.peaks.duration_s < one.peaks.duration_s:
                    prints[one.stream_id] = one
        return prints

    def _look_at(self, prints: Mapping[int, SoundPrint], stopping: Callable[[], bool]) -> dict[Pair, Sameness]:
        ids = sorted(prints)
        placed = [Placed(prints[one].peaks, prints[one].start_s) for one in ids]
        wanted = {(ids[a], ids[b]) for a, b in alike(placed, max_delay_s=MAX_DELAY_S)}
        with self._database.read() as session:
            wanted |= _known_pairs(session, ids) | _of_one_station(session, ids)
        found = {}
        for one, other in sorted(wanted):
            if stopping():
                break
            a, b = prints[one], prints[other]
            found[one, other] = peaks_same(a.peaks, b.peaks, shift_s=b.start_s - a.start_s, max_delay_s=MAX_DELAY_S)
        return found

    def _remember(self, found: Mapping[Pair, Sameness], at: datetime) -> int:
        """Keep what the look has told, a few pairs at a time; merge what is one. Return how many merges."""
        read_zones()
        merged = 0
        pairs = list(found)
        for begin in range(0, len(pairs), PAIRS_IN_A_UNIT):
            few = pairs[begin : begin + PAIRS_IN_A_UNIT]
            with self._database.unit() as unit:
                merged += sum(self._remember_pair(unit, pair, found[pair], at) for pair in few)
        return merged

    def _remember_pair(self, unit: Unit, pair: Pair, found: Sameness, at: datetime) -> bool:
        row = unit.session.scalar(
            select(SameSoundPair).where(SameSoundPair.stream_a == pair[0], SameSoundPair.stream_b == pair[1])
        )
        state = after_look(_state_of(row), found, at, apart=self._apart)
        if state.last_seen is None or (row is None and not state.agreed and not state.related):
            return False  # a candidate that was none is not worth a row
        if row is None:
            row = SameSoundPair(stream_a=pair[0], stream_b=pair[1], first_seen=at, log_odds=PRIOR)
            unit.session.add(row)
        _store(row, state)
        if state.verdict != HEARD_SAME:
            return False
        return _join(unit, pair, state, self._clock.now())

    def _forget(self, rows: Sequence[SoundPrints]) -> None:
        with self._database.unit() as unit:
            unit.session.execute(delete(SoundPrints).where(SoundPrints.id.in_([row.id for row in rows])))
        for row in rows:
            self._storage.delete(row.object_key)


def _known_pairs(session: Session, stream_ids: Sequence[int]) -> set[Pair]:
    here = set(stream_ids)
    pairs: set[Pair] = set()
    for begin in range(0, len(stream_ids), IDS_AT_A_TIME):
        some = stream_ids[begin : begin + IDS_AT_A_TIME]
        query = select(SameSoundPair.stream_a, SameSoundPair.stream_b).where(SameSoundPair.stream_a.in_(some))
        pairs.update((a, b) for a, b in session.execute(query) if b in here)
    return pairs


def _of_one_station(session: Session, stream_ids: Sequence[int]) -> set[Pair]:
    """Neighbours among the streams of each station: enough to see whether they all carry the same."""
    stations: dict[int, list[int]] = defaultdict(list)
    for begin in range(0, len(stream_ids), IDS_AT_A_TIME):
        some = stream_ids[begin : begin + IDS_AT_A_TIME]
        query = select(Stream.station_id, Stream.id).where(Stream.id.in_(some), Stream.station_id.is_not(None))
        for station_id, stream_id in session.execute(query.order_by(Stream.id)):
            stations[station_id or 0].append(stream_id)
    return {pair for ids in stations.values() for pair in pairwise(ids)}


def _state_of(row: SameSoundPair | None) -> PairState:
    if row is None:
        return PairState()
    return PairState(
        log_odds=row.log_odds,
        agreed=row.looks_agreed,
        related=row.looks_related,
        disagreed=row.looks_disagreed,
        delay_s=row.delay_s,
        same_since=row.same_since,
        last_seen=row.last_seen,
    )


def _store(row: SameSoundPair, state: PairState) -> None:
    row.log_odds, row.probability, row.verdict = state.log_odds, state.probability, state.verdict
    row.looks_agreed, row.looks_related, row.looks_disagreed = state.agreed, state.related, state.disagreed
    row.delay_s, row.same_since = state.delay_s, state.same_since
    if state.last_seen is not None:
        row.last_seen = state.last_seen


def _join(unit: Unit, pair: Pair, state: PairState, now: datetime) -> bool:
    stations = dict(unit.session.execute(select(Stream.id, Stream.station_id).where(Stream.id.in_(pair))).all())
    one, other = stations.get(pair[0]), stations.get(pair[1])
    if one is None or other is None or one == other:
        return False
    evidence = {
        "streams": list(pair),
        "looks_agreed": state.agreed,
        "looks_disagreed": state.disagreed,
        "delay_s": None if state.delay_s is None else round(state.delay_s, 2),
        "same_since": None if state.same_since is None else state.same_since.isoformat(),
    }
    return merge(unit, one, other, Reason(SAME_SOUND, state.probability, evidence), EAR, now=now) is not None
