"""The four processes, each on its own: what `airledger up` starts, and what a cluster deploys."""

from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Processes"
    app.command(rich_help_panel=panel)(api)
    app.command(rich_help_panel=panel)(worker)
    app.command(rich_help_panel=panel)(scheduler)
    app.command(rich_help_panel=panel)(listener)


def api() -> None:
    """Serve the API and the page."""
    from airledger.api.serve import serve
    from airledger.platform.settings import load_settings

    serve(load_settings())


def worker(
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue; may be given several times.")] = None,
) -> None:
    """Do tasks: crawls, proofs, clean-up."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_worker

    run_worker(load_settings(), tuple(queue or ()))


def scheduler() -> None:
    """Fire schedules, dispatch events, recover tasks of dead workers. Several may run; one works."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_scheduler

    run_scheduler(load_settings())


def listener() -> None:
    """Hear stations and recognise what they play. Several share the stations."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_listener

    run_listener(load_settings())
