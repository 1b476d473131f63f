"""`airledger library`: the recordings that are listened for."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import print_json, print_table

if TYPE_CHECKING:
    from airledger.recognition.enrol import Enrolment

library = typer.Typer(no_args_is_help=True, help="The recordings that are listened for.")
WAIT_S = 300.0


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(library, name="library", rich_help_panel="Start here")


@library.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Sound files, or folders of them.")],
    csv: Annotated[
        Path | None, typer.Option(help="Table with columns file,title,artist,album,label,isrc,class; wins over tags.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only say what went wrong.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the folder is there and complete (demo).")] = False,
) -> None:
    """Enrol recordings: read tags, fingerprint, listen for them from now on. Doing it again changes nothing.

    A `library.csv` in a named folder is read without being asked for.
    """
    from airledger.app import Airledger
    from airledger.fingerprint.params import PROFILES
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.recognition.enrol import Enroller, sound_files
    from airledger.repertoire.describe import read_rows

    if wait:
        _wait_for(paths)
    tables = [csv] if csv else [path / "library.csv" for path in paths if (path / "library.csv").is_file()]
    rows = {name: row for table in tables for name, row in read_rows(table).items()}
    files = sound_files(paths)
    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        enroller = Enroller(app.database, app.storage, app.clock, PROFILES["balanced"], app.organisation_id, actor)
        done = _enrol(enroller.enrol_files(files, rows), len(files), as_json=as_json, quiet=quiet)
        app.library.sync()
    refused = [one for one in done if one.outcome == "refused"]
    if not as_json and not (quiet and not refused):
        counts = {outcome: sum(one.outcome == outcome for one in done) for outcome in ("enrolled", "known", "refused")}
        typer.echo(f"{counts['enrolled']} enrolled, {counts['known']} known before, {counts['refused']} refused")
    raise typer.Exit(1 if refused else 0)


def _enrol(results: "object", total: int, *, as_json: bool, quiet: bool) -> "list[Enrolment]":
    from collections.abc import Iterable
    from typing import cast

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    done: list[Enrolment] = []
    columns = (
        TextColumn("enrolling"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[name]}"),
    )
    with Progress(*columns, disable=as_json or quiet, transient=True) as progress:
        task = progress.add_task("enrol", total=total, name="")
        for one in cast("Iterable[Enrolment]", results):
            done.append(one)
            progress.update(task, advance=1, name=one.title)
            if as_json:
                print_json(one)
            elif one.outcome == "refused":
                progress.console.print(one.reason, style="red", markup=False)
    return done


def _wait_for(paths: list[Path]) -> None:
    """Wait for `library.csv`, which the demo's transmitter writes when all songs are made."""
    deadline = time.monotonic() + WAIT_S
    while not all((path / "library.csv").is_file() for path in paths) and time.monotonic() < deadline:
        time.sleep(0.2)


@library.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="Must occur in title, artist, album or ISRC.")] = "",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per recording.")] = False,
) -> None:
    """List recordings."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.repertoire.recordings import list_recordings

    with Airledger.open(load_settings()) as app, app.read() as session:
        found = list_recordings(session, app.organisation_id, text=text, limit=limit)
    if as_json:
        for one in found:
            print_json({name: getattr(one, name) for name in ("id", "title", "artist", "album", "isrc", "duration_ms")})
        return
    rows = [(one.title, one.artist, one.album, one.isrc, f"{one.duration_ms / 1000:.0f} s") for one in found]
    print_table(f"{len(rows)} recordings", ("title", "artist", "album", "ISRC", "length"), rows)
