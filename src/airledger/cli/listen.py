"""`airledger listen`: one stream now, or a logger's archive. Recognition without the processes of `airledger up`."""

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airledger.cli.output import print_json

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.listening.archive import FileHeard, Told
    from airledger.listening.archive_files import ArchivedFile, Undated
    from airledger.listening.archive_rows import Opened
    from airledger.listening.outbox import Batch

PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128")
TELL_EVERY_S = 5.0
ARCHIVE = "An archive"
REMOTE = "For a server elsewhere"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Start here")(listen)


def listen(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="[URL]...", help="Address of a stream, or of a playlist before one.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: until Ctrl-C.", min=0)] = 0,
    allow_private: Annotated[bool, typer.Option("--allow-private", help="Loopback and private addresses too.")] = False,
    archive: Annotated[
        Path | None, typer.Option(help="Folder of recorded files: log their plays.", rich_help_panel=ARCHIVE)
    ] = None,
    station: Annotated[
        str, typer.Option(help="Name or id of the station that recorded it.", rich_help_panel=ARCHIVE)
    ] = "",
    pattern: Annotated[
        str | None,
        typer.Option(help="How file names tell the time, like '%Y%m%d-%H%M%S'.", rich_help_panel=ARCHIVE),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Zone of these times, like Africa/Accra.", rich_help_panel=ARCHIVE)
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(metavar="SERVER", help="Capture here for the Airledger at this address.", rich_help_panel=REMOTE),
    ] = None,
    token: Annotated[
        str,
        typer.Option(
            help="API key of the server with sessions:write.", envvar="AIRLEDGER_TOKEN", rich_help_panel=REMOTE
        ),
    ] = "",
    buffer_mb: Annotated[
        int, typer.Option(help="How much may wait on disk while the server is away.", min=1, rich_help_panel=REMOTE)
    ] = 512,
    jobs: Annotated[
        int, typer.Option(help="Threads that recognise; 0: one a core.", min=0, max=64, rich_help_panel=ARCHIVE)
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per thing that happens.")] = False,
) -> None:
    """Hear one stream now and say what it plays (nothing is stored), or log the plays of recorded files.

    With `--archive DIR --station S` the files' names or tags tell when they were aired. It may be stopped and called
    again at any time: what was heard is not heard again, and the log is the same.

    With `--remote SERVER --token KEY URL...` streams are captured here and sent there as peaks; without network they
    wait on disk.
    """
    if archive is not None:
        if urls:
            raise typer.BadParameter("name an address or --archive, not both")
        _listen_to_archive(archive, station, pattern, time_zone, jobs, as_json=as_json)
    elif remote is not None:
        _listen_for_server(remote, token, urls or [], buffer_mb, seconds, allow_private=allow_private, as_json=as_json)
    elif urls and len(urls) == 1:
        _listen_to_stream(urls[0], seconds, allow_private=allow_private, as_json=as_json)
    else:
        raise typer.BadParameter("name one address, or --archive DIR with --station S, or --remote SERVER")


# One stream


def _listen_to_stream(url: str, seconds: float, *, allow_private: bool, as_json: bool) -> None:
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals
    from airledger.stations.urls import parse_address

    parse_address(url)  # what is no address is said at once, not tried again and again
    stop = threading.Event()
    catch_signals(stop)
    with Airledger.open(load_settings(allow_networks=PRIVATE if allow_private else None)) as app:
        app.library.sync()
        _warn_of_empty_library(app)
        _listen(app, url, stop, seconds, as_json=as_json)


def _warn_of_empty_library(app: "Airledger") -> None:
    if not app.library.tracks:
        typer.echo(
            "The library is empty, so nothing can be recognised: `airledger library add FOLDER` first.", err=True
        )


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
            self._say("title", {"title": title.title}, f"title      {title.title}")
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


# For a server elsewhere


