"""Hours and days are made of raw rows: the same however often, and before those may go."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError
from airledger.platform.retention import delete_expired
from airledger.stations.models import StreamMetric
from airledger.stations.watching.history import raw_history, rolled_history, span
from airledger.stations.watching.models import StreamDay, StreamHour, WatchMark
from airledger.stations.watching.rollup import DAYS, HOURS, Measured, floor_to, roll_up, rolled, rolled_up_to
from stations.rows import add_stream

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def add_checks(database: Database, stream_id: int, checks: Sequence[Measured]) -> None:
    with database.unit() as unit:
        for one in checks:
            unit.session.add(
                StreamMetric(
                    stream_id=stream_id,
                    response_time_ms=one.response_ms,
                    uptime_percentage=100.0,
                    error_count=0,
                    last_error_type=one.cause,
                    bandwidth_kbps=one.bandwidth_kbps,
                    check_timestamp=one.at,
                    is_healthy=one.is_healthy,
                    cause=one.cause,
                    down_s=one.down_s,
                )
            )


def check(minutes: float, *, good: bool | None = True, ms: int = 100, down_s: int = 0) -> Measured:
    return Measured(BEGIN + timedelta(minutes=minutes), good, ms, 128 if good else 0, "" if good else "timeout", down_s)


def rows(database: Database, table: Any) -> list[tuple[Any, ...]]:
    with database.read() as session:
        columns = list(table.__table__.columns)
        return [tuple(row) for row in session.execute(select(*columns).order_by(*table.__table__.primary_key.columns))]


def test_an_hour_is_summed_up() -> None:
    checks = [check(5, ms=10), check(20, ms=30), check(40, good=False, ms=0), check(50, good=None, ms=9_999)]
    found = rolled(checks, BEGIN, BEGIN + HOUR)
    assert found is not None
    assert (found.checks, found.successes, found.causes) == (3, 2, {"timeout": 1})
    assert (found.response_p50_ms, found.response_p95_ms, found.response_mean_ms) == (10, 30, 20.0)
    assert (found.bandwidth_kbps, found.downtime_s) == (128, 0)
    assert rolled(checks, BEGIN + HOUR, BEGIN + 2 * HOUR) is None


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_percentiles_are_values_that_were_measured(values: list[int]) -> None:
    found = rolled([check(n, ms=ms) for n, ms in enumerate(values)], BEGIN, BEGIN + HOUR)
    assert found is not None
    answered = sorted(ms for ms in values if ms)
    if not answered:
        assert found.response_p50_ms is None
        return
    assert found.response_p50_ms in answered
    assert found.response_p95_ms in answered
    assert sum(ms <= (found.response_p50_ms or 0) for ms in answered) * 2 >= len(answered)
    assert sum(ms <= (found.response_p95_ms or 0) for ms in answered) * 100 >= 95 * len(answered)


def test_hours_and_days_are_made_once_over_and_the_same_again(either_database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(either_database, clock)
    checks = [check(30 * n, good=n % 7 != 0, ms=50 + n) for n in range(100)]
    add_checks(either_database, stream_id, checks)
    now = BEGIN + timedelta(days=2, hours=2)
    assert roll_up(either_database, BEGIN + HOUR) == {HOURS: 0, DAYS: 0}  # may still be written to
    assert roll_up(either_database, now) == {HOURS: 49, DAYS: 2}
    first = rows(either_database, StreamHour), rows(either_database, StreamDay)
    assert roll_up(either_database, now) == {HOURS: 0, DAYS: 0}
    with either_database.read() as session:
        assert sum(row.checks for row in session.scalars(select(StreamDay))) == 96
        assert sum(row.checks for row in session.scalars(select(StreamHour))) == 98
    with either_database.unit() as unit:  # as if the process had died before it set its mark
        unit.session.execute(delete(WatchMark))
    assert roll_up(either_database, now) == {HOURS: 49, DAYS: 2}
    assert (rows(either_database, StreamHour), rows(either_database, StreamDay)) == first


def test_downtime_is_laid_over_the_hours_it_lasted(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    add_checks(database, stream_id, [check(30), check(50, good=False)])
    roll_up(database, BEGIN + HOUR + timedelta(minutes=6))
    add_checks(database, stream_id, [check(300, good=False, down_s=250 * 60), check(310, down_s=600)])
    roll_up(database, BEGIN + 6 * HOUR + timedelta(minutes=6))
    with database.read() as session:
        hours = session.scalars(select(StreamHour).order_by(StreamHour.begins_at)).all()
    assert [row.downtime_s for row in hours] == [600, 3_600, 3_600, 3_600, 3_600, 600]
    assert [row.checks for row in hours] == [2, 0, 0, 0, 0, 2]


def test_raw_rows_go_only_when_they_are_rolled_up(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    add_checks(database, stream_id, [check(60 * n) for n in range(24 * 10)])
    now = BEGIN + timedelta(days=30)

    def left() -> int:
        with database.read() as session:
            return session.scalar(select(func.count()).select_from(StreamMetric)) or 0

    delete_expired(database, now)
    assert left() == 240
    with database.read() as session:
        assert rolled_up_to(session) is None
    roll_up(database, BEGIN + timedelta(days=5, hours=1))
    delete_expired(database, now)
    assert left() == 240 - 4 * 24 + 2  # a check of the fifth day may still reach back by 26 h
    roll_up(database, now)
    delete_expired(database, now)
    assert left() == 0


def test_a_stopped_run_goes_on_where_it_was(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    add_checks(database, stream_id, [check(60 * n) for n in range(10)])
    answers = iter([False, False, True])
    roll_up(database, BEGIN + timedelta(hours=11), stopping=lambda: next(answers))
    assert len(rows(database, StreamHour)) == 2
    assert roll_up(database, BEGIN + timedelta(hours=11))[HOURS] == 8


def test_charts_get_what_is_rolled_up_and_what_is_not_yet(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    add_checks(database, stream_id, [check(60 * n, ms=n + 1) for n in range(50)])
    until = BEGIN + timedelta(hours=50)
    with database.read() as session:
        before = rolled_history(session, stream_id, "hour", BEGIN, until)
        before_days = rolled_history(session, stream_id, "day", BEGIN, until)
    roll_up(database, BEGIN + timedelta(hours=30))
    with database.read() as session:
        assert rolled_history(session, stream_id, "hour", BEGIN, until) == before
        assert rolled_history(session, stream_id, "day", BEGIN, until) == before_days
        assert [one.response_ms for one in raw_history(session, stream_id, BEGIN, until)] == list(range(1, 51))
    assert [one.checks for one in before_days] == [24, 24, 2]
    assert len(before) == 50


def test_a_chart_has_an_end_and_a_limit() -> None:
    assert span("hour", None, None, BEGIN) == (BEGIN - timedelta(days=7), BEGIN)
    for since, until in ((BEGIN, BEGIN), (BEGIN - timedelta(days=100), BEGIN)):
        with pytest.raises(InputError):
            span("hour", since, until, BEGIN)
    assert floor_to(DAYS, BEGIN + timedelta(hours=23)) == BEGIN
