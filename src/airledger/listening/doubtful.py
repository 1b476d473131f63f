"""Sound that our library half knows: kept while listening, and asked about outside, to confirm or to contradict it."""

import queue
import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.listening.heard import HeardWindow
from airledger.listening.models import CLOSED, AudioDetection
from airledger.listening.outbox import Target
from airledger.listening.record import DetectionClosed
from airledger.listening.tracker import ACTIVE, HOLD, Step
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import AirledgerError
from airledger.platform.events import publish
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.storage import Storage
from airledger.platform.tasks.queue import add_task
from airledger.recognition.answer import Identified
from airledger.recognition.outside.forget import question_key
from airledger.recognition.outside.hybrid import HybridAnswer
from airledger.recognition.outside.sample import wav_of

ASK_DOUBTFUL = "listening.ask_doubtful"
QUEUE: Literal["recognise"] = "recognise"
EVERY_S = 60.0  # of one station at most
WAITING_LIMIT = 50
STORE_EVERY_S = 1.0

log = logger(__name__)


@dataclass(frozen=True, eq=False)
class Doubtful:
    """A window that our library half knows."""

    target: Target
    start_s: float
    pcm: NDArray[np.int16]
    best: Identified


class DoubtfulKeeper:
    """Picks such windows; `observe` is its Observer. Start it, and stop it at the end."""

    def __init__(
        self, database: Database, storage: Storage, clock: Clock, counts: Counts, *, sure_score: float
    ) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._counts = counts
        self._sure_score = sure_score
        self._last_s: dict[UUID, float] = {}
        self._waiting: queue.Queue[Doubtful] = queue.Queue(WAITING_LIMIT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doubtful-keeper", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Store what waits, then end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def observe(self, heard: HeardWindow, step: Step) -> None:
        """Take a window that was tracked; the storing is left to the thread."""
        best = heard.answer.found[0] if heard.answer.found else None
        if best is None or best.score >= self._sure_score or _is_tracked(best, step):
            return
        session_id = heard.target.session_id
        if heard.start_s - self._last_s.get(session_id, -EVERY_S) < EVERY_S:
            return
        self._last_s[session_id] = heard.start_s
        try:
            self._waiting.put_nowait(Doubtful(heard.target, heard.start_s, heard.pcm.copy(), best))
        except queue.Full:
            self._counts.add("doubtful_dropped")

    def _run(self) -> None:
        while not self._stop.wait(STORE_EVERY_S):
            self.store_waiting()
        self.store_waiting()

    def store_waiting(self) -> None:
        """Store what waits and write its tasks; what fails is let go, for the next minute brings another."""
        while not self._waiting.empty():
            one = self._waiting.get_nowait()
            try:
                self._store(one)
            except (OSError, AirledgerError) as error:
                log.warning("doubtful_not_stored", stream=one.target.stream_id, error=str(error))
                return

    def _store(self, one: Doubtful) -> None:
        target = one.target
        key = question_key(self._clock.now(), f"{target.stream_id}-{round(one.start_s * 1000)}")
        self._storage.put(key, wav_of(one.pcm))
        arguments = {
            "sound_key": key,
            "organisation_id": str(target.organisation_id),
            "stream_id": target.stream_id,
            "station_id": target.station_id,
            "start_s": one.start_s,
            "best": {**asdict(one.best), "recording_id": str(one.best.recording_id)},
        }
        with self._database.unit() as unit:
            add_task(
                unit.session,
                ASK_DOUBTFUL,
                QUEUE,
                arguments,
                now=self._clock.now(),
                unique_key=key,
                organisation_id=target.organisation_id,
            )
        self._counts.add("doubtful_asked")


def confirm(unit: Unit, answer: HybridAnswer, stream_id: int, from_s: float, to_s: float, now: datetime) -> UUID | None:
    """Mark the detection that the outside agrees with as `hybrid`, with the joint probability; return its id.

    Agreement on one window alone is no play: that stays the tracker's to decide.
    """
    if answer.source != "hybrid" or answer.recording_id is None:
        return None
    row = unit.session.scalars(
        select(AudioDetection)
        .where(
            AudioDetection.stream_id == stream_id,
            AudioDetection.recording_id == answer.recording_id,
            AudioDetection.started_at < from_epoch(to_s),
            AudioDetection.ended_at > from_epoch(from_s),
        )
        .order_by(AudioDetection.started_at.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    row.detection_source = answer.source
    row.confidence_score = max(row.confidence_score, answer.confidence)
    row.acrcloud_response = dict(answer.acrcloud_response) if answer.acrcloud_response else None
    row.external_metadata, row.retry_count = dict(answer.external_metadata), answer.retry_count
    if row.processing_status == CLOSED:  # while it plays, revisions are the tracker's; its next one brings this along
        row.revision += 1
        told = DetectionClosed(detection_id=row.detection_id, stream_id=row.stream_id)
        publish(unit, told, at=now, organisation_id=row.organisation_id)
    return row.detection_id


def _is_tracked(best: Identified, step: Step) -> bool:
    """Tell whether the tracker believes in this recording already."""
    return any(one.recording_id == best.recording_id and one.state in (ACTIVE, HOLD) for one in step.state.hypotheses)