def _listen_for_server(
    server: str,
    token: str,
    urls: list[str],
    buffer_mb: int,
    seconds: float,
    *,
    allow_private: bool,
    as_json: bool,
) -> None:
    """Capture for a server: no database, no index, only a folder for what waits."""
    import hashlib
    from ipaddress import ip_network

    from airledger.fingerprint.params import PROFILES
    from airledger.listening.remote_buffer import DiskBuffer
    from airledger.listening.remote_capture import RemoteListener, Server
    from airledger.platform.errors import InputError
    from airledger.platform.guard import AddressGuard
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals
    from airledger.recognition.outside.http_call import open_door
    from airledger.stations.tuner import Tuner
    from airledger.stations.urls import parse_address

    if not urls or not token:
        raise InputError("--remote needs --token (an API key with sessions:write) and the addresses to hear")
    if not server.startswith(("http://", "https://")):
        raise InputError(f"{server[:80]!r} is no address of a server: it begins with https://")
    addresses = [parse_address(url).url for url in urls]
    settings = load_settings(allow_networks=PRIVATE if allow_private else None)
    folder = settings.data / "remote" / hashlib.sha256(server.encode()).hexdigest()[:12]
    stop = threading.Event()
    catch_signals(stop)
    if seconds:
        timer = threading.Timer(seconds, stop.set)
        timer.daemon = True
        timer.start()

    def tell(kind: str, text: str) -> None:
        if as_json:
            print_json({"kind": kind, "text": text})
        else:
            typer.echo(f"{time.strftime('%H:%M:%S')}  {kind:10}  {text}")

    tuner = Tuner(AddressGuard(ip_network(one) for one in settings.allow_networks), user_agent=settings.user_agent)
    door = open_door(settings.user_agent)
    tuner.open()
    try:
        buffer = DiskBuffer(folder, buffer_mb << 20)
        listener = RemoteListener(
            Server(server, token, door),
            addresses,
            buffer,
            tuner,
            PROFILES["balanced"],
            window_s=settings.window_seconds,
            hop_s=settings.hop_seconds,
            tell=tell,
        )
        listener.run(stop)
        tell("stopped", f"{len(buffer)} batches wait in {folder}")
    finally:
        tuner.close()
        door.close()


# An archive


def _listen_to_archive(
    folder: Path, station: str, pattern: str | None, time_zone: str | None, jobs: int, *, as_json: bool
) -> None:
    import os

    from airledger.app import Airledger
    from airledger.listening.archive import Archive, ArchiveSettings
    from airledger.listening.archive_files import find_files
    from airledger.listening.archive_names import read_pattern
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals

    zone = _zone(time_zone) if time_zone else None
    compiled = read_pattern(pattern) if pattern else None
    stop = threading.Event()
    catch_signals(stop)
    with Airledger.open(load_settings()) as app:
        app.library.sync()
        _warn_of_empty_library(app)
        opened = _open_archive(app, station, zone)
        files, undated = find_files(folder, opened.zone, compiled)
        teller = _Teller(app, opened, as_json=as_json)
        teller.begin(files, undated)
        settings = ArchiveSettings(
            window_s=app.settings.window_seconds, hop_s=app.settings.hop_seconds, jobs=jobs or os.cpu_count() or 1
        )
        Archive(app.database, app.clock, app.library, opened.target, settings).hear(files, teller.tell, stop.is_set)
        teller.end()
    raise typer.Exit(1 if undated or teller.has_failed else 0)


def _open_archive(app: "Airledger", station: str, zone: Any) -> "Opened":
    from airledger.listening.archive_rows import open_archive
    from airledger.platform.audit import Actor

    actor = Actor("system:cli", app.organisation_id)
    with app.unit() as unit:
        return open_archive(unit, actor, actor.organisation_id or app.organisation_id, station, zone, app.clock.now())


def _zone(name: str) -> Any:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from airledger.platform.errors import InputError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"there is no time zone {name[:60]!r}: use one like Africa/Accra or Europe/Berlin") from error


