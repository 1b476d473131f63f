"""Keeping house: settings, migrations, schedules, sign-in links, backups."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table
from airledger.cli.up import ADDRESS_FILE

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.platform.audit import Actor

PANEL = "House"
config = typer.Typer(no_args_is_help=True, help="The settings in force.")
schedule = typer.Typer(no_args_is_help=True, help="What comes again and again.")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(config, name="config", rich_help_panel=PANEL)
    app.add_typer(schedule, name="schedule", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(migrate)
    app.command(rich_help_panel=PANEL)(link)
    app.command(rich_help_panel=PANEL)(backup)
    app.command(rich_help_panel=PANEL)(restore)
    app.command(rich_help_panel=PANEL)(warm)


@config.command("show")
def show(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show every setting in force, secrets masked."""
    from airledger.platform.settings import load_settings
    from airledger.platform.settings_file import masked

    shown = masked(load_settings())
    if as_json:
        print_json(shown)
    else:
        print_table("Settings", ("key", "value"), sorted(shown.items()))


def migrate() -> None:
    """Bring the database to this version's tables. Every command does so by itself; clusters do it once, first."""
    from airledger.app import Airledger
    from airledger.platform.migrate import head_revision
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()):
        typer.echo(f"the database is at revision {head_revision()}")


def link() -> None:
    """Print a fresh one-time sign-in link for the administrator."""
    from airledger.app import Airledger
    from airledger.platform.auth.bootstrap import bootstrap
    from airledger.platform.settings import load_settings

    settings = load_settings()
    with Airledger.open(settings) as app:
        token = bootstrap(app.database, app.clock).link
    told = settings.data / ADDRESS_FILE  # `up` may have been given another port than the settings have
    address = told.read_text(encoding="utf-8") if told.exists() else f"http://{settings.host}:{settings.port}"
    typer.echo(f"{address}/?link={token}")


def backup(target: Annotated[Path, typer.Argument(help="File to write, like airledger-2026-01-31.tar.gz.")]) -> None:
    """Write one archive of all rows and objects, while everything runs."""
    from airledger.app import Airledger
    from airledger.platform.backup import backup as write
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app:
        written = write(app.database, app.storage, target)
    typer.echo(f"{written.rows:,} rows and {written.objects:,} objects in {target}")


def restore(archive: Annotated[Path, typer.Argument(help="An archive that `airledger backup` wrote.")]) -> None:
    """Read an archive into an empty installation, SQLite or PostgreSQL; refuses one that holds anything."""
    from airledger.app import Airledger
    from airledger.platform.restore import restore as read
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app:
        read_in = read(archive, app.database, app.storage)
        app.library.sync()
    typer.echo(f"{read_in.rows:,} rows and {read_in.objects:,} objects restored")


def warm() -> None:
    """Compile the recognition kernels now, so that the first start does not wait for it."""
    from airledger.fingerprint.warm import warm as compile_kernels

    compile_kernels()


@schedule.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="One JSON line per schedule.")] = False) -> None:
    """List schedules with their last and next run."""
    from sqlalchemy import select

    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.platform.tasks.rows import Schedule

    with Airledger.open(load_settings()) as app, app.read() as session:
        found = session.scalars(select(Schedule).order_by(Schedule.name)).all()
    if as_json:
        for one in found:
            fields = ("name", "task", "every_s", "daily_at", "is_enabled", "next_due", "last_run")
            print_json({name: getattr(one, name) for name in fields})
        return
    rows = [
        (
            one.name,
            one.daily_at or f"{one.every_s} s",
            "on" if one.is_enabled else "paused",
            clock_time(one.last_run),
            clock_time(one.next_due),
        )
        for one in found
    ]
    print_table("Schedules", ("name", "every", "state", "last run", "next run"), rows)


@schedule.command("run")
def run(name: Annotated[str, typer.Argument(help="Name as `schedule list` shows it.")]) -> None:
    """Run a schedule at the next tick, whatever its time."""
    _change(name, is_due=True)
    typer.echo(f"{name} runs within a second of the scheduler's next turn")


@schedule.command("pause")
def pause(
    name: Annotated[str, typer.Argument(help="Name as `schedule list` shows it.")],
    resume: Annotated[bool, typer.Option("--resume", help="Let it run again.")] = False,
) -> None:
    """Pause a schedule, or let it run again."""
    _change(name, is_enabled=resume)
    typer.echo(f"{name} is {'on' if resume else 'paused'}")


def _change(name: str, *, is_due: bool = False, is_enabled: bool | None = None) -> None:
    from airledger.app import Airledger
    from airledger.platform.audit import Actor
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app:
        actor = Actor("system:cli", app.organisation_id)
        _write_change(app, actor, name, is_due=is_due, is_enabled=is_enabled)


def _write_change(app: "Airledger", actor: "Actor", name: str, *, is_due: bool, is_enabled: bool | None) -> None:
    from airledger.platform.audit import record_change
    from airledger.platform.errors import NotFoundError
    from airledger.platform.tasks.rows import Schedule

    now = app.clock.now()
    with app.unit() as unit:
        row = unit.session.get(Schedule, name)
        if row is None:
            raise NotFoundError(f"there is no schedule {name!r}: see `airledger schedule list`")
        if is_due:
            row.next_due = now
        if is_enabled is not None:
            row.is_enabled = is_enabled
        record_change(unit, actor, "changed", "schedule", name, {"is_due": is_due, "is_enabled": is_enabled}, at=now)
