"""The tuner: one thread that hears any number of streams, with decoder children beside it."""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import structlog

from airledger.platform.guard import AddressGuard
from airledger.platform.multifetch import MultiFetcher
from airledger.platform.thread_names import name_this_thread
from airledger.stations.tuner.breathing import breathing_loop
from airledger.stations.tuner.decoders import DecoderPool
from airledger.stations.tuner.limits import TunerLimits
from airledger.stations.tuner.listening import Listening
from airledger.stations.tuner.reception import Equipment, Reception

CLOSE_WAIT_S = 15.0
DEFAULT_USER_AGENT = "Airledger/0.1 (stream monitor)"

log = structlog.get_logger(__name__)


class Tuned:
    """A stream being heard. Thread-safe."""

    def __init__(self, url: str, reception: Reception, tuner: "Tuner") -> None:
        self.url = url
        self._reception = reception
        self._tuner = tuner
        self._over = threading.Event()

    @property
    def over(self) -> bool:
        """Whether the listener will hear nothing more."""
        return self._over.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is over; whether it is. Not from within a listener."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """Stop hearing. When this returns the listener is called no more, also not with `ended`.

        From within a listener it returns at once: the call in progress is the last one.
        """
        self._tuner.stop(self._reception)
        if not self._tuner.is_own_thread():
            self._over.wait(CLOSE_WAIT_S)

    def finish(self) -> None:
        """Note that it is over (called by the tuner)."""
        self._over.set()


class Tuner:
    """Hears streams on a thread of its own. Used as `with Tuner(guard) as tuner:`; `tune` may be called anywhere."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        limits: TunerLimits | None = None,
        user_agent: str = DEFAULT_USER_AGENT,
        interface: str | None = None,
    ) -> None:
        """Prepare a tuner.

        Args:
            guard: which addresses may be dialled.
            limits: patience and appetite.
            user_agent: what servers are told; directories ask for a speaking one.
            interface: local address, or network interface, to dial from.
        """
        self._interface = interface
        self._guard = guard
        self._limits = limits or TunerLimits()
        self._user_agent = user_agent
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._equipment: Equipment | None = None
        self._tasks: dict[Reception, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()

    def tune(self, url: str, listener: Listening, *, headers: Mapping[str, str] | None = None) -> Tuned:
        """Begin to hear an address; everything else is told to the listener.

        Args:
            url: a stream, or a playlist in front of one.
            listener: called on the tuner's thread.
            headers: sent along, such as a user agent or referrer that an M3U asks for.

        Raises:
            RuntimeError: the tuner is not running.
        """
        loop, equipment = self._running()
        reception = Reception(url, listener, equipment, headers or {})
        tuned = Tuned(url, reception, self)
        loop.call_soon_threadsafe(self._begin, reception, tuned)
        return tuned

    def stop(self, reception: Reception) -> None:
        """End a reception without telling its listener."""
        reception.silenced = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel, reception)

    def is_own_thread(self) -> bool:
        """Whether the caller is a listener."""
        return threading.current_thread() is self._thread

    def child_pids(self) -> list[int]:
        """Process ids of the decoder children, for those who count their processor time."""
        return self._equipment.decoders.pids() if self._equipment is not None else []

    def open(self) -> None:
        """Start the thread."""
        if self._thread is not None:
            raise RuntimeError("This tuner is running already.")
        self._stop = asyncio.Event()
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, name="tuner", daemon=True)
        self._thread.start()
        self._ready.wait()

    def close(self) -> None:
        """Stop hearing everything, kill the children, end the thread. Listeners are called no more afterwards.

        Raises:
            RuntimeError: a listener calls it, which would wait for itself.
        """
        if self._thread is None or self._loop is None:
            return
        if self.is_own_thread():
            raise RuntimeError("A listener cannot close the tuner that calls it.")
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = self._equipment = self._loop = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> tuple[asyncio.AbstractEventLoop, Equipment]:
        if self._loop is None or self._equipment is None:
            raise RuntimeError("The tuner is not running: use it as `with Tuner(...) as tuner:`.")
        return self._loop, self._equipment

    def _run(self) -> None:
        name_this_thread("tuner")
        with asyncio.Runner(loop_factory=lambda: breathing_loop(self._limits.breath_s)) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        pool = DecoderPool(self._limits.streams_per_child, self._limits.piece_s)
        async with MultiFetcher(self._guard, self._user_agent, self._interface) as fetcher:
            self._loop = asyncio.get_running_loop()
            self._equipment = Equipment(fetcher, pool, self._limits)
            self._ready.set()
            try:
                await self._stop.wait()
                tasks = list(self._tasks.values())
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                pool.close()

    def _begin(self, reception: Reception, tuned: Tuned) -> None:
        if reception.silenced or self._stop.is_set():
            tuned.finish()
            return
        task = asyncio.get_running_loop().create_task(reception.run())
        self._tasks[reception] = task
        task.add_done_callback(lambda done: self._finished(done, reception, tuned))

    def _cancel(self, reception: Reception) -> None:
        task = self._tasks.get(reception)
        if task is not None:
            task.cancel()

    def _finished(self, task: asyncio.Task[None], reception: Reception, tuned: Tuned) -> None:
        del self._tasks[reception]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a listener or the tuner failed", url=tuned.url, exc_info=error)
        tuned.finish()
