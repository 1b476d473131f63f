"""TLS before a server that speaks plain HTTP, as a reverse proxy stands before an installation."""

import asyncio
import contextlib
import queue
import ssl
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path

NAME = "catalogue.test"


@dataclass
class TlsDoor:
    """A door that is open: its port, and the certificate to trust."""

    port: int
    certificate: Path


@contextlib.contextmanager
def tls_door(folder: Path, inner_port: int) -> Iterator[TlsDoor]:
    """Serve `catalogue.test` by TLS on a free port of 127.0.0.1, every byte handed on to a port behind it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    opened: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = queue.SimpleQueue()

    async def serve() -> None:
        closing = asyncio.Event()
        server = await asyncio.start_server(_hand_on(inner_port), "127.0.0.1", 0, ssl=context)
        opened.put((asyncio.get_running_loop(), closing, server.sockets[0].getsockname()[1]))
        await closing.wait()
        server.close()

    # Ending cancels what is still handed on, and closes the loop.
    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="tls-door", daemon=True)
    thread.start()
    loop, closing, port = opened.get(timeout=30)
    try:
        yield TlsDoor(port, certificate)
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join(30)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


def _hand_on(port: int) -> Handler:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(asyncio.CancelledError):  # a cancelled handler would be told of as an error
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer), return_exceptions=True)
        inner_writer.transport.abort()
        writer.transport.abort()

    return serve


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(1 << 16):
        writer.write(block)
        await writer.drain()
    writer.close()
