"""`python -m airledger` and the `airledger` command: the terminal's commands, and the four processes."""

import sys
from typing import Annotated

import typer

from airledger.cli.main import app

__all__ = ["app", "main"]

PANEL = "Processes"
MAX_SHOWN_CHARS = 300


@app.command(rich_help_panel=PANEL)
def api() -> None:
    """Serve the API and the page."""
    from airledger.api.serve import serve
    from airledger.platform.settings import load_settings

    serve(load_settings())


@app.command(rich_help_panel=PANEL)
def worker(
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue; may be given several times.")] = None,
) -> None:
    """Do tasks: crawls, proofs, clean-up."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_worker

    run_worker(load_settings(), tuple(queue or ()))


@app.command(rich_help_panel=PANEL)
def scheduler() -> None:
    """Fire schedules, dispatch events, recover tasks of dead workers. Several may run; one works."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_scheduler

    run_scheduler(load_settings())


@app.command(rich_help_panel=PANEL)
def listener() -> None:
    """Hear stations and recognise what they play. Several share the stations."""
    from airledger.platform.settings import load_settings
    from airledger.worker import run_listener

    run_listener(load_settings())


def main() -> None:
    """Run the command line; an error of ours, or of a file that was named, is one sentence and exit code 1."""
    from airledger.platform.errors import AirledgerError

    try:
        app()
    except AirledgerError as error:
        sys.stderr.write(f"airledger: {error.message}\n")
        sys.exit(1)
    except OSError as error:
        if error.filename is None:  # not of a file: a fault of ours, which deserves its trace
            raise
        name = str(error.filename)[:MAX_SHOWN_CHARS].encode(errors="backslashreplace").decode()
        sys.stderr.write(f"airledger: {name}: {error.strerror}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
