"""The index of everything enrolled, kept in step with the rows.

Rows and peak objects are the truth; the index is a cache of them. Where each machine has its own (`LocalSegments`), any
process completes it; where segments are built once and published (`shards_view`), processes fetch them.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.errors import FingerprintError
from airledger.fingerprint.index import Index
from airledger.fingerprint.params import PROFILES, Params
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.changes import read_changes
from airledger.recognition.local_segments import LocalSegments
from airledger.recognition.profiles import usable_hashes
from airledger.recognition.tracks import TrackTable

FULL_READ_S = 7 * 86_400.0  # well before the rows that tell of removed tracks go

log = logger(__name__)


class Segments(Protocol):
    """Where the segments of an index come from."""

    index: Index

    def follow(self, tracks: NDArray[np.int64], *, wait: bool) -> int:
        """Bring the segments up to these tracks; return how many were added. Not waiting, it may leave some out."""

    def is_behind(self) -> bool:
        """Whether the last call left something out."""


class LibraryIndex:
    """The index of this process, and what its track numbers mean.

    May be used by many threads. `sync` brings it up to date; `sync_soon` does so without keeping the caller.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        storage: Storage,
        params: Params = PROFILES["balanced"],
        segments: Segments | None = None,
    ) -> None:
        self._database = database
        self._params = params
        self._segments = segments or LocalSegments(folder, database, storage, params)
        self._lock = threading.Lock()
        self._revision = -1
        self._read_at_s = 0.0
        self._background: threading.Thread | None = None
        self.tracks = TrackTable.empty()

    @property
    def index(self) -> Index:
        """The engine's index."""
        return self._segments.index

    @property
    def params(self) -> Params:
        """The engine's parameters of this index."""
        return self._params

    @property
    def revision(self) -> int:
        """The number of the library's last change that is in here; -1 before the first `sync`."""
        return self._revision

    def sync(self) -> int:
        """Bring index and meaning up to the rows; return how many tracks were added. Cheap when nothing changed."""
        with self._lock:
            return self._sync(wait=True)

    def sync_soon(self) -> None:
        """Begin to bring it up to date in a thread of its own, unless one is at it already."""
        if self._background is None or not self._background.is_alive():
            self._background = threading.Thread(target=self._sync_aside, name="library-sync", daemon=True)
            self._background.start()

    def merge(self, stopping: Callable[[], bool]) -> bool:
        """Merge segments while that is due, so that a question looks into few of them; tell whether it did."""
        merged = False
        while not stopping() and self.index.merge_due() and self.index.merge():
            merged = True
        return merged

    def _sync_aside(self) -> None:
        try:
            with self._lock:
                self._sync(wait=False)
        except (AirledgerError, FingerprintError, OSError) as error:
            log.warning("library_not_synced", error=str(error))

    def _sync(self, *, wait: bool) -> int:
        since = self._revision if time.monotonic() - self._read_at_s < FULL_READ_S else -1
        with self._database.read() as session:
            changes = read_changes(session, since, usable_hashes(self._params))
            if changes is not None:
                before = TrackTable.empty() if since < 0 else self.tracks.without(changes.removed)
                self.tracks = before.with_rows(changes.pages)
                self._revision, self._read_at_s = changes.revision, time.monotonic()
        if changes is None and not self._segments.is_behind():
            return 0
        return self._segments.follow(self.tracks.numbers, wait=wait)
