"""Proofs lie in storage before they are deleted."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from airledger.platform.audit import AuditEntry
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.retention import delete_expired
from airledger.platform.storage import Folder
from airledger.stations.models import Verification
from airledger.stations.watching.archive import archive_checks, object_key
from stations.rows import add_stream

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Verification)) or 0


def test_old_proofs_are_archived_and_then_deleted(database: Database, clock: SteppedClock, tmp_path: Path) -> None:
    storage, stream_id = Folder(tmp_path / "objects"), add_stream(database, clock)
    with database.unit() as unit:
        for hour in range(24 * 6):
            row = Verification(
                stream_id=stream_id,
                checked_at=BEGIN + timedelta(hours=hour),
                level=4,
                is_healthy=True,
                stream_title=f"Ä {hour}",
                warnings=[],
            )
            unit.session.add(row)
    delete_expired(database, BEGIN + timedelta(days=200))
    assert count(database) == 24 * 6  # nothing is archived, nothing goes
    now = BEGIN + timedelta(days=94, hours=1)
    assert archive_checks(database, storage, now) == 24 * 4
    assert archive_checks(database, storage, now) == 0
    delete_expired(database, now)
    assert count(database) == 24 * 2
    assert list(storage.list("checks/")) == [object_key(BEGIN + timedelta(days=day)) for day in range(4)]
    with storage.open(object_key(BEGIN + timedelta(days=1))) as packed:
        lines = [json.loads(line) for line in gzip.decompress(packed.read()).splitlines()]
    assert [line["stream_title"] for line in lines] == [f"Ä {hour}" for hour in range(24, 48)]
    assert lines[0]["checked_at"] == "2026-01-02T00:00:00+00:00"
    with database.read() as session:
        trace = session.scalars(select(AuditEntry).where(AuditEntry.action == "archived")).all()
    assert [entry.change["rows"] for entry in trace] == [24] * 4
