"""The API process: one port, one event loop, ended cleanly by SIGTERM or SIGINT."""

import asyncio
import signal

from granian.constants import Interfaces
from granian.server.embed import Server

from airledger.api.main import build_api
from airledger.api.state import ApiState
from airledger.app import Airledger
from airledger.platform.logging import logger
from airledger.platform.settings import Settings

FAREWELL_S = 0.3
BACKLOG = 1_024

log = logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Call it in the main thread.

    Raises:
        OSError: The port is taken, or the address is not ours.
    """
    with Airledger.open(settings) as app:
        asyncio.run(_serve(app))


async def _serve(app: Airledger) -> None:
    api = build_api(app)
    state: ApiState = api.state.airledger
    server = Server(
        api,
        address=app.settings.host,
        port=app.settings.port,
        interface=Interfaces.ASGI,
        backlog=BACKLOG,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def end() -> None:
        log.info("api_ending")
        # Event streams never end by themselves; they get a moment to say where to resume.
        state.hub.end_all()
        loop.call_later(FAREWELL_S, server.stop)

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, end)
    log.info("api_serving", address=f"http://{app.settings.host}:{app.settings.port}")
    await server.serve()
