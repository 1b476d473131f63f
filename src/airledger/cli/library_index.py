"""`airledger library index`: how the index stands, where it is cut into shards and published."""

from typing import Annotated

import typer

from airledger.cli.output import print_json, print_table

index = typer.Typer(
    no_args_is_help=True, help="The index of the library, as this machine has it or as it is published."
)


@index.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON line per shard.")] = False) -> None:
    """Show what the index holds, and what it has to leave out."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.index_status import index_status

    with Airledger.open(load_settings()) as app:
        found = index_status(app.database, app.storage, app.index_here, lambda: app.library)
    if as_json:
        for one in found.shards:
            print_json(one)
        return
    rows = [
        (
            one.shard,
            one.generation,
            one.tracks,
            one.segments,
            f"{one.bytes / 1e6:.1f} MB",
            "yes" if one.is_up_to_date else "no",
        )
        for one in found.shards
    ]
    print_table(found.place, ("shard", "generation", "tracks", "segments", "size", "up to date"), rows)
    if found.stale:
        typer.echo(
            f"{found.stale} of {found.fingerprints} recordings are left out: they were fingerprinted by another "
            f"engine, or less densely than the profile {found.profile!r} needs. "
            "Enrol their files again, or go back to the profile before."
        )
    raise typer.Exit(1 if found.stale else 0)


@index.command("build")
def build(
    shard: Annotated[list[int] | None, typer.Option(help="Only these shards; all that are behind without it.")] = None,
) -> None:
    """Bring the index up to the library now, instead of when a worker does."""
    from airledger.app import Airledger
    from airledger.platform.settings import load_settings
    from airledger.recognition.changes import current_revision

    with Airledger.open(load_settings()) as app:
        if not app.settings.is_index_published:
            added, merged = app.index_here.tend(lambda: False)
            typer.echo(f"{added} recordings added{', segments merged' if merged else ''}")
            return
        with app.read() as session:
            revision = current_revision(session)
        for one in shard if shard is not None else app.index_here.due(revision):
            built = app.index_here.builder().build(one)
            typer.echo(
                f"shard {built.shard}: {built.tracks} recordings, {built.added} added, {built.removed} removed, "
                f"{built.stored} segments stored, generation {built.generation}"
            )


@index.command("verify")
def verify() -> None:
    """Read every byte of the index of this machine and compare it with its checksums."""
    from airledger.app import Airledger
    from airledger.fingerprint.errors import FingerprintError
    from airledger.platform.errors import InputError
    from airledger.platform.settings import load_settings

    with Airledger.open(load_settings()) as app:
        app.library.sync()
        try:
            app.library.index.verify()
        except FingerprintError as error:
            raise InputError(f"the index is damaged: {error} Delete its folder; it is made again.") from error
        typer.echo(f"{len(app.library.index)} recordings, all sound")
