"""The index of unknown sound: a cache of the kept stretches, in which a sound finds where it was heard before."""

import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import Candidate, match
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import Peaks, strongest
from airledger.listening.models import COMPARED, KEPT, UnknownSound
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.peaks_file import from_bytes

BATCH = 50
WHOLE_EVERY_S = 3_600.0
IDS_AT_ONCE = 500

log = logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where and when a kept stretch was heard; air times in seconds since 1970."""

    number: int
    id: UUID
    organisation_id: UUID
    session_id: UUID
    stream_id: int
    station_id: int | None
    start_s: float
    end_s: float
    peaks_key: str


class UnknownIndex:
    """The local index of unknown sound. Rows and objects are the truth; any process completes its copy from them."""

    def __init__(
        self, folder: Path, database: Database, storage: Storage, params: Params = PROFILES["balanced"]
    ) -> None:
        self.params = params
        self._folder = folder
        self._database = database
        self._storage = storage
        self._lock = threading.Lock()
        self._whole_at = -WHOLE_EVERY_S
        self._index: Index | None = None

    @property
    def index(self) -> Index:
        """The engine's index; opened when it is first needed."""
        if self._index is None:
            self._index = _open(self._folder, self.params)
        return self._index

    def sync(self) -> int:
        """Take in stretches that were closed since, and now and then drop those that were forgotten."""
        with self._lock:
            self.index.refresh()
            is_whole = time.monotonic() - self._whole_at >= WHOLE_EVERY_S
            states = (KEPT, COMPARED) if is_whole else (KEPT,)
            with self._database.read() as session:
                query = select(UnknownSound.number, UnknownSound.peaks_key).where(UnknownSound.state.in_(states))
                wanted = {row.number: row.peaks_key for row in session.execute(query)}
            present = set(self.index.track_numbers()) if is_whole else {n for n in wanted if n in self.index}
            missing = sorted(set(wanted) - present)
            for start in range(0, len(missing), BATCH):
                self._add({number: wanted[number] for number in missing[start : start + BATCH]})
            if missing and self.index.merge_due():
                self.index.merge()
            if is_whole:
                self.index.remove(present - set(wanted))
                self._whole_at = time.monotonic()
            return len(missing)

    def look_up(
        self,
        peaks: Peaks,
        *,
        limit: int = 8,
        exclude: Collection[int] = (),
        speed: float | None = None,
        all_speeds: bool = True,
    ) -> list[Candidate]:
        """Find the kept stretches that hold a sound.

        Args:
            peaks: Of the sound.
            limit: At most so many.
            exclude: Stretches that may not answer.
            speed: At which it is expected to be played, beside as it is.
            all_speeds: Try all others too, which costs several times as much.
        """
        return match(self.index, peaks, limit=limit, exclude=exclude, speeds_hint=speed, bank=all_speeds)

    def peaks_of(self, place: Place) -> Peaks | None:
        """Fetch the peaks of a stretch; None when its object is gone or damaged."""
        return self._load(place.peaks_key)

    def _add(self, keys: dict[int, str]) -> None:
        loaded = {number: self._load(key) for number, key in keys.items()}
        per_s = self.params.reference_peaks_per_s
        self.index.add(
            {number: strongest(one, per_s) for number, one in loaded.items() if one is not None and len(one)}
        )

    def _load(self, key: str) -> Peaks | None:
        try:
            with self._storage.open(key) as file:
                return from_bytes(file.read())
        except AirledgerError as error:
            log.warning("unknown_peaks_missing", key=key, error=error.message)
            return None


def places(session: Session, numbers: Collection[int]) -> dict[int, Place]:
    """Tell where and when stretches were heard; those that are forgotten are left out."""
    found: dict[int, Place] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = select(UnknownSound).where(UnknownSound.number.in_(wanted[start : start + IDS_AT_ONCE]))
        found.update((row.number, place_of(row)) for row in session.scalars(some))
    return found


def place_of(row: UnknownSound) -> Place:
    """Tell where and when a stretch was heard."""
    return Place(
        row.number,
        row.id,
        row.organisation_id,
        row.session_id,
        row.stream_id,
        row.station_id,
        row.started_at.timestamp(),
        row.ended_at.timestamp(),
        row.peaks_key,
    )


def in_order(found: Sequence[Place]) -> list[Place]:
    """Sort stretches by stream and time."""
    return sorted(found, key=lambda place: (place.stream_id, place.start_s))


def _open(folder: Path, params: Params) -> Index:
    """Open the index; one that is damaged or of other parameters is made anew, for it is only a cache."""
    try:
        return Index.open(folder, params)
    except FileNotFoundError:
        return _create(folder, params)
    except (IndexDamagedError, ParamsMismatchError) as error:
        log.warning("unknown_index_made_anew", folder=str(folder), error=str(error))
        for path in folder.iterdir():
            path.unlink()
        return _create(folder, params)


def _create(folder: Path, params: Params) -> Index:
    try:
        return Index.create(folder, params)
    except FileExistsError:  # another process was quicker
        return Index.open(folder, params)
