"""Clearing away what no recording needs any more: fingerprints, objects, notes of files."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import NotFoundError
from airledger.platform.storage import Storage
from airledger.platform.tasks.rows import PENDING, RUNNING, TaskRow
from airledger.recognition.changes import forget_tracks
from airledger.recognition.models import EnrolledFile, Fingerprint
from airledger.recognition.uploads import UPLOADS, UPLOADS_QUEUE
from airledger.repertoire.models import Recording

KEYS_AT_ONCE = 500
ROWS_AT_ONCE = 500
GRACE = timedelta(hours=12)  # an object is stored before the row that names it
REFUSALS_KEPT = timedelta(days=180)
ORPHANS_KEY = "library/orphans.json"


@dataclass(frozen=True)
class Cleared:
    """What was removed."""

    fingerprints: int
    objects: int
    files: int


def clear_library(
    database: Database, storage: Storage, clock: Clock, stopping: Callable[[], bool] = lambda: False
) -> Cleared:
    """Remove fingerprints of removed recordings, objects that no fingerprint names, and notes of files that are gone.

    An object is removed when it was without a row half a day ago and still is.
    """
    now = clock.now()
    fingerprints = _forget_removed(database, now)
    objects = _clear_objects(database, storage, now, stopping)
    return Cleared(fingerprints, objects, _forget_files(database, now))


def _forget_removed(database: Database, now: datetime) -> int:
    removed = (
        select(Fingerprint.track)
        .join(Recording, Recording.id == Fingerprint.recording_id)
        .where(Recording.removed_at.is_not(None))
        .limit(ROWS_AT_ONCE)
    )
    total = 0
    while True:
        with database.unit() as unit:
            tracks = list(unit.session.scalars(removed))
            forget_tracks(unit, tracks, now)
        total += len(tracks)
        if len(tracks) < ROWS_AT_ONCE:
            return total


def _clear_objects(database: Database, storage: Storage, now: datetime, stopping: Callable[[], bool]) -> int:
    noted = _read_orphans(storage)
    still: dict[str, str] = {}
    cleared = 0
    for key in _unnamed(database, storage):
        if stopping():
            return cleared
        since = noted.get(key, now.isoformat())
        if datetime.fromisoformat(since) <= now - GRACE:
            storage.delete(key)
            cleared += 1
        else:
            still[key] = since
    if still or noted:
        storage.put(ORPHANS_KEY, json.dumps(still).encode())
    return cleared


def _unnamed(database: Database, storage: Storage) -> Iterator[str]:
    """Give the objects below our prefixes that no row names."""
    for prefix, find_named in NAMED.items():
        keys = storage.list(prefix)
        while some := list(islice(keys, KEYS_AT_ONCE)):
            with database.read() as session:
                named = find_named(session, some)
            yield from (key for key in some if key not in named)


def _named_peaks(session: Session, keys: list[str]) -> set[str]:
    return set(session.scalars(select(Fingerprint.peaks_key).where(Fingerprint.peaks_key.in_(keys))))


def _named_sources(session: Session, keys: list[str]) -> set[str]:
    return {
        key for key in session.scalars(select(Fingerprint.source_key).where(Fingerprint.source_key.in_(keys))) if key
    }


def _named_uploads(session: Session, keys: list[str]) -> set[str]:
    """Return those that a task still waits to read."""
    del keys
    waiting = select(TaskRow.args).where(TaskRow.status.in_((PENDING, RUNNING)), TaskRow.queue == UPLOADS_QUEUE)
    return {text for args in session.scalars(waiting) for text in _texts(args)}


def _texts(value: object) -> Iterator[str]:
    """Give all texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


NAMED = {"peaks/": _named_peaks, "sources/": _named_sources, UPLOADS: _named_uploads}


def _read_orphans(storage: Storage) -> dict[str, str]:
    try:
        with storage.open(ORPHANS_KEY) as file:
            noted = json.load(file)
    except (NotFoundError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _forget_files(database: Database, now: datetime) -> int:
    """Forget files whose recording is no longer listened for, and refusals of long ago."""
    listened_for = select(Recording.content_sha256).where(
        Recording.organisation_id == EnrolledFile.organisation_id, Recording.removed_at.is_(None)
    )
    is_stale = or_(
        EnrolledFile.refusal.is_(None) & EnrolledFile.content_sha256.not_in(listened_for),
        EnrolledFile.refusal.is_not(None) & (EnrolledFile.seen_at < now - REFUSALS_KEPT),
    )
    some = select(EnrolledFile.organisation_id, EnrolledFile.path).where(is_stale).limit(ROWS_AT_ONCE)
    total = 0
    while True:
        with database.unit() as unit:
            rows = unit.session.execute(some).all()
            for organisation_id, path in rows:
                mine = (EnrolledFile.organisation_id == organisation_id) & (EnrolledFile.path == path)
                unit.session.execute(delete(EnrolledFile).where(mine))
        total += len(rows)
        if len(rows) < ROWS_AT_ONCE:
            return total
