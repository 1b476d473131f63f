"""`airledger identify FILE`: recognition without a station in the catalogue."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from airledger.cli.output import print_json, print_table

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.listening.hear_file import HeardInFile
    from airledger.repertoire.models import Recording


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Start here")(identify)


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
