"""`airledger library`: the recordings that are listened for."""

import threading
import time
from collections import Counter
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from airledger.cli.duplicate_report import duplicates_of, tell_duplicates
from airledger.cli.enrolment_report import Report
from airledger.cli.library_ask import ask
from airledger.cli.library_index import index
from airledger.cli.output import print_json, print_table

library = typer.Typer(no_args_is_help=True, help="The recordings that are listened for.")
WAIT_S = 300.0
INTERRUPTED = 130


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    library.add_typer(index, name="index")
    library.command("ask")(ask)
    app.add_typer(library, name="library", rich_help_panel="Start here")


@library.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Sound files, or folders of them.")],
    csv: Annotated[
        Path | None, typer.Option(help="Table with columns file,title,artist,album,label,isrc,class; wins over tags.")
    ] = None,
    recording_class: Annotated[
        str, typer.Option("--class", help="What they are: music, jingle, advert or bed; a table's column wins.")
    ] = "music",
    workers: Annotated[int, typer.Option(help="Files read at the same time; 0: one per core.", min=0, max=256)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be read.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that could not be read before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only say what went wrong.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the folder is there and complete (demo).")] = False,
) -> None:
    """Enrol recordings: read tags, fingerprint, listen for them from now on. Doing it again changes nothing.

    Cut off at any moment and called again, it goes on where it was; files that have not changed are not opened again.
    A `library.csv` in a named folder is read without being asked for.
    """
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.platform.stopping import catch_signals
    from airledger.recognition.enrol import sound_files
    from airledger.recognition.enrol_many import Manner, enrol_many
    from airledger.recognition.runs import begin_run
    from airledger.repertoire.describe import checked_class, read_rows
    from airledger.repertoire.models import MUSIC

    if wait:
        _wait_for(paths)
    tables = [csv] if csv else [path / "library.csv" for path in paths if (path / "library.csv").is_file()]
    rows = {name: row for table in tables for name, row in read_rows(table).items()}
    files = sound_files(paths)
    if checked_class(recording_class) != MUSIC:
        given = {file.name: rows.get(file.name, {}) for file in files}
        rows = {name: {**row, "class": row.get("class") or recording_class} for name, row in given.items()}
    stop = threading.Event()
    catch_signals(stop)
    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        manner = Manner(workers=workers, is_dry=dry_run, is_stubborn=retry, stopping=stop.is_set)
        run = begin_run(app.database, app.clock, app.organisation_id, actor, len(files))
        fresh: list[UUID] = []
        report = Report(run, style="json" if as_json else "quiet" if quiet else "progress")
        with report:
            for one in enrol_many(app.enroller(app.organisation_id, actor), files, rows, manner):
                run.note(one)
                report.tell(one)
                if one.outcome == "enrolled" and one.recording_id is not None:
                    fresh.append(one.recording_id)
        run.finish(stopped=stop.is_set())
        if run.counts["enrolled"] or run.counts["renewed"]:
            app.library.sync()
        duplicates = [] if stop.is_set() else duplicates_of(app, fresh)
    tell_duplicates(duplicates, as_json=as_json)
    if not as_json and not (quiet and not run.counts["refused"]):
        typer.echo(report.summary())
    raise typer.Exit(INTERRUPTED if stop.is_set() else 1 if run.counts["refused"] else 0)


def _wait_for(paths: list[Path]) -> None:
    """Wait for `library.csv`, which the demo's transmitter writes when all songs are made."""
    deadline = time.monotonic() + WAIT_S
    while not all((path / "library.csv").is_file() for path in paths) and time.monotonic() < deadline:
        time.sleep(0.2)


