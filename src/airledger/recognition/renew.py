"""Fingerprints that the present engine cannot use: found, and made anew where their sound is still at hand."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.fingerprint.params import Params
from airledger.platform.audit import Actor
from airledger.platform.errors import AirledgerError, InputError, NotFoundError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.decode import FileDecoder
from airledger.recognition.enrol import Enroller, sha256_of
from airledger.recognition.known_files import look_at
from airledger.recognition.models import EnrolledFile, Fingerprint
from airledger.recognition.profiles import usable_hashes
from airledger.repertoire.models import Recording

PAGE = 100
COPY_BYTES = 1 << 20
ACTOR = "system:library"

log = logger(__name__)


@dataclass(frozen=True)
class Stale:
    """A fingerprint that the index leaves out, for it was made by other parameters."""

    track: int
    recording_id: UUID
    organisation_id: UUID
    content_sha256: str
    source_key: str | None
    source_name: str
    engine_version: str
    profile: str | None


@dataclass
class Renewed:
    """How many fingerprints were made anew, and how many wait for their files."""

    renewed: int = 0
    needs_file: int = 0


def count_stale(session: Session, params: Params) -> int:
    """Count the fingerprints that an index of these parameters has to leave out."""
    counted = select(func.count()).select_from(Fingerprint)
    return session.scalar(counted.where(Fingerprint.params_hash.not_in(usable_hashes(params)))) or 0


def find_stale(session: Session, params: Params, *, after: int = 0, limit: int = PAGE) -> list[Stale]:
    """List fingerprints that an index of these parameters has to leave out, by track number."""
    query = (
        select(
            Fingerprint.track,
            Fingerprint.recording_id,
            Fingerprint.organisation_id,
            Recording.content_sha256,
            Fingerprint.source_key,
            Recording.source_name,
            Fingerprint.engine_version,
            Fingerprint.profile,
        )
        .join(Recording, Recording.id == Fingerprint.recording_id)
        .where(Fingerprint.params_hash.not_in(usable_hashes(params)), Fingerprint.track > after)
        .order_by(Fingerprint.track)
        .limit(limit)
    )
    return [Stale(*row) for row in session.execute(query)]


def renew_stale(
    make: Callable[[UUID, Actor], Enroller], any_enroller: Enroller, stopping: Callable[[], bool]
) -> Renewed:
    """Fingerprint anew what is stale and whose sound is in storage, or on this machine where it was read first.

    Args:
        make: Makes the enroller of an organisation.
        any_enroller: Of the present parameters.
        stopping: Asked between files.
    """
    done, after = Renewed(), 0
    with FileDecoder() as decoder:
        while not stopping():
            with any_enroller.database.read() as session:
                page = find_stale(session, any_enroller.params, after=after)
            if not page:
                break
            after = page[-1].track
            for stale in page:
                if stopping():
                    break
                is_renewed = _renew(make(stale.organisation_id, Actor(ACTOR, stale.organisation_id)), stale, decoder)
                done.renewed += is_renewed
                done.needs_file += not is_renewed
    return done


def _renew(enroller: Enroller, stale: Stale, decoder: FileDecoder) -> bool:
    try:
        for file in sound_of(
            enroller, stale.organisation_id, stale.content_sha256, stale.source_key, stale.source_name
        ):
            enroller.store([enroller.prepare(file, stale.content_sha256, {}, decoder)])
            return True
    except (InputError, NotFoundError, OSError) as error:
        text = error.message if isinstance(error, AirledgerError) else str(error)
        log.warning("fingerprint_not_renewed", recording=str(stale.recording_id), error=text)
    return False


def sound_of(
    enroller: Enroller, organisation_id: UUID, content_sha256: str, source_key: str | None, name: str
) -> Iterator[Path]:
    """Give a recording's file, from storage or from where it was read on this machine, if it still is the same.

    A copy from storage lasts until the next one is asked for.
    """
    if source_key is not None:
        with tempfile.TemporaryDirectory(prefix="airledger-renew-") as folder:
            copy = Path(folder) / (Path(name).name or "source")
            fetch_source(enroller.storage, source_key, copy)
            yield copy
        return
    with enroller.database.read() as session:
        query = select(EnrolledFile.path).where(
            EnrolledFile.organisation_id == organisation_id, EnrolledFile.content_sha256 == content_sha256
        )
        paths = [Path(path) for path in session.scalars(query)]
    for path in paths:
        if path.is_file() and look_at(path).size_bytes and sha256_of(path) == content_sha256:
            yield path
            return


def fetch_source(storage: Storage, key: str, copy: Path) -> None:
    """Copy an object of storage to a file."""
    with storage.open(key) as source, copy.open("wb") as target:
        while block := source.read(COPY_BYTES):
            target.write(block)
