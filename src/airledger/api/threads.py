"""Where blocking work runs: the database and the disk have hands of their own, so neither starves the other."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.orm import Session

from airledger.platform.db import Database, Unit

DATABASE_HANDS = 10  # as many as the connection pool holds
DISK_HANDS = 8
HASHING_HANDS = 4
OUTGOING_HANDS = 4

T = TypeVar("T")


class Threads:
    """Runs blocking calls beside the event loop, a bounded number of each kind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._database_hands = CapacityLimiter(DATABASE_HANDS)
        self._disk_hands = CapacityLimiter(DISK_HANDS)
        self._hashing_hands = CapacityLimiter(HASHING_HANDS)
        self._outgoing_hands = CapacityLimiter(OUTGOING_HANDS)

    async def read(self, call: Callable[[Session], T]) -> T:
        """Run `call` with a session that sees one state of the database and never writes."""

        def run() -> T:
            with self._database.read() as session:
                return call(session)

        return await to_thread.run_sync(run, limiter=self._database_hands)

    async def write(self, call: Callable[[Unit], T]) -> T:
        """Run `call` in a unit of work, committed when it returns."""

        def run() -> T:
            with self._database.unit() as unit:
                return call(unit)

        return await to_thread.run_sync(run, limiter=self._database_hands)

    async def database(self, call: Callable[[], T]) -> T:
        """Run a call that opens the database by itself."""
        return await to_thread.run_sync(call, limiter=self._database_hands)

    async def hashing(self, call: Callable[[], T]) -> T:
        """Run a call that hashes a password: slow on purpose, so never with a session open."""
        return await to_thread.run_sync(call, limiter=self._hashing_hands)

    async def disk(self, call: Callable[[], T]) -> T:
        """Run a call that waits for files."""
        return await to_thread.run_sync(call, limiter=self._disk_hands)

    async def outgoing(self, call: Callable[[], T]) -> T:
        """Run a call that waits for somebody else's server."""
        return await to_thread.run_sync(call, limiter=self._outgoing_hands)
