"""What a way of sending is to the rest of the transmitter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airledger.testing.http_server import Connection, Request
    from airledger.testing.pcm import Pcm


class Outlet(Protocol):
    """Takes a station's sound, encodes it once, and serves it to all who listen.

    ``begin``, ``start``, ``feed`` and ``stop`` are called from the encoding thread, ``answer`` from the network thread.
    """

    def begin(self, edge: int) -> int:
        """Say from which position sound is needed, so that a listener who comes now gets his fill at once."""

    def start(self, begin: int) -> None:
        """Start (again) to encode at a position that ``begin`` gave."""

    def feed(self, pcm: Pcm, title: str) -> None:
        """Take the next samples, float32 (n,) at 44.1 kHz, and what is playing."""

    def stop(self) -> None:
        """Forget everything: nobody listens."""

    def paths(self) -> list[str]:
        """Say which paths this station answers; one that ends with "/" stands for all below it."""

    async def answer(self, request: Request, connection: Connection) -> None:
        """Answer a request for one of them."""
