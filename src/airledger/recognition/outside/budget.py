"""The right to ask: a row per request, counted by all processes, so no account is asked more than it allows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import Event, publish
from airledger.recognition.outside.answer import OutsideAnswer
from airledger.recognition.outside.circuit import Circuit, enter, failed, succeeded
from airledger.recognition.outside.models import OUT, OutsideCall, OutsideProvider
from airledger.recognition.outside.share import Limits, Usage, Why, refusal

MINUTE = timedelta(seconds=60)
LEASE = timedelta(seconds=90)
HALVES_PER_HIT = 2


class OutsideCircuitOpened(Event):
    """A provider is not asked for a while, because it fails or refuses our account."""

    name: ClassVar[str] = "outside.circuit_opened"
    provider: str
    reason: str
    until: datetime


@dataclass(frozen=True)
class Asker:
    """For whom is asked, and how many share the day with them.

    Attributes:
        organisation_id: Whose account pays.
        station_id: Where the sound was heard.
        stream_id: Likewise.
        sharers: How many stations are listened to; 0: as many as was last told, and the house itself.
    """

    organisation_id: UUID
    station_id: int | None = None
    stream_id: int | None = None
    sharers: int = 0

    @property
    def sharer(self) -> str:
        """Whose share of the day a request is taken from."""
        if self.station_id is not None:
            return f"station:{self.station_id}"
        return "house" if self.stream_id is None else f"stream:{self.stream_id}"


@dataclass(frozen=True)
class Refused:
    """Why a request may not be made now, and when it makes sense to come again."""

    why: Why | str
    again_at: datetime


def reserve(
    unit: Unit, provider: str, asker: Asker, sound_sha256: str, *, limits: Limits, attempt: int, now: datetime
) -> UUID | Refused:
    """Take one request from the budget before it is made; its row is the lease of its place.

    Returns:
        The call's id for `settle`, or why not.
    """
    row = _locked(unit.session, provider, now)
    if row.not_before is not None and now < row.not_before:
        return Refused("pace", row.not_before)
    usage = read_usage(unit.session, provider, now)
    row.sharers = asker.sharers or row.sharers
    why = refusal(usage, asker.sharer, asker.sharers or row.sharers + 1, limits)
    if why is not None:
        return Refused(why, _again_at(why, now))
    entered = enter(_circuit(row), now)
    if entered is None:
        return Refused("circuit", max(row.open_until or now, row.trial_until or now))
    _keep(row, entered, now)
    call = OutsideCall(
        provider=provider,
        organisation_id=asker.organisation_id,
        station_id=asker.station_id,
        stream_id=asker.stream_id,
        sharer=asker.sharer,
        sound_sha256=sound_sha256,
        at=now,
        day=day_of(now),
        attempt=attempt,
        outcome=OUT,
        lease_until=now + LEASE,
    )
    unit.session.add(call)
    unit.session.flush()
    return call.id


def settle(
    unit: Unit, call_id: UUID, answer: OutsideAnswer, *, latency_ms: int, price_micros: int, now: datetime
) -> None:
    """Write what came of a request: its row, its cost, and what the circuit learns from it."""
    call = unit.session.get_one(OutsideCall, call_id)
    call.outcome, call.code, call.latency_ms = answer.outcome, answer.code, latency_ms
    call.billed_halves = answer.billed_halves
    call.cost_micros = price_micros * answer.billed_halves // HALVES_PER_HIT
    call.lease_until = now
    row = _locked(unit.session, call.provider, now)
    if answer.advice == "slower":
        row.not_before = now + timedelta(seconds=answer.wait_s or 1.0)
        row.trial_until = None
        return
    before = _circuit(row)
    reason = f"{answer.code or ''} {answer.message}".strip()[:300]
    if answer.advice in ("settled", "alert"):
        after = succeeded(before)
    else:
        after = failed(before, now, reason, at_once=answer.advice == "open")
    _keep(row, after, now)
    if after.openings > before.openings and after.open_until is not None:
        publish(unit, OutsideCircuitOpened(provider=call.provider, reason=reason, until=after.open_until), at=now)


def read_usage(session: Session, provider: str, now: datetime) -> Usage:
    """Count what was asked of a provider today, in the last minute, and what has not come back."""
    today = session.execute(
        select(OutsideCall.sharer, func.count())
        .where(OutsideCall.provider == provider, OutsideCall.day == day_of(now))
        .group_by(OutsideCall.sharer)
    )
    recent = select(func.count()).where(OutsideCall.provider == provider, OutsideCall.at > now - MINUTE)
    out = select(func.count()).where(
        OutsideCall.provider == provider,
        OutsideCall.at > now - LEASE,
        OutsideCall.outcome == OUT,
        OutsideCall.lease_until > now,
    )
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (now - midnight) / timedelta(days=1)
    return Usage(dict(today.all()), session.scalar(recent) or 0, session.scalar(out) or 0, passed)


def circuit_of(session: Session, provider: str) -> Circuit:
    """Return a provider's circuit."""
    row = session.get(OutsideProvider, provider)
    return Circuit() if row is None else _circuit(row)


def take_turn(unit: Unit, provider: str, every_s: float, now: datetime) -> float:
    """Book the next turn of a provider that wants so many seconds between requests; return how long to wait for it."""
    row = _locked(unit.session, provider, now)
    turn = max(now, row.not_before or now)
    row.not_before = turn + timedelta(seconds=every_s)
    return (turn - now).total_seconds()


def day_of(moment: datetime) -> str:
    """Return the day of UTC on which a request counts."""
    return moment.astimezone(UTC).date().isoformat()


def _again_at(why: Why, now: datetime) -> datetime:
    if why in ("minute", "concurrent"):
        return now + timedelta(seconds=2)
    if why == "share":
        return now + timedelta(hours=1)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)


def _locked(session: Session, provider: str, now: datetime) -> OutsideProvider:
    """Fetch the provider's row for writing: on PostgreSQL it makes processes take turns, SQLite's units do anyway."""
    insert = insert_sqlite if session.get_bind().dialect.name == "sqlite" else insert_postgresql
    fresh = insert(OutsideProvider).values(name=provider, failures=0, openings=0, sharers=0, reason="", changed_at=now)
    session.execute(fresh.on_conflict_do_nothing())
    locked = select(OutsideProvider).where(OutsideProvider.name == provider).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def _circuit(row: OutsideProvider) -> Circuit:
    return Circuit(row.failures, row.openings, row.open_until, row.trial_until, row.reason)


def _keep(row: OutsideProvider, circuit: Circuit, now: datetime) -> None:
    row.failures, row.openings, row.reason = circuit.failures, circuit.openings, circuit.reason
    row.open_until, row.trial_until, row.changed_at = circuit.open_until, circuit.trial_until, now
