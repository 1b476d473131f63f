"""Hearing a logger's archive: recorded files become plays at their true times. Resumable, and the same each time.

Files are decoded ahead in children, windows recognised on several threads, tracked in order. Every few minutes of air
time the plays that ended are stored together with the place to go on from, so a kill costs those minutes and changes
nothing.
"""

import concurrent.futures
import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from airledger.listening.archive_files import ArchivedFile, head_hash, is_unchanged
from airledger.listening.archive_hear import NO_FILE, ArchiveHearer, Progress
from airledger.listening.archive_place import Placed, place
from airledger.listening.archive_rows import (
    HEARD,
    HEARING,
    UNREADABLE,
    FileState,
    file_rows,
    is_same,
    progress_from_json,
    save,
)
from airledger.listening.archive_sound import FileSound
from airledger.listening.heard import Observer
from airledger.listening.models import ArchiveFile
from airledger.listening.outbox import Target
from airledger.listening.tracker import TrackerParams
from airledger.listening.windows import RATE_HZ
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database
from airledger.platform.errors import ConflictError
from airledger.platform.leases import Lease, release, try_lease
from airledger.platform.logging import logger
from airledger.recognition.library_index import LibraryIndex

LEASE_S = 120
SAVE_EVERY_S = 600.0
GROWING = "still_written"
FIRST_GUESS_BYTES_PER_S = 16_000.0  # MP3 at 128 kbit/s

log = logger(__name__)


@dataclass(frozen=True)
class FileHeard:
    """One file is done.

    Attributes:
        state: `heard`, `growing` (still being written), `unreadable`, `covered` (wholly heard in others) or `known`.
    """

    file: ArchivedFile
    state: str
    started_at: datetime
    seconds: float
    plays: int
    known_plays: int = 0
    cause: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Rate:
    """How it goes: sound heard and to come, by files' sizes.

    Attributes:
        file: The file being heard.
        real_time: Seconds of sound heard per second.
        left_s: Seconds to the end at this rate; None before there is any.
        share: Of all bytes to be heard, 0 to 1.
    """

    file: ArchivedFile
    real_time: float
    left_s: float | None
    share: float


Told = FileHeard | Rate


@dataclass(frozen=True)
class ArchiveSettings:
    """How an archive is heard."""

    window_s: float = 10.0
    hop_s: float = 5.0
    jobs: int = 2
    tracker: TrackerParams = field(default_factory=TrackerParams)
    observers: Sequence[Observer] = ()


