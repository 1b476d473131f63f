"""The App object: wiring, the only place that knows everybody."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy.orm import Session

import airledger.listening.models
import airledger.platform.auth.rows
import airledger.platform.leases
import airledger.platform.presence
import airledger.platform.tasks.rows
import airledger.playlog.models
import airledger.recognition.models
import airledger.repertoire.models
import airledger.stations.models  # noqa: F401  every table must be known before migrations compare
from airledger.platform.clock import Clock, SystemClock
from airledger.platform.db import Database, Unit
from airledger.platform.migrate import upgrade
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage, open_storage
from airledger.platform.tasks.registry import Registry


class Airledger:
    """One installation, opened. Closing it gives back every connection.

    Use as `with Airledger.open(settings) as app:` in the API, the CLI, tests and notebooks.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.database = Database(settings.database_address)
        self.storage: Storage = open_storage(settings.storage_address)
        self.counts = Counts()
        self.tasks = Registry()

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock | None = None) -> Self:
        """Make the data folder, bring the database up to date, and open the App."""
        Path(settings.data).mkdir(parents=True, exist_ok=True)
        app = cls(settings, clock=clock)
        upgrade(app.database)
        return app

    @contextlib.contextmanager
    def unit(self) -> Iterator[Unit]:
        """One unit of work, one commit."""
        with self.database.unit() as unit:
            yield unit

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view, never written."""
        with self.database.read() as session:
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
