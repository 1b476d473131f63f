"""Making recordings known: decode, describe, fingerprint, store. Then they are listened for."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.audio.audible import audible_span
from airledger.fingerprint.params import ENGINE_VERSION, Params, params_hash
from airledger.fingerprint.peaks import extract
from airledger.fingerprint.quality import assess
from airledger.platform.audit import Actor, record_change
from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError, InputError
from airledger.platform.events import publish
from airledger.platform.storage import Storage
from airledger.recognition.changes import forget_tracks, next_revision
from airledger.recognition.decode import FileDecoder, decode_file
from airledger.recognition.events import RecordingEnrolled
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import to_bytes
from airledger.recognition.profiles import profile_of, usable_hashes
from airledger.repertoire.describe import Description, from_tags, with_row
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import add_recording, find_by_content

SOUND_FILES = frozenset(
    {".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".mp4", ".aif", ".aiff", ".wma"}
)
LEAST_DURATION_S = 3.0

Outcome = Literal["enrolled", "renewed", "known", "refused", "new"]


@dataclass(frozen=True)
class Enrolment:
    """What became of one file.

    Attributes:
        file: Which.
        outcome: enrolled; renewed: it was known, its fingerprint was made anew; known: nothing was to be done;
            refused, with its reason; new: it would be read if this were not a dry run.
        recording_id: The recording that it is.
        title: Its title.
        reason: Why it was refused.
        duration_s: Length of the sound that was read for this; 0 where none was.
    """

    file: Path
    outcome: Outcome
    recording_id: UUID | None = None
    title: str = ""
    reason: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Prepared:
    """A file that was decoded and fingerprinted, its objects stored; only the rows are missing."""

    file: Path
    content_sha256: str
    described: Description
    tags: dict[str, str]
    duration_s: float
    audible_from_s: float
    audible_to_s: float
    quality: dict[str, Any]
    peaks_key: str
    source_key: str | None


@dataclass(frozen=True)
class Enroller:
    """Enrols files for one organisation.

    Attributes:
        database: Where the rows go.
        storage: Where the peaks go.
        clock: Tells the time.
        params: The engine's parameters.
        organisation_id: Whose recordings they become.
        actor: Who does it.
        keep_sources: Keep the files themselves too, so that a later engine can read them again.
    """

    database: Database
    storage: Storage
    clock: Clock
    params: Params
    organisation_id: UUID
    actor: Actor
    keep_sources: bool = False

    def enrol(self, file: Path, row: Mapping[str, str]) -> Enrolment:
        """Enrol one file; doing it again changes nothing."""
        try:
            digest = sha256_of(file)
            known = self.find_known([digest]).get(digest)
            if known is not None:
                return Enrolment(file, "known", known.id, known.title)
            return self.store([self.prepare(file, digest, row)])[0]
        except (AirledgerError, OSError) as error:
            return refused(file, error)

    def find_known(self, digests: Sequence[str]) -> dict[str, Recording]:
        """Find the recordings with these contents that are listened for by a fingerprint that can be used."""
        with self.database.read() as session:
            return self._known(session, digests)

    def prepare(self, file: Path, digest: str, row: Mapping[str, str], decoder: FileDecoder | None = None) -> Prepared:
        """Decode and fingerprint a file and store its peaks. Takes no lock; many threads may do it.

        Args:
            file: Which.
            digest: The SHA-256 of its bytes.
            row: What a table says of it.
            decoder: This thread's own, where many files are read.

        Raises:
            InputError: It cannot be used; the message says why.
            OSError: It cannot be read, or storage is full.
        """
        decoded = decode_file(file) if decoder is None else decoder.decode(file)
        if decoded.duration_s < LEAST_DURATION_S:
            raise InputError(f"{file.name} is {decoded.duration_s:.1f} s long: too short to be recognised on air")
        described = with_row(from_tags(decoded.tags, file), row)
        peaks = extract(decoded.pcm, self.params, dense="reference")
        if not len(peaks):
            raise InputError(f"{file.name} is silent: there is nothing to recognise")
        audible_from_s, audible_to_s = audible_span(decoded.pcm)
        folder = f"{self.organisation_id.hex}/{digest[:2]}/{digest}"
        # A name that is never used twice, so that clearing away what no row names can never meet a fresh object.
        peaks_key = f"peaks/{folder}-{secrets.token_hex(4)}.npz"
        self.storage.put(peaks_key, to_bytes(peaks))
        source_key = None
        if self.keep_sources:
            source_key = f"sources/{folder}-{secrets.token_hex(4)}"
            with file.open("rb") as opened:
                self.storage.put(source_key, opened)
        return Prepared(
            file=file,
            content_sha256=digest,
            described=described,
            tags=dict(decoded.tags),
            duration_s=decoded.duration_s,
            audible_from_s=audible_from_s,
            audible_to_s=audible_to_s,
            quality=asdict(assess(decoded.pcm, self.params, peaks)),
            peaks_key=peaks_key,
            source_key=source_key,
        )

    def store(self, prepared: Sequence[Prepared]) -> list[Enrolment]:
        """Write the rows of some files in one unit, which is short: what takes long was done before."""
        stored: list[Enrolment] = []
        superfluous: list[str] = []
        with self.database.unit() as unit:
            revision = next_revision(unit.session)
            for one in prepared:
                known = self._known(unit.session, [one.content_sha256]).get(one.content_sha256)
                if known is not None:  # another process was quicker, or the same content came twice
                    stored.append(Enrolment(one.file, "known", known.id, known.title, duration_s=one.duration_s))
                    superfluous += [key for key in (one.peaks_key, one.source_key) if key]
                else:
                    stored.append(self._write(unit, one, revision))
        for key in superfluous:
            self.storage.delete(key)
        return stored

    def _known(self, session: Session, digests: Sequence[str]) -> dict[str, Recording]:
        query = (
            select(Recording)
            .join(Fingerprint, Fingerprint.recording_id == Recording.id)
            .where(
                Recording.organisation_id == self.organisation_id,
                Recording.content_sha256.in_(digests),
                Fingerprint.params_hash.in_(usable_hashes(self.params)),
            )
        )
        return {row.content_sha256: row for row in session.scalars(query)}

    def _write(self, unit: Unit, one: Prepared, revision: int) -> Enrolment:
        now = self.clock.now()
        recording = find_by_content(unit.session, self.organisation_id, one.content_sha256)
        outcome: Outcome = "enrolled"
        if recording is None:
            recording = add_recording(
                unit,
                self.actor,
                self.organisation_id,
                one.described,
                duration_ms=round(one.duration_s * 1000),
                source_name=one.file.name,
                content_sha256=one.content_sha256,
                tags=dict(one.tags),
                at=now,
            )
        else:
            outcome = "renewed"
            recording.removed_at = None
            record_change(unit, self.actor, "renewed", "recording", recording.id, {}, at=now)
            old = select(Fingerprint.track).where(Fingerprint.recording_id == recording.id)
            forget_tracks(unit, list(unit.session.scalars(old)), now)
        fingerprint = self._fingerprint(recording.id, one, revision)
        unit.session.add(fingerprint)
        unit.session.flush()
        told = RecordingEnrolled(recording_id=recording.id, track=fingerprint.track)
        publish(unit, told, at=now, organisation_id=self.organisation_id)
        return Enrolment(one.file, outcome, recording.id, recording.title, duration_s=one.duration_s)

    def _fingerprint(self, recording_id: UUID, one: Prepared, revision: int) -> Fingerprint:
        made_with = params_hash(self.params)
        return Fingerprint(
            recording_id=recording_id,
            organisation_id=self.organisation_id,
            engine_version=str(ENGINE_VERSION),
            params_hash=made_with,
            profile=profile_of(made_with),
            peaks_key=one.peaks_key,
            duration_ms=round(one.duration_s * 1000),
            audible_from_ms=round(one.audible_from_s * 1000),
            audible_to_ms=round(one.audible_to_s * 1000),
            quality=one.quality,
            created_at=self.clock.now(),
            source_sha256=one.content_sha256,
            source_key=one.source_key,
            revision=revision,
        )


def refused(file: Path, error: AirledgerError | OSError) -> Enrolment:
    """Tell that a file cannot be used, and why."""
    if isinstance(error, AirledgerError):
        return Enrolment(file, "refused", reason=error.message)
    return Enrolment(file, "refused", reason=f"{file} cannot be read: {error.strerror or error}")


def sound_files(paths: Sequence[Path]) -> list[Path]:
    """List the sound files that the paths name, folders with all that lies below them.

    Raises:
        InputError: A path does not exist.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if file.suffix.lower() in SOUND_FILES and file.is_file())
        elif path.is_file():
            files.append(path)
        else:
            raise InputError(f"there is no file or folder {path}")
    return files


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