class Archive:
    """One station's archive. `hear` goes through its files and may be called again at any time."""

    def __init__(
        self, database: Database, clock: Clock, library: LibraryIndex, target: Target, settings: ArchiveSettings
    ) -> None:
        self._database = database
        self._clock = clock
        self._library = library
        self._target = target
        self._settings = settings
        self._lease = f"archive:{target.stream_id}"
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
        self._began_s = 0.0
        self._heard_s = 0.0
        self._bytes = _Bytes()

    def hear(
        self,
        files: Sequence[ArchivedFile],
        tell: Callable[[Told], None],
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Hear what was not heard yet.

        Args:
            files: From `find_files`, in order of time.
            tell: Called with each file that is done, and now and then with the rate.
            is_stopped: Asked after each block of sound; what is open then is gone on with next time.

        Raises:
            ConflictError: Somebody else hears this archive at present.
        """
        self._take_lease()
        self._began_s = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self._settings.jobs, "recogniser") as pool:
            hearer = self._hearer(pool)
            try:
                self._hear(hearer, files, tell, is_stopped)
            finally:
                with self._database.unit() as unit:
                    release(unit.session, self._lease, self._holder)

    def _hearer(self, pool: concurrent.futures.Executor) -> ArchiveHearer:
        return ArchiveHearer(
            self._library,
            self._target,
            pool,
            params=self._settings.tracker,
            window_s=self._settings.window_s,
            hop_s=self._settings.hop_s,
            observers=self._settings.observers,
        )

    def _hear(
        self,
        hearer: ArchiveHearer,
        files: Sequence[ArchivedFile],
        tell: Callable[[Told], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        todo = self._todo(files, tell)
        self._bytes.total = sum(one.file.size_bytes for one in todo)
        before: str | None = None
        lost_by = NO_FILE
        for entry, sound in self._decoded(todo):
            if entry.after != before or before is None:
                self._finish(hearer)
                self._resume(hearer, entry)
            lost_by = self._hear_file(hearer, entry, sound, tell, is_stopped, lost_by)
            before = entry.file.name
            if is_stopped():
                return
        self._finish(hearer)

    def _todo(self, files: Sequence[ArchivedFile], tell: Callable[[Told], None]) -> "list[_Entry]":
        """Leave out what was heard already; each of the others knows what it follows."""
        with self._database.read() as session:
            rows = file_rows(session, self._target.stream_id)
        todo: list[_Entry] = []
        heard = {name: row for name, row in rows.items() if row.state == HEARD}
        after: str | None = None
        by_name = {file.name: file for file in files}
        for file in files:
            row = rows.get(file.name)
            head = head_hash(file.path)
            same = row is not None and is_same(row, file, head)
            if row is not None and same and row.state == HEARD:
                tell(FileHeard(file, "known", row.started_at, (row.ended_at - row.started_at).total_seconds(), 0))
                after = None
                continue
            begun = row if same and row is not None and _is_begun(row) else None
            previous = _previous(heard, file)
            todo.append(_Entry(file, head, after, begun, previous, by_name.get(previous.path) if previous else None))
            after = file.name
        return todo

    def _decoded(self, todo: "Sequence[_Entry]") -> "Iterator[tuple[_Entry, FileSound]]":
        """Give each file with its sound; the next ones are being decoded already."""
        ahead: list[FileSound] = []
        position = 0
        try:
            for entry in todo:
                while position < len(todo) and len(ahead) < self._settings.jobs:
                    ahead.append(FileSound(todo[position].file.path))
                    position += 1
                sound = ahead.pop(0)
                try:
                    yield entry, sound
                finally:
                    sound.close()
        finally:
            for sound in ahead:
                sound.close()

    def _resume(self, hearer: ArchiveHearer, entry: "_Entry") -> None:
        """Take up what lies before a file: an earlier hearing of the same file, or of the one before it."""
        if entry.begun is not None:
            progress = progress_from_json(entry.begun.progress)
            hearer.resume(progress, self._tail(entry, progress.held))
        elif entry.previous is not None:
            progress = progress_from_json(entry.previous.progress)
            file = entry.previous_file
            hearer.resume(progress, _last_samples(file.path, None, progress.held) if file else None)
        else:
            hearer.resume(Progress(), None)

    def _tail(self, entry: "_Entry", held: int) -> NDArray[np.int16] | None:
        """Fetch the sound before the place at which an interrupted file is gone on with."""
        if entry.begun is None:
            return None
        mine = _last_samples(entry.file.path, entry.begun.position, held)
        if mine is None or len(mine) >= held or entry.previous_file is None:
            return mine
        theirs = _last_samples(entry.previous_file.path, None, held - len(mine))
        return None if theirs is None else np.concatenate([theirs, mine])

    def _hear_file(
        self,
        hearer: ArchiveHearer,
        entry: "_Entry",
        sound: FileSound,
        tell: Callable[[Told], None],
        is_stopped: Callable[[], bool],
        lost_by: str,
    ) -> str:
        """Hear one file; return why time after it may be missing."""
        begun = entry.begun
        if begun is not None:
            placed = Placed(begun.started_at.timestamp(), 0.0, is_joined=True)
            skip = position = begun.position
        else:
            placed = place(hearer.heard_until_s, entry.file.dated)
            skip = hearer.begin(placed, lost_by)
            position = 0
        state = FileState(
            entry.file, entry.head, HEARING, placed.begin_s, placed.begin_s, position, hearer_progress(hearer)
        )
        plays = known = 0
        saved_at = position
        taken = 0
        for block in sound.blocks():
            taken += len(block)
            fresh = block[max(0, len(block) - (taken - skip)) :] if taken > skip else block[:0]
            is_settled = hearer.take(fresh)
            self._heard_s += len(fresh) / RATE_HZ
            if is_settled and taken - saved_at >= SAVE_EVERY_S * RATE_HZ and taken > skip:
                state = _reached(state, taken, hearer.progress())
                added = self._save(hearer, [state])
                plays, known, saved_at = plays + added[0], known + added[1], taken
                tell(self._rate(entry.file, taken / RATE_HZ))
            if is_stopped():
                return lost_by
        hearer.settle()
        end = sound.end
        state = _ended(_reached(state, max(taken, 0), hearer.progress()), entry.file, end.cause if end else None)
        state = replace(state, detail=end.text or None if end else None)
        added = self._save(hearer, [state])
        plays, known = plays + added[0], known + added[1]
        self._bytes.done += entry.file.size_bytes
        tell(
            FileHeard(
                entry.file,
                _word(state, is_covered=0 < taken <= skip),
                from_epoch(placed.begin_s),
                taken / RATE_HZ,
                plays,
                known,
                state.cause,
                state.detail,
            )
        )
        tell(self._rate(entry.file, 0.0))
        return state.cause or NO_FILE

    def _finish(self, hearer: ArchiveHearer) -> None:
        """Nothing follows: end what plays. Should something follow later, it goes on from the place saved before."""
        if hearer.heard_until_s is None:
            return
        hearer.finish()
        self._save(hearer, [])

    def _save(self, hearer: ArchiveHearer, files: list[FileState]) -> tuple[int, int]:
        now = self._clock.now()
        with self._database.unit() as unit:
            if not try_lease(unit.session, self._lease, self._holder, now, LEASE_S):
                raise ConflictError("somebody else has taken over this archive, as we were too slow")
            return save(unit, self._target, hearer.give_out(), files, now)

    def _take_lease(self) -> None:
        now = self._clock.now()
        with self._database.unit() as unit:
            held = unit.session.get(Lease, self._lease)
            if held is not None and not _runs(held.holder):
                release(unit.session, self._lease, held.holder)
                unit.session.expire_all()
            if not try_lease(unit.session, self._lease, self._holder, now, LEASE_S):
                raise ConflictError("this archive is being heard already; wait until that has ended")

    def _rate(self, file: ArchivedFile, part_s: float) -> Rate:
        wall_s = max(time.monotonic() - self._began_s, 1e-3)
        done = self._bytes.done + (min(file.size_bytes, int(part_s * self._bytes.per_s(self._heard_s - part_s))))
        share = min(1.0, done / self._bytes.total) if self._bytes.total else 1.0
        left_s = wall_s * (1 - share) / share if share else None
        return Rate(file, self._heard_s / wall_s, left_s, share)


@dataclass(frozen=True)
class _Entry:
    """A file to be heard, and what it follows.

    Attributes:
        after: Name of the file before it in this round, if that is heard in this round too.
        begun: Its row, where an earlier round was interrupted within it.
        previous: The row of the last file that was heard before it.
        previous_file: That file, if it is still there.
    """

    file: ArchivedFile
    head: str
    after: str | None
    begun: ArchiveFile | None
    previous: ArchiveFile | None
    previous_file: ArchivedFile | None


@dataclass
class _Bytes:
    total: int = 0
    done: int = 0

    def per_s(self, seconds: float) -> float:
        """Bytes per second of sound, of the files done so far."""
        return self.done / seconds if seconds > 0 and self.done else FIRST_GUESS_BYTES_PER_S


def hearer_progress(hearer: ArchiveHearer) -> Progress:
    """Return where a hearer stands, its waiting windows heard first."""
    hearer.settle()
    return hearer.progress()


def _is_begun(row: ArchiveFile) -> bool:
    """Tell whether a file can be gone on with in its middle; what another version saved cannot."""
    return row.state == HEARING and row.position > 0 and progress_from_json(row.progress).origin_s is not None


def _previous(heard: dict[str, ArchiveFile], file: ArchivedFile) -> ArchiveFile | None:
    earlier = [row for row in heard.values() if row.started_at < file.dated.began and row.path != file.name]
    return max(earlier, key=lambda row: row.started_at, default=None)


def _reached(state: FileState, position: int, progress: Progress) -> FileState:
    ended_s = state.started_s + position / RATE_HZ
    return replace(state, position=position, ended_s=ended_s, progress=progress)


def _ended(state: FileState, file: ArchivedFile, cause: str | None) -> FileState:
    if not state.position:
        return replace(state, state=UNREADABLE, cause=cause)
    if not is_unchanged(file):  # heard as far as it went; whoever comes back finds it changed and hears it anew
        return replace(state, state=HEARING, position=0, cause=GROWING)
    return replace(state, state=HEARD, cause=cause)


def _word(state: FileState, *, is_covered: bool) -> str:
    if is_covered:
        return "covered"
    return "growing" if state.cause == GROWING else state.state


def _last_samples(path: Path, until: int | None, count: int) -> NDArray[np.int16] | None:
    """Decode a file up to a sample (None: its end) and give the last `count` before it; fewer where it is shorter."""
    if not count:
        return np.empty(0, np.int16)
    sound, kept, taken = FileSound(path), np.empty(0, np.int16), 0
    with contextlib.closing(sound):
        for block in sound.blocks():
            part = block if until is None else block[: max(0, until - taken)]
            taken += len(block)
            kept = np.concatenate([kept, part])[-count:]
            if until is not None and taken >= until:
                break
    return kept if len(kept) else None


def _runs(holder: str) -> bool:
    """Tell whether the process that holds a lease may be alive; only this machine's can be looked at."""
    host, pid, _ = holder.rsplit("-", 2)
    return host != socket.gethostname() or not pid.isdigit() or Path(f"/proc/{pid}").exists()
