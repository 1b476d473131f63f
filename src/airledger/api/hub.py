"""One reader of the events table per process, fanning out to its live clients."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from airledger.api.threads import Threads
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.platform.errors import TooManyRequestsError, UnavailableError
from airledger.platform.events import Told, events_after, latest_position
from airledger.platform.logging import logger

POLL_S = 0.25
AWAY_S = 2.0
BATCH = 500
QUEUE = 1_000
BEAT_S = 15.0
CLIENTS = 2_000
CLIENTS_PER_CALLER = 50
PUBLIC_PREFIXES = ("stream.", "station.", "crawl.")
SESSION_PREFIXES = ("detection.", "play.", "session.")  # what a session's enable_websocket_broadcast speaks of

log = logger(__name__)


@dataclass(frozen=True)
class Audience:
    """What one client may and wants to hear."""

    organisation_id: UUID | None = None
    scopes: frozenset[Scope] = frozenset()
    types: frozenset[str] = frozenset()

    @classmethod
    def of(cls, caller: Principal | None, types: frozenset[str]) -> "Audience":
        """Return what a caller may hear; strangers hear of the catalogue only."""
        if caller is None:
            return cls(types=types)
        return cls(caller.organisation_id, caller.scopes, types)

    def hears(self, event: Told) -> bool:
        """Decide whether an event is for this client.

        What an organisation owns is for that organisation alone. What belongs to none tells of the catalogue, which
        is public, or of the installation itself.
        """
        if self.types and event.type not in self.types:
            return False
        if event.organisation_id is not None:
            return event.organisation_id == self.organisation_id and Scope.PLAYS_READ in self.scopes
        return event.type.startswith(PUBLIC_PREFIXES) or Scope.SYSTEM_READ in self.scopes


@dataclass(eq=False)
class Line:
    """One live client.

    Attributes:
        audience: What it hears.
        caller: Whom it counts for.
        is_joined: It gets events from memory; else it is catching up from the table.
        is_over: Nothing comes any more: the client has gone, or we shut down.
    """

    audience: Audience
    caller: str
    is_joined: bool = False
    is_over: bool = False
    _queue: asyncio.Queue[Told | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def join(self) -> None:
        """Take events from memory from now on."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self.is_joined = not self.is_over

    def give(self, event: Told) -> None:
        """Queue an event; a full queue sends the client back to the table, where it goes at its own pace."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.is_joined = False

    async def next_event(self, patience_s: float) -> Told | None:
        """Wait for an event; None when there was none in time, or it is over."""
        try:
            return await asyncio.wait_for(self._queue.get(), max(0.0, patience_s))
        except TimeoutError:
            return None

    def end(self) -> None:
        """Tell the client that it is over."""
        self.is_over = True
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)  # wakes it


class EventHub:
    """Reads each event once and hands it to every client that may hear it. Lives on the event loop.

    Args:
        threads: To read with.
        tells_of_sessions: Whether live clients hear of sessions that do not say so themselves.
    """

    def __init__(self, threads: Threads, *, tells_of_sessions: bool = True) -> None:
        self._threads = threads
        self._tells_of_sessions = tells_of_sessions
        self._lines: set[Line] = set()
        self._is_wanted = asyncio.Event()
        self._is_placed = asyncio.Event()
        self._position = 0
        self._is_closing = False

    def open(self, audience: Audience, caller: str) -> Line:
        """Make room for a client.

        Raises:
            TooManyRequestsError: There are too many clients, or too many of this caller.
            UnavailableError: We are shutting down.
        """
        if self._is_closing:
            raise UnavailableError("this process is shutting down: connect again")
        if len(self._lines) >= CLIENTS or sum(line.caller == caller for line in self._lines) >= CLIENTS_PER_CALLER:
            raise TooManyRequestsError("too many event streams are open: close some first", retry_after_s=10)
        line = Line(audience, caller)
        self._lines.add(line)
        self._is_wanted.set()
        return line

    def hang_up(self, line: Line) -> None:
        """Forget a client."""
        line.is_over = True
        self._lines.discard(line)

    async def follow(self, line: Line, since: int | None, *, beat_s: float = BEAT_S) -> AsyncIterator[Told | None]:
        """Give a client its events, from the table until it has caught up, from memory then.

        Args:
            line: The client.
            since: The last position it knows; None begins at the present.
            beat_s: How often to give a None, so that the caller can look after the connection; the first comes at once.
        """
        await self._is_placed.wait()
        position = await self._begin(since)
        yield None  # from here on nothing is missed
        loop = asyncio.get_running_loop()
        next_beat = loop.time() + beat_s
        while not line.is_over:
            while position < self._position and not line.is_over:
                for event in await self._read(position):
                    position = event.position
                    if self._reaches(line, event):
                        yield event
                if loop.time() >= next_beat:
                    next_beat = loop.time() + beat_s
                    yield None
            line.join()  # nothing was awaited since the comparison, so nothing was missed
            while line.is_joined and not line.is_over:
                fresh = await line.next_event(next_beat - loop.time())
                if fresh is not None and fresh.position > position:
                    position = fresh.position
                    yield fresh
                if loop.time() >= next_beat:
                    next_beat = loop.time() + beat_s
                    yield None

    async def run(self) -> None:
        """Read and fan out until cancelled. Reads nothing while there are no clients."""
        while True:
            await self._is_wanted.wait()
            if not self._lines:
                self._is_wanted.clear()
                self._is_placed.clear()
                continue
            try:
                if not self._is_placed.is_set():
                    self._position = await self._threads.read(latest_position)
                    self._is_placed.set()
                is_more = self._fan_out(await self._read(self._position))
            except UnavailableError as error:
                log.warning("events_not_read", error=error.message)
                await asyncio.sleep(AWAY_S)
                continue
            if not is_more:
                await asyncio.sleep(POLL_S)

    def end_all(self) -> None:
        """Tell all clients that it is over, and let no new one in."""
        self._is_closing = True
        for line in list(self._lines):
            line.end()
        self._is_placed.set()

    def _fan_out(self, events: list[Told]) -> bool:
        for event in events:
            self._position = event.position
            for line in self._lines:
                if line.is_joined and self._reaches(line, event):
                    line.give(event)
        return len(events) == BATCH

    def _reaches(self, line: Line, event: Told) -> bool:
        is_told = event.is_broadcast
        if is_told is None:
            is_told = self._tells_of_sessions or not event.type.startswith(SESSION_PREFIXES)
        return is_told and line.audience.hears(event)

    async def _begin(self, since: int | None) -> int:
        if since is not None and since <= self._position:
            return since
        newest = await self._threads.read(latest_position)
        # A position beyond the newest was given out before a restore.
        return newest if since is None else min(since, newest)

    async def _read(self, position: int) -> list[Told]:
        return await self._threads.read(lambda session: events_after(session, position, limit=BATCH))
