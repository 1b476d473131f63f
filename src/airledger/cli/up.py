"""`airledger up`: everything in one folder, on one machine."""

import json
import os
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from airledger.platform.children import Child
    from airledger.platform.settings import Settings

QUEUES_WITH_TASKS = ("probe", "default", "recognise", "analyse", "deliver")
ADDRESS_FILE = "address"
DEMO_FOLDER = "demo"
TRANSMITTER_FILE = "transmitter.json"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Start here")(up)


def up(
    data: Annotated[
        Path | None, typer.Option(help="Folder for everything; made when missing.", envvar="AIRLEDGER_DATA")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the page.", envvar="AIRLEDGER_PORT")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for all.", envvar="AIRLEDGER_HOST")
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Bring a band of stations and songs of our own making.")] = False,
) -> None:
    """Start API, worker, scheduler and listener in one folder, and print the page's address with a sign-in link.

    Ctrl-C stops everything cleanly. After a crash, start it again with the same folder: nothing committed is lost.
    """
    from airledger.platform.logging import configure_logging
    from airledger.platform.settings import load_settings
    from airledger.platform.settings_file import write_settings_file

    folder = data or Path("airledger-data")
    settings = load_settings(data=folder, port=port, host=host)
    configure_logging("up", level=settings.log_level, style=settings.log_format)
    folder.mkdir(parents=True, exist_ok=True)
    write_settings_file(folder)
    env = {
        "AIRLEDGER_DATA": str(folder.resolve()),
        "AIRLEDGER_PORT": str(settings.port),
        "AIRLEDGER_HOST": settings.host,
    }
    _check_port(settings)
    stop = threading.Event()
    _run(settings, env, stop, is_demo=demo)


def _run(settings: "Settings", env: Mapping[str, str], stop: threading.Event, *, is_demo: bool) -> None:
    from airledger.platform.children import supervise
    from airledger.platform.stopping import catch_signals

    catch_signals(stop)
    children: list[Child] = []
    if is_demo:
        transmitter = _transmitter(settings)
        children.append(transmitter)
        env = {**env, **_demo_env(settings)}
    children += _processes(settings, env)
    if is_demo:
        children.append(_enrolment(settings, env))
    _greet(settings)
    supervise(children, stop)
    sys.stdout.write("Stopped.\n")


def _processes(settings: "Settings", env: Mapping[str, str]) -> "list[Child]":
    from airledger.platform.children import Child

    def child(name: str, *arguments: str) -> Child:
        return Child(name, [sys.executable, "-m", "airledger", *arguments], env)

    workers = [child("worker", "worker")]
    if settings.broker_url:  # under Celery a queue needs a process of its own not to starve the others
        workers = [child(f"worker-{queue}", "worker", "--queue", queue) for queue in QUEUES_WITH_TASKS]
    return [child("api", "api"), *workers, child("scheduler", "scheduler"), child("listener", "listener")]


def _transmitter(settings: "Settings") -> "Child":
    from airledger.platform.children import Child

    folder = settings.data / DEMO_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--dir", str(folder), "--port", str(_transmitter_port(folder))]
    return Child("transmitter", [sys.executable, "-m", "airledger.testing.transmitter", *arguments], {})


def _transmitter_port(folder: Path) -> int:
    """Keep the port over restarts, or every station would get a new address."""
    file = folder / TRANSMITTER_FILE
    if file.exists():
        return int(json.loads(file.read_text(encoding="utf-8"))["port"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file.write_text(json.dumps({"port": port}), encoding="utf-8")
    return port


def _demo_env(settings: "Settings") -> dict[str, str]:
    """Crawl the band's own directories, and let loopback be fetched."""
    base = f"http://127.0.0.1:{_transmitter_port(settings.data / DEMO_FOLDER)}"
    sources = [
        {"name": "demo-radio-browser", "type": "radio_browser", "url": base, "every_hours": 0.05},
        {"name": "demo-icecast", "type": "icecast_yp", "url": f"{base}/yp.xml", "every_hours": 0.05},
        {"name": "demo-m3u", "type": "m3u", "url": f"{base}/stations.m3u", "every_hours": 0.05},
    ]
    return {"AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]', "AIRLEDGER_SOURCES": json.dumps(sources)}


def _enrolment(settings: "Settings", env: Mapping[str, str]) -> "Child":
    from airledger.platform.children import Child

    songs = settings.data / DEMO_FOLDER / "songs"
    argv = [sys.executable, "-m", "airledger", "library", "add", str(songs), "--wait", "--quiet"]
    return Child("enrolment", argv, env, is_once=True)


def _greet(settings: "Settings") -> None:
    from airledger.app import Airledger
    from airledger.platform.auth.bootstrap import bootstrap

    with Airledger.open(settings) as app:
        link = bootstrap(app.database, app.clock).link
    shown = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  compared, not bound
    address = f"http://{shown}:{settings.port}"
    (settings.data / ADDRESS_FILE).write_text(address, encoding="utf-8")
    sys.stdout.write(
        f"\n  Airledger is at  {address}/?link={link}\n"
        f"  (the link signs in once; `airledger link` makes another)\n"
        f"  Data: {os.path.relpath(settings.data)}    Stop with Ctrl-C.\n\n"
    )
    sys.stdout.flush()


def _check_port(settings: "Settings") -> None:
    from airledger.platform.errors import ConflictError

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConflictError(
                f"port {settings.port} of {settings.host} cannot be used ({error.strerror}): name another with --port"
            ) from error
