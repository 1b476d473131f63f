"""`airledger listen URL` and `airledger identify FILE`: recognition without a station in the catalogue."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airledger.cli.output import print_json, print_table

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.listening.hear_file import HeardInFile
    from airledger.listening.outbox import Batch
    from airledger.repertoire.models import Recording


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel="Start here")(listen)
    app.command(rich_help_panel="Start here")(identify)


def listen(
    url: Annotated[str, typer.Argument(help="Address of a stream, or of a playlist in front of one.")],
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: until Ctrl-C.", min=0)] = 0,
    allow_private: Annotated[bool, typer.Option("--allow-private", help="Loopback and private addresses too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per thing that happens.")] = False,
) -> None:
    """Hear one stream now, and say what it plays. Stores nothing."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals
    from airledger.stations.urls import parse_address

    parse_address(url)  # what is no address is said at once, not tried again and again
    networks = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128") if allow_private else None
    stop = threading.Event()
    catch_signals(stop)
    with Airledger.open(load_settings(allow_networks=networks)) as app:
        app.library.sync()
        if not app.library.tracks:
            typer.echo(
                "The library is empty, so nothing can be recognised: `airledger library add FOLDER` first.", err=True
            )
        _listen(app, url, stop, seconds, as_json=as_json)


def _listen(app: "Airledger", url: str, stop: threading.Event, seconds: float, *, as_json: bool) -> None:
    from uuid import uuid4

    from airledger.listening.outbox import Outbox, Target
    from airledger.listening.recognisers import Recognisers
    from airledger.listening.session import LiveSession, Resumed
    from airledger.listening.tracker import TrackerParams

    outbox = Outbox()
    recognisers = Recognisers(app.library, app.counts, threads=1)
    live = LiveSession(
        Target(uuid4(), app.organisation_id, 0, None, url, url),
        Resumed(),
        tuner=app.tuner,
        recognisers=recognisers,
        outbox=outbox,
        params=TrackerParams(),
        window_s=app.settings.window_seconds,
        hop_s=app.settings.hop_seconds,
    )
    deadline = time.monotonic() + seconds if seconds else float("inf")
    printer = _Printer(app, as_json=as_json)
    while not stop.wait(0.25) and time.monotonic() < deadline:
        live.tend(time.time())
        printer.show(outbox.take())
    live.stop()
    recognisers.drain(10)
    live.end()
    printer.show(outbox.take())


class _Printer:
    """Says what changed, each thing once."""

    def __init__(self, app: "Airledger", *, as_json: bool) -> None:
        self._app = app
        self._as_json = as_json
        self._status = ""
        self._told: dict[object, str] = {}

    def show(self, batch: "Batch") -> None:
        for title in batch.titles.values():
            self._say("title", {"title": title}, f"title      {title}")
        for state in batch.sessions.values():
            line = f"{state.status:10} {state.error or ''}".rstrip()
            if line != self._status:
                self._status = line
                self._say("session", {"status": state.status, "error": state.error}, line)
        for heard in batch.plays.values():
            one = heard.hypothesis
            if self._told.get(one.id) == one.state or one.state == "hold":
                continue
            self._told[one.id] = one.state
            name = self._name(one.recording_id)
            seconds = heard.ended_s - heard.started_s
            row = {"recording_id": one.recording_id, "name": name, "state": one.state, "seconds": round(seconds, 2)}
            row |= {"started_s": heard.started_s, "score": round(one.best_score, 4), "speed": round(one.speed, 4)}
            verb = "ended" if one.state == "closed" else "playing"
            self._say("play", row, f"{verb:10} {name}  ({seconds:.0f} s, {one.best_score:.3f})")

    def _name(self, recording_id: object) -> str:
        from airledger.repertoire.models import Recording

        with self._app.read() as session:
            recording = session.get(Recording, recording_id)
        return f"{recording.artist} - {recording.title}" if recording else str(recording_id)

    def _say(self, kind: str, row: dict[str, object], line: str) -> None:
        if self._as_json:
            print_json({"kind": kind, **row})
        else:
            typer.echo(f"{time.strftime('%H:%M:%S')}  {line}")


def identify(
    files: Annotated[list[Path], typer.Argument(help="Sound files of any length.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per file.")] = False,
) -> None:
    """Say which recordings of the library are in sound files, and where."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings

    is_bad = False
    with Airledger.open(load_settings()) as app:
        app.library.sync()
        for file in files:
            is_bad |= not _identify(app, file, as_json=as_json)
    raise typer.Exit(1 if is_bad else 0)


def _identify(app: "Airledger", file: Path, *, as_json: bool) -> bool:
    from airledger.listening.hear_file import hear_file
    from airledger.platform.errors import AirledgerError

    try:
        heard = hear_file(app.library, file)
    except AirledgerError as error:
        if as_json:
            print_json({"file": file, "error": error.message})
        else:
            typer.echo(f"{file}: {error.message}", err=True)
        return False
    with app.read() as session:
        from airledger.repertoire.models import Recording

        named = [(one, session.get(Recording, one.recording_id)) for one in heard]
    plays = [_row(one, recording) for one, recording in named if recording is not None]
    if as_json:
        print_json({"file": file, "plays": plays})
        return True
    rows = [
        (f"{p['start_s']:.1f}", f"{p['end_s']:.1f}", p["title"], p["artist"], p["isrc"], f"{p['score']:.3f}")
        for p in plays
    ]
    print_table(f"{len(rows)} found in {file.name}", ("from s", "to s", "title", "artist", "ISRC", "score"), rows)
    return True


def _row(one: "HeardInFile", recording: "Recording") -> dict[str, Any]:
    return {
        "title": recording.title,
        "artist": recording.artist,
        "isrc": recording.isrc,
        "recording_id": recording.id,
        "start_s": one.start_s,
        "end_s": one.end_s,
        "reference_start_s": one.reference_start_s,
        "speed": one.speed,
        "score": one.score,
    }
