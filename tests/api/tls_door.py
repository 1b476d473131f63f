"""TLS before a server that speaks plain HTTP, as a reverse proxy stands before an installation."""

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
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
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tls-door", daemon=True)
    thread.start()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(_hand_on(inner_port), "127.0.0.1", 0, ssl=context)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    try:
        yield TlsDoor(server.sockets[0].getsockname()[1], certificate)
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def _hand_on(port: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer), return_exceptions=True)

    return serve


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    finally:
        writer.close()
