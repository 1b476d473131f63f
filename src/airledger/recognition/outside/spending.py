"""What asking outside has cost, and how the providers do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from airledger.recognition.outside.budget import HALVES_PER_HIT, circuit_of, day_of, read_usage
from airledger.recognition.outside.models import OPEN, OutsideCall, RecognitionReview
from airledger.recognition.outside.share import Limits

ROWS_LIMIT = 10_000


@dataclass(frozen=True)
class Spent:
    """Requests to one provider on one day (UTC) for one station, for a stream without one, or for the house.

    Attributes:
        billed: Requests as the bill counts them: a hit is one, no result is half of one.
    """

    day: str
    provider: str
    sharer: str
    station_id: int | None
    stream_id: int | None
    requests: int
    hits: int
    billed: float
    cost_micros: int


@dataclass(frozen=True)
class ProviderStatus:
    """How a provider does today. `left` are requests that the account still allows."""

    provider: str
    circuit: str
    reason: str
    open_until: datetime | None
    requests: int
    left: int
    last_minute: int
    out: int
    outcomes: dict[str, int]
    billed: float
    cost_micros: int
    median_ms: int | None


def spent(
    session: Session, *, since: date, until: date | None = None, organisation_id: UUID | None = None
) -> Sequence[Spent]:
    """Sum calls by day, provider and station, newest day first.

    Args:
        session: To read with.
        since: First day.
        until: Last day; None for today.
        organisation_id: Whose calls; None for all.
    """
    call = OutsideCall
    query = select(
        call.day,
        call.provider,
        call.sharer,
        func.max(call.station_id),
        func.max(call.stream_id),
        func.count(),
        func.sum(case((call.outcome == "hit", 1), else_=0)),
        func.sum(call.billed_halves),
        func.sum(call.cost_micros),
    ).where(call.day >= since.isoformat())
    if until is not None:
        query = query.where(call.day <= until.isoformat())
    if organisation_id is not None:
        query = query.where(call.organisation_id == organisation_id)
    query = query.group_by(call.day, call.provider, call.sharer)
    rows = session.execute(query.order_by(call.day.desc(), call.provider, call.sharer).limit(ROWS_LIMIT))
    return [
        Spent(day, provider, sharer, station, stream, count, int(hits), int(halves) / HALVES_PER_HIT, int(cost))
        for day, provider, sharer, station, stream, count, hits, halves, cost in rows
    ]


def status(session: Session, providers: Sequence[str], limits: Limits, now: datetime) -> list[ProviderStatus]:
    """Tell how providers do: those given, in order."""
    return [_status(session, provider, limits, now) for provider in providers]


def open_reviews(session: Session, organisation_id: UUID) -> int:
    """Count the sounds that wait for people."""
    waiting = select(func.count()).where(
        RecognitionReview.organisation_id == organisation_id, RecognitionReview.state == OPEN
    )
    return session.scalar(waiting) or 0


def _status(session: Session, provider: str, limits: Limits, now: datetime) -> ProviderStatus:
    usage, circuit = read_usage(session, provider, now), circuit_of(session, provider)
    today = (OutsideCall.provider == provider, OutsideCall.day == day_of(now))
    rows = session.execute(
        select(
            OutsideCall.outcome, func.count(), func.sum(OutsideCall.billed_halves), func.sum(OutsideCall.cost_micros)
        )
        .where(*today)
        .group_by(OutsideCall.outcome)
    ).all()
    latencies = session.scalars(select(OutsideCall.latency_ms).where(*today, OutsideCall.latency_ms.is_not(None))).all()
    total = sum(usage.by_sharer.values())
    return ProviderStatus(
        provider=provider,
        circuit=circuit.state(now),
        reason=circuit.reason,
        open_until=circuit.open_until,
        requests=total,
        left=max(0, limits.per_day - total),
        last_minute=usage.last_minute,
        out=usage.out,
        outcomes={outcome: count for outcome, count, _, _ in rows},
        billed=sum(int(halves) for _, _, halves, _ in rows) / HALVES_PER_HIT,
        cost_micros=sum(int(cost) for _, _, _, cost in rows),
        median_ms=round(median(one for one in latencies if one is not None)) if latencies else None,
    )
