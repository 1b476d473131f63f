"""The server's side of probe agents: what they are to look at, and what they saw.

An agent takes some streams by lease, proves them from its place, and sends what it saw. Only what it was given counts,
and only once. Its checks stand in the history under its name; the stream's own standing is ours alone to change, but
where it plays for an agent and not for us, the cause becomes a fence (`elsewhere.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, Stream, Verification
from airledger.stations.probing.elsewhere import Agreement, View, agreement, blocked_here
from airledger.stations.probing.models import ProbeAgent, VantageView

HERE = "here"
LEASE = timedelta(minutes=15)
FAILING_EVERY = timedelta(hours=6)
EVERY = timedelta(hours=24)
OLDEST = timedelta(days=7)
CLOCKS_DIFFER = timedelta(minutes=5)
MAX_CLAIM = 100


@dataclass(frozen=True, slots=True)
class Work:
    """A stream for an agent to look at."""

    stream_id: int
    url: str
    headers: Mapping[str, str]
    claimed_kbps: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent saw of a stream; the fields are those of `verification_history`."""

    stream_id: int
    checked_at: datetime
    level: int
    is_healthy: bool
    cause: Cause | None = None
    cause_confidence: float | None = None
    detail: str | None = None
    http_status: int | None = None
    response_time_ms: int | None = None
    bandwidth_kbps: int | None = None
    codec: str | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    sound_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Vantages:
    """What all places say of a stream."""

    views: tuple[View, ...]
    agreement: Agreement | None


def claim_work(unit: Unit, organisation_id: UUID, name: str, now: datetime, *, limit: int) -> list[Work]:
    """Give an agent streams to look at: failing ones first, then all in turn.

    Raises:
        ConflictError: Another organisation has an agent of this name.
    """
    agent = _agent(unit.session, organisation_id, name, now)
    chosen = _failing(unit.session, agent, now, limit)
    if len(chosen) < limit:
        chosen += _in_turn(unit.session, agent, now, limit - len(chosen))
    unique = {stream.id: stream for stream in chosen}
    for stream_id in unique:
        view = unit.session.get(VantageView, (stream_id, agent.id))
        if view is None:
            view = VantageView(stream_id=stream_id, agent_id=agent.id)
            unit.session.add(view)
        view.leased_until = now + LEASE
    return [Work(one.id, one.url, one.request_headers or {}, one.bitrate) for one in unique.values()]


def take_results(unit: Unit, organisation_id: UUID, name: str, results: Sequence[Seen], now: datetime) -> int:
    """Write what an agent saw; return how much of it counted.

    What it was never given, what came before, what is older than a week or lies in the future does not.

    Raises:
        NotFoundError: This organisation has no agent of this name.
    """
    agent = unit.session.scalar(
        select(ProbeAgent).where(ProbeAgent.name == name, ProbeAgent.organisation_id == organisation_id)
    )
    if agent is None:
        raise NotFoundError(f"there is no probe agent {name!r} here: it asks for work first")
    agent.seen_at = now
    taken = 0
    for seen in sorted(results, key=lambda one: one.checked_at):
        if now - OLDEST <= seen.checked_at <= now + CLOCKS_DIFFER and _take(unit, agent, seen, now):
            taken += 1
    agent.checks += taken
    return taken


def views_of(session: Session, stream_ids: Iterable[int]) -> dict[int, list[View]]:
    """Return what other places saw last, by stream."""
    rows = session.execute(
        select(VantageView, ProbeAgent.name)
        .join(ProbeAgent, ProbeAgent.id == VantageView.agent_id)
        .where(VantageView.stream_id.in_(list(stream_ids)), VantageView.checked_at.is_not(None))
    ).all()
    found: dict[int, list[View]] = {}
    for view, name in rows:
        if view.checked_at is not None:
            seen = View(name, view.checked_at, bool(view.is_healthy), view.cause)
            found.setdefault(view.stream_id, []).append(seen)
    return found