class _Teller:
    """Says how hearing an archive goes, and brings the plays up to what was heard."""

    def __init__(self, app: "Airledger", opened: "Opened", *, as_json: bool) -> None:
        self._app = app
        self._opened = opened
        self._as_json = as_json
        self._counts = {"heard": 0, "known": 0, "unreadable": 0, "growing": 0, "covered": 0}
        self._plays = 0
        self._seconds = 0.0
        self._began = time.monotonic()
        self._told_at = self._began
        self.has_failed = False

    def begin(self, files: "list[ArchivedFile]", undated: "list[Undated]") -> None:
        if not self._as_json:
            new = ", new in the catalogue" if self._opened.is_new else ""
            typer.echo(f"{self._opened.station_name}{new}: {len(files)} files, local times in {self._opened.zone.key}")
        for one in undated:
            self._say(
                {"kind": "undated", "file": one.name, "reason": one.reason}, f"left out   {one.name}: {one.reason}"
            )

    def tell(self, told: "Told") -> None:
        from airledger.listening.archive import FileHeard

        if isinstance(told, FileHeard):
            self._file(told)
        elif not self._as_json and time.monotonic() - self._told_at >= TELL_EVERY_S:
            self._told_at = time.monotonic()
            left = "" if told.left_s is None else f", {_span(told.left_s)} left"
            typer.echo(f"           {told.share:.0%} at {told.real_time:.0f} × real time{left}")

    def _file(self, told: "FileHeard") -> None:
        self._counts[told.state] += 1
        self._plays += told.plays
        self.has_failed |= told.state == "unreadable"
        if told.state == "known":
            return
        self._log_plays()
        self._seconds += told.seconds
        began = told.started_at.astimezone(self._opened.zone)
        row = {
            "kind": "file",
            "file": told.file.name,
            "state": told.state,
            "started_at": told.started_at,
            "seconds": round(told.seconds, 3),
            "plays": told.plays,
            "known_plays": told.known_plays,
            "dated_by": told.file.dated.by,
            "doubt": told.file.dated.doubt,
            "cause": told.cause,
            "detail": told.detail,
        }
        notes = [told.detail or "", _DOUBTS.get(told.file.dated.doubt or "", "")]
        known = f" ({told.known_plays} logged live already)" if told.known_plays else ""
        line = f"{told.state:10} {began:%Y-%m-%d %H:%M:%S}  {_span(told.seconds):>8}  {told.plays} plays{known}"
        self._say(row, "  ".join([line, told.file.name, *filter(None, notes)]))

    def end(self) -> None:
        self._log_plays()
        wall_s = time.monotonic() - self._began
        rate = self._seconds / wall_s if wall_s > 0 else 0.0
        row = {
            "kind": "done",
            "station_id": self._opened.target.station_id,
            "stream_id": self._opened.target.stream_id,
            "files": self._counts,
            "plays": self._plays,
            "seconds": round(self._seconds, 1),
            "real_time": round(rate, 1),
        }
        counts = ", ".join(f"{count} {state}" for state, count in self._counts.items() if count) or "no files"
        heard = f"{_span(self._seconds)} of sound in {_span(wall_s)} ({rate:.0f} × real time)"
        self._say(row, f"{counts}; {self._plays} plays new or changed; {heard}")

    def _log_plays(self) -> None:
        from airledger.playlog.plays import rebuild

        changed = 1
        while changed:
            with self._app.unit() as unit:
                changed = rebuild(unit, self._app.clock.now())

    def _say(self, row: dict[str, Any], line: str) -> None:
        if self._as_json:
            print_json(row)
        else:
            typer.echo(line)


_DOUBTS = {
    "ambiguous_hour": "(this hour comes twice, as clocks are set back)",
    "nonexistent_hour": "(this hour is left out, as clocks are set forward)",
}


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
