"""What an earlier release wrote is read, brought up to date, and has lost nothing."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from airledger.platform.backup_rows import as_line
from airledger.platform.db import Database, Row
from airledger.platform.migrate import differences, is_current, revisions
from airledger.platform.restore import restore
from airledger.platform.storage import Folder

MUSEUM = Path(__file__).parents[1] / "museum"
MADE_ANEW = {"search_text"}  # what rows are found by follows from what they say
# Columns that later revisions gave up on purpose: what they held is learnt anew from the next answer.
GIVEN_UP = {"crawls": {"etag", "last_modified"}}
RELEASED = sorted(MUSEUM.glob("backup-*/backup.tar.gz"))


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database without tables."""
    if request.param == "sqlite":
        found = Database(f"sqlite:///{tmp_path / 'restored.db'}")
    else:
        found = Database(request.getfixturevalue("postgres_database"))
    yield found
    found.close()


def rows_of(archive: Path) -> dict[str, list[dict[str, object]]]:
    with tarfile.open(archive) as tar:
        return {
            Path(entry.name).stem: [json.loads(line) for line in file]
            for entry in tar
            if entry.name.startswith("tables/") and (file := tar.extractfile(entry))
        }


def rows_in(database: Database) -> dict[str, list[dict[str, object]]]:
    with database.read() as session:
        return {
            table.name: [json.loads(as_line(table, row)) for row in session.execute(select(table))]
            for table in Row.metadata.sorted_tables
        }


def by_content(rows: list[dict[str, object]], columns: set[str]) -> list[str]:
    return sorted(json.dumps({key: row.get(key) for key in sorted(columns)}, sort_keys=True) for row in rows)


@pytest.mark.parametrize("archive", RELEASED, ids=lambda one: one.parent.name)
def test_an_earlier_release_is_brought_up_to_date(archive: Path, target: Database, tmp_path: Path) -> None:
    restore(archive, target, Folder(tmp_path / "objects"))
    assert is_current(target)
    assert differences(target) == []
    written, found = rows_of(archive), rows_in(target)
    assert sum(map(len, written.values())) > 50
    for name, rows in written.items():
        columns = {column for row in rows for column in row} - MADE_ANEW - GIVEN_UP.get(name, set())
        assert by_content(found[name], columns) == by_content(rows, columns), name


def test_every_released_revision_has_its_museum_piece() -> None:
    newest = max(revisions())
    assert {path.parent.name.removeprefix("backup-") for path in RELEASED} >= revisions() - {newest}
