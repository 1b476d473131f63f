"""`airledger library ask`: many files at once, each shard of the index asked by whichever worker is free."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airledger.cli.output import print_json, print_table

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from airledger.app import Airledger
    from airledger.recognition.models import RecognitionBatch

RATE_HZ = 8_000
POLL_S = 0.3


def ask(
    files: Annotated[list[Path], typer.Argument(help="Sound files, or folders of them.")],
    start_s: Annotated[float, typer.Option(help="Where in each file the question begins, in seconds.", min=0)] = 0.0,
    length_s: Annotated[float, typer.Option(help="Its length in seconds.", min=3, max=60)] = 20.0,
    wait_s: Annotated[float, typer.Option(help="How long to wait for the workers, in seconds.", min=1)] = 600.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line per file.")] = False,
) -> None:
    """Ask the workers what files are, all at once. For one file on this machine use `airledger identify`."""
    from airledger.app import Airledger
    from airledger.fingerprint.peaks import extract
    from airledger.platform.settings import load_settings
    from airledger.recognition.decode import FileDecoder
    from airledger.recognition.enrol import sound_files

    named = sound_files(files)
    with Airledger.open(load_settings()) as app, FileDecoder() as decoder:
        app.declare_tasks()
        first, last = round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ)
        sounds = (decoder.decode(file).pcm[first:last] for file in named)
        queries = [extract(pcm, app.index_here.params, dense="query") for pcm in sounds]
        batch_id = app.index_here.batches().ask(app.organisation_id, queries, lambda *job: _enqueue(app, *job))
        batch = _wait(app, batch_id, wait_s)
    if batch.answers is None:
        typer.echo(f"not answered within {wait_s:g} s: does a worker run? (batch {batch_id})", err=True)
        raise typer.Exit(1)
    if as_json:
        for file, found in zip(named, batch.answers, strict=True):
            print_json({"file": file, "found": found})
        return
    rows = [
        (file.name, one["title"], f"{one['offset_s']:.2f}", f"{one['speed']:.3f}", f"{one['score']:.3f}")
        for file, found in zip(named, batch.answers, strict=True)
        for one in found or [{"title": "", "offset_s": 0.0, "speed": 1.0, "score": 0.0}]
    ]
    print_table(f"{batch.queries} files, {batch.tracks} recordings", ("file", "is", "at (s)", "speed", "score"), rows)


def _enqueue(app: "Airledger", session: "Session", batch_id: "UUID") -> None:
    from airledger.recognition.jobs import RECOGNISE_BATCH

    args = {"batch": str(batch_id)}
    app.tasks.enqueue(session, RECOGNISE_BATCH, args, now=app.clock.now(), organisation_id=app.organisation_id)


def _wait(app: "Airledger", batch_id: "UUID", wait_s: float) -> "RecognitionBatch":
    from airledger.recognition.batches import get_batch

    deadline = time.monotonic() + wait_s
    while True:
        with app.read() as session:
            found = get_batch(session, app.organisation_id, batch_id)
        if found.answers is not None or time.monotonic() > deadline:
            return found
        time.sleep(POLL_S)
