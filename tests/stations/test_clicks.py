"""Clicks and votes: what counts, how it grows old, and what looks like a script."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import NotFoundError
from airledger.platform.retention import delete_expired
from airledger.stations.directory.clicks import CLICK, VOTE, click, find_bursts, mark_of, vote
from airledger.stations.directory.jobs import roll_clicks
from airledger.stations.directory.models import StreamClick, VisitMark
from airledger.stations.models import PLAYING, RETIRED, Stream
from stations.rows import add_stream

SECRET = b"s" * 32


def clicked(database: Database, stream_id: int, address: str, now: datetime, times: int = 1) -> bool:
    with database.unit() as unit:
        first, *_ = [click(unit, stream_id, address, SECRET, now=now) for _ in range(times)]
        return first


def counts(database: Database, stream_id: int) -> tuple[int, int, int]:
    with database.read() as session:
        row = session.get_one(Stream, stream_id)
        return row.click_count, row.click_trend, row.votes


def test_an_address_counts_once_a_day(either_database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(either_database, clock, state=PLAYING)
    noon = clock.now().replace(hour=12)
    assert clicked(either_database, stream_id, "a", noon)
    assert not clicked(either_database, stream_id, "a", noon, times=3)
    assert clicked(either_database, stream_id, "b", noon)
    assert counts(either_database, stream_id) == (2, 2, 0)
    assert clicked(either_database, stream_id, "a", noon + timedelta(days=1))
    with either_database.read() as session:
        rows = session.query(StreamClick).order_by(StreamClick.day).all()
        assert [(row.hour, row.count, row.addresses) for row in rows] == [(12, 5, 2), (12, 1, 1)]


def test_counts_grow_old_by_the_hour(either_database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(either_database, clock, state=PLAYING)
    for number in range(5):
        clicked(either_database, stream_id, f"a{number}", clock.now())
    clock.step(25 * 3_600)
    clicked(either_database, stream_id, "a0", clock.now())
    assert roll_clicks(either_database, clock) == 1
    assert counts(either_database, stream_id)[:2] == (1, -4)
    assert roll_clicks(either_database, clock) == 0
    clock.step(3 * 86_400)
    assert roll_clicks(either_database, clock) == 1
    assert counts(either_database, stream_id)[:2] == (0, 0)


def test_votes_count_once_a_day_and_stay(either_database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(either_database, clock, state=PLAYING)
    with either_database.unit() as unit:
        assert vote(unit, stream_id, "a", SECRET, now=clock.now())
        assert not vote(unit, stream_id, "a", SECRET, now=clock.now())
        assert vote(unit, stream_id, "a", SECRET, now=clock.now() + timedelta(days=1))
    assert counts(either_database, stream_id)[2] == 2


def test_what_is_gone_cannot_be_clicked(database: Database, clock: SteppedClock) -> None:
    gone = add_stream(database, clock, state=RETIRED)
    for stream_id in (gone, 999):
        with pytest.raises(NotFoundError):
            clicked(database, stream_id, "a", clock.now())


def test_marks_are_forgotten_and_name_nobody(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock, state=PLAYING)
    clicked(database, stream_id, "address:192.0.2.7", clock.now())
    with database.read() as session:
        [mark] = session.query(VisitMark).all()
        assert "192.0.2.7" not in mark.mark
    delete_expired(database, clock.now() + timedelta(days=3), pause=lambda _: None)
    with database.read() as session:
        assert session.query(VisitMark).count() == 0
        assert session.query(StreamClick).count() == 1


@given(st.binary(min_size=16, max_size=40), st.integers(1, 10**9), st.text(max_size=30), st.datetimes())
def test_marks_differ_by_all_that_they_are_made_of(secret: bytes, stream_id: int, address: str, at: datetime) -> None:
    now = at.replace(tzinfo=UTC)
    mark = mark_of(secret, CLICK, stream_id, address, now)
    others = (
        mark_of(secret + b"x", CLICK, stream_id, address, now),
        mark_of(secret, VOTE, stream_id, address, now),
        mark_of(secret, CLICK, stream_id + 1, address, now),
        mark_of(secret, CLICK, stream_id, address + "x", now),
    )
    assert mark == mark_of(secret, CLICK, stream_id, address, now.replace(hour=0))
    assert mark not in others


def test_a_burst_is_noticed_and_a_steady_crowd_is_not(database: Database, clock: SteppedClock) -> None:
    began = clock.now().replace(hour=0, minute=0)
    crowd, raided = (add_stream(database, clock, f"http://s{n}.example/", state=PLAYING) for n in range(2))
    with database.unit() as unit:
        for hour in range(24 * 8):
            day, of_day = began + timedelta(days=hour // 24), hour % 24
            last = hour == 24 * 8 - 1
            unit.session.add(StreamClick(stream_id=crowd, day=day, hour=of_day, count=80, addresses=70))
            unit.session.add(StreamClick(stream_id=raided, day=day, hour=of_day, count=600 if last else 4,
                                         addresses=3))  # fmt: skip
    now = began + timedelta(days=8)
    with database.read() as session:
        [burst] = find_bursts(session, since=now - timedelta(hours=2), now=now)
    assert (burst.stream_id, burst.count, burst.usual, burst.is_repeated) == (raided, 600, 4.0, True)
