"""Fingerprinting one track on request, by a profile of the caller's choice; from then on it is listened for."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from airledger.fingerprint.params import PROFILES, params_hash
from airledger.platform.errors import AirledgerError, InputError
from airledger.platform.storage import Storage
from airledger.recognition.decode import FileDecoder
from airledger.recognition.enrol import Enroller, Enrolment, refused, sha256_of
from airledger.recognition.models import Fingerprint
from airledger.recognition.profiles import ProfileName, usable_hashes
from airledger.recognition.renew import fetch_source, sound_of
from airledger.repertoire.recordings import get_recording


@dataclass(frozen=True)
class Wish:
    """Which track: a file that was uploaded, or a recording whose sound is at hand.

    Attributes:
        key: Of the upload in storage.
        name: The file's name as it was given.
        row: What the caller says of it: title, artist, album, label, isrc, class.
        recording_id: The recording that is to be fingerprinted anew.
    """

    key: str | None = None
    name: str = ""
    row: Mapping[str, str] | None = None
    recording_id: str | None = None


@dataclass(frozen=True)
class FingerprintMade:
    """What became of one track: the mission's FingerprintMetadata and FingerprintQuality.

    Attributes:
        outcome: enrolled, renewed, known or refused.
        track: What the caller called it: the file's name or the recording's id.
        processing_ms: Wall time of decoding, fingerprinting and storing.
        quality: Duration, energy, peak density, self-similarity, score and problems.
    """

    outcome: str
    track: str
    recording_id: str | None = None
    title: str = ""
    reason: str = ""
    profile: str | None = None
    engine_version: str | None = None
    params_hash: str | None = None
    duration_ms: int | None = None
    quality: dict[str, Any] | None = None
    processing_ms: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as a task's result."""
        return asdict(self)


def with_profile(enroller: Enroller, profile: ProfileName) -> Enroller:
    """Have an enroller use another profile, if the library's index can be made from what it makes.

    Raises:
        InputError: It cannot: the index is of a denser profile.
    """
    other = replace(enroller, params=PROFILES[profile])
    if params_hash(other.params) not in usable_hashes(enroller.params):
        raise InputError(f"the library's index is denser than {profile!r}: choose 'high_quality'")
    return other


def fingerprint_track(enroller: Enroller, storage: Storage, wish: Wish, decoder: FileDecoder) -> FingerprintMade:
    """Decode a track in the sandbox, fingerprint and enrol it; one that cannot be used is refused with its reason.

    Doing it again changes nothing. The upload stays where it is.
    """
    began = time.monotonic()
    name = wish.name or wish.recording_id or ""
    try:
        if wish.recording_id is not None:
            done = _again(enroller, UUID(wish.recording_id), decoder)
        else:
            done = _upload(enroller, storage, wish, decoder)
    except (AirledgerError, OSError) as error:
        if isinstance(error, AirledgerError) and error.status >= 500:  # noqa: PLR2004  our fault: tried again
            raise
        done = refused(Path(name or "upload"), error)
    elapsed_ms = round((time.monotonic() - began) * 1000)
    return _told(enroller, done, name, elapsed_ms)


def _upload(enroller: Enroller, storage: Storage, wish: Wish, decoder: FileDecoder) -> Enrolment:
    if wish.key is None:
        raise InputError("give a file or a recording")
    with tempfile.TemporaryDirectory(prefix="airledger-upload-") as folder:
        copy = Path(folder) / (Path(wish.name).name[-100:] or "upload")
        fetch_source(storage, wish.key, copy)
        digest = sha256_of(copy)
        known = enroller.find_known([digest]).get(digest)
        if known is not None:
            return Enrolment(copy, "known", known.id, known.title)
        return enroller.store([enroller.prepare(copy, digest, wish.row or {}, decoder)])[0]


def _again(enroller: Enroller, recording_id: UUID, decoder: FileDecoder) -> Enrolment:
    """Fingerprint a recording anew, if its present fingerprint is not of these parameters already."""
    with enroller.database.read() as session:
        recording = get_recording(session, enroller.organisation_id, recording_id)
        source_key = session.scalar(select(Fingerprint.source_key).where(Fingerprint.recording_id == recording_id))
    digest = recording.content_sha256
    if digest in enroller.find_known([digest]):
        return Enrolment(Path(recording.source_name), "known", recording.id, recording.title)
    for file in sound_of(enroller, enroller.organisation_id, digest, source_key, recording.source_name):
        return enroller.store([enroller.prepare(file, digest, {}, decoder)])[0]
    raise InputError(f"the sound of {recording.title!r} is not kept here (setting keep_sources): upload its file again")


def _told(enroller: Enroller, done: Enrolment, name: str, elapsed_ms: int) -> FingerprintMade:
    made = FingerprintMade(
        outcome=done.outcome,
        track=name,
        recording_id=str(done.recording_id) if done.recording_id else None,
        title=done.title,
        reason=done.reason,
        processing_ms=elapsed_ms,
    )
    if done.recording_id is None:
        return made
    with enroller.database.read() as session:
        row = session.scalar(select(Fingerprint).where(Fingerprint.recording_id == done.recording_id))
    if row is None:
        return made
    return replace(
        made,
        profile=row.profile,
        engine_version=row.engine_version,
        params_hash=row.params_hash,
        duration_ms=row.duration_ms,
        quality=row.quality,
    )
