"""Enrolling a folder of any size: several files at a time, in little memory, going on where it was cut off.

A file that has not changed since it was read is passed over without being opened; one whose content is known, without
being decoded. Files are decoded in children and fingerprinted in threads; rows are written in batches, each in one
short unit. So a run that is killed loses the few files in hand and nothing else.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from airledger.platform.errors import AirledgerError, UnavailableError
from airledger.recognition.decode import FileDecoder
from airledger.recognition.enrol import Enroller, Enrolment, Prepared, refused, sha256_of
from airledger.recognition.known_files import Look, ReadBefore, look_at, read_before, remember
from airledger.repertoire.models import Recording

LOOKS_AT_ONCE = 500
ROWS_AT_ONCE = 20  # written while holding the lock for well under 100 ms
AHEAD = 2  # files in hand per thread


@dataclass(frozen=True)
class Manner:
    """How to go about it.

    Attributes:
        workers: files decoded at the same time; 0: as many as there are cores.
        is_dry: only tell what would be done.
        is_stubborn: read files again that were refused before.
        stopping: asked between files; what is in hand is finished.
    """

    workers: int = 0
    is_dry: bool = False
    is_stubborn: bool = False
    stopping: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class _Read:
    """A file that was opened: what it held, and what is to be written of it."""

    file: Path
    look: Look
    held: ReadBefore
    result: Prepared | Enrolment


@dataclass
class _Import:
    enroller: Enroller
    rows: Mapping[str, Mapping[str, str]]
    manner: Manner
    _open: set["Future[_Read | Enrolment]"] = field(default_factory=set)
    _read: list[_Read] = field(default_factory=list)
    _own: threading.local = field(default_factory=threading.local)

    def run(self, files: Sequence[Path]) -> Iterator[Enrolment]:
        workers = self.manner.workers or os.cpu_count() or 1
        with (
            contextlib.ExitStack() as decoders,
            ThreadPoolExecutor(
                workers, thread_name_prefix="enrol", initializer=self._give_decoder, initargs=(decoders,)
            ) as pool,
        ):
            for file, look in self._unread(files):
                if self.manner.stopping():
                    break
                if isinstance(look, Enrolment):
                    yield look
                    continue
                self._open.add(pool.submit(self._read_file, file, look))
                if len(self._open) >= workers * AHEAD:
                    yield from self._collect()
            while self._open:
                yield from self._collect()
        yield from self._write()

    def _give_decoder(self, decoders: contextlib.ExitStack) -> None:
        self._own.decoder = decoders.enter_context(FileDecoder())

    def _unread(self, files: Sequence[Path]) -> Iterator[tuple[Path, Look | Enrolment]]:
        """Give each file with a look at it, or with what is known of it already."""
        remaining = iter(files)
        while some := list(islice(remaining, LOOKS_AT_ONCE)):
            looks: dict[Path, Look] = {}
            for file in some:
                try:
                    looks[file] = look_at(file)
                except OSError as error:
                    yield file, refused(file, error)
            with self.enroller.database.read() as session:
                before = read_before(session, self.enroller.organisation_id, list(looks.values()))
            known = self.enroller.find_known([one.content_sha256 for one in before.values()])
            for file, look in looks.items():
                yield file, self._told_before(file, before.get(look.path), known) or look

    def _told_before(self, file: Path, before: ReadBefore | None, known: Mapping[str, Recording]) -> Enrolment | None:
        if before is None:
            return None
        if before.refusal is not None:
            return None if self.manner.is_stubborn else Enrolment(file, "refused", reason=before.refusal)
        recording = known.get(before.content_sha256)
        return None if recording is None else Enrolment(file, "known", recording.id, recording.title)

    def _read_file(self, file: Path, look: Look) -> "_Read | Enrolment":
        """Open a file and make of it what is to be stored. Runs in a thread."""
        try:
            digest = sha256_of(file)
        except OSError as error:
            return refused(file, error)
        held = ReadBefore(digest, None)
        known = self.enroller.find_known([digest]).get(digest)
        if known is not None:
            return _Read(file, look, held, Enrolment(file, "known", known.id, known.title))
        if self.manner.is_dry:
            return Enrolment(file, "new")
        try:
            return _Read(
                file, look, held, self.enroller.prepare(file, digest, self.rows.get(file.name, {}), self._own.decoder)
            )
        except UnavailableError:
            raise
        except (AirledgerError, OSError) as error:
            told = refused(file, error)
            # Only what lies in the file itself will be so again; a row of the table or a full disk may be mended.
            is_lasting = getattr(error, "code", "") == "media_unreadable"
            return _Read(file, look, ReadBefore(digest, told.reason), told) if is_lasting else told

    def _collect(self) -> Iterator[Enrolment]:
        """Wait for at least one file, and write when enough are there."""
        done, self._open = wait(self._open, return_when=FIRST_COMPLETED)
        for one in done:
            result = one.result()
            if isinstance(result, _Read):
                self._read.append(result)
            else:
                yield result
        if len(self._read) >= ROWS_AT_ONCE or not self._open:
            yield from self._write()

    def _write(self) -> Iterator[Enrolment]:
        read, self._read = self._read, []
        if not read:
            return
        prepared = [one.result for one in read if isinstance(one.result, Prepared)]
        stored = self.enroller.store(prepared) if prepared else []
        if not self.manner.is_dry:
            with self.enroller.database.unit() as unit:
                held = [(one.look, one.held) for one in read]
                remember(unit, self.enroller.organisation_id, held, now=self.enroller.clock.now())
        yield from stored
        yield from (one.result for one in read if isinstance(one.result, Enrolment))


def enrol_many(
    enroller: Enroller,
    files: Sequence[Path],
    rows: Mapping[str, Mapping[str, str]],
    manner: Manner | None = None,
) -> Iterator[Enrolment]:
    """Enrol files, some at a time; one that cannot be used is refused with its reason and the rest goes on.

    Args:
        enroller: For whom, by which parameters.
        files: Which.
        rows: What a table says of them, by file name.
        manner: How many at a time, and the like.

    Returns:
        What became of each, in no certain order.

    Raises:
        UnavailableError: The database or storage went away; run it again, and it goes on.
    """
    return _Import(enroller, rows, manner or Manner()).run(files)
