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
import airledger.platform.webhooks.rows
import airledger.playlog.models
import airledger.recognition.models
import airledger.recognition.outside.models
import airledger.repertoire.models
import airledger.stations.alerts.models
import airledger.stations.announcing.models
import airledger.stations.blocking.models
import airledger.stations.directory.models
import airledger.stations.joining.models
import airledger.stations.models
import airledger.stations.places.models
import airledger.stations.probing.models
import airledger.stations.submissions.models
import airledger.stations.verdict.models
import airledger.stations.watching.models  # noqa: F401  every table must be known before migrations compare
from airledger.listening import evidence_jobs, same_sound_jobs, unknown_jobs
from airledger.listening import jobs as listening_jobs
from airledger.listening import outside_jobs as listening_outside_jobs
from airledger.listening.ask_parts import AskDeps
from airledger.listening.record import DetectionClosed, DetectionOpened
from airledger.platform import jobs as platform_jobs
from airledger.platform.audit import Actor
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import Clock, SystemClock
from airledger.platform.db import Database, Unit
from airledger.platform.events import Dispatcher, Told
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.platform.migrate import upgrade
from airledger.platform.notify import Notifier
from airledger.platform.presence import Counts, Presence
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage, open_storage
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.schedules import DAY_S, declare_schedule, retire_schedules
from airledger.platform.webhooks import jobs as webhook_jobs
from airledger.playlog import jobs as playlog_jobs
from airledger.playlog.plays import log_play
from airledger.recognition import duplicate_jobs, fingerprint_jobs, isrc_jobs
from airledger.recognition import jobs as recognition_jobs
from airledger.recognition.events import RecordingEnrolled
from airledger.recognition.outside import jobs as outside_jobs
from airledger.stations import jobs as stations_jobs
from airledger.stations import watching_jobs
from airledger.stations.alerts import jobs as alert_jobs
from airledger.stations.alerts import raise_alerts
from airledger.stations.alerts.send import AlertPost
from airledger.stations.directory import jobs as directory_jobs
from airledger.stations.joining import jobs as joining_jobs
from airledger.stations.places import jobs as place_jobs
from airledger.stations.verdict import jobs as verdict_jobs

