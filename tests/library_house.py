"""A library to test with: an enroller and what it writes to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

import airledger.app  # noqa: F401  makes every table known
from airledger.fingerprint.params import PROFILES
from airledger.platform.audit import SYSTEM
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database, Row
from airledger.platform.migrate import upgrade
from airledger.platform.storage import Folder
from airledger.recognition.enrol import Enroller
from airledger.recognition.library_index import LibraryIndex
from made_sound import encoded, melody

RATE_HZ = 8_000


@dataclass
class Library:
    """An enroller and what it writes to."""

    enroller: Enroller
    folder: Path

    @property
    def database(self) -> Database:
        return self.enroller.database

    @property
    def organisation_id(self) -> UUID:
        return self.enroller.organisation_id

    def index(self) -> LibraryIndex:
        index = LibraryIndex(self.folder / "index", self.enroller.database, self.enroller.storage, self.enroller.params)
        index.sync()
        return index

    def file(self, name: str, seed: int, kind: str = "mp3", tags: dict[str, str] | None = None) -> Path:
        path = self.folder / name
        path.write_bytes(encoded(melody(20, seed=seed), kind, tags=tags))
        return path

    def count(self, table: type[Row]) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    database, clock = Database(f"sqlite:///{tmp_path}/a.db"), SystemClock()
    upgrade(database)
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
    storage = Folder(tmp_path / "objects")
    yield Library(Enroller(database, storage, clock, PROFILES["balanced"], organisation_id, SYSTEM), tmp_path)
    database.close()
