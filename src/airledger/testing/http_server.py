"""As much of an HTTP server as stations need, on asyncio: raw heads, endless bodies, slow listeners dropped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping

HEAD_LIMIT = 16_384
HEAD_TIMEOUT_S = 10.0
SLOW_LISTENER_S = 10.0
SEND_BUFFER = 262_144
MAX_CONNECTIONS = 1000
CORS = (
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Allow-Headers: *, Icy-MetaData, Range\r\n"
    "Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
    "Access-Control-Expose-Headers: *\r\n"
)
REASONS = {
    200: "OK",
    204: "No Content",
    302: "Found",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Request:
    """A request's head. Header names are lower case; later repetitions win."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class ListenerGoneError(Exception):
    """The listener closed the connection, or took nothing for ten seconds."""


class Connection:
    """What a handler writes to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.head_only = False
        """Set for a HEAD request: answers then come without their body."""
        writer.transport.set_write_buffer_limits(high=SEND_BUFFER)

    async def send(self, data: bytes) -> None:
        """Send; waits while the listener's buffer is full.

        Raises:
            ListenerGoneError: closed, or nothing was taken for 10 s.
        """
        self._writer.write(data)
        try:
            await asyncio.wait_for(self._writer.drain(), SLOW_LISTENER_S)
        except (ConnectionError, TimeoutError) as gone:
            self._writer.transport.abort()
            raise ListenerGoneError from gone

    async def respond(
        self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole answer; the connection is closed after it."""
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
            f"Cache-Control: no-cache\r\nConnection: close\r\n{CORS}{extra}\r\n"
        )
        await self.send(head.encode() + (b"" if self.head_only else body))

    async def wait_until_left(self, timeout_s: float) -> None:
        """Wait until the listener closes, at most so long."""
        try:
            await asyncio.wait_for(self._reader.read(1), timeout_s)
        except TimeoutError:
            return


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read a request's head; None if what came is none, or too long, or too slow."""
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_TIMEOUT_S)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != len(("method", "target", "version")):
        return None
    try:
        target = urlsplit(words[1])
    except ValueError:
        return None
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Request(words[0], unquote(target.path), dict(parse_qsl(target.query)), headers)


async def start_server(
    handler: Callable[[Request, Connection], Awaitable[None]], listening: socket.socket
) -> asyncio.Server:
    """Listen and give each request to the handler; every connection carries one request."""
    open_connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_connections
        if open_connections >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        open_connections += 1
        try:
            connection = Connection(reader, writer)
            request = await read_request(reader)
            if request is None:
                await connection.respond(400, "text/plain", b"Not a request that this server reads.\n")
            elif request.method == "OPTIONS":
                await connection.respond(204, "text/plain", b"")
            elif request.method not in {"GET", "HEAD"}:
                await connection.respond(405, "text/plain", b"Only GET.\n")
            else:
                connection.head_only = request.method == "HEAD"
                await handler(request, connection)
            writer.close()
            await writer.wait_closed()
        except (ListenerGoneError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            open_connections -= 1

    return await asyncio.start_server(serve, sock=listening, limit=HEAD_LIMIT)
