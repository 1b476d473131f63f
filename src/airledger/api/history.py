"""A stream's history for charts, and the performance analyser: what gets slower, worse or narrower, and where."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from airledger.api.allow import allow, public
from airledger.api.given import Moment
from airledger.api.state import State
from airledger.api.stream_rows import StreamId
from airledger.platform.auth.principal import Principal
from airledger.platform.auth.scopes import Scope
from airledger.stations import catalogue
from airledger.stations.models import Stream
from airledger.stations.record import local_s
from airledger.stations.watching.analyse import MAX_ROWS, Dimension, Performance, analyse
from airledger.stations.watching.habit import off_hours, unpacked
from airledger.stations.watching.history import Step, raw_history, rolled_history, span
from airledger.stations.watching.models import StreamHabit, StreamTrend
from airledger.stations.watching.trends import Trend

DAY = timedelta(days=1)
DAYS_SHOWN = 35
WEEK_S = 7 * 86_400
FIRST_MONDAY_S = 4 * 86_400  # 5 January 1970

router = APIRouter(prefix="/api/v1", tags=["catalogue"])


class HistoryOut(BaseModel):
    """One stretch of a stream's history; at step raw, one check."""

    at: datetime = Field(description="When it begins.")
    checks: int = Field(description="That count: being off in its off hours does not.")
    successes: int
    response_p50_ms: int | None
    response_p95_ms: int | None
    response_mean_ms: float | None
    bandwidth_kbps: int | None
    downtime_s: int
    causes: dict[str, int]


class WorseOut(BaseModel):
    """One way in which a stream gets worse."""

    what: str = Field(description="response_time, uptime or bandwidth.")
    since: str
    sentence: str


class OutlookOut(BaseModel):
    """What is learnt of a stream: whether it flaps, gets worse, and when it is usually off."""

    is_flapping: bool
    degrading: list[WorseOut]
    time_zone: str | None = Field(description="Whose hours `off_hours` are.")
    off_hours: list[int] = Field(description="Hours of the week at which it is usually off: 0 is Monday 00:00.")


class TrendOut(BaseModel):
    """What a series does: its slope, and its one clear step where there is one."""

    per_day: float
    changed_on: str | None
    before: float | None
    after: float | None


class PerformanceOut(BaseModel):
    """What one host (or network, country, source, stream) did."""

    key: str
    streams: int
    checks: int
    uptime: float | None
    downtime_s: int
    response_ms: float | None
    bandwidth_kbps: float | None
    response_trend: TrendOut
    uptime_trend: TrendOut
    bandwidth_trend: TrendOut
    causes: dict[str, int]


@router.get("/streams/{stream_id}/history")
async def get_history(
    stream_id: StreamId,
    state: State,
    caller: Annotated[Principal | None, public()],
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    step: Step = "hour",
) -> list[HistoryOut]:
    """Return a stream's history, oldest first: raw checks of a week, hours of a quarter, or days for ever."""
    del caller
    begins_at, ends_at = span(step, since, until, state.now())

    def make(session: Session) -> list[HistoryOut]:
        catalogue.stream_view(session, stream_id)
        if step == "raw":
            checks = raw_history(session, stream_id, begins_at, ends_at)
            return [
                HistoryOut(
                    at=one.at,
                    checks=int(one.is_healthy is not None),
                    successes=int(bool(one.is_healthy)),
                    response_p50_ms=one.response_ms or None,
                    response_p95_ms=one.response_ms or None,
                    response_mean_ms=one.response_ms or None,
                    bandwidth_kbps=one.bandwidth_kbps or None,
                    downtime_s=one.down_s,
                    causes={one.cause: 1} if one.cause and one.is_healthy is False else {},
                )
                for one in checks
            ]
        found = rolled_history(session, stream_id, step, begins_at, ends_at)
        return [
            HistoryOut(at=one.begins_at, **{k: v for k, v in one._asdict().items() if k != "begins_at"})
            for one in found
        ]

    return await state.threads.read(make)


@router.get("/streams/{stream_id}/outlook")
async def get_outlook(stream_id: StreamId, state: State, caller: Annotated[Principal | None, public()]) -> OutlookOut:
    """Tell what is learnt of a stream: flapping, degradation, off hours."""
    del caller

    def make(session: Session) -> OutlookOut:
        catalogue.stream_view(session, stream_id)
        trend, habit = session.get(StreamTrend, stream_id), session.get(StreamHabit, stream_id)
        hours: list[bool] = []
        if habit is not None:
            now_s = local_s(state.now(), habit.time_zone)
            week_s = now_s - (now_s - FIRST_MONDAY_S) % WEEK_S
            hours = off_hours(unpacked(habit.days), week_s + WEEK_S)
        return OutlookOut(
            is_flapping=session.get_one(Stream, stream_id).is_flapping,
            degrading=[WorseOut(**one) for one in trend.reasons] if trend is not None else [],
            time_zone=habit.time_zone if habit is not None else None,
            off_hours=[hour for hour, is_off in enumerate(hours) if is_off],
        )

    return await state.threads.read(make)


@router.get("/analysis/{dimension}")
async def get_analysis(
    dimension: Literal["stream", "host", "network", "country", "source"],
    state: State,
    caller: Annotated[Principal, allow(Scope.SYSTEM_READ)],
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 100,
) -> list[PerformanceOut]:
    """Sum up response times, uptime, bandwidth and causes by a dimension, the most checked first, with their trends."""
    del caller
    ends_at = until or state.now()
    begins_at = since or ends_at - DAYS_SHOWN * DAY
    chosen: Dimension = dimension

    def make(session: Session) -> list[PerformanceOut]:
        return [_performance(one) for one in analyse(session, chosen, begins_at, ends_at, limit=limit)]

    return await state.threads.read(make)


def _performance(one: Performance) -> PerformanceOut:
    fields: dict[str, Any] = {
        name: getattr(one, name) for name in PerformanceOut.model_fields if not name.endswith("_trend")
    }
    trends = {name: _trend(getattr(one, name)) for name in PerformanceOut.model_fields if name.endswith("_trend")}
    return PerformanceOut(**(fields | trends))


def _trend(one: Trend) -> TrendOut:
    change = one.change
    return TrendOut(
        per_day=one.slope,
        changed_on=datetime.fromordinal(change.day).date().isoformat() if change else None,
        before=change.before if change else None,
        after=change.after if change else None,
    )