def vantages(session: Session, stream_id: int, now: datetime) -> Vantages:
    """Tell what all places, ours first, say of a stream.

    Raises:
        NotFoundError: There is no such stream.
    """
    stream = session.get(Stream, stream_id)
    if stream is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    here = None
    if stream.last_checked is not None:
        is_healthy = stream.state == PLAYING and not stream.failures_in_row
        here = View(HERE, stream.last_checked, is_healthy, stream.cause)
    others = sorted(views_of(session, [stream_id]).get(stream_id, []), key=lambda view: view.vantage)
    return Vantages(tuple([here, *others] if here else others), agreement(here, others, now))


def list_agents(session: Session, organisation_id: UUID) -> list[ProbeAgent]:
    """List an organisation's agents."""
    query = select(ProbeAgent).where(ProbeAgent.organisation_id == organisation_id).order_by(ProbeAgent.name)
    return list(session.scalars(query))


def _agent(session: Session, organisation_id: UUID, name: str, now: datetime) -> ProbeAgent:
    agent = session.scalar(select(ProbeAgent).where(ProbeAgent.name == name))
    if agent is None:
        agent = ProbeAgent(organisation_id=organisation_id, name=name, created_at=now, position=0, checks=0)
        session.add(agent)
    elif agent.organisation_id != organisation_id:
        raise ConflictError(f"another organisation has a probe agent {name!r}: choose another name")
    agent.seen_at = now
    session.flush()
    return agent


def _failing(session: Session, agent: ProbeAgent, now: datetime, limit: int) -> list[Stream]:
    known = _known(agent, now, FAILING_EVERY)
    query = select(Stream).where(Stream.state == FAILING, Stream.is_active, ~known).order_by(Stream.id).limit(limit)
    return list(session.scalars(query))


def _in_turn(session: Session, agent: ProbeAgent, now: datetime, limit: int) -> list[Stream]:
    """Go round the catalogue from where the agent stopped; from the beginning again when it is at the end."""
    base = select(Stream).where(Stream.is_active, ~_known(agent, now, EVERY)).order_by(Stream.id)
    found = list(session.scalars(base.where(Stream.id > agent.position).limit(limit)))
    agent.position = found[-1].id if len(found) == limit else 0
    return found


def _known(agent: ProbeAgent, now: datetime, every: timedelta) -> Any:
    """Whether the agent has looked of late or is looking."""
    return (
        select(VantageView.stream_id)
        .where(
            VantageView.stream_id == Stream.id,
            VantageView.agent_id == agent.id,
            (VantageView.leased_until > now) | (VantageView.checked_at > now - every),
        )
        .exists()
    )


def _take(unit: Unit, agent: ProbeAgent, seen: Seen, now: datetime) -> bool:
    view = unit.session.get(VantageView, (seen.stream_id, agent.id))
    if view is None or (view.checked_at is not None and view.checked_at >= seen.checked_at):
        return False
    view.checked_at, view.is_healthy, view.level = seen.checked_at, seen.is_healthy, seen.level
    view.cause, view.http_status = seen.cause.value if seen.cause else None, seen.http_status
    view.leased_until = now
    unit.session.add(_verification(agent.name, seen))
    stream = unit.session.get(Stream, seen.stream_id)
    if stream is not None and stream.state == FAILING and stream.cause is not None:
        _compare(unit, stream, Cause(stream.cause), now)
    return True


def _compare(unit: Unit, stream: Stream, cause: Cause, now: datetime) -> None:
    """Let a failing stream's cause follow from what other places see."""
    unit.session.flush()
    found = blocked_here(cause, views_of(unit.session, [stream.id]).get(stream.id, []), now)
    if found is not None:
        stream.cause = Cause.GEO_BLOCKED.value


def _verification(vantage: str, seen: Seen) -> Verification:
    return Verification(
        stream_id=seen.stream_id,
        checked_at=seen.checked_at,
        level=seen.level,
        is_healthy=seen.is_healthy,
        cause=seen.cause.value if seen.cause else None,
        cause_confidence=seen.cause_confidence,
        is_permanent=seen.cause.permanent if seen.cause else False,
        detail=seen.detail,
        http_status=seen.http_status,
        response_time_ms=seen.response_time_ms,
        bandwidth_kbps=seen.bandwidth_kbps,
        codec=seen.codec,
        sample_rate_hz=seen.sample_rate_hz,
        channels=seen.channels,
        sound_s=seen.sound_s,
        warnings=[],
        vantage=vantage,
    )
