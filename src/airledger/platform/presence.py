"""Which processes are alive, what they are doing, and their counters: the source of /metrics across machines.

Each process adds up its counters in memory and writes them with its heartbeat; /metrics sums the rows. So a scrape
needs to reach one API process only.
"""

import os
import socket
import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Uuid, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from airledger.platform.clock import Clock
from airledger.platform.db import Database, Retention, Row
from airledger.platform.errors import UnavailableError
from airledger.platform.logging import logger

BEAT_S = 3.0
ALIVE_S = 15.0
FORGET_S = 3_600

log = logger(__name__)


class ProcessRow(Row):
    """One process of an installation."""

    __tablename__ = "processes"
    retention = Retention(days=1, age_column="seen_at", reason="only the living matter")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    role: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    stats: Mapped[dict[str, Any]]


class Counts:
    """Counters and gauges of this process, safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._gauges: dict[str, float] = {}

    def add(self, name: str, amount: float = 1) -> None:
        """Count up."""
        with self._lock:
            self._counts[name] += amount  # type: ignore[assignment]  # seconds are counted too

    def set(self, name: str, value: float) -> None:
        """Set a gauge."""
        with self._lock:
            self._gauges[name] = value

    def snapshot(self) -> dict[str, Any]:
        """Return all values as JSON."""
        with self._lock:
            return {"counts": dict(self._counts), "gauges": dict(self._gauges)}


class Presence:
    """The heartbeat of this process."""

    def __init__(self, database: Database, clock: Clock, role: str, counts: Counts) -> None:
        self.id = uuid4()
        self.name = f"{role}-{socket.gethostname()}-{os.getpid()}-{self.id.hex[:6]}"
        self._database = database
        self._clock = clock
        self._role = role
        self._counts = counts
        self._started_at = clock.now()

    def beat(self) -> None:
        """Write that we are alive, and our counters."""
        now = self._clock.now()
        with self._database.unit() as unit:
            row = unit.session.get(ProcessRow, self.id)
            if row is None:
                row = ProcessRow(
                    id=self.id, role=self._role, host=socket.gethostname(), pid=os.getpid(), started_at=self._started_at
                )
                unit.session.add(row)
            row.seen_at = now
            row.stats = self._counts.snapshot()

    def run(self, stop: threading.Event) -> None:
        """Beat until stopped, then say goodbye."""
        while not stop.wait(BEAT_S):
            self._try_beat()
        try:
            with self._database.unit() as unit:
                unit.session.execute(delete(ProcessRow).where(ProcessRow.id == self.id))
        except UnavailableError as error:
            log.info("goodbye_not_written", error=str(error))

    def _try_beat(self) -> None:
        try:
            self.beat()
        except UnavailableError as error:
            log.warning("heartbeat_not_written", error=str(error))


def living(session: Session, now: datetime) -> list[ProcessRow]:
    """List the processes that were seen within the last 15 s."""
    return list(
        session.scalars(
            select(ProcessRow).where(ProcessRow.seen_at > now - timedelta(seconds=ALIVE_S)).order_by(ProcessRow.role)
        )
    )


def forget_dead(session: Session, now: datetime) -> None:
    """Delete rows of processes that have been gone for an hour."""
    session.execute(delete(ProcessRow).where(ProcessRow.seen_at < now - timedelta(seconds=FORGET_S)))
