"""The listener process: claims sessions, drives them, and writes what they heard about once a second."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from airledger.listening.capture import Capture
from airledger.listening.claims import STOPPED, Claimed, claim, give_back, is_wanted, release_dead, renew
from airledger.listening.doubtful import DoubtfulKeeper
from airledger.listening.evidence_keeper import EvidenceKeeper
from airledger.listening.heard import Observer
from airledger.listening.monitoring import MonitoringConfig
from airledger.listening.outbox import Outbox
from airledger.listening.recognisers import Recognisers
from airledger.listening.record import store
from airledger.listening.remote_hear import RemoteHearing, RemoteSession
from airledger.listening.same_sound_keep import SoundPrinter
from airledger.listening.session import LiveSession, Tunes
from airledger.listening.spool import Spool
from airledger.listening.tracker import TrackerParams
from airledger.listening.unknown_keep import UnknownKeeper
from airledger.platform.clock import Clock, epoch_now
from airledger.platform.db import Database
from airledger.platform.errors import InputError, UnavailableError
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage
from airledger.recognition.library_index import LibraryIndex

TEND_S = 0.25
FLUSH_S = 1.0
LEASES_S = 3.0
SPOOL_S = 5.0
PATIENCE_S = 6.0

log = logger(__name__)


@dataclass(frozen=True)
class ListenerSettings:
    """How much one listener takes on, and what a session's own settings lie over."""

    max_sessions: int = 250
    window_s: float = 10.0
    hop_s: float = 5.0
    threads: int = 2
    tracker: TrackerParams = field(default_factory=TrackerParams)
    installation: Settings = field(default_factory=Settings)


