"""Looking whether the library is whole: every fingerprint has peaks that can be read, and the index holds it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from airledger.platform.db import Database
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.storage import Storage
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import from_bytes
from airledger.recognition.profiles import usable_hashes
from airledger.repertoire.models import Recording

PAGE = 500

Verdict = Literal["sound", "stale", "damaged", "not_indexed"]


@dataclass(frozen=True)
class Verified:
    """What was found of one recording.

    Attributes:
        verdict: sound; stale: fingerprinted by parameters that the index cannot use; damaged: its peaks cannot be
            read; not_indexed: the index lacks it.
        remedy: What to do, empty for what is sound.
    """

    recording_id: UUID
    title: str
    verdict: Verdict
    remedy: str = ""


def verify_library(database: Database, storage: Storage, library: LibraryIndex) -> Iterator[Verified]:
    """Look at every fingerprint; call the index's `sync` before."""
    usable, after = usable_hashes(library.params), 0
    while True:
        query = (
            select(
                Fingerprint.track,
                Fingerprint.recording_id,
                Fingerprint.params_hash,
                Fingerprint.peaks_key,
                Recording.title,
            )
            .join(Recording, Recording.id == Fingerprint.recording_id)
            .where(Fingerprint.track > after, Fingerprint.stands_for.is_(None))
            .order_by(Fingerprint.track)
            .limit(PAGE)
        )
        with database.read() as session:
            rows = session.execute(query).all()
        for row in rows:
            remedy = _damage(storage, row.peaks_key)
            if remedy:
                yield Verified(row.recording_id, row.title, "damaged", remedy)
            elif row.params_hash not in usable:
                text = "enrol its file again: it was fingerprinted by another engine or profile"
                yield Verified(row.recording_id, row.title, "stale", text)
            elif row.track not in library.index:
                text = "delete the index folder: it is made again"
                yield Verified(row.recording_id, row.title, "not_indexed", text)
            else:
                yield Verified(row.recording_id, row.title, "sound")
        if len(rows) < PAGE:
            return
        after = rows[-1].track


def _damage(storage: Storage, key: str) -> str:
    """Tell what is wrong with an object of peaks, empty when nothing is."""
    try:
        with storage.open(key) as file:
            from_bytes(file.read())
    except (InputError, NotFoundError) as error:
        return f"restore the object from a backup, or enrol its file again: {error.message}"
    return ""
