"""Keeping evidence while listening: a thread that stores each detection's best window."""

import hashlib
import queue
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update

from airledger.audio.flac import MEDIA_TYPE, to_flac
from airledger.listening.evidence import day_folder, delete_objects
from airledger.listening.evidence_choice import CLIP_S, BestWindows, Clip
from airledger.listening.heard import HeardWindow
from airledger.listening.models import AudioDetection, EvidenceClip
from airledger.listening.tracker import Step
from airledger.listening.windows import RATE_HZ
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError, UnavailableError
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.storage import Storage
from airledger.recognition.peaks_file import coarse, to_bytes

WAITING_LIMIT = 200
BATCH = 20
WRITE_EVERY_S = 1.0
PATIENCE_S = 1_800.0

log = logger(__name__)


@dataclass(frozen=True, eq=False)
class _Stored:
    """A clip whose objects are written and whose row is not."""

    clip: Clip
    row: EvidenceClip
    since: datetime


class EvidenceKeeper:
    """Keeps evidence of one listener's detections; `observe` is its Observer. Start it, and stop it at the end."""

    def __init__(self, database: Database, storage: Storage, clock: Clock, counts: Counts) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._counts = counts
        self._best = BestWindows()
        self._waiting: queue.Queue[Clip] = queue.Queue(WAITING_LIMIT)
        self._unwritten: list[_Stored] = []
        self.failure: Exception | None = None  # a dead thread would keep nothing: the listener ends then
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="evidence", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Store what waits, then end."""
        self._stop.set()
        self._thread.join(timeout_s)

    def observe(self, heard: HeardWindow, step: Step) -> None:
        """Take a window that was tracked; the storing is left to the thread."""
        for clip in self._best.choose(heard, step):
            try:
                self._waiting.put_nowait(clip)
            except queue.Full:
                self._counts.add("evidence_dropped")

    def _run(self) -> None:
        try:
            while not self._stop.wait(WRITE_EVERY_S):
                self._turn()
            self._turn()
        except Exception as error:
            self.failure = error
            raise

    def _turn(self) -> None:
        """Store objects first, then rows; rows whose detection is not stored yet wait for it."""
        while clips := self._take():
            for clip in clips:
                self._store(clip)
        if not self._unwritten:
            return
        try:
            self._write()
        except UnavailableError as error:
            log.warning("evidence_waits", clips=len(self._unwritten), error=error.message)

    def _take(self) -> list[Clip]:
        clips: list[Clip] = []
        while len(clips) < BATCH:
            try:
                clips.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return clips

    def _store(self, clip: Clip) -> None:
        try:
            row = store_clip(self._storage, clip, self._clock.now())
        except (OSError, AirledgerError) as error:
            self._counts.add("evidence_dropped")
            log.warning("evidence_not_stored", detection=str(clip.detection_id), error=str(error))
            return
        self._unwritten = [one for one in self._unwritten if one.row.detection_id != clip.detection_id]
        self._unwritten.append(_Stored(clip, row, self._clock.now()))

    def _write(self) -> None:
        now = self._clock.now()
        with self._database.unit() as unit:
            written = write_rows(unit, self._storage, [one.row for one in self._unwritten])
        self._counts.add("evidence_kept", len(written))
        left = [one for one in self._unwritten if one.row.detection_id not in written]
        self._unwritten = [one for one in left if (now - one.since).total_seconds() < PATIENCE_S][-WAITING_LIMIT:]
        if len(self._unwritten) < len(left):  # a detection that was never stored: its objects go with their day
            self._counts.add("evidence_dropped", len(left) - len(self._unwritten))


def store_clip(storage: Storage, clip: Clip, now: datetime) -> EvidenceClip:
    """Store a clip's sound and peaks as objects; return the row that tells of them, its organisation left open.

    The hash is part of the key: a better clip of the same detection does not overwrite what somebody is reading.
    """
    sound = to_flac(clip.pcm)
    digest = hashlib.sha256(sound).hexdigest()
    started_at = from_epoch(clip.start_s)
    stem = f"{day_folder(started_at)}{clip.detection_id.hex}-{digest[:12]}"
    storage.put(f"{stem}.flac", sound)
    peaks_key = None
    if clip.peaks is not None and len(clip.peaks):
        peaks_key = f"{stem}.npz"
        storage.put(peaks_key, to_bytes(coarse(clip.peaks)))
    return EvidenceClip(
        detection_id=clip.detection_id,
        key=f"{stem}.flac",
        media_type=MEDIA_TYPE,
        sha256=digest,
        bytes=len(sound),
        started_at=started_at,
        duration_ms=round(len(clip.pcm) * 1000 / RATE_HZ),
        score=clip.score,
        peaks_key=peaks_key,
        created_at=now,
    )


def keep_sample(
    database: Database,
    storage: Storage,
    now: datetime,
    *,
    stream_id: int,
    recording_id: UUID,
    start_s: float,
    pcm: NDArray[np.int16],
    score: float,
) -> bool:
    """Keep a piece of sound as evidence of the detection that was made of it, as of one that the outside named.

    Args:
        database: Where the detection is.
        storage: Where the sound goes.
        now: The present.
        stream_id: On which it was heard.
        recording_id: What it was named.
        start_s: Air time of the first sample.
        pcm: int16[n], mono, 8 kHz; at most 12 s are kept.
        score: How sure the naming was.

    Returns:
        Whether there is such a detection, heard in the middle of this sound.
    """
    middle = from_epoch(start_s + len(pcm) / RATE_HZ / 2)
    with database.read() as session:
        detection_id = session.scalar(
            select(AudioDetection.detection_id)
            .where(
                AudioDetection.stream_id == stream_id,
                AudioDetection.recording_id == recording_id,
                AudioDetection.started_at <= middle,
                AudioDetection.ended_at >= middle,
            )
            .order_by(AudioDetection.started_at.desc())
            .limit(1)
        )
    if detection_id is None:
        return False
    row = store_clip(storage, Clip(detection_id, score, start_s, pcm[: round(CLIP_S * RATE_HZ)], None), now)
    with database.unit() as unit:
        return detection_id in write_rows(unit, storage, [row])


def write_rows(unit: Unit, storage: Storage, rows: list[EvidenceClip]) -> set[UUID]:
    """Write the rows of clips whose detections are stored already; return which ones.

    What is kept already stays unless the new clip is better: a listener that takes a play over begins to choose anew.
    """
    asked = [row.detection_id for row in rows]
    owners = select(AudioDetection.detection_id, AudioDetection.organisation_id)
    known = dict(unit.session.execute(owners.where(AudioDetection.detection_id.in_(asked))).all())
    for row in rows:
        if row.detection_id not in known:
            continue
        earlier = unit.session.get(EvidenceClip, row.detection_id)
        if earlier is not None and earlier.score >= row.score:
            unit.after_commit(partial(delete_objects, storage, _surplus(row, earlier)))
            continue
        if earlier is not None:
            unit.after_commit(partial(delete_objects, storage, _surplus(earlier, row)))
        row.organisation_id = known[row.detection_id]
        unit.session.merge(row)
        unit.session.execute(
            update(AudioDetection)
            .where(AudioDetection.detection_id == row.detection_id)
            .values(audio_fingerprint=row.peaks_key)
            .execution_options(synchronize_session=False)
        )
    return set(known)


def _surplus(loser: EvidenceClip, winner: EvidenceClip) -> list[str]:
    kept = {winner.key, winner.peaks_key}
    return [key for key in (loser.key, loser.peaks_key) if key and key not in kept]
