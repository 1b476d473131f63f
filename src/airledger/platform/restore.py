"""Reading an archive of `backup` back into an empty installation."""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from sqlalchemy import Column, DateTime, MetaData, Table, insert, inspect, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from airledger.platform.backup import FORMAT, MANIFEST, OBJECTS, TABLES, Member, Written
from airledger.platform.backup_rows import from_line
from airledger.platform.db import Database, Row, UtcDateTime
from airledger.platform.errors import ConflictError, InputError, LimitError
from airledger.platform.migrate import head_revision, lay_anew, revisions, upgrade
from airledger.platform.storage import Storage

MANIFEST_LIMIT = 256 << 20
LINE_LIMIT = 64 << 20
MEMBERS_LIMIT = 50_000_000
ROWS_AT_ONCE = 500
BLOCK = 1 << 20


@dataclass(frozen=True)
class _Manifest:
    revision: str
    members: dict[str, Member]


def restore(archive: Path, database: Database, storage: Storage) -> Written:
    """Read an archive into an empty database, of the same kind or the other, and its objects into storage.

    Everything is checked against the manifest before anything is written, and all rows come in one unit: a restore
    that fails leaves the database empty. An archive of an earlier version is read into that version's tables, which are
    then brought up to date as an installation's would be.

    Raises:
        ConflictError: The database holds rows already, or the archive is of a later version's tables.
        InputError: The file is no archive of ours, or damaged.
    """
    upgrade(database)
    _require_empty(database)
    manifest = _checked(archive)
    if manifest.revision != head_revision():
        lay_anew(database, manifest.revision)
    with database.unit() as unit:
        tables = _tables_present(unit.session)
        rows = _restore_tables(unit.session, archive, manifest, tables)
        if not database.is_sqlite:
            _reset_sequences(unit.session, tables)
    upgrade(database)
    objects = _restore_objects(archive, storage)
    return Written(rows, objects, archive.stat().st_size)


def _require_empty(database: Database) -> None:
    with database.read() as session:
        for table in Row.metadata.sorted_tables:
            if session.execute(select(table).limit(1)).first() is not None:
                raise ConflictError(
                    f"the database is not empty (table {table.name}): restore into a fresh data folder or database"
                )


def _checked(archive: Path) -> _Manifest:
    """Read the manifest and compare every member with it."""
    found: dict[str, Member] = {}
    manifest: _Manifest | None = None
    try:
        for name, content in _members(archive):
            if name == MANIFEST:
                manifest = _read_manifest(content)
            else:
                found[name] = _measured(content)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{archive.name} cannot be read as a backup: {error}") from error
    if manifest is None:
        raise InputError(f"{archive.name} has no manifest: it is no backup of ours, or was cut off")
    told = {name: Member(member.size, member.sha256) for name, member in manifest.members.items()}
    if told != found:
        wrong = sorted(name for name in told.keys() | found.keys() if told.get(name) != found.get(name))
        raise InputError(f"{archive.name} is damaged: {wrong[0]!r} is not what the manifest says")
    if manifest.revision not in revisions():
        raise ConflictError(
            f"the archive was written with tables of revision {manifest.revision}, this version knows none later than "
            f"{head_revision()}: restore it with the version that wrote it"
        )
    return manifest


def _measured(content: IO[bytes]) -> Member:
    digest, size = sha256(), 0
    while block := content.read(BLOCK):
        digest.update(block)
        size += len(block)
    return Member(size, digest.hexdigest())


def _read_manifest(content: IO[bytes]) -> _Manifest:
    body = content.read(MANIFEST_LIMIT + 1)
    if len(body) > MANIFEST_LIMIT:
        raise LimitError("the archive's manifest is larger than we accept")
    try:
        manifest = json.loads(body)
        if manifest["format"] != FORMAT:
            raise ConflictError(f"the archive has format {manifest['format']}, this version reads {FORMAT}")
        members = {
            str(name): Member(int(member["size"]), str(member["sha256"]), member["rows"])
            for name, member in manifest["members"].items()
        }
        return _Manifest(str(manifest["revision"]), members)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise InputError("the archive's manifest cannot be read") from error


def _tables_present(session: Session) -> list[Table]:
    """Our tables as the database has them: an earlier revision lacks some, and has columns that are gone since."""
    inspector = inspect(session.connection())
    present = set(inspector.get_table_names())
    bare = MetaData()
    tables = []
    for table in Row.metadata.sorted_tables:
        if table.name in present:
            found = {column["name"]: column["type"] for column in inspector.get_columns(table.name)}
            columns = [
                Column(name, _type(table, name, type_), primary_key=name in table.primary_key.columns)
                for name, type_ in found.items()
            ]
            tables.append(Table(table.name, bare, *columns))
    return tables


def _type(table: Table, name: str, found: TypeEngine[Any]) -> TypeEngine[Any]:
    """Tell a column's type: ours where we still have it, else what the database says of it."""
    if name in table.columns:
        return table.columns[name].type
    return UtcDateTime() if isinstance(found, DateTime) else found


def _restore_tables(session: Session, archive: Path, manifest: _Manifest, tables: list[Table]) -> int:
    by_name = {f"{TABLES}{table.name}.jsonl": table for table in tables}
    total = 0
    # The archive holds tables in the order in which they refer to each other.
    for name, content in _members(archive):
        if not name.startswith(TABLES):
            continue
        if name not in by_name:
            raise InputError(f"the archive holds {name!r}, which is no table of this version")
        count = _restore_table(session, by_name[name], content)
        if count != manifest.members[name].rows:
            raise InputError(f"{name!r} holds {count} rows where the manifest says {manifest.members[name].rows}")
        total += count
    return total


def _restore_table(session: Session, table: Table, content: IO[bytes]) -> int:
    count = 0
    keeps_nul = session.get_bind().dialect.name == "sqlite"
    # One statement needs one set of columns, and JSON that was NULL must be left out to stay NULL.
    batches: dict[frozenset[str], list[dict[str, Any]]] = {}
    while line := content.readline(LINE_LIMIT):
        if not line.endswith(b"\n"):
            raise LimitError(f"a row of {table.name} is longer than we accept")
        row = from_line(table, line, keeps_nul=keeps_nul)
        batch = batches.setdefault(frozenset(row), [])
        batch.append(row)
        count += 1
        if len(batch) >= ROWS_AT_ONCE:
            session.execute(insert(table), batch)
            batch.clear()
    for batch in batches.values():
        if batch:
            session.execute(insert(table), batch)
    return count


def _reset_sequences(session: Session, tables: list[Table]) -> None:
    """Have PostgreSQL's counters go on behind the ids that came with the archive."""
    for table in tables:
        column = Row.metadata.tables[table.name].autoincrement_column
        if column is None:
            continue
        # Names come from our own models, never from the archive.
        session.execute(
            text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608
                f"coalesce((SELECT max({column.name}) FROM {table.name}), 0) + 1, false)"
            )
        )


def _restore_objects(archive: Path, storage: Storage) -> int:
    count = 0
    for name, content in _members(archive):
        if name.startswith(OBJECTS):
            storage.put(name.removeprefix(OBJECTS), content)
            count += 1
    return count


def _members(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Walk an archive from front to back; nothing is unpacked by name, so no name can lead astray."""
    with tarfile.open(archive, "r|gz") as tar:
        for seen, entry in enumerate(tar):
            if not entry.isreg() or seen > MEMBERS_LIMIT:
                raise InputError(f"the archive holds {entry.name[:200]!r}, which is no file")
            content = tar.extractfile(entry)
            if content is not None:
                yield entry.name, cast("BinaryIO", content)
