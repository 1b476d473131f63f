"""A server that greets every listener with a burst of MP3 and then says nothing more, as cheaply as Python can.

    python bench/burst_server.py FILE PORT

It shall cost the machine less than those who are measured against it, so it parses nothing.
"""

import asyncio
import sys
from pathlib import Path

HEAD = (
    b"HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Type: audio/mpeg\r\n"
    b"Cache-Control: no-cache\r\nicy-br:128\r\nicy-genre:Various\r\nicy-name:Station\r\nicy-pub:1\r\n"
    b"icy-url:http://station.example\r\n\r\n"
)
BACKLOG = 4_096


class Burst(asyncio.Protocol):
    """One connection."""

    answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer whatever was asked, and keep the connection."""
        if data.endswith(b"\r\n\r\n") and isinstance(self._transport, asyncio.WriteTransport):
            self._transport.write(self.answer)


async def main(body: bytes, port: int) -> None:
    """Serve until killed."""
    Burst.answer = HEAD + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Burst, "127.0.0.1", port, backlog=BACKLOG)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes(), int(sys.argv[2])))
