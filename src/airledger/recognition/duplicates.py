"""Duplicates among what is enrolled: found once per recording, and one of each lot is listened for.

A recording that is the same sound as an earlier one keeps its row, its fingerprint and its peaks, but stands back: the
earlier one is listened for and gets the plays (docs/decisions). If that is removed, the later one takes its place.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.fingerprint.match import Candidate, match
from airledger.fingerprint.peaks import Peaks
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.models import Duplicate, Fingerprint
from airledger.recognition.overlap import APART_S, Alignment, Shared, compare
from airledger.recognition.overlap_kinds import MIRRORED
from airledger.recognition.peaks_cut import cut_peaks
from airledger.recognition.peaks_file import from_bytes
from airledger.recognition.stand_ins import stand_back

WINDOW_S, EVERY_S = 10.0, 20.0
LEAST_WINDOW_S = 3.0
LEAST_SCORE = 0.9
CANDIDATES = 8
MOST_OTHERS = 20
MOST_ALIGNMENTS = 6
SAME_WAY = 0.003

log = logger(__name__)


@dataclass(frozen=True)
class Checked:
    """What a turn has done."""

    recordings: int
    found: int
    cpu_s: float


def find_alignments(library: LibraryIndex, peaks: Peaks, exclude: Sequence[int] = ()) -> dict[int, list[Alignment]]:
    """Find the enrolled tracks that may share sound with a recording, and how it may lie over each.

    Windows of 10 s every 20 s are looked up, so the cost is bounded by the recording's length.

    Args:
        library: The index, in step.
        peaks: Of "reference" density.
        exclude: Tracks that may not answer: the recording's own.

    Returns:
        By track, the likeliest alignment first; at most twenty tracks.
    """
    votes: dict[int, list[tuple[Alignment, int]]] = {}
    start_s = 0.0
    while start_s == 0 or start_s + LEAST_WINDOW_S <= peaks.duration_s:
        window = cut_peaks(peaks, start_s, start_s + WINDOW_S)
        for one in match(library.index, window, limit=CANDIDATES, exclude=exclude):
            if one.score >= LEAST_SCORE:
                votes[one.track] = _voted(votes.get(one.track, []), _alignment(one, start_s), start_s)
        start_s += EVERY_S
    most = sorted(votes, key=lambda track: -max(count for _, count in votes[track]))[:MOST_OTHERS]
    return {
        track: [way for way, _ in sorted(votes[track], key=lambda one: -one[1])][:MOST_ALIGNMENTS] for track in most
    }


def _alignment(one: Candidate, start_s: float) -> Alignment:
    return Alignment(one.offset_s - one.speed * start_s, one.speed, one.pitch)


def _voted(known: list[tuple[Alignment, int]], way: Alignment, at_s: float) -> list[tuple[Alignment, int]]:
    for place, (other, count) in enumerate(known):
        near = abs(other.there_s(at_s) - way.there_s(at_s)) <= APART_S
        if near and abs(other.speed - way.speed) <= SAME_WAY:
            return [*known[:place], (other, count + 1), *known[place + 1 :]]
    return [*known, (way, 1)]


class DuplicateSearch:
    """Looks for duplicates among what was enrolled lately."""

    def __init__(self, database: Database, storage: Storage, clock: Clock, library: LibraryIndex) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._library = library

    def turn(
        self,
        *,
        limit: int = 200,
        only: Sequence[UUID] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Checked:
        """Check recordings that nobody checked yet, in the order in which they were enrolled.

        Args:
            limit: At most so many.
            only: Only these recordings.
            stopping: Asked between two recordings.
        """
        began = time.thread_time()
        self._library.sync()
        recordings = found = 0
        for row in self._due(limit, only):
            if stopping():
                break
            shared = self._shared(row)
            with self._database.unit() as unit:
                found += self._write(unit, row, shared)
            recordings += 1
        return Checked(recordings, found, time.thread_time() - began)

    def _due(self, limit: int, only: Sequence[UUID] | None) -> list[Fingerprint]:
        query = select(Fingerprint).where(Fingerprint.duplicates_checked_at.is_(None)).order_by(Fingerprint.track)
        if only is not None:
            query = query.where(Fingerprint.recording_id.in_(only))
        with self._database.read() as session:
            return list(session.scalars(query.limit(limit)))

    def _shared(self, row: Fingerprint) -> list[tuple[Fingerprint, Shared]]:
        """Compare a recording with those of its organisation that hold a part of it."""
        peaks = self._peaks(row)
        if peaks is None:
            return []
        ways = find_alignments(self._library, peaks, exclude=(row.track,))
        with self._database.read() as session:
            others = session.scalars(
                select(Fingerprint).where(
                    Fingerprint.track.in_(ways), Fingerprint.organisation_id == row.organisation_id
                )
            ).all()
        shared = []
        for other in others:
            theirs = self._peaks(other)
            found = None if theirs is None else compare(peaks, theirs, ways[other.track])
            if found is not None:
                shared.append((other, found))
        return shared

    def _peaks(self, row: Fingerprint) -> Peaks | None:
        try:
            with self._storage.open(row.peaks_key) as file:
                return from_bytes(file.read())
        except AirledgerError as error:
            log.warning("peaks_missing", track=row.track, error=error.message)
            return None

    def _write(self, unit: Unit, row: Fingerprint, shared: Sequence[tuple[Fingerprint, Shared]]) -> int:
        now = self._clock.now()
        current = unit.session.get(Fingerprint, row.track)
        if current is None:
            return 0
        current.duplicates_checked_at = now
        for other, found in shared:
            _store(unit.session, row, other, found, now)
        same = [other for other, found in shared if found.kind == "same" and other.track < row.track]
        if same and current.stands_for is None:
            first = min(same, key=lambda other: other.track)
            stand_back(unit, current, first.stands_for or first.recording_id, now)
        return len(shared)


def _store(session: Session, row: Fingerprint, other: Fingerprint, found: Shared, now: datetime) -> None:
    """Write one row per pair: the later recording is a duplicate of the earlier one, whichever was checked."""
    is_later = row.track > other.track
    later, earlier = (row, other) if is_later else (other, row)
    values: dict[str, Any] = {
        "kind": found.kind if is_later else MIRRORED[found.kind],
        "speed": found.speed if is_later else 1 / found.speed,
        "share": found.share if is_later else found.share_of,
        "share_of": found.share_of if is_later else found.share,
        "spans": [list(span) if is_later else [span[2], span[3], span[0], span[1]] for span in found.spans],
        "score": found.score,
        "found_at": now,
    }
    known = session.scalar(
        select(Duplicate).where(
            Duplicate.recording_id == later.recording_id, Duplicate.of_recording_id == earlier.recording_id
        )
    )
    if known is None:
        session.add(
            Duplicate(
                id=uuid4(),
                organisation_id=row.organisation_id,
                recording_id=later.recording_id,
                of_recording_id=earlier.recording_id,
                **values,
            )
        )
        return
    for name, value in values.items():
        setattr(known, name, value)
