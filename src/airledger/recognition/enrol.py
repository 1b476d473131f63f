"""Making recordings known: decode, describe, fingerprint, store. Then they are listened for."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from airledger.audio.audible import audible_span
from airledger.fingerprint.params import ENGINE_VERSION, Params, params_hash
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.quality import assess
from airledger.platform.audit import Actor
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError, InputError
from airledger.platform.storage import Storage
from airledger.recognition.decode import DecodedFile, decode_file
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import to_bytes
from airledger.repertoire.describe import from_tags, with_row
from airledger.repertoire.recordings import add_recording, find_by_content

SOUND_FILES = frozenset(
    {".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".mp4", ".aif", ".aiff", ".wma"}
)
LEAST_DURATION_S = 3.0
WORKERS = 2

Outcome = Literal["enrolled", "known", "refused"]


@dataclass(frozen=True)
class Enrolment:
    """What became of one file."""

    file: Path
    outcome: Outcome
    recording_id: UUID | None = None
    title: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Enroller:
    """Enrols files for one organisation."""

    database: Database
    storage: Storage
    clock: Clock
    params: Params
    organisation_id: UUID
    actor: Actor

    def enrol_files(
        self,
        files: Sequence[Path],
        rows: Mapping[str, Mapping[str, str]],
        *,
        monitor: Callable[[Enrolment], None] = lambda _: None,
    ) -> Iterator[Enrolment]:
        """Enrol files, some at a time; one that cannot be used is refused with its reason and the rest goes on."""
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="enrol") as pool:
            for enrolment in pool.map(lambda file: self.enrol(file, rows.get(file.name, {})), files):
                monitor(enrolment)
                yield enrolment

    def enrol(self, file: Path, row: Mapping[str, str]) -> Enrolment:
        """Enrol one file; doing it again changes nothing."""
        try:
            return self._enrol(file, row)
        except AirledgerError as error:
            return Enrolment(file, "refused", reason=error.message)
        except OSError as error:
            return Enrolment(file, "refused", reason=f"{file} cannot be read: {error.strerror}")

    def _enrol(self, file: Path, row: Mapping[str, str]) -> Enrolment:
        digest = sha256_of(file)
        with self.database.read() as session:
            known = find_by_content(session, self.organisation_id, digest)
        if known is not None:
            return Enrolment(file, "known", known.id, known.title)
        decoded = decode_file(file)
        if decoded.duration_s < LEAST_DURATION_S:
            raise InputError(f"{file.name} is {decoded.duration_s:.1f} s long: too short to be recognised on air")
        peaks = extract(decoded.pcm, self.params, dense="reference")
        if not len(peaks):
            raise InputError(f"{file.name} is silent: there is nothing to recognise")
        return self._store(file, row, digest, decoded, peaks)

    def _store(self, file: Path, row: Mapping[str, str], digest: str, decoded: DecodedFile, peaks: Peaks) -> Enrolment:
        described = with_row(from_tags(decoded.tags, file), row)
        now = self.clock.now()
        key = f"peaks/{self.organisation_id.hex}/{digest}.npz"
        self.storage.put(key, to_bytes(peaks))
        with self.database.unit() as unit:
            known = find_by_content(unit.session, self.organisation_id, digest)
            if known is not None:
                return Enrolment(file, "known", known.id, known.title)
            recording = add_recording(
                unit,
                self.actor,
                self.organisation_id,
                described,
                duration_ms=round(decoded.duration_s * 1000),
                source_name=file.name,
                content_sha256=digest,
                tags=dict(decoded.tags),
                at=now,
            )
            unit.session.add(self._fingerprint(recording.id, key, decoded, peaks, now))
        return Enrolment(file, "enrolled", recording.id, recording.title)

    def _fingerprint(
        self, recording_id: UUID, key: str, decoded: DecodedFile, peaks: Peaks, now: datetime
    ) -> Fingerprint:
        audible_from_s, audible_to_s = audible_span(decoded.pcm)
        quality: dict[str, Any] = asdict(assess(decoded.pcm, self.params, peaks))
        return Fingerprint(
            recording_id=recording_id,
            organisation_id=self.organisation_id,
            engine_version=str(ENGINE_VERSION),
            params_hash=params_hash(self.params),
            peaks_key=key,
            duration_ms=round(decoded.duration_s * 1000),
            audible_from_ms=round(audible_from_s * 1000),
            audible_to_ms=round(audible_to_s * 1000),
            quality=quality,
            created_at=now,
        )


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
