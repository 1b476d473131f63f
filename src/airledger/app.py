"""The App object: wiring, the only place that knows everybody."""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

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
from airledger.listening import jobs as listening_jobs
from airledger.listening.record import DetectionClosed, DetectionOpened
from airledger.platform import jobs as platform_jobs
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import Clock, SystemClock
from airledger.platform.db import Database, Unit
from airledger.platform.events import Dispatcher, Told
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.platform.migrate import upgrade
from airledger.platform.presence import Counts, Presence
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage, open_storage
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.schedules import DAY_S, declare_schedule, retire_schedules
from airledger.playlog import jobs as playlog_jobs
from airledger.playlog.plays import log_play
from airledger.stations import jobs as stations_jobs

if TYPE_CHECKING:  # numba and av load only in the processes that recognise or tune
    from airledger.recognition.library_index import LibraryIndex
    from airledger.stations.tuner import Tuner

HOUR_S = 3_600


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
        self.guard = AddressGuard(ip_network(one) for one in settings.allow_networks)
        self.fetcher = Fetcher(self.guard, settings.user_agent)

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

    @cached_property
    def organisation_id(self) -> UUID:
        """The organisation that runs this installation."""
        with self.unit() as unit:
            return ensure_home(unit, self.clock)

    @cached_property
    def library(self) -> "LibraryIndex":
        """The index of everything enrolled. Loads the engine, so only processes that recognise ask for it."""
        from airledger.recognition.library_index import LibraryIndex

        return LibraryIndex(self.settings.data / "index", self.database, self.storage)

    @cached_property
    def tuner(self) -> "Tuner":
        """The tuner of this process, started."""
        from airledger.stations.tuner import Tuner

        tuner = Tuner(self.guard, user_agent=self.settings.user_agent)
        tuner.open()
        return tuner

    def declare_tasks(self) -> None:
        """Make every kind of task known to this process."""
        platform_jobs.declare(self.tasks, self.database, self.clock)
        stations_jobs.declare(
            self.tasks,
            stations_jobs.Deps(
                database=self.database,
                settings=self.settings,
                clock=self.clock,
                fetcher=self.fetcher,
                tuner=lambda: self.tuner,
                registry=self.tasks,
                counts=self.counts,
            ),
        )
        listening_jobs.declare(self.tasks, self.database, self.clock, self.organisation_id)
        playlog_jobs.declare(self.tasks, self.database, self.clock)

    def declare_schedules(self) -> None:
        """Write what comes again and again; paused schedules stay paused."""
        now, settings = self.clock.now(), self.settings
        with self.unit() as unit:
            for source in settings.sources:
                if source.enabled:
                    declare_schedule(
                        unit.session,
                        f"crawl:{source.name}",
                        stations_jobs.CRAWL,
                        {"source": source.name},
                        now=now,
                        every_s=round(source.every_hours * HOUR_S),
                    )
            retire_schedules(unit.session, "crawl:", {f"crawl:{one.name}" for one in settings.sources if one.enabled})
            for name, task, every_s in (
                ("stations.plan_checks", stations_jobs.PLAN_CHECKS, 10),
                ("playlog.rebuild", playlog_jobs.REBUILD, 60),
                ("listening.close_stale", listening_jobs.CLOSE_STALE, 300),
            ):
                declare_schedule(unit.session, name, task, {}, now=now, every_s=every_s)
            if settings.listen_to_all:
                declare_schedule(unit.session, "listening.plan", listening_jobs.PLAN, {}, now=now, every_s=5)
            for name, task in (("cleanup", stations_jobs.CLEANUP), ("retention", platform_jobs.RETENTION)):
                declare_schedule(unit.session, name, task, {}, now=now, every_s=DAY_S, daily_at="02:00")

    def dispatcher(self, holder: str) -> Dispatcher:
        """Make the dispatcher of events, with who listens to what."""
        dispatcher = Dispatcher(self.database, self.clock, holder)
        dispatcher.subscribe("playlog", (DetectionOpened, DetectionClosed), self._log_play)
        return dispatcher

    def presence(self, role: str) -> Presence:
        """Make the heartbeat of this process."""
        return Presence(self.database, self.clock, role, self.counts)

    def _log_play(self, unit: Unit, told: Told) -> None:
        log_play(unit, UUID(told.payload["detection_id"]), self.clock.now())

    def close(self) -> None:
        """End the tuner's children and close all connections."""
        if "tuner" in self.__dict__:
            self.tuner.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
