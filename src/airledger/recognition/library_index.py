"""The index of everything enrolled, kept in step with the rows.

Rows and peak objects are the truth; the index folder is a cache of them that any process can complete. So a crash
between the two loses nothing, and a machine with an empty disk makes its own index.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.index import Index
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import Peaks
from airledger.platform.db import Database
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import from_bytes

BATCH = 200

log = logger(__name__)


@dataclass(frozen=True)
class Enrolled:
    """Which recording a track number of the index stands for."""

    recording_id: UUID
    organisation_id: UUID
    audible_from_s: float
    audible_to_s: float


class LibraryIndex:
    """The local index, and what its track numbers mean."""

    def __init__(
        self, folder: Path, database: Database, storage: Storage, params: Params = PROFILES["balanced"]
    ) -> None:
        self._folder = folder
        self._database = database
        self._storage = storage
        self._params = params
        self._lock = threading.Lock()
        self._seen: tuple[int, int] = (-1, -1)
        self.index = _open(folder, params)
        self.tracks: dict[int, Enrolled] = {}

    @property
    def params(self) -> Params:
        """The engine's parameters of this index."""
        return self._params

    def sync(self) -> int:
        """Bring index and meaning up to the rows; return how many tracks were added. Cheap when nothing changed."""
        with self._lock:
            with self._database.read() as session:
                count, newest = session.execute(
                    select(func.count(), func.coalesce(func.max(Fingerprint.track), 0)).select_from(Fingerprint)
                ).one()
                if (count, newest) == self._seen:
                    return 0
                rows = session.execute(
                    select(
                        Fingerprint.track,
                        Fingerprint.recording_id,
                        Fingerprint.organisation_id,
                        Fingerprint.audible_from_ms,
                        Fingerprint.audible_to_ms,
                        Fingerprint.peaks_key,
                    )
                ).all()
            added = self._complete({row.track: row.peaks_key for row in rows})
            self.tracks = {
                row.track: Enrolled(
                    row.recording_id, row.organisation_id, row.audible_from_ms / 1000, row.audible_to_ms / 1000
                )
                for row in rows
            }
            self._seen = (count, newest)
            return added

    def _complete(self, wanted: dict[int, str]) -> int:
        self.index.refresh()
        present = set(self.index.track_numbers())
        missing = sorted(set(wanted) - present)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            self.index.add({track: self._peaks(wanted[track]) for track in batch})
        surplus = present - set(wanted)
        if surplus:
            self.index.remove(surplus)
        return len(missing)

    def _peaks(self, key: str) -> Peaks:
        with self._storage.open(key) as file:
            return from_bytes(file.read())


def _open(folder: Path, params: Params) -> Index:
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
