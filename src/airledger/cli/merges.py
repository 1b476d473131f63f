"""`airledger stations`: what makes streams one station, and taking it back."""

from typing import Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table

stations = typer.Typer(no_args_is_help=True, help="Stations: which were made one, why, and taking it back.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(stations, name="stations", rich_help_panel="Stations")


@stations.command("merges")
def merges(
    station: Annotated[int | None, typer.Argument(help="Only those that made this station what it is.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only of one reason: same_sound, same_address, same_target, by_hand, ...")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per merge.")] = False,
) -> None:
    """List merges of stations, newest first: which is kept, which was merged into it, and the reason."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.joining.views import find_merges

    with Airledger.open(load_settings()) as app, app.read() as session:
        found = find_merges(session, station_id=station, reason=reason, limit=limit).rows
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [
        (
            one.id,
            f"{one.kept_name} ({one.kept_station_id})",
            f"{one.merged_name} ({one.merged_station_id})",
            len(one.stream_ids),
            one.reason,
            f"{one.confidence:.2f}",
            clock_time(one.at),
            "taken back" if one.undone_at else "",
        )
        for one in found
    ]
    columns = ("merge", "kept", "merged", "streams", "reason", "confidence", "at", "")
    print_table(f"{len(rows)} merges", columns, rows)


@stations.command("undo-merge")
def undo_merge(
    merge: Annotated[int, typer.Argument(help="As `airledger stations merges` lists it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Take a merge back: the streams return, and the two stations are never joined by themselves again."""
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.stations.joining.facts import read_zones
    from airledger.stations.joining.merge import undo
    from airledger.stations.joining.views import find_merge

    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        read_zones()
        with app.unit() as unit:
            undo(unit, merge, actor, now=app.clock.now())
            done = find_merge(unit.session, merge)
    if as_json:
        print_json(done)
    elif done is not None:
        typer.echo(f"{done.merged_name} ({done.merged_station_id}) is a station of its own again.")


@stations.command("join")
def join(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Look now, in all that has changed, for streams of one station; otherwise a task does so every minute."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.stations.joining.find import join_all

    with Airledger.open(load_settings()) as app:
        done = join_all(app.database, app.clock)
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{done.streams} streams looked at, {done.compared} pairs compared, {done.merged} stations merged.")
