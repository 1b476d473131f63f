"""One archive of everything, written while everything runs, read back into SQLite or PostgreSQL.

Format (docs/formats/backup.md): a .tar.gz of `tables/<name>.jsonl`, `objects/<key>` and, last, `manifest.json` with
the schema's revision and, for each member, its size, SHA-256 and row count. Rows come from one snapshot. Objects are
copied after it was taken, so each object that a row names is there unless its own retention removed it meanwhile.
"""

import contextlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from airledger.platform.backup_rows import as_line
from airledger.platform.db import Database, Row, translated
from airledger.platform.errors import NotFoundError
from airledger.platform.migrate import head_revision
from airledger.platform.storage import Storage

FORMAT = 1
MANIFEST = "manifest.json"
TABLES, OBJECTS = "tables/", "objects/"
ROWS_AT_ONCE = 1_000
BLOCK = 1 << 20
PROBE_PREFIX = "readyz/"
INDEX_PREFIX = "index/"  # published segments are made again from the peaks


@dataclass(frozen=True)
class Written:
    """What an archive holds, or what was read from one."""

    rows: int
    objects: int
    bytes: int


@dataclass(frozen=True)
class Member:
    """One member of the archive, as the manifest tells of it."""

    size: int
    sha256: str
    rows: int | None = None


def backup(database: Database, storage: Storage, target: Path) -> Written:
    """Write one archive of all rows and objects, while everything runs.

    The archive takes its final name only when it is whole. Secrets of the installation (`secret.key`) are not in it,
    nor is the fingerprint index, which is made again from the stored peaks.

    Raises:
        UnavailableError: The database went away.
        OSError: The target cannot be written.
    """
    fresh = target.with_name(f".{target.name}.partial")
    members: dict[str, Member] = {}
    try:
        with tarfile.open(fresh, "w:gz", compresslevel=6) as archive:
            _add_tables(archive, database, members, target.parent)
            _add_objects(archive, storage, members, target.parent)
            manifest = json.dumps(_manifest(members), indent=1).encode()
            archive.addfile(_entry(MANIFEST, len(manifest)), io.BytesIO(manifest))
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    rows = sum(member.rows or 0 for member in members.values())
    return Written(rows, sum(name.startswith(OBJECTS) for name in members), target.stat().st_size)


def _add_tables(archive: tarfile.TarFile, database: Database, members: dict[str, Member], near: Path) -> None:
    with _snapshot(database) as connection:
        for table in Row.metadata.sorted_tables:
            with tempfile.TemporaryFile(dir=near) as file:
                counted = 0
                order = list(table.primary_key.columns)
                for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table).order_by(*order)):
                    file.write(as_line(table, row))
                    counted += 1
                _add(archive, f"{TABLES}{table.name}.jsonl", file, members, rows=counted)


def _add_objects(archive: tarfile.TarFile, storage: Storage, members: dict[str, Member], near: Path) -> None:
    for key in storage.list():
        if key.startswith((PROBE_PREFIX, INDEX_PREFIX)):
            continue
        with contextlib.suppress(NotFoundError), storage.open(key) as content, tempfile.TemporaryFile(dir=near) as file:
            while block := content.read(BLOCK):
                file.write(block)
            _add(archive, f"{OBJECTS}{key}", file, members)


def _add(
    archive: tarfile.TarFile, name: str, file: IO[bytes], members: dict[str, Member], *, rows: int | None = None
) -> None:
    size = file.tell()
    file.seek(0)
    digest = sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    file.seek(0)
    archive.addfile(_entry(name, size), file)
    members[name] = Member(size, digest.hexdigest(), rows)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _manifest(members: dict[str, Member]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "revision": head_revision(),
        "made_at": datetime.now(UTC).isoformat(),
        "members": {
            name: {"size": member.size, "sha256": member.sha256, "rows": member.rows}
            for name, member in members.items()
        },
    }


@contextlib.contextmanager
def _snapshot(database: Database) -> Iterator[Connection]:
    """Open one transaction that sees one state for as long as it lasts, and hinders no writer."""
    with translated(), database.engine.connect() as plain:
        if database.is_sqlite:
            # Under WAL a reader keeps the state of its first read; BEGIN alone would not fix it.
            with plain.begin():
                plain.exec_driver_sql("SELECT count(*) FROM sqlite_master")
                yield plain
            return
        connection = plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection
