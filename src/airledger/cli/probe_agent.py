"""`airledger probe-agent`: prove streams from another place, for a server elsewhere."""

import threading
import time
from typing import Annotated

import typer

from airledger.cli.listen import PRIVATE
from airledger.cli.output import print_json


def add_to(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command("probe-agent", rich_help_panel="Run it")(probe_agent)


def probe_agent(
    server: Annotated[str, typer.Option(help="Address of the Airledger server that gives work, https://…")],
    token: Annotated[
        str, typer.Option(help="API key of the server with probes:write, and nothing more.", envvar="AIRLEDGER_TOKEN")
    ],
    name: Annotated[
        str, typer.Option(help="What this place is called in the server's checks: lower-case letters, digits, -.")
    ] = "",
    interface: Annotated[
        str | None, typer.Option(help="Local address or network interface to dial stations from.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long a stream is listened to.", min=1, max=120)] = 12.0,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Also prove streams in private networks and on this machine.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per event.")] = False,
) -> None:
    """Prove streams from this place, for an Airledger server elsewhere.

    Only outgoing connections: the agent asks the server for streams to look at, looks, and sends what it saw. While the
    server is away, what was seen waits in `probe-agent/` of the data folder. What an agent sees never changes a
    station's state on the server; but a station that plays here and not there is told apart from a dead one.

    Make the key on the server with `POST /api/v1/keys {"name": "agents", "scopes": ["probes:write"]}`; one key may
    serve several agents, each with a `--name` of its own.
    """
    import hashlib
    import socket
    from ipaddress import ip_network

    from airledger.platform.clock import SystemClock
    from airledger.platform.errors import InputError
    from airledger.platform.guard import AddressGuard
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals
    from airledger.recognition.outside.http_call import open_door
    from airledger.stations.probing.agent import ProbeAgent, ProbeServer, ResultBuffer
    from airledger.stations.probing.check import Checker
    from airledger.stations.probing.first_frames import FramesDecoder
    from airledger.stations.probing.knock import Knocker
    from airledger.stations.tuner import Tuner

    if not server.startswith(("http://", "https://")):
        raise InputError(f"{server[:80]!r} is no address of a server: it begins with https://")
    called = name or socket.gethostname().partition(".")[0].lower()
    settings = load_settings(allow_networks=PRIVATE if allow_private else None)
    folder = settings.data / "probe-agent" / hashlib.sha256(f"{server} {called}".encode()).hexdigest()[:12]
    stop = threading.Event()
    catch_signals(stop)

    def tell(kind: str, text: str) -> None:
        if as_json:
            print_json({"kind": kind, "text": text})
        else:
            typer.echo(f"{time.strftime('%H:%M:%S')}  {kind:10}  {text}")

    guard = AddressGuard(ip_network(one) for one in settings.allow_networks)
    door, decoder = open_door(settings.user_agent), FramesDecoder()
    knocker = Knocker(guard, settings.user_agent, interface=interface)
    try:
        with (
            Tuner(guard, user_agent=settings.user_agent, interface=interface) as tuner,
            Checker(knocker, decoder, lambda: tuner, settings.probe_concurrency) as checker,
        ):
            buffer = ResultBuffer(folder)
            agent = ProbeAgent(
                ProbeServer(server, token, called, door), checker, buffer, SystemClock(), seconds=seconds, tell=tell
            )
            tell("started", f"{called} proves for {server}")
            agent.run(stop)
            tell("stopped", f"{len(buffer)} batches wait in {folder}")
    finally:
        decoder.close()
        door.close()
