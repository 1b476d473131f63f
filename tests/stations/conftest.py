"""An empty catalogue, on SQLite alone or on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import airledger.app  # noqa: F401  brings every table in: a part of them would not fit together
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database, Row
from raw_http import RawServer, raw_server

# A busy machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty catalogue on SQLite."""
    yield from _opened(f"sqlite:///{tmp_path}/catalogue.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give an empty catalogue on each database that we run on."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path}/catalogue.db")
    else:
        yield from _opened(request.getfixturevalue("postgres_database"))


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    Row.metadata.create_all(database.engine)
    yield database
    database.close()
