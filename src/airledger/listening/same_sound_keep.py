"""Keeping sound prints while listening: an observer builds them, a thread stores them, a look at a time."""

import threading
import time
from collections import defaultdict
from uuid import UUID, uuid4

from airledger.listening.heard import HeardWindow
from airledger.listening.models import SoundPrints
from airledger.listening.same_sound_print import LookPlan, PrintBuilder, SoundPrint, to_bytes
from airledger.listening.tracker import Step
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.storage import Storage

FOLDER = "sound-prints"
STORE_EVERY_S = 2.0
LATE_S = 30.0  # windows of the same moment come in one after the other
FORGET_S = 600.0
WAITING_LIMIT = 4_000

log = logger(__name__)


class SoundPrinter:
    """Prints what one listener's sessions sound like; `observe` is its Observer. Start it, stop it at the end."""

    def __init__(
        self, name: str, database: Database, storage: Storage, clock: Clock, counts: Counts, plan: LookPlan
    ) -> None:
        self._name = name
        self._database = database
        self._storage = storage
        self._clock = clock
        self._counts = counts
        self._plan = plan
        self._builders: dict[UUID, PrintBuilder] = {}
        self._seen: dict[UUID, float] = {}  # when a session's window came last, on the monotonic clock
        self._done: list[SoundPrint] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sound-printer", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Store what is complete, then end. Call once no window comes any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def observe(self, heard: HeardWindow, step: Step) -> None:
        """Take a window; storing is left to the thread."""
        del step
        session_id = heard.target.session_id
        with self._lock:
            builder = self._builders.get(session_id)
            if builder is None:
                builder = self._builders[session_id] = PrintBuilder(heard.target.stream_id, self._plan)
            self._seen[session_id] = time.monotonic()
            self._done += builder.add(heard)

    def _run(self) -> None:
        while not self._stop.wait(STORE_EVERY_S):
            self.store(time.monotonic())
        self.store(float("inf"))

    def store(self, now_s: float) -> None:
        """Store the looks that no session is in any more."""
        with self._lock:
            self._close_left(now_s)
            going_on = {builder.look for builder in self._builders.values()}
            ready = [one for one in self._done if one.look not in going_on]
            self._done = [one for one in self._done if one.look in going_on][-WAITING_LIMIT:]
        by_look = defaultdict(list)
        for one in ready:
            by_look[one.look].append(one)
        for look, prints in by_look.items():
            self._store_look(look, prints)

    def _close_left(self, now_s: float) -> None:
        """End the looks of sessions that fell silent, and forget those that are gone."""
        for session_id, seen_s in list(self._seen.items()):
            if now_s - seen_s > LATE_S:
                self._done += self._builders[session_id].close()
            if now_s - seen_s > FORGET_S:
                del self._seen[session_id], self._builders[session_id]

    def _store_look(self, look: int, prints: list[SoundPrint]) -> None:
        key = f"{FOLDER}/{look}/{uuid4().hex}.npz"
        try:
            self._storage.put(key, to_bytes(prints))
            with self._database.unit() as unit:
                unit.session.add(
                    SoundPrints(
                        look=look,
                        listener=self._name,
                        object_key=key,
                        streams=len(prints),
                        created_at=self._clock.now(),
                    )
                )
        except (OSError, AirledgerError) as error:
            log.warning("sound_prints_not_stored", look=look, streams=len(prints), error=str(error))
            with self._lock:
                self._done = [*prints, *self._done][-WAITING_LIMIT:]
            return
        self._counts.add("sound_prints", len(prints))
