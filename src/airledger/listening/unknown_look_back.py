"""Plays from before a recording was known: what was enrolled late is sought in the unknown sound that was kept.

The recording's windows find the kept stretches that hold it, in rounds, those found before passed over, until none is
left: a lookup names eight at most, and a song may have been aired five hundred times. Then each of these stretches is
heard as a live station is, against an index that holds this recording alone, and the tracker makes plays of it.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.peaks import Peaks
from airledger.listening.models import CLOSED, COMPARED, KEPT, OPEN, AudioDetection, UnknownSound
from airledger.listening.outbox import Batch, HeardPlay, Target
from airledger.listening.record import DetectionClosed, store
from airledger.listening.tracker import Hypothesis, TrackerParams, TrackerState, Window, close_all, track
from airledger.listening.unknown_compare import NEIGHBOUR_S, cut_windows, reference_windows
from airledger.listening.unknown_index import Place, UnknownIndex, in_order, place_of, places
from airledger.listening.unknown_plays import NAMESPACE, overlapping_play
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError
from airledger.platform.events import publish
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.answer import Identified
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import from_bytes
from airledger.recognition.profiles import fitted
from airledger.repertoire.models import Recording

LEAST_SCORE = 0.5
CANDIDATES = 8
MOST_ROUNDS = 100
JOINS_S = 20.0  # a play that ends or begins this near, at the same alignment, is the same one
SAME_ALIGNMENT_S = 3.0

log = logger(__name__)


@dataclass(frozen=True)
class Sought:
    """A recording as it is sought: its own peaks, and the recording that its plays are credited to."""

    track: int
    recording_id: UUID
    organisation_id: UUID
    recording_class: str
    audible_from_s: float
    audible_to_s: float
    peaks: Peaks


@dataclass(frozen=True)
class LookedBack:
    """What a turn has done."""

    recordings: int
    stretches: int
    plays: int
    cpu_s: float


class LookBack:
    """Seeks recordings in the unknown sound that was kept before they were enrolled."""

    def __init__(self, database: Database, storage: Storage, clock: Clock, index: UnknownIndex) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._index = index

    def turn(self, *, limit: int = 50, stopping: Callable[[], bool] = lambda: False) -> LookedBack:
        """Look back for recordings that nobody looked back for yet; at most `limit` of them."""
        began = time.thread_time()
        if self._pass_over():
            return LookedBack(0, 0, 0, time.thread_time() - began)
        self._index.sync()
        recordings = stretches = plays = 0
        for number in self._due(limit):
            if stopping():
                break
            sought = self._load(number)
            found = [] if sought is None else self.find(sought)
            if sought is not None and found:
                plays += self._hear(sought, found)
            self._mark(number)
            recordings, stretches = recordings + 1, stretches + len(found)
        return LookedBack(recordings, stretches, plays, time.thread_time() - began)

    def find(self, sought: Sought) -> list[Place]:
        """Find the kept stretches of its organisation that hold a recording."""
        hits: set[int] = set()
        windows = [window for _, window in reference_windows(sought.peaks)]
        for _ in range(MOST_ROUNDS):
            fresh: set[int] = set()
            for window in windows:
                answers = self._index.look_up(window, limit=CANDIDATES, exclude=hits | fresh)
                fresh |= {one.track for one in answers if one.score >= LEAST_SCORE}
            if not fresh:
                break
            hits |= fresh
        with self._database.read() as session:
            found = places(session, hits).values()
            ours = [place for place in found if place.organisation_id == sought.organisation_id]
            return in_order(_with_neighbours(session, ours))

    def _pass_over(self) -> bool:
        """Mark what was enrolled before the oldest sound that is kept; tell whether nothing else is left."""
        with self._database.unit() as unit:
            waiting = Fingerprint.looked_back_at.is_(None)
            if not unit.session.scalar(select(exists().where(waiting))):
                return True
            oldest = unit.session.scalar(
                select(func.min(UnknownSound.started_at)).where(UnknownSound.state.in_((OPEN, KEPT, COMPARED)))
            )
            which = waiting if oldest is None else and_(waiting, Fingerprint.created_at < oldest)
            unit.session.execute(
                update(Fingerprint)
                .where(which)
                .values(looked_back_at=self._clock.now())
                .execution_options(synchronize_session=False)
            )
            return oldest is None

    def _due(self, limit: int) -> list[int]:
        with self._database.read() as session:
            query = select(Fingerprint.track).where(Fingerprint.looked_back_at.is_(None)).order_by(Fingerprint.track)
            return list(session.scalars(query.limit(limit)))

    def _mark(self, number: int) -> None:
        with self._database.unit() as unit:
            unit.session.execute(
                update(Fingerprint)
                .where(Fingerprint.track == number)
                .values(looked_back_at=self._clock.now())
                .execution_options(synchronize_session=False)
            )

    def _load(self, number: int) -> Sought | None:
        with self._database.read() as session:
            row = session.execute(
                select(Fingerprint, Recording.recording_class)
                .join(Recording, Recording.id == func.coalesce(Fingerprint.stands_for, Fingerprint.recording_id))
                .where(Fingerprint.track == number)
            ).first()
        if row is None:
            return None
        fingerprint = row.Fingerprint
        try:
            with self._storage.open(fingerprint.peaks_key) as file:
                peaks = fitted(from_bytes(file.read()), fingerprint.params_hash, self._index.params)
        except AirledgerError as error:
            log.warning("peaks_missing", track=number, error=error.message)
            return None
        return Sought(
            track=number,
            recording_id=fingerprint.stands_for or fingerprint.recording_id,
            organisation_id=fingerprint.organisation_id,
            recording_class=row.recording_class,
            audible_from_s=fingerprint.audible_from_ms / 1000,
            audible_to_s=fingerprint.audible_to_ms / 1000,
            peaks=peaks,
        )

    def _hear(self, sought: Sought, found: Sequence[Place]) -> int:
        with (
            tempfile.TemporaryDirectory(prefix="airledger-look-back-") as folder,
            Index.create(Path(folder) / "index", self._index.params) as alone,
        ):
            alone.add({sought.track: sought.peaks})
            plays = [play for chain in _chains(found) for play in self._plays(alone, sought, chain)]
        written = 0
        with self._database.unit() as unit:
            for play in plays:
                written += write_play(unit, play, self._clock.now())
        return written

    def _plays(self, alone: Index, sought: Sought, chain: Sequence[Place]) -> Iterator[HeardPlay]:
        """Hear stretches that continue each other against one recording."""
        params = TrackerParams()
        state = TrackerState()
        last: dict[UUID, Hypothesis] = {}
        for place in chain:
            peaks = self._index.peaks_of(place)
            for start_s, window in [] if peaks is None else cut_windows(peaks):
                begin_s = place.start_s + start_s
                step = track(state, Window(begin_s, begin_s + window.duration_s, _ask(alone, sought, window)), params)
                state = step.state
                last.update({one.id: one for one in step.changed})
        last.update({one.id: one for one in close_all(state, params).changed})
        begun: dict[UUID, int] = {}
        for one in sorted(last.values(), key=lambda one: one.first_heard_s):
            place = next((p for p in chain if p.start_s <= one.first_heard_s < p.end_s), chain[0])
            begun[place.id] = begun.get(place.id, 0) + 1
            identity = uuid5(NAMESPACE, f"{sought.recording_id}/{place.id}/{begun[place.id]}")
            closed = replace(one, id=identity, state=CLOSED, revision=1)
            started_s, ended_s = closed.started_s(params), closed.ended_s(params)
            yield HeardPlay(_target(place), closed, started_s, max(started_s, ended_s), cpu_ms=0.0)


def write_play(unit: Unit, play: HeardPlay, now: datetime) -> bool:
    """Write a play that was found late, unless it is there; one that was heard in part live is made longer."""
    hypothesis = play.hypothesis
    known = overlapping_play(
        unit, hypothesis.recording_id, play.target.stream_id, play.started_s - JOINS_S, play.ended_s + JOINS_S
    )
    if known is None:
        return store(unit, Batch(plays={hypothesis.id: play}), now) > 0
    if known.processing_status == CLOSED and abs(known.alignment_s - hypothesis.alignment_s) <= SAME_ALIGNMENT_S:
        _lengthen(unit, known, play, now)
    return False


def _lengthen(unit: Unit, known: AudioDetection, play: HeardPlay, now: datetime) -> None:
    started_at = min(known.started_at, from_epoch(play.started_s))
    ended_at = max(known.ended_at, from_epoch(play.ended_s))
    second = timedelta(seconds=1)
    if known.started_at - started_at < second and ended_at - known.ended_at < second:
        return
    known.started_at, known.ended_at = started_at, ended_at
    known.windows += play.hypothesis.votes
    known.revision += 1
    unit.session.flush()
    told = DetectionClosed(detection_id=known.detection_id, stream_id=known.stream_id)
    publish(unit, told, at=now, organisation_id=known.organisation_id)


def _ask(alone: Index, sought: Sought, window: Peaks) -> tuple[Identified, ...]:
    return tuple(
        Identified(
            recording_id=sought.recording_id,
            offset_s=one.offset_s,
            speed=one.speed,
            score=one.score,
            votes=one.votes,
            first_s=one.first_s,
            last_s=one.last_s,
            audible_from_s=sought.audible_from_s,
            audible_to_s=sought.audible_to_s,
            recording_class=sought.recording_class,
        )
        for one in match(alone, window, limit=1)
        if one.score >= LEAST_SCORE
    )


def _chains(found: Sequence[Place]) -> list[list[Place]]:
    """Put stretches that continue each other together."""
    chains: list[list[Place]] = []
    for place in found:
        last = chains[-1][-1] if chains else None
        if last is not None and last.stream_id == place.stream_id and place.start_s - last.end_s <= NEIGHBOUR_S:
            chains[-1].append(place)
        else:
            chains.append([place])
    return chains


def _with_neighbours(session: Session, found: Sequence[Place]) -> list[Place]:
    """Add what lies right before and after: the song may begin or end there."""
    every = {place.number: place for place in found}
    near = timedelta(seconds=NEIGHBOUR_S)
    for place in found:
        start_at, end_at = from_epoch(place.start_s), from_epoch(place.end_s)
        beside = select(UnknownSound).where(
            UnknownSound.stream_id == place.stream_id,
            UnknownSound.state.in_((KEPT, COMPARED)),
            or_(
                UnknownSound.ended_at.between(start_at - near, start_at + near),
                UnknownSound.started_at.between(end_at - near, end_at + near),
            ),
        )
        every.update((row.number, place_of(row)) for row in session.scalars(beside))
    return list(every.values())


def _target(place: Place) -> Target:
    return Target(place.session_id, place.organisation_id, place.stream_id, place.station_id, "", "")