class Listener:
    """One listener process. `run` blocks until stopped."""

    def __init__(
        self,
        name: str,
        database: Database,
        clock: Clock,
        library: LibraryIndex,
        tuner: Tunes,
        counts: Counts,
        spool_folder: Path,
        settings: ListenerSettings,
        *,
        evidence: EvidenceKeeper | None = None,
        unknown_storage: Storage | None = None,
        doubtful: DoubtfulKeeper | None = None,
        printer: SoundPrinter | None = None,
    ) -> None:
        self.name = name
        self._database = database
        self._clock = clock
        self._library = library
        self._tuner = tuner
        self._counts = counts
        self._settings = settings
        self._evidence = evidence
        self._doubtful = doubtful
        self._printer = printer
        self._outbox = Outbox()
        self._unknown = UnknownKeeper(unknown_storage, self._outbox, counts) if unknown_storage is not None else None
        self._spool = Spool(spool_folder, name)
        self._recognisers = Recognisers(library, counts, threads=settings.threads)
        self._remote = RemoteHearing(name, database, clock, library, counts, settings.tracker)
        self._sessions: dict[UUID, LiveSession | RemoteSession] = {}
        self._configs: dict[UUID, dict[str, Any]] = {}
        self._last = dict.fromkeys(("flush", "leases", "spool"), 0.0)

    def run(self, stop: threading.Event) -> None:
        """Listen until stopped, then write everything and give the sessions back."""
        self._begin()
        while not stop.wait(TEND_S):
            self._turn()
        self._finish()

    def _begin(self) -> None:
        """Store what dead listeners of this machine left behind, and free their sessions."""
        if self._evidence is not None:
            self._evidence.start()
        if self._doubtful is not None:
            self._doubtful.start()
        if self._unknown is not None:
            self._unknown.start()
        if self._printer is not None:
            self._printer.start()
        try:
            self._library.sync()
            for path, batch in self._spool.left_by_others():
                with self._database.unit() as unit:
                    store(unit, batch, self._clock.now())
                path.unlink()
            with self._database.unit() as unit:
                release_dead(unit.session)
        except UnavailableError as error:
            log.warning("listener_starts_without_database", error=str(error))

    def _turn(self) -> None:
        kept = self._evidence.failure if self._evidence is not None else None
        for failure in (self._recognisers.failure, self._remote.failure, kept):
            if failure is not None:
                raise failure
        now_s = epoch_now()
        if self._due("leases", LEASES_S):
            self._keep_leases()
        for live in list(self._sessions.values()):
            live.tend(now_s)
        if self._due("flush", FLUSH_S):
            self._flush()
            self._gauge()

    def _due(self, what: str, every_s: float) -> bool:
        moment = time.monotonic()
        if moment - self._last[what] < every_s:
            return False
        self._last[what] = moment
        return True

    def _keep_leases(self) -> None:
        """Renew, drop what is no longer ours, take what is free."""
        now = self._clock.now()
        try:
            self._library.sync_soon()  # aside: thousands of new recordings must not cost us our leases
            with self._database.unit() as unit:
                release_dead(unit.session, self.name)
                mine = renew(unit.session, self.name, now)
                lost = [identity for identity in self._sessions if identity not in mine]
                unwanted = {identity for identity in lost if not is_wanted(unit.session, identity)}
                room = self._settings.max_sessions - len(self._sessions) + len(lost)
                claimed = claim(unit.session, self.name, now, room) if room > 0 else []
                give_back(unit.session, self.name, list(unwanted), status=STOPPED)
                changed = [one for one in self._sessions if one in mine and mine[one] != self._configs.get(one)]
                give_back(unit.session, self.name, changed)  # and taken again at the next turn, with other settings
        except UnavailableError as error:
            log.warning("leases_not_renewed", error=str(error))
            return
        for identity in changed:
            self._sessions.pop(identity).stop()
        for identity in lost:
            live = self._sessions.pop(identity)
            if identity in unwanted:
                live.end()
            else:
                live.stop()
        for one in claimed:
            self._configs[one.target.session_id] = one.config
            self._sessions[one.target.session_id] = self._open(one)
        self._configs = {identity: self._configs[identity] for identity in self._sessions}

    def _open(self, claimed: Claimed) -> LiveSession | RemoteSession:
        if claimed.target.is_remote:
            return self._remote.open(claimed.target)
        return LiveSession(
            claimed.target,
            claimed.resumed,
            tuner=self._tuner,
            recognisers=self._recognisers,
            outbox=self._outbox,
            params=self._settings.tracker,
            window_s=self._settings.window_s,
            hop_s=self._settings.hop_s,
            capture=self._capture(claimed),
            observers=self._observers(),
        )

    def _capture(self, claimed: Claimed) -> Capture:
        """Read a session's settings; with settings that do not fit together it is heard like all others."""
        installation = self._settings.installation
        try:
            config = MonitoringConfig.of(installation, claimed.config)
        except InputError as error:
            log.warning("session_settings_ignored", stream=claimed.target.stream_id, error=error.message)
            config = MonitoringConfig.of(installation)
        return Capture.of(config, has_own_overlap="overlap_seconds" in claimed.config)

    def _observers(self) -> tuple[Observer, ...]:
        """Who wants every window of every station."""
        keepers = (self._evidence, self._unknown, self._doubtful, self._printer)
        return tuple(keeper.observe for keeper in keepers if keeper is not None)

    def _flush(self) -> None:
        """Write what was collected; while the database is away, keep it on disk."""
        batch = self._outbox.take()
        if not batch:
            return
        try:
            with self._database.unit() as unit:
                changed = store(unit, batch, self._clock.now())
        except UnavailableError as error:
            self._outbox.put_back(batch)
            if self._due("spool", SPOOL_S):
                self._spool.keep(batch)
                log.warning("heard_spooled", plays=len(batch.plays), coverage=len(batch.coverage), error=str(error))
            return
        self._spool.clear()
        self._counts.add("detections_written", changed)

    def _gauge(self) -> None:
        live = list(self._sessions.values())
        self._counts.set("sessions", len(live))
        self._counts.set("sessions_listening", sum(one.status == "listening" for one in live))
        self._counts.set("windows_waiting", self._recognisers.behind())

    def _finish(self) -> None:
        for live in self._sessions.values():
            live.stop()
        self._remote.close()
        self._recognisers.drain(PATIENCE_S)
        if self._unknown is not None:
            self._unknown.stop()
        if self._printer is not None:
            self._printer.stop()
        if self._doubtful is not None:
            self._doubtful.stop()
        self._flush()
        if self._evidence is not None:
            self._evidence.stop()
        try:
            with self._database.unit() as unit:
                give_back(unit.session, self.name, list(self._sessions))
        except UnavailableError as error:
            log.warning("sessions_not_given_back", error=str(error))
