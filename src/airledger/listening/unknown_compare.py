"""Comparing newly kept stretches of unknown sound with all others: what was heard before is the same recording."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from airledger.fingerprint.match import Candidate
from airledger.fingerprint.peaks import Peaks
from airledger.listening.models import COMPARED, KEPT, OPEN, UnknownSound
from airledger.listening.unknown_clusters import Pair, join_pairs
from airledger.listening.unknown_index import Place, UnknownIndex, place_of, places
from airledger.listening.unknown_runs import LEAST_SCORE, Run, WindowMatch, join_runs
from airledger.listening.unknown_stretch import GROWTH_S, LEAST_S, LONGEST_S
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_cut import cut_peaks

WINDOW_S, HOP_S = 10.0, 5.0
NEIGHBOUR_S = 1.0
SETTLED = timedelta(minutes=15)  # nobody has added to it for so long: its listener died
CONTINUED = timedelta(seconds=LONGEST_S + GROWTH_S)
CANDIDATES = 8
PARTNERS = 3  # one would do to join a cluster; a few make it robust against a forgotten one
CACHED_STRETCHES = 64
ALL_SPEEDS_EVERY = 3
SAME_SPEED = 0.002
JUST_AFTER_S = 60.0
SOON_AGAIN_S = 600.0


@dataclass(frozen=True)
class Compared:
    """What a turn has done."""

    stretches: int
    pairs: int
    cpu_s: float


class Comparer:
    """Compares stretches; keeps what it looked up lately, since a stretch is also its neighbours' context."""

    def __init__(self, database: Database, clock: Clock, index: UnknownIndex) -> None:
        self._database = database
        self._clock = clock
        self._index = index
        self._looked_up: OrderedDict[int, list[WindowMatch]] = OrderedDict()

    def turn(self, *, limit: int = 200, stopping: Callable[[], bool] = lambda: False) -> Compared:
        """Compare what was kept since; at most `limit` stretches, oldest first."""
        began = time.thread_time()
        self._settle_left()
        self._index.sync()
        with self._database.read() as session:
            due = [place_of(row) for row in session.scalars(_due(self._clock.now(), limit))]
        compared = pairs = 0
        for place in due:
            if stopping():
                break
            found = self.pairs_of(place)
            with self._database.unit() as unit:
                join_pairs(unit, found, self._clock.now())
                row = unit.session.get(UnknownSound, place.number)
                if row is not None and row.state == KEPT:
                    row.state = COMPARED
                    _look_again(unit, place)
            compared, pairs = compared + 1, pairs + len(found)
        return Compared(compared, pairs, time.thread_time() - began)

    def pairs_of(self, place: Place) -> list[Pair]:
        """Find what begins in a stretch and was heard elsewhere; the stretches beside it tell how far it goes on."""
        with self._database.read() as session:
            before, after = _neighbour(session, place, place.start_s), _neighbour(session, place, place.end_s)
        beside = [one for one in (before, place, after) if one is not None]
        own = {one.number for one in beside}
        matches = [match for one in beside for match in self._matches(one, own)]
        runs = [
            run
            for run in join_runs(matches)
            if place.start_s <= run.from_s < place.end_s and not _is_within_itself(place, run)
        ]
        with self._database.read() as session:
            others = places(session, {run.number for run in runs})
        return [_pair(place, run, others[run.number]) for run in _best(runs) if run.number in others]

    def _settle_left(self) -> None:
        """Close stretches whose listener died while they grew."""
        with self._database.unit() as unit:
            left = select(UnknownSound).where(
                UnknownSound.state == OPEN, UnknownSound.ended_at < self._clock.now() - SETTLED
            )
            for row in unit.session.scalars(left):
                row.state = KEPT

    def _matches(self, place: Place, own: set[int]) -> list[WindowMatch]:
        known = self._looked_up.get(place.number)
        if known is not None:
            self._looked_up.move_to_end(place.number)
            return known
        peaks = self._index.peaks_of(place)
        found = [] if peaks is None else self._look_up(place, peaks, own)
        self._looked_up[place.number] = found
        if len(self._looked_up) > CACHED_STRETCHES:
            self._looked_up.popitem(last=False)
        return found

    def _answers(self, peaks: Peaks, own: set[int]) -> list[tuple[float, list[Candidate]]]:
        """Look all windows up: each as it is and at the speed that was heard last, every third at all speeds.

        What was recognised at another speed in one window is then sought at that speed in those before it.
        """
        windows = cut_windows(peaks)
        answers: list[tuple[float, list[Candidate]]] = []
        speed: float | None = None
        for number, (start_s, window) in enumerate(windows):
            found = self._index.look_up(
                window, limit=CANDIDATES, exclude=own, speed=speed, all_speeds=number % ALL_SPEEDS_EVERY == 0
            )
            speed = found[0].speed if found and found[0].score >= LEAST_SCORE else speed
            answers.append((start_s, found))
        for number in range(len(windows) - 2, -1, -1):
            here, after = answers[number][1], answers[number + 1][1]
            is_missed = not (here and here[0].score >= LEAST_SCORE) and after and after[0].score >= LEAST_SCORE
            if is_missed and abs(after[0].speed - 1) > SAME_SPEED:
                start_s, window = windows[number]
                again = self._index.look_up(
                    window, limit=CANDIDATES, exclude=own, speed=after[0].speed, all_speeds=False
                )
                answers[number] = (start_s, again)
        return answers

    def _look_up(self, place: Place, peaks: Peaks, own: set[int]) -> list[WindowMatch]:
        hits = [
            (start_s, candidate)
            for start_s, answers in self._answers(peaks, own)
            for candidate in answers
            if candidate.score >= LEAST_SCORE
        ]
        with self._database.read() as session:
            others = places(session, {candidate.track for _, candidate in hits})
        return [
            WindowMatch(
                start_s=place.start_s + start_s,
                first_s=place.start_s + start_s + candidate.first_s,
                last_s=place.start_s + start_s + candidate.last_s,
                number=candidate.track,
                stream_id=others[candidate.track].stream_id,
                there_s=others[candidate.track].start_s + candidate.offset_s,
                speed=candidate.speed,
                score=candidate.score,
            )
            for start_s, candidate in hits
            if candidate.track in others and others[candidate.track].organisation_id == place.organisation_id
        ]


