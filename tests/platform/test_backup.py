"""A backup is one state of everything, made while others write, and is read back into either database."""

import gzip
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, MetaData, Table, func, select
from sqlalchemy.orm import Session

from airledger.platform.audit import SYSTEM
from airledger.platform.auth.accounts import NewUser, create_organisation, create_user
from airledger.platform.backup import backup
from airledger.platform.backup_rows import as_line, from_line
from airledger.platform.db import Database, Row
from airledger.platform.errors import ConflictError, InputError
from airledger.platform.events import EventCursor
from airledger.platform.leases import Lease
from airledger.platform.restore import restore
from airledger.platform.storage import Folder, Storage
from airledger.platform.tasks.queue import add_task
from airledger.stations.models import Stream
from api_house import add_history, add_play, add_stream

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Folder(tmp_path / "objects")


@pytest.fixture
def other_storage(tmp_path: Path) -> Storage:
    return Folder(tmp_path / "restored")


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database without tables to restore into."""
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path / 'restored.db'}")
    else:
        found = Database(request.getfixturevalue("postgres_database"))
    yield found
    found.close()


def fill(database: Database, storage: Storage) -> None:
    with database.unit() as unit:
        organisation = create_organisation(unit, SYSTEM, "acme", "Acmé ✓", now=NOW)
        create_user(unit, SYSTEM, organisation.id, NewUser("a@acme.test", "Zoë", "admin"), now=NOW)
        for number in range(30):
            stream = add_stream(unit, NOW, number, name=f"Радио {number} «😀»", request_headers=None)
            add_history(unit, stream, NOW)
            add_play(unit, organisation.id, stream, NOW, number)
        add_stream(unit, NOW, 99, request_headers={"User-Agent": "x\ny"})
        add_task(unit.session, "t", "default", {"deep": [1, {"a": None}]}, now=NOW, unique_key="k")
    storage.put("peaks/one.bin", bytes(range(256)) * 1_000)
    storage.put("empty", b"")


def content(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    return {
        table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
        for table in Row.metadata.sorted_tables
    }


def objects(storage: Storage) -> dict[str, bytes]:
    found = {}
    for key in storage.list():
        with storage.open(key) as file:
            found[key] = file.read()
    return found


def test_everything_comes_back_in_either_database(
    database: Database, target: Database, storage: Storage, other_storage: Storage, tmp_path: Path
) -> None:
    fill(database, storage)
    archive = tmp_path / "backup.tar.gz"
    written = backup(database, storage, archive)
    read = restore(archive, target, other_storage)
    with database.read() as before, target.read() as after:
        found, expected = content(after), content(before)
    assert found == expected
    assert objects(other_storage) == objects(storage)
    assert (read.rows, read.objects) == (written.rows, written.objects)
    assert written.rows == sum(len(rows) for rows in expected.values()) > 150
    assert [one.name for one in tmp_path.glob(".*partial")] == []
    # Ids go on behind those that came with the archive.
    with target.unit() as unit:
        highest = unit.session.scalar(select(func.max(Stream.id))) or 0
        assert add_stream(unit, NOW, 1_000).id == highest + 1


def test_a_backup_made_while_others_write_is_one_state(database: Database, storage: Storage, tmp_path: Path) -> None:
    """Each unit writes one row into two tables, so every single state has as many in one as in the other."""
    stop, count = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            with database.unit() as unit:
                unit.session.add(EventCursor(name=f"n{count[0]:06}", position=count[0]))
                unit.session.flush()
                unit.session.add(Lease(name=f"n{count[0]:06}", holder="x" * 2_000, until=NOW))
            storage.put(f"n/{count[0]}", b"x")
            count[0] += 1

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        until(lambda: count[0] > 50 or writing.done())
        before = count[0]
        archive = _made(database, storage, tmp_path)
        until(lambda: count[0] > before + 10 or writing.done())
        stop.set()
        writing.result()
    target = Database(f"sqlite:///{tmp_path / 'restored.db'}")
    restore(archive, target, Folder(tmp_path / "else"))
    with target.read() as session:
        cursors = list(session.scalars(select(EventCursor.name).order_by(EventCursor.name)))
        leases = list(session.scalars(select(Lease.name).order_by(Lease.name)))
    target.close()
    assert cursors == leases
    assert before <= len(cursors) < count[0]


def until(is_true: Callable[[], bool], patience_s: float = 30) -> None:
    stop = threading.Event()
    for _ in range(int(patience_s / 0.02)):
        if is_true():
            return
        stop.wait(0.02)
    pytest.fail("waited too long")


def test_what_is_not_empty_is_left_alone(database: Database, storage: Storage, tmp_path: Path) -> None:
    fill(database, storage)
    archive = _made(database, storage, tmp_path)
    with pytest.raises(ConflictError, match="not empty"):
        restore(archive, database, storage)


def _made(database: Database, storage: Storage, folder: Path) -> Path:
    archive = folder / "backup.tar.gz"
    backup(database, storage, archive)
    return archive


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry))}


def packed(archive: Path, parts: dict[str, bytes], *, kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for name, body in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(body), kind
            tar.addfile(entry, io.BytesIO(body))
    return archive


def damages(parts: dict[str, bytes]) -> Iterator[dict[str, bytes]]:
    manifest = json.loads(parts["manifest.json"])
    rest = {name: body for name, body in parts.items() if name != "manifest.json"}

    def with_manifest(changed: object) -> dict[str, bytes]:
        return {**rest, "manifest.json": json.dumps(changed).encode()}

    yield rest
    yield {**parts, "tables/streams.jsonl": parts["tables/streams.jsonl"][:-1]}
    yield {**parts, "tables/streams.jsonl": parts["tables/streams.jsonl"].replace(b"DE", b"FR", 1)}
    yield {name: body for name, body in parts.items() if name != "objects/peaks/one.bin"}
    yield {"objects/../../evil": b"x", **parts}
    yield {"tables/unknown.jsonl": b"{}\n", **parts}
    yield {**rest, "manifest.json": b"[" * 100_000}
    yield {**rest, "manifest.json": b"{}"}
    yield with_manifest({**manifest, "format": 99})
    yield with_manifest({**manifest, "revision": "9999"})
    yield with_manifest({**manifest, "members": []})


def test_damage_is_found_before_anything_is_written(
    sqlite_database: Database, storage: Storage, other_storage: Storage, tmp_path: Path
) -> None:
    fill(sqlite_database, storage)
    parts = members(_made(sqlite_database, storage, tmp_path))
    fresh = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    for changed in damages(parts):
        with pytest.raises((InputError, ConflictError)):
            restore(packed(tmp_path / "damaged.tar.gz", changed), fresh, other_storage)
    for body in (b"", b"nonsense", gzip.compress(b"nonsense"), (tmp_path / "backup.tar.gz").read_bytes()[:-5_000]):
        (tmp_path / "damaged.tar.gz").write_bytes(body)
        with pytest.raises(InputError):
            restore(tmp_path / "damaged.tar.gz", fresh, other_storage)
    with pytest.raises(InputError):
        restore(packed(tmp_path / "damaged.tar.gz", {"x": b""}, kind=tarfile.SYMTYPE), fresh, other_storage)
    with fresh.read() as session:
        assert not any(content(session).values())
    assert objects(other_storage) == {}
    fresh.close()


@given(st.binary())
def test_bytes_come_back(body: bytes) -> None:
    table = Table("sounds", MetaData(), Column("payload", LargeBinary))
    assert from_line(table, as_line(table, [body])) == {"payload": body}


def test_every_column_of_every_table_has_a_type_that_backups_know() -> None:
    for table in Row.metadata.sorted_tables:
        empty = [None] * len(table.columns)
        assert from_line(table, as_line(table, empty)).keys() <= {column.name for column in table.columns}
        kinds = {type(column.type).__name__ for column in table.columns}
        assert kinds <= {
            "UtcDateTime",
            "Uuid",
            "String",
            "JSON",
            "Integer",
            "BigInteger",
            "LargeBinary",
            "Float",
            "Double",
            "Boolean",
        }, table


def test_a_failed_backup_leaves_nothing_behind(
    sqlite_database: Database, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: str) -> None:
        raise OSError("no space left on device")

    storage.put("one", b"1")
    monkeypatch.setattr(storage, "open", full)
    with pytest.raises(OSError, match="no space"):
        backup(sqlite_database, storage, tmp_path / "backup.tar.gz")
    assert not list(tmp_path.glob("*.tar.gz*"))
    assert not list(tmp_path.glob(".*partial"))
