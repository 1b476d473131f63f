"""Recognising what remote listeners send: the same matching and tracking as for live sound, in the listener process.

A session is claimed by lease like any other; who holds it recognises its windows in order. What was heard, the place to
go on from and the windows' deletion are one unit, so whoever takes a session over loses and doubles nothing.
"""

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete

from airledger.listening.archive_hear import Progress
from airledger.listening.archive_rows import progress_from_json, progress_to_json
from airledger.listening.coverage import HEARD, SILENT, Stretch, extend
from airledger.listening.models import ListeningSession, RemotePlace, RemoteWindow
from airledger.listening.outbox import Batch, HeardPlay, SessionState, Target
from airledger.listening.record import store
from airledger.listening.remote_peaks import unpack
from airledger.listening.remote_rows import waiting_windows
from airledger.listening.remote_wire import LOST, SILENCE, WireError
from airledger.listening.tracker import Hypothesis, TrackerParams, Window, close_all, track
from airledger.platform.clock import Clock, from_epoch
from airledger.platform.db import Database, Unit
from airledger.platform.errors import UnavailableError
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.recognition.answer import Identified
from airledger.recognition.identify import identify_peaks
from airledger.recognition.library_index import LibraryIndex

TURN_S = 0.5
AT_ONCE = 200
QUIET_S = 60.0
NOT_SENT = "remote_silent"

log = logger(__name__)


class _TakenOverError(Exception):
    """Somebody else has recognised these windows, or will."""


@dataclass(frozen=True)
class RemoteProgress:
    """Where a session stands; `lost_by` is what the client said of the gap that follows."""

    place: Progress
    lost_by: str | None = None


class RemoteSession:
    """One claimed session, driven by the listener's loop as a live one is, which here only looks on."""

    def __init__(self, target: Target, hearing: "RemoteHearing") -> None:
        self.target = target
        self.status = "waiting"
        self._hearing = hearing

    def tend(self, now_s: float) -> None:
        """Nothing to do: the hearing's own thread looks for windows."""
        del now_s

    def stop(self) -> None:
        """Leave it to others."""
        self._hearing.forget(self.target.session_id)

    def end(self) -> None:
        """Nobody wants it any more: close what plays."""
        self.stop()
        self._hearing.end(self.target)


class RemoteHearing:
    """Recognises the windows of all remote sessions that this listener holds, on one thread."""

    def __init__(
        self,
        name: str,
        database: Database,
        clock: Clock,
        library: LibraryIndex,
        counts: Counts,
        params: TrackerParams,
    ) -> None:
        self._name = name
        self._database = database
        self._clock = clock
        self._library = library
        self._counts = counts
        self._params = params
        self._sessions: dict[UUID, RemoteSession] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: Exception | None = None

    def open(self, target: Target) -> RemoteSession:
        """Begin to recognise a session's windows."""
        session = RemoteSession(target, self)
        with self._lock:
            self._sessions[target.session_id] = session
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="remote-hearing", daemon=True)
            self._thread.start()
        return session

    def forget(self, session_id: UUID) -> None:
        """Leave a session; a batch of it that is under way is stored only while the lease is ours."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def end(self, target: Target) -> None:
        """Close what plays in a session that nobody wants any more."""
        with self._database.unit() as unit:
            place = unit.session.get(RemotePlace, target.session_id)
            if place is None:
                return
            step = close_all(_progress(place, None).place.tracker, self._params)
            plays = {one.id: _heard(target, one, self._params, 0.0) for one in step.changed}
            store(unit, Batch(plays=plays), self._clock.now())
            unit.session.delete(place)

    def close(self) -> None:
        """End the thread; what waits is recognised by whoever claims the sessions next."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            while not self._stop.wait(TURN_S):
                self.turn()
        except Exception as error:
            self.failure = error
            raise

    def turn(self) -> int:
        """Recognise what waits; return how many windows that were."""
        with self._lock:
            sessions = list(self._sessions.values())
        done = 0
        for session in sessions:
            try:
                while (count := self._hear(session)) and not self._stop.is_set():
                    done += count
            except UnavailableError as error:
                log.warning("remote_windows_wait", session=str(session.target.session_id), error=str(error))
        return done

    def _hear(self, session: RemoteSession) -> int:
        target = session.target
        with self._database.read() as reading:
            row = reading.get(ListeningSession, target.session_id)
            place = reading.get(RemotePlace, target.session_id)
            waiting = waiting_windows(reading, target.session_id, AT_ONCE)
        if row is None or row.listener != self._name:
            return 0
        if not waiting:
            self._note_quiet(session, row)
            return 0
        heard = _Hearing(target, _progress(place, row.last_speed), self._params)
        for one in waiting:
            heard.take(one, self._library)
        try:
            with self._database.unit() as unit:
                self._store(unit, heard, waiting)
        except _TakenOverError:
            return 0
        session.status = "listening"
        self._counts.add("windows", heard.windows)
        self._counts.add("windows_matched", heard.matched)
        self._counts.add("recognition_cpu_s", heard.cpu_s)
        return len(waiting)

    def _store(self, unit: Unit, heard: "_Hearing", waiting: list[RemoteWindow]) -> None:
        """Delete the windows, store plays, coverage and the place to go on from: all or nothing.

        Raises:
            _TakenOverError: The session is another listener's now, or the windows were recognised already.
        """
        row = unit.session.get(ListeningSession, heard.target.session_id, with_for_update=True)
        gone = unit.session.execute(
            delete(RemoteWindow).where(RemoteWindow.id.in_([one.id for one in waiting])).returning(RemoteWindow.id)
        ).all()
        if row is None or row.listener != self._name or len(gone) != len(waiting):
            raise _TakenOverError
        heard.batch.sessions[row.session_id] = SessionState(
            "listening",
            windows=row.windows + heard.windows,
            matched=row.matched + heard.matched,
            reconnects=row.reconnects,
            last_sound_at=from_epoch(heard.until_s) if heard.until_s else row.last_sound_at,
            last_speed=heard.progress.last_speed,
        )
        store(unit, heard.batch, self._clock.now())
        place = unit.session.get(RemotePlace, row.session_id)
        if place is None:
            place = RemotePlace(session_id=row.session_id)
            unit.session.add(place)
        place.progress, place.lost_by = progress_to_json(heard.progress), heard.lost_by

    def _note_quiet(self, session: RemoteSession, row: ListeningSession) -> None:
        """Show that a client sends nothing; its time is a gap only once it says so, or sends again."""
        is_quiet = row.last_sound_at is None or _age_s(self._clock.now(), row.last_sound_at) > QUIET_S
        status = "reconnecting" if is_quiet else "listening"
        if row.status == status or (row.last_sound_at is None and row.status == "waiting"):
            return
        session.status = status
        state = SessionState(
            status,
            windows=row.windows,
            matched=row.matched,
            reconnects=row.reconnects + is_quiet,
            last_sound_at=row.last_sound_at,
            last_speed=row.last_speed,
            error=f"{NOT_SENT}: the remote listener sends nothing" if is_quiet else None,
        )
        with self._database.unit() as unit:
            store(unit, Batch(sessions={row.session_id: state}), self._clock.now())


