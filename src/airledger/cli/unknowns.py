"""`airledger unknowns`: what was heard more than once and nobody has enrolled."""

from typing import Annotated
from uuid import UUID

import typer

from airledger.cli.output import clock_time, print_json, print_table

unknowns = typer.Typer(help="Unknown recordings: heard more than once, enrolled by nobody.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(unknowns, name="unknowns", rich_help_panel="Start here")


@unknowns.callback(invoke_without_command=True)
def list_(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="new, named, ignored or all.")] = "new",
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per unknown recording.")] = False,
) -> None:
    """List unknown recordings, those heard most often first."""
    if context.invoked_subcommand is not None:
        return
    from airledger.app import Airledger
    from airledger.listening.unknown_find import find_unknowns
    from airledger.platform.settings import load_settings

    wanted = None if state == "all" else state
    with Airledger.open(load_settings()) as app, app.read() as session:
        found = find_unknowns(session, app.organisation_id, state=wanted, limit=limit)
    if as_json:
        for one in found:
            print_json(one)
        return
    rows = [
        (
            one.id,
            one.times_heard,
            one.stations,
            f"{one.duration_ms / 1000:.0f} s",
            one.suggested_class,
            clock_time(one.last_heard_at),
            " - ".join(part for part in (one.artist, one.title) if part),
        )
        for one in found
    ]
    columns = ("id", "times heard", "stations", "length", "looks like", "last heard", "name")
    print_table(f"{len(rows)} unknown recordings", columns, rows)


@unknowns.command("show")
def show(
    unknown_id: Annotated[UUID, typer.Argument(help="As `airledger unknowns` lists it.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show when and where an unknown recording was heard."""
    from airledger.app import Airledger
    from airledger.listening.unknown_find import show_unknown
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app, app.read() as session:
        found = show_unknown(session, app.organisation_id, unknown_id)
    if as_json:
        print_json(found)
        return
    rows = [
        (clock_time(one.started_at), one.station_name, f"{(one.ended_at - one.started_at).total_seconds():.1f}")
        for one in found.airings
    ]
    print_table(f"heard {found.unknown.times_heard} times", ("started", "station", "seconds"), rows)
    for one in found.merged:
        typer.echo(f"joined with {one.id}: {one.because}")


@unknowns.command("name")
def name(
    unknown_id: Annotated[UUID, typer.Argument(help="As `airledger unknowns` lists it.")],
    recording: Annotated[UUID | None, typer.Option(help="A recording of the library that it is.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of a new recording.")] = None,
    artist: Annotated[str, typer.Option(help="Its artist.")] = "",
    isrc: Annotated[str | None, typer.Option(help="Its ISRC.")] = None,
    recording_class: Annotated[str, typer.Option("--class", help="music, jingle, advert or bed.")] = "music",
    enrol: Annotated[bool, typer.Option(help="Listen for it from now on, by its longest airing.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what an unknown recording is: its past plays are written, and coming ones follow."""
    from airledger.app import Airledger
    from airledger.fingerprint.params import PROFILES
    from airledger.listening.unknown_settle import settle_name
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings
    from airledger.repertoire.describe import Description, with_row

    described = None
    if title is not None:
        described = with_row(Description(title, artist), {"isrc": isrc or "", "class": recording_class})
    with Airledger.open(load_settings()) as app:
        settled = settle_name(
            app.database,
            app.storage,
            Actor("system:cli", app.organisation_id),
            unknown_id,
            app.clock.now(),
            recording_id=recording,
            described=described,
            enrol_with=PROFILES[app.settings.fingerprint_profile] if enrol else None,
        )
    if as_json:
        print_json(settled)
        return
    typer.echo(f"{settled.plays} plays written{'; it is listened for from now on' if settled.is_enrolled else ''}")


@unknowns.command("ignore")
def ignore(unknown_id: Annotated[UUID, typer.Argument(help="As `airledger unknowns` lists it.")]) -> None:
    """Say that an unknown recording need not be named."""
    from airledger.app import Airledger
    from airledger.listening.unknown_names import ignore_unknown
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        with app.unit() as unit:
            ignore_unknown(unit, actor, unknown_id, app.clock.now())
