"""`airledger schedule`: what comes again and again, when it ran and what came of it."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import clock_time, print_json, print_table

if TYPE_CHECKING:
    from airledger.app import Airledger

HOUR_S, MINUTE_S = 3_600, 60

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="As `airledger schedule list` shows it, such as crawl:xiph or cleanup.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, one line per schedule.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List schedules with their last and next run.

    Crawls come every 6 hours (each source has its own `every_hours`), cleanup daily at 02:00 UTC. Streams are checked
    one by one, each at its own time around `health_check_hours` (1) and `verification_hours` (2):
    `stations.plan_checks` hands out those that are due.
    """
    from airledger.platform.tasks.steer import list_schedules

    with _opened() as house, house.read() as session:
        rows = list_schedules(session)
    if as_json:
        for row in rows:
            print_json(row)
        return
    print_table(
        "Schedules",
        ("name", "comes", "last run", "took s", "came to", "next run"),
        [
            (
                row.name,
                f"daily at {row.daily_at} UTC" if row.daily_at else f"every {_span(row.every_s)}",
                clock_time(row.last_run),
                None if row.last is None or row.last.seconds is None else f"{row.last.seconds:.1f}",
                (row.last.error or row.last.status) if row.last else None,
                clock_time(row.next_due) if row.enabled else "paused",
            )
            for row in rows
        ],
    )


@app.command()
def run(name: Name, as_json: AsJson = False) -> None:
    """Have a schedule's task done now, by the workers of `airledger up`; when it is due next stays."""
    from airledger.platform.audit import Actor
    from airledger.platform.tasks.steer import run_schedule

    with _opened() as house:
        actor = Actor("system:cli", house.organisation_id)
        with house.unit() as unit:
            task_id = run_schedule(unit, house.tasks, actor, name, now=house.clock.now())
    if as_json:
        print_json({"name": name, "task_id": task_id})
    else:
        typer.echo(f"{name} is handed to the workers as task {task_id}.")


@app.command()
def pause(name: Name, as_json: AsJson = False) -> None:
    """Pause a schedule until it is resumed."""
    _switch(name, is_enabled=False, as_json=as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False) -> None:
    """Resume a schedule; one that is overdue runs at once."""
    _switch(name, is_enabled=True, as_json=as_json)


def _switch(name: str, *, is_enabled: bool, as_json: bool) -> None:
    from airledger.platform.audit import Actor
    from airledger.platform.tasks.steer import change_schedule, list_schedules

    with _opened() as house:
        actor = Actor("system:cli", house.organisation_id)
        with house.unit() as unit:
            change_schedule(unit, actor, name, is_enabled=is_enabled, next_due=None, now=house.clock.now())
            (row,) = list_schedules(unit.session, name)
    if as_json:
        print_json(row)
    else:
        typer.echo(f"{name} runs next at {clock_time(row.next_due)}." if is_enabled else f"{name} is paused.")


@contextlib.contextmanager
def _opened() -> "Iterator[Airledger]":
    """Open the App with its schedules written, so that they can be seen and set before the first `airledger up`."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as house:
        house.declare_tasks()
        house.declare_schedules()
        yield house


def _span(seconds: int) -> str:
    if seconds % HOUR_S == 0:
        return f"{seconds // HOUR_S} h"
    return f"{seconds // MINUTE_S} min" if seconds % MINUTE_S == 0 else f"{seconds} s"