if TYPE_CHECKING:  # numba and av load only in the processes that recognise or tune
    import numpy as np
    from numpy.typing import NDArray

    from airledger.recognition.answer import Answer
    from airledger.recognition.enrol import Enroller
    from airledger.recognition.index_here import IndexHere
    from airledger.recognition.library_index import LibraryIndex
    from airledger.recognition.outside.hybrid import HybridParts
    from airledger.recognition.outside.isrc import IsrcDesk
    from airledger.stations.probing.check import Checker
    from airledger.stations.probing.first_frames import FramesDecoder
    from airledger.stations.probing.manners import Manners
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
        from airledger.fingerprint.params import PROFILES
        from airledger.recognition.library_index import LibraryIndex

        params = PROFILES[self.settings.fingerprint_profile]
        segments = self.index_here.published() if self.settings.is_index_published else None
        return LibraryIndex(self.settings.data / "index", self.database, self.storage, params, segments)

    @cached_property
    def index_here(self) -> "IndexHere":
        """The index as this machine has it, whole or in shards. Loads the engine."""
        from airledger.recognition.index_here import IndexHere

        return IndexHere(self.settings, self.database, self.storage, self.clock, lambda: self.library)

    def enroller(self, organisation_id: UUID, actor: Actor) -> "Enroller":
        """Make what enrols files for an organisation. Loads the engine."""
        from airledger.fingerprint.params import PROFILES
        from airledger.recognition.enrol import Enroller

        params = PROFILES[self.settings.fingerprint_profile]
        return Enroller(
            self.database, self.storage, self.clock, params, organisation_id, actor, self.settings.keep_sources
        )

    @cached_property
    def hybrid(self) -> "HybridParts":
        """Identification by library and outside providers. Loads the engine once our library is asked."""
        from airledger.recognition.outside.parts import hybrid_parts

        def identify_local(pcm: "NDArray[np.float32]", organisation_id: UUID) -> "Answer":
            from airledger.recognition.identify import identify

            self.library.sync()
            return identify(self.library, pcm, organisations=(organisation_id,))

        return hybrid_parts(
            self.settings, self.database, self.clock, self.storage, self.counts, identify_local=identify_local
        )

    @cached_property
    def isrc(self) -> "IsrcDesk":
        """Look-up of ISRCs."""
        from airledger.recognition.outside.parts import isrc_desk

        return isrc_desk(self.settings, self.database, self.clock, self.counts)

    @cached_property
    def notifier(self) -> Notifier:
        """What sends mail, and speaks to the services that the operator configured."""
        return Notifier(self.settings)

    @cached_property
    def alert_post(self) -> AlertPost:
        """What makes and delivers messages about alerts."""
        return AlertPost(self.database, self.tasks, self.clock, self.fetcher, self.notifier)

    @cached_property
    def tuner(self) -> "Tuner":
        """The tuner of this process, started."""
        from airledger.stations.tuner import Tuner

        tuner = Tuner(self.guard, user_agent=self.settings.user_agent)
        tuner.open()
        return tuner

    def checker(self) -> "Checker":
        """Make a checker for one batch of streams; the tuner and the manners are those of this process."""
        from airledger.stations.probing.check import Checker
        from airledger.stations.probing.knock import Knocker

        manners, decoder = self.probing
        knocker = Knocker(self.guard, self.settings.user_agent, manners=manners)
        return Checker(knocker, decoder, lambda: self.tuner, self.settings.probe_concurrency)

    @cached_property
    def probing(self) -> "tuple[Manners, FramesDecoder]":
        """How this process treats hosts, and what decodes the first bytes of streams."""
        from airledger.stations.probing.first_frames import FramesDecoder
        from airledger.stations.probing.manners import Manners

        return Manners(), FramesDecoder()

    @cached_property
    def live_tuner(self) -> "Tuner":
        """A tuner for hundreds of streams at once, started: half a second late, and so much cheaper."""
        from airledger.stations.tuner import LIVE, Tuner

        tuner = Tuner(self.guard, limits=LIVE, user_agent=self.settings.user_agent)
        tuner.open()
        return tuner

    def declare_tasks(self) -> None:
        """Make every kind of task known to this process."""
        platform_jobs.declare(self.tasks, self.database, self.clock)
        webhook_jobs.declare(self.tasks, self.database, self.clock, self.fetcher)
        alert_jobs.declare(self.tasks, self.alert_post)
        watching_jobs.declare(self.tasks, watching_jobs.Deps(self.database, self.storage, self.clock))
        stations_jobs.declare(
            self.tasks,
            stations_jobs.Deps(
                database=self.database,
                settings=self.settings,
                clock=self.clock,
                fetcher=self.fetcher,
                checker=self.checker,
                registry=self.tasks,
                counts=self.counts,
            ),
        )
        verdict_jobs.declare(
            self.tasks, verdict_jobs.Deps(self.database, self.clock, self.settings, self.guard, self.tasks)
        )
        outside_jobs.declare(
            self.tasks,
            outside_jobs.Deps(
                database=self.database,
                clock=self.clock,
                storage=self.storage,
                settings=self.settings,
                hybrid=lambda: self.hybrid,
                isrc=lambda: self.isrc,
                organisation_id=lambda: self.organisation_id,
            ),
        )
        listening_jobs.declare(self.tasks, self.database, self.clock, self.organisation_id)
        listening_outside_jobs.declare(
            self.tasks,
            AskDeps(
                database=self.database,
                clock=self.clock,
                storage=self.storage,
                hybrid=lambda: self.hybrid,
                default_pro=self.settings.default_pro,
                is_wanted=self.settings.enable_hybrid_detection,
            ),
        )
        recognition_jobs.declare(
            self.tasks,
            recognition_jobs.Deps(
                database=self.database,
                storage=self.storage,
                clock=self.clock,
                organisation_id=self.organisation_id,
                folders=self.settings.library_folders,
                enroller=self.enroller,
                index=lambda: self.index_here,
                shards=self.settings.index_shards,
                is_published=self.settings.is_index_published,
            ),
        )
        isrc_jobs.declare(self.tasks, lambda: self.isrc)
        fingerprint_jobs.declare(self.tasks, fingerprint_jobs.Deps(self.storage, self.enroller))
        evidence_jobs.declare(self.tasks, self.database, self.storage, self.clock, days=self.settings.evidence_days)
        duplicate_jobs.declare(self.tasks, self.database, self.storage, self.clock, lambda: self.library)
        unknown_jobs.declare(
            self.tasks,
            self.database,
            self.storage,
            self.clock,
            folder=self.settings.data / "unknown-index",
            days=self.settings.unmatched_days,
        )
        directory_jobs.declare(self.tasks, directory_jobs.Deps(self.database, self.clock, self.storage, self.fetcher))
        playlog_jobs.declare(self.tasks, self.database, self.clock)
        place_jobs.declare(self.tasks, self.database, self.clock, self.settings.geo_databases)
        joining_jobs.declare(self.tasks, self.database, self.clock)
        same_sound_jobs.declare(self.tasks, self.database, self.storage, self.clock)

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
                (place_jobs.LOCATE, place_jobs.LOCATE, place_jobs.EVERY_S),
                ("stations.plan_checks", stations_jobs.PLAN_CHECKS, 10),
                (verdict_jobs.PLAN_LOOKS, verdict_jobs.PLAN_LOOKS, verdict_jobs.PLAN_EVERY_S),
                (stations_jobs.EXPIRE_ANNOUNCEMENTS, stations_jobs.EXPIRE_ANNOUNCEMENTS, 60),
                (alert_jobs.GATHER, alert_jobs.GATHER, alert_jobs.GATHER_EVERY_S),
                (watching_jobs.ROLL_UP, watching_jobs.ROLL_UP, watching_jobs.ROLL_UP_EVERY_S),
                (watching_jobs.ANALYSE, watching_jobs.ANALYSE, watching_jobs.ANALYSE_EVERY_S),
                (stations_jobs.TRY_HTTPS, stations_jobs.TRY_HTTPS, HOUR_S),
                ("playlog.rebuild", playlog_jobs.REBUILD, 60),
                (directory_jobs.ROLL_CLICKS, directory_jobs.ROLL_CLICKS, HOUR_S),
                (directory_jobs.FETCH_LOGOS, directory_jobs.FETCH_LOGOS, HOUR_S),
                ("listening.close_stale", listening_jobs.CLOSE_STALE, 300),
                (unknown_jobs.JUDGE, unknown_jobs.JUDGE, 60),
                (unknown_jobs.COMPARE, unknown_jobs.COMPARE, 60),
                (same_sound_jobs.COMPARE, same_sound_jobs.COMPARE, 60),
                (joining_jobs.JOIN, joining_jobs.JOIN, 60),
                (unknown_jobs.LOOK_BACK, unknown_jobs.LOOK_BACK, 300),
                (duplicate_jobs.FIND, duplicate_jobs.FIND, 300),
                ("library.tend_index", recognition_jobs.TEND_INDEX, 60),
                ("library.new_tracks", recognition_jobs.AUTO_FINGERPRINT, HOUR_S),
            ):
                declare_schedule(unit.session, name, task, {}, now=now, every_s=every_s)
            if outside_jobs.is_configured(settings):
                task, every_s = listening_outside_jobs.ASK_UNKNOWN, listening_outside_jobs.EVERY_S
                declare_schedule(unit.session, task, task, {}, now=now, every_s=every_s)
            else:
                retire_schedules(unit.session, listening_outside_jobs.ASK_UNKNOWN, set())
            if settings.is_index_published:
                builds = recognition_jobs.PLAN_BUILDS
                declare_schedule(unit.session, "library.build_index", builds, {}, now=now, every_s=5)
            if settings.listen_to_all:
                declare_schedule(unit.session, "listening.plan", listening_jobs.PLAN, {}, now=now, every_s=5)
            for name, task in (
                ("cleanup", stations_jobs.CLEANUP),
                (watching_jobs.ARCHIVE, watching_jobs.ARCHIVE),
                (watching_jobs.COMPACT, watching_jobs.COMPACT),
                ("retention", platform_jobs.RETENTION),
                ("evidence", evidence_jobs.CLEANUP),
                (unknown_jobs.FORGET, unknown_jobs.FORGET),
                ("recognition.pro_mappings", outside_jobs.PRO_MAPPINGS),
                ("recognition.refit_outside", outside_jobs.REFIT),
                ("recognition.forget_sounds", outside_jobs.FORGET),
                ("library.cleanup", recognition_jobs.CLEANUP),
            ):
                declare_schedule(unit.session, name, task, {}, now=now, every_s=DAY_S, daily_at="02:00")

    def dispatcher(self, holder: str) -> Dispatcher:
        """Make the dispatcher of events, with who listens to what."""
        dispatcher = Dispatcher(self.database, self.clock, holder)
        dispatcher.subscribe("playlog", (DetectionOpened, DetectionClosed), self._log_play)
        dispatcher.subscribe("look_back", (RecordingEnrolled,), self._look_back)
        dispatcher.subscribe("alerts", raise_alerts.EVENTS, self._raise_alerts)
        return dispatcher

    def presence(self, role: str) -> Presence:
        """Make the heartbeat of this process."""
        return Presence(self.database, self.clock, role, self.counts)

    def _log_play(self, unit: Unit, told: Told) -> None:
        log_play(unit, UUID(told.payload["detection_id"]), self.clock.now())

    def _look_back(self, unit: Unit, told: Told) -> None:
        del told  # whoever looks back finds all that were enrolled meanwhile
        unknown_jobs.look_back_soon(unit, self.tasks, self.clock.now())

    def _raise_alerts(self, unit: Unit, told: Told) -> None:
        raise_alerts.hear(unit, told, self.clock.now())

    def close(self) -> None:
        """End the tuners' children and close all connections."""
        for name in ("tuner", "live_tuner"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "probing" in self.__dict__:
            self.probing[1].close()
        if "hybrid" in self.__dict__:
            self.hybrid.close()
        if "isrc" in self.__dict__:
            self.isrc.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
