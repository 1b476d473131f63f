"""Stations that do not work, each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airledger.testing.http_server import CORS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airledger.testing.http_server import Connection, Request

HANGS_FOR_S = 600.0
PAGE = b"""<!DOCTYPE html>
<html lang="en"><head><title>Stream offline</title></head>
<body><h1>This stream is offline</h1><p>Please visit our home page.</p></body></html>
"""


async def missing(request: Request, connection: Connection) -> None:  # noqa: ARG001 - a handler's signature
    """Answer 404."""
    await connection.respond(404, "text/html", b"<h1>The file you requested could not be found</h1>\n")


async def hanging(request: Request, connection: Connection) -> None:  # noqa: ARG001 - a handler's signature
    """Send a good head, then nothing."""
    head = f"HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nContent-Type: audio/mpeg\r\nicy-br:128\r\n{CORS}\r\n"
    await connection.send(head.encode())
    await connection.wait_until_left(HANGS_FOR_S)


async def page(request: Request, connection: Connection) -> None:  # noqa: ARG001 - a handler's signature
    """Send an HTML page and call it audio."""
    await connection.respond(200, "audio/mpeg", PAGE)


async def redirecting(request: Request, connection: Connection) -> None:
    """Send to the other path, which sends back."""
    other = "/vueltas/b" if request.path.endswith("/a") else "/vueltas/a"
    await connection.respond(302, "text/plain", b"", {"Location": other})


BROKEN: dict[str, Callable[[Request, Connection], Awaitable[None]]] = {
    "missing": missing,
    "hanging": hanging,
    "page": page,
    "redirecting": redirecting,
}
