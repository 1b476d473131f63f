"""Trends and degradation: robust against single bad days, told before a stream fails, and once."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.events import EventRow
from airledger.stations.models import PLAYING, Listing, Stream
from airledger.stations.watching.analyse import analyse, look_for_worse
from airledger.stations.watching.models import StreamDay, StreamTrend
from airledger.stations.watching.rollup import Rolled
from airledger.stations.watching.trends import Point, clearest_change, slope_per_day, what_gets_worse
from stations.rows import add_stream

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=30)


def day(number: int, *, ms: int = 100, failures: int = 0, kbps: int = 128) -> Rolled:
    causes = {"timeout": failures} if failures else {}
    return Rolled(BEGIN + timedelta(days=number), 24, 24 - failures, ms, 2 * ms, float(ms), kbps, 0, causes)


def noisy(days: int = 30, **worse_from: tuple[int, int]) -> list[Rolled]:
    """Days with the scatter of a real line; from a day on a value is another."""
    chance = random.Random(4)  # noqa: S311  a test's own chance
    found = []
    for number in range(days):
        fields: dict[str, Any] = {"ms": 100 + chance.randrange(40), "kbps": 127 + chance.randrange(3)}
        for name, (since, value) in worse_from.items():
            if number >= since:
                fields[name] = value + (chance.randrange(20) if name == "ms" else 0)
        found.append(day(number, **fields))
    return found


def test_a_steady_stream_is_left_alone() -> None:
    assert what_gets_worse(noisy()) == []
    assert what_gets_worse(noisy(6, ms=(0, 900))) == []  # nothing to compare with


def test_one_bad_day_is_no_trend() -> None:
    days = noisy()
    days[-3] = day(27, ms=4_000, failures=12, kbps=64)
    assert what_gets_worse(days) == []


def test_each_way_of_getting_worse_is_told_with_figures() -> None:
    [slower] = what_gets_worse(noisy(ms=(23, 600)))
    assert (slower.what, slower.since) == ("response_time", (BEGIN + timedelta(days=23)).date())
    assert "ms" in slower.sentence
    [less] = what_gets_worse(noisy(failures=(24, 2)))
    assert less.what == "uptime"
    assert "timeout" in less.sentence
    [narrow] = what_gets_worse(noisy(kbps=(22, 64)))
    assert (narrow.what, narrow.sentence) == ("bandwidth", "It carries 64 kbit/s, 128 kbit/s before.")


POINTS = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@given(POINTS, st.floats(-1_000, 1_000), st.floats(-1_000, 1_000))
def test_a_slope_follows_what_is_added_to_it(values: list[float], slope: float, shift: float) -> None:
    plain = [Point(number, value) for number, value in enumerate(values)]
    tilted = [Point(one.day, one.value + slope * one.day + shift) for one in plain]
    assert slope_per_day(tilted) == pytest.approx(slope_per_day(plain) + slope, rel=1e-6, abs=1e-4)


@given(st.integers(4, 26), st.floats(10, 1_000), st.lists(st.floats(-1, 1), min_size=30, max_size=30))
def test_a_step_is_found_where_it_is(place: int, height: float, scatter: list[float]) -> None:
    values = [Point(n, 100 + noise + (height if n >= place else 0)) for n, noise in enumerate(scatter)]
    change = clearest_change(values)
    assert change is not None
    assert abs(change.day - place) <= 3
    assert change.after - change.before == pytest.approx(height, abs=3)


def add_days(database: Database, stream_id: int, days: list[Rolled]) -> None:
    with database.unit() as unit:
        for one in days:
            unit.session.add(StreamDay(stream_id=stream_id, **one._asdict()))


def test_degradation_is_told_before_the_stream_fails_and_when_it_is_over(
    either_database: Database, clock: SteppedClock
) -> None:
    worse = add_stream(either_database, clock, state=PLAYING)
    fine = add_stream(either_database, clock, "http://b.example/", state=PLAYING)
    add_days(either_database, worse, noisy(ms=(23, 600)))
    add_days(either_database, fine, noisy())
    assert look_for_worse(either_database, NOW) == (1, 1)
    assert look_for_worse(either_database, NOW) == (1, 0)
    with either_database.read() as session:
        row = session.scalars(select(StreamTrend)).one()
        assert (row.stream_id, row.reasons[0]["what"], row.since) == (
            worse,
            "response_time",
            BEGIN + timedelta(days=23),
        )
        assert session.get_one(Stream, worse).state == PLAYING
    add_days(either_database, worse, [day(number) for number in range(30, 60)])
    assert look_for_worse(either_database, NOW + timedelta(days=30)) == (0, 1)
    with either_database.read() as session:
        told = session.scalars(
            select(EventRow.payload).where(EventRow.type == "stream.degrading").order_by(EventRow.id)
        )
        assert [(one["stream_id"], bool(one["reasons"])) for one in told] == [(worse, True), (worse, False)]


def test_the_analyser_sums_up_by_every_dimension(either_database: Database, clock: SteppedClock) -> None:
    ids = [
        add_stream(either_database, clock, f"http://{host}/{n}", country_code=country, remote_address=address)
        for n, (host, country, address) in enumerate(
            [("one.example", "GH", "192.0.2.1"), ("one.example", "GH", "192.0.2.2"), ("two.example", None, None)]
        )
    ]
    for stream_id in ids:
        add_days(either_database, stream_id, noisy(failures=(20, 6)) if stream_id == ids[2] else noisy())
    with either_database.unit() as unit:
        for stream_id, source in ((ids[0], "xiph"), (ids[1], "xiph"), (ids[2], "own"), (ids[0], "own")):
            key = f"{source}{stream_id}"
            row = Listing(
                stream_id=stream_id, source=source, source_key=key, claims={}, first_seen=BEGIN, last_seen=BEGIN
            )
            unit.session.add(row)
    with either_database.read() as session:
        by_host = {one.key: one for one in analyse(session, "host", BEGIN, NOW)}
        assert (by_host["one.example"].streams, by_host["one.example"].checks) == (2, 2 * 30 * 24)
        assert by_host["one.example"].uptime == 1.0
        bad = by_host["two.example"]
        assert bad.causes == {"timeout": 60}
        assert bad.uptime_trend.change is not None
        assert bad.uptime_trend.change.day == (BEGIN + timedelta(days=20)).toordinal()
        assert {one.key for one in analyse(session, "country", BEGIN, NOW)} == {"GH", "unknown"}
        assert {one.key: one.streams for one in analyse(session, "network", BEGIN, NOW)} == {
            "192.0.2.0/24": 2,
            "unknown": 1,
        }
        assert {one.key: one.streams for one in analyse(session, "source", BEGIN, NOW)} == {"xiph": 2, "own": 2}
        assert len(analyse(session, "stream", BEGIN, NOW, limit=2)) == 2
