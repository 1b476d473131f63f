"""The index folder of one machine: completed from rows and peak objects by whichever process comes first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.index import Index
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks
from airledger.platform.db import Database
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import from_bytes
from airledger.recognition.profiles import fitted

BATCH = 400  # tracks in memory at a time: some 100 MB with all their postings
LOCK_NAME = "completing.lock"

log = logger(__name__)


class LocalSegments:
    """An index folder beside the database.

    A process that finds another one completing it only looks at what is there, unless it was told to wait.
    """

    def __init__(self, folder: Path, database: Database, storage: Storage, params: Params) -> None:
        self._folder = folder
        self._database = database
        self._storage = storage
        self._params = params
        self._behind = False
        self.index = open_or_make(folder, params)

    def is_behind(self) -> bool:
        """Whether another process was at work, so that tracks may be missing."""
        return self._behind

    def follow(self, tracks: NDArray[np.int64], *, wait: bool) -> int:
        """Make the index hold exactly these tracks.

        Args:
            tracks: int64[n], rising.
            wait: until another process that is completing it has ended.

        Returns:
            How many were added.
        """
        with file_lock(self._folder / LOCK_NAME, wait=wait) as is_mine:
            self.index.refresh()
            self._behind = not is_mine
            if not is_mine:
                return 0
            added, _ = complete(self.index, self._database, self._storage, tracks)
        return added


def complete(index: Index, database: Database, storage: Storage, tracks: NDArray[np.int64]) -> tuple[int, int]:
    """Make an index hold exactly these tracks, in batches that need some 100 MB.

    Args:
        index: which nobody else completes meanwhile.
        database: has their rows.
        storage: has their peaks.
        tracks: int64[n], rising.

    Returns:
        How many tracks were added, and how many removed.
    """
    present = alive_numbers(index)
    missing = np.setdiff1d(tracks, present, assume_unique=True)
    added = 0
    for start in range(0, len(missing), BATCH):
        batch = dict(read_peaks(database, storage, index.params, missing[start : start + BATCH].tolist()))
        index.add(batch)
        added += len(batch)
    surplus = np.setdiff1d(present, tracks, assume_unique=True)
    if len(surplus):
        index.remove(surplus.tolist())
    return added, len(surplus)


def read_peaks(database: Database, storage: Storage, params: Params, numbers: list[int]) -> Iterator[tuple[int, Peaks]]:
    """Read the peaks of tracks at the density of an index; tracks that were removed meanwhile are left out."""
    with database.read() as session:
        columns = select(Fingerprint.track, Fingerprint.peaks_key, Fingerprint.params_hash)
        rows = session.execute(columns.where(Fingerprint.track.in_(numbers))).all()
    for track, key, made_with in rows:
        with storage.open(key) as file:
            yield track, fitted(from_bytes(file.read()), made_with, params)


def alive_numbers(index: Index) -> NDArray[np.int64]:
    """Return the numbers of all tracks of an index, rising."""
    parts = [live.segment.numbers[live.alive] for live in index.snapshot.segments]
    return np.sort(np.concatenate([np.empty(0, np.int64), *parts]))


@contextmanager
def file_lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Try to be the only process that holds a file; the system lets go when the process dies.

    Args:
        path: of the file, which is made if need be.
        wait: until whoever holds it lets go.

    Returns:
        Whether it is held.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield _locked(handle, wait=wait)
    finally:
        os.close(handle)


def _locked(handle: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_or_make(folder: Path, params: Params) -> Index:
    """Open the index; one that is damaged or of other parameters is set aside, for it can be made again."""
    try:
        return Index.open(folder, params)
    except FileNotFoundError:
        return _create(folder, params)
    except (IndexDamagedError, ParamsMismatchError) as error:
        aside = folder.with_name(f"{folder.name}.set-aside-{len(list(folder.parent.glob(folder.name + '*')))}")
        log.warning("index_set_aside", folder=str(folder), aside=str(aside), error=str(error))
        folder.rename(aside)
        return _create(folder, params)


def _create(folder: Path, params: Params) -> Index:
    try:
        return Index.create(folder, params)
    except FileExistsError:  # another process was quicker
        return Index.open(folder, params)
