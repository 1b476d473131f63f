"""The heartbeat between the encoding thread and the network thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Ticks:
    """Wakes everybody who waits, each time the encoding thread has done its round."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._next: asyncio.Future[None] = loop.create_future()

    def tick(self) -> None:
        """Tell that there may be something new; from any thread."""
        self._loop.call_soon_threadsafe(self._wake)

    async def until(self, ready: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until ``ready()`` is true, looking at every tick.

        Returns:
            Whether it came true within the time.
        """
        deadline = self._loop.time() + timeout_s
        while not ready():
            remaining_s = deadline - self._loop.time()
            if remaining_s <= 0:
                return False
            await asyncio.wait([self._next], timeout=remaining_s)
        return True

    def _wake(self) -> None:
        woken, self._next = self._next, self._loop.create_future()
        woken.set_result(None)
