"""How a run of enrolment is going: counted in memory, written about once a second."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.cursor import decode_place, encode_place
from airledger.platform.db import Database, Unit
from airledger.platform.errors import NotFoundError
from airledger.recognition.models import FINISHED, RUNNING, STOPPED, EnrolmentRun

if TYPE_CHECKING:  # the API reads runs without loading the engine
    from airledger.recognition.enrol import Enrolment

WRITE_EVERY_S = 1.0
LEFT_AFTER = timedelta(minutes=10)
FIRST_REFUSALS = 100
FIRST_RECORDINGS = 100


@dataclass
class RunLog:
    """One run, as it goes."""

    database: Database
    clock: Clock
    id: UUID
    files: int
    counts: Counter[str] = field(default_factory=Counter)
    audio_s: float = 0.0
    _refusals: list[dict[str, str]] = field(default_factory=list)
    _recordings: list[str] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)
    _written_s: float = field(default_factory=time.monotonic)

    def note(self, one: "Enrolment") -> None:
        """Count what became of a file."""
        self.counts[one.outcome] += 1
        self.audio_s += one.duration_s
        if one.outcome == "refused" and len(self._refusals) < FIRST_REFUSALS:
            self._refusals.append({"file": one.file.name, "reason": one.reason})
        if one.recording_id is not None and len(self._recordings) < FIRST_RECORDINGS:
            self._recordings.append(str(one.recording_id))
        if time.monotonic() - self._written_s >= WRITE_EVERY_S:
            self._write(RUNNING)

    def finish(self, *, stopped: bool = False) -> None:
        """Write the last figures."""
        self._write(STOPPED if stopped else FINISHED)

    @property
    def done(self) -> int:
        """How many files are done."""
        return self.counts.total()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began_s

    @property
    def left_s(self) -> float | None:
        """Estimate of the seconds that are left, None before there is anything to go by.

        Files that are known are passed over at once, so only what was read counts.
        """
        read = self.done - self.counts["known"]
        if not read:
            return None
        return self.elapsed_s / read * (self.files - self.done)

    def _write(self, status: str) -> None:
        self._written_s = time.monotonic()
        now = self.clock.now()
        with self.database.unit() as unit:
            row = unit.session.get_one(EnrolmentRun, self.id)
            row.status, row.files = status, self.files
            row.enrolled, row.renewed = self.counts["enrolled"], self.counts["renewed"]
            row.known, row.refused = self.counts["known"], self.counts["refused"]
            row.audio_ms = round(self.audio_s * 1000)
            row.refusals, row.recordings = list(self._refusals), list(self._recordings)
            row.seen_at = now
            row.finished_at = None if status == RUNNING else now


def begin_run(
    database: Database, clock: Clock, organisation_id: UUID, actor: Actor, files: int, *, run_id: UUID | None = None
) -> RunLog:
    """Write that a run begins, or that one of this id goes on; those that nobody tends any more have stopped."""
    now = clock.now()
    with database.unit() as unit:
        left = (EnrolmentRun.organisation_id == organisation_id) & (EnrolmentRun.status == RUNNING)
        unit.session.execute(
            update(EnrolmentRun)
            .where(left, EnrolmentRun.seen_at < now - LEFT_AFTER, EnrolmentRun.id != run_id)
            .values(status=STOPPED, finished_at=EnrolmentRun.seen_at)
            .execution_options(synchronize_session=False)
        )
        row = unit.session.get(EnrolmentRun, run_id) if run_id else None
        if row is None:
            row = add_run(unit, organisation_id, actor, files, now=now)
        return RunLog(database, clock, row.id, files)


def add_run(unit: Unit, organisation_id: UUID, actor: Actor, files: int, *, now: datetime) -> EnrolmentRun:
    """Write that files are going to be enrolled."""
    row = EnrolmentRun(
        organisation_id=organisation_id,
        started_by=actor.name,
        status=RUNNING,
        files=files,
        enrolled=0,
        renewed=0,
        known=0,
        refused=0,
        audio_ms=0,
        refusals=[],
        recordings=[],
        started_at=now,
        seen_at=now,
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def get_run(session: Session, organisation_id: UUID, run_id: UUID) -> EnrolmentRun:
    """Fetch one run of an organisation.

    Raises:
        NotFoundError: There is none with this id, or it is another organisation's.
    """
    row = session.get(EnrolmentRun, run_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"there is no enrolment run {run_id}")
    return row


def list_runs(
    session: Session, organisation_id: UUID, *, limit: int = 100, cursor: str | None = None
) -> tuple[list[EnrolmentRun], str | None]:
    """List an organisation's runs, newest first, and the cursor of the next page.

    Raises:
        InputError: The cursor cannot be used.
    """
    query = select(EnrolmentRun).where(EnrolmentRun.organisation_id == organisation_id)
    if cursor is not None:
        at, run_id = decode_place(cursor)
        older = EnrolmentRun.started_at < at
        query = query.where(older | ((EnrolmentRun.started_at == at) & (EnrolmentRun.id < run_id)))
    ordered = query.order_by(EnrolmentRun.started_at.desc(), EnrolmentRun.id.desc()).limit(limit + 1)
    rows = list(session.scalars(ordered))
    return rows[:limit], encode_place(rows[limit - 1].started_at, rows[limit - 1].id) if len(rows) > limit else None
