"""`airledger plays`: the log."""

from datetime import datetime
from typing import Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Start here")(plays)


def plays(
    stream: Annotated[int | None, typer.Option(help="Only this stream.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Started at or after (local time).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Started before (local time).")] = None,
    recording_class: Annotated[
        str | None, typer.Option("--class", help="Only music, jingle, advert or bed: adverts as proof of airing.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per play.")] = False,
) -> None:
    """List plays, newest first."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.playlog.find_plays import PlayFilter, find_plays

    wanted = PlayFilter(
        stream_id=stream,
        since=since.astimezone() if since else None,
        until=until.astimezone() if until else None,
        recording_class=recording_class,
    )
    with Airledger.open(load_settings()) as app, app.read() as session:
        page = find_plays(session, app.organisation_id, wanted, limit=limit)
    if as_json:
        for one in page.rows:
            print_json(one)
        return
    rows = [
        (
            clock_time(one.started_at),
            one.station_name,
            one.title,
            one.artist,
            f"{one.duration_ms / 1000:.1f}",
            one.status,
        )
        for one in page.rows
    ]
    print_table(f"{len(rows)} plays", ("started", "station", "title", "artist", "seconds", "status"), rows)
