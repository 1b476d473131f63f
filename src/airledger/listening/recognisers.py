"""Threads that recognise windows. The kernels run without the interpreter's lock, so threads suffice."""

import queue
import threading
import time

import numpy as np

from airledger.listening.session import AiredCut, LiveSession
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.recognition.answer import Answer
from airledger.recognition.identify import identify
from airledger.recognition.library_index import LibraryIndex

BEHIND_LIMIT = 2_000
FULL_SCALE = 32_768.0

log = logger(__name__)


class Recognisers:
    """Some threads, each with its queue; a session always goes to the same one, so its windows stay in order."""

    def __init__(self, library: LibraryIndex, counts: Counts, *, threads: int) -> None:
        self._library = library
        self._counts = counts
        self.failure: Exception | None = None  # a dead thread would leave its stations deaf: the listener ends then
        self._queues: list[queue.Queue[tuple[LiveSession, AiredCut] | None]] = [
            queue.Queue(BEHIND_LIMIT) for _ in range(threads)
        ]
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"recogniser-{number}", daemon=True)
            for number, one in enumerate(self._queues)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, session: LiveSession, window: AiredCut) -> bool:
        """Queue a window; False when this thread is 2,000 windows behind."""
        try:
            self._queues[session.target.stream_id % len(self._queues)].put_nowait((session, window))
        except queue.Full:
            self._counts.add("windows_dropped")
            return False
        return True

    def behind(self) -> int:
        """Return how many windows wait."""
        return sum(one.qsize() for one in self._queues)

    def drain(self, timeout_s: float) -> None:
        """Finish what waits, then end the threads."""
        for one in self._queues:
            one.put(None)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self, mine: "queue.Queue[tuple[LiveSession, AiredCut] | None]") -> None:
        try:
            self._recognise(mine)
        except Exception as error:
            self.failure = error
            raise

    def _recognise(self, mine: "queue.Queue[tuple[LiveSession, AiredCut] | None]") -> None:
        while (item := mine.get()) is not None:
            session, window = item
            answer = self._identify(window, session)
            session.recognised(window, answer)
            self._counts.add("windows")
            self._counts.add("windows_matched", bool(answer.found))
            self._counts.add("recognition_cpu_s", answer.cpu_ms / 1000)

    def _identify(self, window: AiredCut, session: LiveSession) -> Answer:
        pcm = window.pcm.astype(np.float32) / FULL_SCALE
        organisations = (session.target.organisation_id,)
        return identify(self._library, pcm, organisations=organisations, last_speed=window.last_speed)
