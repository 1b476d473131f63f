"""What `library add` tells of duplicates among what it has just enrolled."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from airledger.cli.output import print_json

if TYPE_CHECKING:
    from airledger.app import Airledger
    from airledger.recognition.find_duplicates import FoundDuplicate

AT_ONCE = 60  # some twenty seconds; the task `library.find_duplicates` takes its time for the rest

WORDS = {
    "same": "is the same sound as",
    "speed": "is, at another speed,",
    "edit": "is an edit of, or edited from,",
    "contained": "is contained in",
    "contains": "contains",
}


def duplicates_of(app: "Airledger", fresh: Sequence[UUID]) -> "list[FoundDuplicate]":
    """Find what recordings that were just enrolled share with others; the index must be in step."""
    if not fresh:
        return []
    from airledger.recognition.duplicates import DuplicateSearch
    from airledger.recognition.find_duplicates import find_duplicates

    some = list(fresh[:AT_ONCE])
    if len(fresh) > AT_ONCE:
        left = len(fresh) - AT_ONCE
        typer.echo(f"duplicates of {left} more are found in the background: `library duplicates`", err=True)
    DuplicateSearch(app.database, app.storage, app.clock, app.library).turn(limit=AT_ONCE, only=some)
    with app.read() as session:
        return find_duplicates(session, app.organisation_id, some)


def tell_duplicates(found: "Sequence[FoundDuplicate]", *, as_json: bool) -> None:
    """Tell what was found: a line each."""
    for one in found:
        if as_json:
            print_json({"outcome": "duplicate", **vars(one)})
        else:
            speed = f" ({one.speed:.3f} times as fast)" if one.kind == "speed" else ""
            typer.echo(f"{one.title} {WORDS[one.kind]} {one.of_title}{speed}")
