"""What happened: typed, frozen events, written in the transaction that made them true.

A reader follows a cursor over `position`, which one dispatcher gives out after commit. The row's own id would not do:
ids come from a sequence, and a transaction with a higher id may commit first, so a cursor over ids would skip the
lower one for ever.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, Integer, Uuid, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from airledger.platform.clock import Clock
from airledger.platform.db import Database, Retention, Row, Unit
from airledger.platform.leases import try_lease
from airledger.platform.logging import correlation_id

DISPATCHER = "events.dispatcher"
DISPATCHER_LEASE_S = 5
BATCH = 1_000


class Event(BaseModel):
    """Base of all events. `name` is what subscribers and the wire call it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]


class EventRow(Row):
    """One event; `position` is empty until the dispatcher has seen it committed."""

    __tablename__ = "events"
    retention = Retention(days=30, age_column="at", reason="subscribers may come back after a month away")

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    type: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    payload: Mapped[dict[str, Any]]
    correlation_id: Mapped[str | None]
    is_broadcast: Mapped[bool | None]  # to live clients; None: as the setting says


class EventCursor(Row):
    """How far one subscriber has come."""

    __tablename__ = "event_cursors"
    retention = Retention(reason="a subscriber's place must outlive it")

    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, default=0)


@dataclass(frozen=True)
class Told:
    """An event as readers get it."""

    position: int
    type: str
    at: datetime
    organisation_id: UUID | None
    payload: dict[str, Any]
    is_broadcast: bool | None = None


Handler = Callable[[Unit, Told], None]


def publish(
    unit: Unit,
    event: Event,
    *,
    at: datetime,
    organisation_id: UUID | None = None,
    is_broadcast: bool | None = None,
) -> None:
    """Tell what happened; nobody hears of it unless the unit commits.

    Args:
        unit: In which it becomes true.
        event: What.
        at: When.
        organisation_id: Whose it is; None for what belongs to all.
        is_broadcast: Whether live clients (page, SSE, WebSocket) hear of it; None leaves it to the setting. Others
            that follow the table (plays, webhooks, feeds) always do.
    """
    unit.session.add(
        EventRow(
            type=event.name,
            at=at,
            organisation_id=organisation_id,
            payload=event.model_dump(mode="json"),
            correlation_id=correlation_id(),
            is_broadcast=is_broadcast,
        )
    )


def events_after(session: Session, position: int, *, limit: int = BATCH, types: Sequence[str] = ()) -> list[Told]:
    """List events that follow a position, oldest first."""
    query = select(EventRow).where(EventRow.position > position).order_by(EventRow.position).limit(limit)
    if types:
        query = query.where(EventRow.type.in_(types))
    return [told(row) for row in session.scalars(query)]


def told(row: EventRow) -> Told:
    """Return a row as readers get it."""
    return Told(row.position or 0, row.type, row.at, row.organisation_id, row.payload, row.is_broadcast)


def latest_position(session: Session) -> int:
    """Return the position of the newest event, 0 when there is none."""
    return session.scalar(select(func.max(EventRow.position))) or 0


class Dispatcher:
    """Gives positions to committed events and walks the subscribers over them."""

    def __init__(self, database: Database, clock: Clock, holder: str) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder
        self._subscribers: list[tuple[str, frozenset[str], Handler]] = []

    def subscribe(self, name: str, types: Sequence[type[Event]], handler: Handler) -> None:
        """Have `handler` called once per event, in order, within the unit that moves its cursor."""
        self._subscribers.append((name, frozenset(event.name for event in types), handler))

    def turn(self) -> int:
        """Place new events and serve the subscribers; return how many were placed.

        Does nothing while another process holds the dispatcher's lease.
        """
        with self._database.read() as session:
            waiting = session.scalar(select(EventRow.id).where(EventRow.position.is_(None)).limit(1))
        placed = self._place() if waiting is not None else 0
        for name, types, handler in self._subscribers:
            self._serve(name, types, handler)
        return placed

    def _place(self) -> int:
        with self._database.unit() as unit:
            now = self._clock.now()
            if not try_lease(unit.session, DISPATCHER, self._holder, now, DISPATCHER_LEASE_S):
                return 0
            fresh = select(EventRow.id).where(EventRow.position.is_(None)).order_by(EventRow.id).limit(BATCH)
            ids = list(unit.session.scalars(fresh))
            start = latest_position(unit.session) + 1
            rows = [{"id": identity, "position": start + step} for step, identity in enumerate(ids)]
            if rows:
                unit.session.execute(update(EventRow), rows)
            return len(rows)

    def _serve(self, name: str, types: frozenset[str], handler: Handler) -> None:
        while True:
            with self._database.read() as session:
                cursor = session.scalar(select(EventCursor.position).where(EventCursor.name == name)) or 0
                if latest_position(session) <= cursor:
                    return
            with self._database.unit() as unit:
                if not try_lease(unit.session, DISPATCHER, self._holder, self._clock.now(), DISPATCHER_LEASE_S):
                    return
                self._serve_batch(unit, name, types, handler)

    def _serve_batch(self, unit: Unit, name: str, types: frozenset[str], handler: Handler) -> None:
        place = unit.session.get(EventCursor, name)
        if place is None:
            place = EventCursor(name=name, position=0)
            unit.session.add(place)
        batch = events_after(unit.session, place.position, limit=100)
        for event in batch:
            if event.type in types:
                handler(unit, event)
        if batch:
            place.position = batch[-1].position