def _look_again(unit: Unit, place: Place) -> None:
    """Have recordings looked back for again that were enrolled while a stretch was heard: it was not closed then."""
    unit.session.execute(
        update(Fingerprint)
        .where(
            Fingerprint.organisation_id == place.organisation_id,
            Fingerprint.created_at.between(from_epoch(place.start_s), from_epoch(place.end_s + JUST_AFTER_S)),
        )
        .values(looked_back_at=None)
        .execution_options(synchronize_session=False)
    )


def cut_windows(peaks: Peaks) -> list[tuple[float, Peaks]]:
    """Cut a stretch into windows of 10 s every 5 s; a short one is one window."""
    count = max(1, int((peaks.duration_s - WINDOW_S) / HOP_S) + 1)
    starts = [number * HOP_S for number in range(count)]
    last_s = peaks.duration_s - WINDOW_S
    if last_s - starts[-1] > HOP_S / 5:
        starts.append(last_s)
    cuts = [(start_s, cut_peaks(peaks, start_s, start_s + WINDOW_S)) for start_s in starts]
    return [(start_s, window) for start_s, window in cuts if window.duration_s >= LEAST_S - 1]


def reference_windows(peaks: Peaks) -> list[tuple[float, Peaks]]:
    """Cut a recording into windows of 10 s every 20 s: enough to find it wherever more than half a minute was aired."""
    every = cut_windows(peaks)
    return every[::4] if len(every) > 8 else every[::2] or every  # noqa: PLR2004  short ones are looked at more closely


def _due(now: datetime, limit: int) -> Select[UnknownSound]:
    """Closed stretches that have had the time for what continues them to be closed too."""
    return (
        select(UnknownSound)
        .where(UnknownSound.state == KEPT, UnknownSound.ended_at < now - CONTINUED)
        .order_by(UnknownSound.number)
        .limit(limit)
    )


def _neighbour(session: Session, place: Place, at_s: float) -> Place | None:
    """The stretch that ends or begins where this one begins or ends."""
    column = UnknownSound.ended_at if at_s == place.start_s else UnknownSound.started_at
    row = session.scalar(
        select(UnknownSound)
        .where(
            UnknownSound.stream_id == place.stream_id,
            UnknownSound.state.in_((KEPT, COMPARED)),
            UnknownSound.number != place.number,
            column.between(from_epoch(at_s - NEIGHBOUR_S), from_epoch(at_s + NEIGHBOUR_S)),
        )
        .limit(1)
    )
    return None if row is None else place_of(row)


def _is_within_itself(place: Place, run: Run) -> bool:
    """Whether it repeats minutes later on the same stream: a chorus, a loop. It says nothing about recordings."""
    return run.stream_id == place.stream_id and abs(run.there_from_s - run.from_s) < SOON_AGAIN_S


def _best(runs: Sequence[Run]) -> list[Run]:
    """Of runs that tell of the same sound here, the few best."""
    chosen: list[Run] = []
    for run in sorted(runs, key=lambda one: (-(one.to_s - one.from_s), -one.score, one.stream_id, one.there_from_s)):
        same = [
            one for one in chosen if abs(one.from_s - run.from_s) < WINDOW_S and abs(one.to_s - run.to_s) < WINDOW_S
        ]
        if len(same) < PARTNERS:
            chosen.append(run)
    return chosen


def _pair(place: Place, run: Run, other: Place) -> Pair:
    return Pair(
        here=(place.stream_id, run.from_s, run.to_s, place.id),
        there=(run.stream_id, run.there_from_s, run.there_to_s, other.id),
        organisation_id=place.organisation_id,
        score=run.score,
    )
