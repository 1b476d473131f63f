"""Which files were read before, by path, size and time of change: 100,000 of them are passed over in seconds."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.recognition.models import EnrolledFile

PATHS_AT_ONCE = 500


@dataclass(frozen=True)
class Look:
    """What the file system says of a file.

    Attributes:
        path: absolute, as text; bytes that are no text are escaped.
    """

    path: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class ReadBefore:
    """What a file held when it was read."""

    content_sha256: str
    refusal: str | None


def look_at(file: Path) -> Look:
    """Look at a file without opening it.

    Raises:
        OSError: It is not there.
    """
    found = file.stat()
    text = os.fsencode(file.absolute()).decode("utf-8", "backslashreplace")
    return Look(text, found.st_size, found.st_mtime_ns)


def read_before(session: Session, organisation_id: UUID, looks: Sequence[Look]) -> dict[str, ReadBefore]:
    """Tell by path what those files held that have not changed since they were read."""
    found: dict[str, ReadBefore] = {}
    by_path = {look.path: look for look in looks}
    paths = list(by_path)
    for start in range(0, len(paths), PATHS_AT_ONCE):
        query = select(
            EnrolledFile.path,
            EnrolledFile.size_bytes,
            EnrolledFile.mtime_ns,
            EnrolledFile.content_sha256,
            EnrolledFile.refusal,
        ).where(
            EnrolledFile.organisation_id == organisation_id, EnrolledFile.path.in_(paths[start : start + PATHS_AT_ONCE])
        )
        for row in session.execute(query):
            look = by_path[row.path]
            if (look.size_bytes, look.mtime_ns) == (row.size_bytes, row.mtime_ns):
                found[row.path] = ReadBefore(row.content_sha256, row.refusal)
    return found


def remember(unit: Unit, organisation_id: UUID, read: Iterable[tuple[Look, ReadBefore]], *, now: datetime) -> None:
    """Write what files held."""
    rows = [
        {
            "organisation_id": organisation_id,
            "path": look.path,
            "size_bytes": look.size_bytes,
            "mtime_ns": look.mtime_ns,
            "content_sha256": held.content_sha256,
            "refusal": held.refusal,
            "seen_at": now,
        }
        for look, held in read
    ]
    if not rows:
        return
    insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    adding = insert(EnrolledFile)
    fresh = ("size_bytes", "mtime_ns", "content_sha256", "refusal", "seen_at")
    unit.session.execute(
        adding.on_conflict_do_update(
            index_elements=["organisation_id", "path"], set_={name: adding.excluded[name] for name in fresh}
        ),
        rows,
    )