@library.command("list")
def list_(
    text: Annotated[str, typer.Argument(help="Must occur in title, artist, album or ISRC.")] = "",
    recording_class: Annotated[str | None, typer.Option("--class", help="Only music, jingle, advert or bed.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 100,
    after: Annotated[str, typer.Option(help="Go on behind this recording: its id, as the last page ended.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per recording.")] = False,
) -> None:
    """List recordings by title, a page at a time."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.repertoire.recordings import get_recording, list_recordings

    with Airledger.open(load_settings()) as app, app.read() as session:
        last = get_recording(session, app.organisation_id, recording_id(after)) if after else None
        place = (last.title, last.id) if last else None
        rows = list_recordings(
            session, app.organisation_id, text=text, recording_class=recording_class, limit=limit + 1, after=place
        )
    found, more = rows[:limit], len(rows) > limit
    if as_json:
        for one in found:
            names = ("id", "title", "artist", "album", "isrc", "recording_class", "duration_ms")
            print_json({name: getattr(one, name) for name in names})
        return
    shown = [
        (one.title, one.artist, one.album, one.isrc, one.recording_class, f"{one.duration_ms / 1000:.0f} s")
        for one in found
    ]
    print_table(f"{len(shown)} recordings", ("title", "artist", "album", "ISRC", "class", "length"), shown)
    if more:
        typer.echo(f"There are more: --after {found[-1].id}")


@library.command("change")
def change(
    recording: Annotated[str, typer.Argument(metavar="ID", help="As `library list --json` shows it.")],
    title: Annotated[str | None, typer.Option(help="Its title.")] = None,
    artist: Annotated[str | None, typer.Option(help="Its artist.")] = None,
    isrc: Annotated[str | None, typer.Option(help="Its ISRC; empty: none.")] = None,
    recording_class: Annotated[str | None, typer.Option("--class", help="music, jingle, advert or bed.")] = None,
) -> None:
    """Change what a recording is called, or what it is: adverts and jingles count from a few seconds on."""
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.recognition.change import change_recording

    given = {"title": title, "artist": artist, "isrc": isrc, "recording_class": recording_class}
    changes = {name: value for name, value in given.items() if value is not None}
    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        with app.unit() as unit:
            change_recording(unit, actor, app.organisation_id, recording_id(recording), changes, app.clock.now())


@library.command("duplicates")
def duplicates_(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=10_000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per duplicate.")] = False,
) -> None:
    """List recordings that share sound: the same, at another speed, edits, one within the other."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.find_duplicates import find_duplicates

    with Airledger.open(load_settings()) as app, app.read() as session:
        found = find_duplicates(session, app.organisation_id, limit=limit)
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [(one.title, one.kind, one.of_title, f"{one.speed:.3f}", f"{one.share:.0%}") for one in found]
    print_table(f"{len(rows)} duplicates", ("recording", "is", "of", "speed", "shared"), rows)


@library.command("remove")
def remove(
    recordings: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, as `library list --json` shows them.")],
) -> None:
    """Stop listening for recordings. Their plays stay; enrolling the same file again brings them back."""
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.recognition.remove import remove_recordings

    ids = [recording_id(text) for text in recordings]
    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        with app.unit() as unit:
            gone = remove_recordings(unit, actor, app.organisation_id, ids, now=app.clock.now())
    typer.echo(f"{gone} removed, {len(ids) - gone} were not listened for")


@library.command("verify")
def verify(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per recording that is not sound.")] = False,
) -> None:
    """Look whether every fingerprint can be read and is in the index."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.verify import verify_library

    counts: Counter[str] = Counter()
    with Airledger.open(load_settings()) as app:
        app.library.sync()
        for one in verify_library(app.database, app.storage, app.library):
            counts[one.verdict] += 1
            if one.verdict == "sound":
                continue
            if as_json:
                print_json(one)
            else:
                typer.echo(f"{one.recording_id} {one.title}: {one.verdict}; {one.remedy}")
    if not as_json:
        typer.echo(", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items()) or "empty")
    raise typer.Exit(0 if counts.total() == counts["sound"] else 1)


def recording_id(text: str) -> UUID:
    """Read an id.

    Raises:
        BadParameter: It is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not the id of a recording.") from None
