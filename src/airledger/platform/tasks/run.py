"""Doing a claimed task: the one place where a task's outcome is decided, embedded or under Celery."""

import threading
import time
from dataclasses import dataclass, field
from uuid import UUID

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import AirledgerError, UnavailableError
from airledger.platform.logging import adopt_correlation_id, logger
from airledger.platform.tasks.queue import LEASE_S, Claimed, fail, finish, hand_back, keep, set_progress
from airledger.platform.tasks.registry import Context, Registry, Result

PROGRESS_EVERY_S = 1.0
SETTLE_PATIENCE_S = 300

log = logger(__name__)


class HandedBackError(Exception):
    """Raised by a task that noticed `context.stopping()` and left its work for the next worker."""


@dataclass
class Runner:
    """Runs claimed tasks and keeps their leases."""

    database: Database
    registry: Registry
    clock: Clock
    holder: str
    stop: threading.Event
    _held: dict[UUID, Claimed] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, task: Claimed) -> None:
        """Do a task and settle its row, whatever happens."""
        adopt_correlation_id(task.correlation_id)
        with self._lock:
            self._held[task.id] = task
        try:
            self._settle(task, self._attempt(task))
        finally:
            with self._lock:
                self._held.pop(task.id, None)

    def _attempt(self, task: Claimed) -> Result | BaseException:
        try:
            kind = self.registry.get(task.name)
            context = Context(task.id, task.attempts, _Progress(self, task.id), self.stop.is_set)
            return kind.call(context, **task.args)
        except (Exception, SystemExit) as error:  # noqa: BLE001  the row tells it; a worker outlives any task
            return error

    def _settle(self, task: Claimed, outcome: Result | BaseException) -> None:
        deadline = time.monotonic() + SETTLE_PATIENCE_S
        while True:
            try:
                self._write(task, outcome)
            except UnavailableError:
                # The work is done but cannot be told. Waiting beats doing it again, until the lease is long gone.
                if time.monotonic() > deadline or self.stop.wait(1.0):
                    log.warning("task_not_settled", task=task.name, id=str(task.id))
                    return
            else:
                return

    def _write(self, task: Claimed, outcome: Result | BaseException) -> None:
        now = self.clock.now()
        with self.database.unit() as unit:
            if isinstance(outcome, HandedBackError):
                hand_back(unit.session, task, self.holder, now)
            elif isinstance(outcome, BaseException):
                permanent = isinstance(outcome, AirledgerError) and outcome.status < 500  # noqa: PLR2004  HTTP classes
                fail(unit.session, task, self.holder, now, f"{type(outcome).__name__}: {outcome}", permanent=permanent)
                log.warning("task_failed", task=task.name, id=str(task.id), permanent=permanent, exc_info=outcome)
            else:
                finish(unit.session, task, self.holder, now, outcome)

    def keep_leases(self) -> None:
        """Renew the leases of what is running, until stopped and idle."""
        while not (self.stop.wait(LEASE_S / 4) and not self._held):
            with self._lock:
                ids = list(self._held)
            if not ids:
                continue
            try:
                with self.database.unit() as unit:
                    keep(unit.session, ids, self.holder, self.clock.now())
            except UnavailableError as error:
                log.warning("leases_not_renewed", error=str(error))

    def hand_back_all(self) -> None:
        """Return everything still held, at the end of the shutdown's patience."""
        with self._lock:
            left = list(self._held.values())
        if left:
            with self.database.unit() as unit:
                for task in left:
                    hand_back(unit.session, task, self.holder, self.clock.now())


class _Progress:
    """Writes progress at most once a second."""

    def __init__(self, runner: Runner, task_id: UUID) -> None:
        self._runner = runner
        self._task_id = task_id
        self._last = 0.0

    def __call__(self, fraction: float) -> None:
        if time.monotonic() - self._last < PROGRESS_EVERY_S:
            return
        self._last = time.monotonic()
        with self._runner.database.unit() as unit:
            set_progress(unit.session, self._task_id, self._runner.holder, fraction)
