"""A small installation that asks scripted providers on loopback, with a clock and pauses that cost no time."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

import airledger.app  # noqa: F401  every table must be known before migrations compare
from airledger.platform.audit import SYSTEM
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.outside.acrcloud import AcrCloud
from airledger.recognition.outside.answer import Provider
from airledger.recognition.outside.ask import Desk
from airledger.recognition.outside.audd import AudD
from airledger.recognition.outside.budget import Asker
from airledger.recognition.outside.http_call import HttpDoor, open_door
from airledger.recognition.outside.hybrid import HybridParts
from airledger.recognition.outside.route import Routes
from airledger.recognition.outside.share import Limits
from airledger.repertoire.describe import Description
from airledger.repertoire.recordings import add_recording
from airledger.testing.scripted_acrcloud import ScriptedAcrCloud
from airledger.testing.scripted_audd import ScriptedAudD

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENT = "Airledger-tests/1 (test@airledger.test)"
TIMEOUT_S = 20.0  # a busy machine must not look like a dead service
HASTE_S = 0.4  # for services that never answer


def sound(seconds: float = 12.0, seed: int = 1) -> NDArray[np.float32]:
    """Noise: providers on loopback know sounds by their hash."""
    made: NDArray[np.float32] = (np.random.default_rng(seed).standard_normal(round(seconds * 8000)) * 0.1).astype(
        np.float32
    )
    return made


@dataclass
class House:
    """A database, a clock that pauses move on, and a desk."""

    database: Database
    clock: SteppedClock
    storage: Folder
    organisation_id: UUID
    counts: Counts = field(default_factory=Counts)
    pauses_s: list[float] = field(default_factory=list)
    moved_s: float = 0.0

    @property
    def asker(self) -> Asker:
        return Asker(self.organisation_id, station_id=None, stream_id=7)

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.moved_s += seconds
        self.clock.step(seconds)

    def desk(self, **changes: Any) -> Desk:
        desk = Desk(
            self.database,
            self.clock,
            self.counts,
            Limits(),
            pause=self.pause,
            moment_s=lambda: self.moved_s,
            prices_micros={"acrcloud": 4_000, "audd": 5_000},
        )
        return replace(desk, **changes)

    def parts(
        self,
        *providers: Provider,
        local: Callable[[NDArray[np.float32], UUID], Answer] | None = None,
        routes: Routes | None = None,
        **changes: Any,
    ) -> HybridParts:
        identify = local or (lambda _pcm, _organisation_id: Answer((), is_silent=False, cpu_ms=0))
        return HybridParts(
            self.database, self.clock, self.storage, self.desk(**changes), providers, routes or Routes(), identify
        )

    def record(self, title: str, artist: str, isrc: str | None = None) -> UUID:
        with self.database.unit() as unit:
            row = add_recording(
                unit, SYSTEM, self.organisation_id, Description(title, artist, isrc=isrc), duration_ms=180_000,
                source_name=f"{title}.wav", content_sha256=f"{title}/{artist}/{isrc}", tags={}, at=self.clock.now(),
            )  # fmt: skip
            return row.id


def heard(recording_id: UUID, score: float) -> Answer:
    """What the library says of a sound that it believes to know."""
    found = Identified(recording_id, 30.0, 1.0, score, 0.0, 11.0, 0.0, 180.0)
    return Answer((found,), is_silent=False, cpu_ms=1.0)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with all tables, to be copied: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("outside") / "a.db"
    database = Database(f"sqlite:///{file}")
    upgrade(database)
    database.close()
    return file


@pytest.fixture
def house(tmp_path: Path, migrated: Path) -> Iterator[House]:
    shutil.copy(migrated, tmp_path / "a.db")
    database = Database(f"sqlite:///{tmp_path}/a.db")
    clock = SteppedClock(NOON)
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
    yield House(database, clock, Folder(tmp_path / "objects"), organisation_id)
    database.close()


@dataclass
class Cloud:
    """ACRCloud on loopback and the client that asks it."""

    scripted: ScriptedAcrCloud
    provider: AcrCloud


@dataclass
class Audd:
    """AudD on loopback and the client that asks it."""

    scripted: ScriptedAudD
    provider: AudD


@pytest.fixture(scope="session")
def door() -> Iterator[HttpDoor]:
    """Give one client for all: reading the certificates takes longer than a test."""
    door = open_door(AGENT, timeout_s=TIMEOUT_S)
    yield door
    door.close()


@pytest.fixture(scope="session")
def hasty() -> Iterator[HttpDoor]:
    """Give a client that soon gives up."""
    door = open_door(AGENT, timeout_s=HASTE_S)
    yield door
    door.close()


@pytest.fixture
def cloud(door: HttpDoor) -> Iterator[Cloud]:
    scripted = ScriptedAcrCloud()
    with scripted.service:
        yield Cloud(scripted, AcrCloud(door, scripted.service.url, "key", "secret"))


@pytest.fixture
def audd_service(door: HttpDoor) -> Iterator[Audd]:
    scripted = ScriptedAudD()
    with scripted.service:
        yield Audd(scripted, AudD(door, scripted.service.url, "token"))
