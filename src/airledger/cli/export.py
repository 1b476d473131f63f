"""`airledger export`: the catalogue as a file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from typing import TextIO

PANEL = "Stations"
Form = Literal["m3u", "pls", "xspf", "opml", "csv", "json", "xmltv"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(export)


def export(
    form: Annotated[Form, typer.Option("--format", "-f", help="What to write.")] = "m3u",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; default: the terminal.")] = None,
    kind: Annotated[Literal["radio", "tv"] | None, typer.Option("--type", help="Only these.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO code, like GH.")] = None,
    language: Annotated[str | None, typer.Option(help="As directories write it.")] = None,
    codec: Annotated[str | None, typer.Option(help="Like mp3 or aac.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Words; the last may be a beginning.")] = None,
    playable_in: Annotated[str | None, typer.Option(help="Only what this player can play, like browser_https.")] = None,
    min_quality: Annotated[float | None, typer.Option(min=0, max=1, help="Least quality score.")] = None,
    min_bitrate: Annotated[int | None, typer.Option(min=0, help="Least kbit/s.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Failing and unproven ones as well.")] = False,
) -> None:
    """Write streams of the catalogue as M3U, PLS, XSPF, OPML, CSV or JSON; TV channels as an XMLTV guide.

    By default what `/api/v1/streams` lists: active, reliable, proven to play. The memory used does not grow with the
    list.
    """
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.directory.entries import chunks, read_entries
    from airledger.stations.directory.export import ExportFormat, export_ids, export_writing
    from airledger.stations.filters import StreamFilter
    from airledger.stations.probing.playable import Client

    if playable_in is not None and playable_in not in set(Client):
        raise typer.BadParameter(f"--playable-in is one of {', '.join(Client)}")
    wanted = StreamFilter(
        type="tv" if form == "xmltv" else kind,
        country=country,
        language=language,
        codec=codec,
        q=q,
        playable_in=playable_in,
        min_quality=min_quality,
        min_bitrate=min_bitrate,
        all=everything,
    )
    writing = export_writing(ExportFormat(form))
    with Airledger.open(load_settings()) as app:
        with app.read() as session:
            ids = export_ids(session, wanted, limit)
        target: TextIO = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
        try:
            target.write(writing.head())
            for some in chunks(ids):
                with app.read() as session:
                    target.write(writing.entries(read_entries(session, some)))
            target.write(writing.tail())
        finally:
            if output:
                target.close()
    if output:
        typer.echo(f"{len(ids):,} streams in {output}")
