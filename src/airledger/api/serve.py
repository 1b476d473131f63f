"""The API process: one port, one event loop, ended cleanly by SIGTERM or SIGINT."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Iterator

from granian.constants import Interfaces
from granian.server.embed import Server

from airledger.api.main import build_api
from airledger.api.state import ApiState
from airledger.app import Airledger
from airledger.platform.children import die_with_parent
from airledger.platform.errors import ConfigurationError
from airledger.platform.logging import configure_logging, logger
from airledger.platform.settings import Settings

ROLE = "api"
FAREWELL_S = 0.3
BACKLOG = 1_024

log = logger(__name__)


def serve(settings: Settings) -> None:
    """Serve API and page until SIGTERM or SIGINT. Call it in the main thread.

    Raises:
        ConfigurationError: The port is taken, or the address is not this machine's.
    """
    die_with_parent()
    configure_logging(ROLE, level=settings.log_level, style=settings.log_format)
    _require_port(settings)
    with Airledger.open(settings) as app, _heartbeat(app):
        asyncio.run(_serve(app))
    log.info("stopped", role=ROLE)


async def _serve(app: Airledger) -> None:
    api = build_api(app)
    state: ApiState = api.state.airledger
    host, port = app.settings.host, app.settings.port
    server = Server(api, address=host, port=port, interface=Interfaces.ASGI, backlog=BACKLOG, log_enabled=False)
    loop = asyncio.get_running_loop()

    def end() -> None:
        # Event streams never end by themselves: they get a moment to say where to resume.
        state.hub.end_all()
        loop.call_later(FAREWELL_S, server.stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    log.info("started", role=ROLE, address=f"http://{host}:{port}")
    await server.serve()


@contextlib.contextmanager
def _heartbeat(app: Airledger) -> Iterator[None]:
    stop = threading.Event()
    heart = threading.Thread(target=app.presence(ROLE).run, args=(stop,), name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join(5)


def _require_port(settings: Settings) -> None:
    """Fail with a sentence; the server itself would panic."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            where = f"port {settings.port} of {settings.host}"
            raise ConfigurationError(f"{where} cannot be used ({error.strerror}): set another port") from error
