"""An up-to-date, empty database, once of each kind. Both are copied, since migrating takes longer than most tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

import airledger.app  # noqa: F401  every table must be known before migrations compare
from airledger.platform.db import Database, Row
from airledger.platform.migrate import upgrade
from servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file with all tables, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "airledger.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_database(tmp_path: Path, migrated_file: Path) -> Iterator[Database]:
    """Give an SQLite database with all tables."""
    shutil.copy(migrated_file, tmp_path / "airledger.db")
    found = Database(f"sqlite:///{tmp_path / 'airledger.db'}")
    yield found
    found.close()


@pytest.fixture(scope="session")
def postgres_address(postgres_server: PostgresServer) -> str:
    """Give the address of one database with all tables, for the whole run."""
    address = postgres_server.url(postgres_server.create_database())
    _migrate(address)
    return address


@pytest.fixture
def migrated_postgres(postgres_server: PostgresServer, postgres_address: str) -> Iterator[Database]:
    """Give a PostgreSQL database with all tables, emptied: a new one would cost more than most tests."""
    postgres_server.start()
    found = Database(postgres_address)
    tables = ", ".join(table.name for table in Row.metadata.sorted_tables)
    with found.unit() as unit:
        unit.session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    yield found
    found.close()


@pytest.fixture(params=["sqlite_database", "migrated_postgres"], ids=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Give a database with all tables, once of each kind."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Database)
    return found


def _migrate(address: str) -> None:
    database = Database(address)
    upgrade(database)
    database.close()
