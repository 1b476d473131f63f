"""Threads that recognise windows. The kernels run without the interpreter's lock, so threads suffice."""

import queue
import threading
import time
import weakref

from airledger.listening.session import AiredCut, LiveSession
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.thread_names import name_this_thread
from airledger.recognition.answer import Answer
from airledger.recognition.ear import Cost, Ear
from airledger.recognition.library_index import LibraryIndex

BEHIND_LIMIT = 2_000

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

    @property
    def ahead_samples(self) -> int:
        """How much sound behind a window helps to see its end."""
        return Ear.ahead_samples(self._library.params)

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
        name_this_thread("recogniser")
        try:
            self._recognise(mine)
        except Exception as error:
            self.failure = error
            raise

    def _recognise(self, mine: "queue.Queue[tuple[LiveSession, AiredCut] | None]") -> None:
        ears: weakref.WeakKeyDictionary[LiveSession, _Listened] = weakref.WeakKeyDictionary()
        while (item := mine.get()) is not None:
            session, window = item
            listened = ears.get(session)
            if listened is None:
                listened = ears[session] = _Listened(self._ear(session))
            answer = listened.hear(window)
            session.recognised(window, answer)
            self._count(listened.ear.cost, answer)

    def _ear(self, session: LiveSession) -> Ear:
        return Ear(self._library, (session.target.organisation_id,), session.target.last_speed)

    def _count(self, cost: Cost, answer: Answer) -> None:
        counts = self._counts
        counts.add("windows")
        counts.add("windows_matched", bool(answer.found))
        counts.add("recognition_cpu_s", answer.cpu_ms / 1000)
        counts.add("peaks_cpu_s", cost.peaks_ms / 1000)
        counts.add("follow_cpu_s", cost.follow_ms / 1000)
        counts.add("search_cpu_s", cost.search_ms / 1000)
        counts.add("searches", cost.searches)
        counts.add("searches_bank", cost.banks)


class _Listened:
    """A session's ear, and which of its connections it hears."""

    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        self._connection = 0

    def hear(self, window: AiredCut) -> Answer:
        if window.connection != self._connection:
            self.ear.restart()
            self._connection = window.connection
        return self.ear.hear(window.sound, window.position, len(window.pcm))