class _Hearing:
    """Some windows of one session, recognised and tracked."""

    def __init__(self, target: Target, progress: RemoteProgress, params: TrackerParams) -> None:
        self.target = target
        self.progress = progress.place
        self.lost_by = progress.lost_by
        self.batch = Batch()
        self.windows = self.matched = 0
        self.cpu_s = 0.0
        self.until_s: float | None = None
        self._params = params

    def take(self, row: RemoteWindow, library: LibraryIndex) -> None:
        """Recognise one window."""
        end_s = row.start_s + row.length_s
        if row.kind == LOST:
            self.lost_by = row.payload.decode("ascii", "replace")
            return
        self._cover(SILENT if row.kind == SILENCE else HEARD, row.start_s, end_s)
        began = time.thread_time()
        matches: tuple[Identified, ...] = ()
        if row.kind != SILENCE:
            matches = self._matches(row, library)
        cpu_s = time.thread_time() - began
        step = track(self.progress.tracker, Window(row.start_s, end_s, matches), self._params)
        speed = matches[0].speed if matches else self.progress.last_speed
        self.progress = replace(self.progress, tracker=step.state, last_speed=speed)
        for one in step.changed:
            self.batch.plays[one.id] = _heard(self.target, one, self._params, cpu_s * 1000)
        self.windows += 1
        self.matched += bool(matches)
        self.cpu_s += cpu_s
        self.until_s = end_s

    def _matches(self, row: RemoteWindow, library: LibraryIndex) -> tuple[Identified, ...]:
        try:
            peaks = unpack(row.payload, row.length_s)
        except WireError as error:  # it was read when it came, so only damage on our side can do this
            log.warning("remote_window_unreadable", session=str(row.session_id), error=error.message)
            return ()
        organisations = (self.target.organisation_id,)
        return identify_peaks(library, peaks, organisations=organisations, last_speed=self.progress.last_speed).found

    def _cover(self, kind: str, start_s: float, end_s: float) -> None:
        step = extend(self.progress.coverage, kind, start_s, end_s, lost_by=self.lost_by or NOT_SENT)
        self.progress = replace(self.progress, coverage=step.current)
        self.lost_by = None
        for stretch in step.changed:
            self._keep(stretch)

    def _keep(self, stretch: Stretch) -> None:
        self.batch.coverage[stretch.id] = (self.target, stretch)


def _progress(place: RemotePlace | None, last_speed: float | None) -> RemoteProgress:
    if place is None:
        return RemoteProgress(Progress(last_speed=last_speed))
    return RemoteProgress(progress_from_json(place.progress), place.lost_by)


def _heard(target: Target, one: Hypothesis, params: TrackerParams, cpu_ms: float) -> HeardPlay:
    started_s, ended_s = one.started_s(params), one.ended_s(params)
    return HeardPlay(target, one, started_s, max(started_s, ended_s), cpu_ms)


def _age_s(now: datetime, moment: datetime) -> float:
    return (now - moment).total_seconds()
