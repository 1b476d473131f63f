"""Looking through a changed catalogue for streams of one station."""

from typing import Any

from sqlalchemy import func, select

from airledger.platform.audit import Actor
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.stations.joining.find import SETTLED, join_all
from airledger.stations.joining.merge import undo
from airledger.stations.joining.models import SameSoundPair, StationClue, StationMerge
from airledger.stations.joining.views import find_merges, simulcasts_of
from airledger.stations.joining.why import (
    HEARD_DIFFERENT,
    HEARD_RELATED,
    SAME_ADDRESS,
    SAME_HOME,
    SAME_SERVER,
    SAME_TARGET,
)
from airledger.stations.models import RETIRED, Station, Stream
from stations.rows import add_stream

SETTLED_S = SETTLED.total_seconds()
HOME = "https://blue.example"


def add(database: Database, clock: SteppedClock, url: str, name: str | None = None, **fields: Any) -> int:
    with database.unit() as unit:
        station = Station(identity=url, name=name or url, created_at=clock.now())
        unit.session.add(station)
        unit.session.flush()
        station_id = station.id
    return add_stream(database, clock, url, name=name, station_id=station_id, **fields)


def join(database: Database, clock: SteppedClock) -> int:
    clock.step(SETTLED_S + 1)
    return join_all(database, clock).merged


def reasons(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(StationMerge.reason)))


def stations(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Stream.station_id.distinct()))) or 0


def test_each_kind_of_evidence_is_found_and_nothing_else(either_database: Database, clock: SteppedClock) -> None:
    database = either_database
    add(database, clock, "http://a.example/live")
    add(database, clock, "https://a.example/live.m3u")
    add(database, clock, "http://go.example/7", url_resolved="http://t.example/t")
    add(database, clock, "http://t.example/t")
    add(database, clock, "http://x.example/1", "Blue Harbour 128k", website=HOME)
    add(database, clock, "http://y.example/2", "BLUE HARBOUR", website="http://www.blue.example/")
    add(database, clock, "http://z.example:8000/hi", "Red Kite")
    add(database, clock, "http://z.example:8000/lo", "Red Kite AAC")
    for number in range(20):
        add(database, clock, f"http://n{number}.example/", f"Nothing In Common {chr(97 + number) * 4}")
    assert join(database, clock) == 4
    assert reasons(database) == sorted([SAME_ADDRESS, SAME_TARGET, SAME_HOME, SAME_SERVER])
    assert stations(database) == 24
    assert join(database, clock) == 0


def test_only_what_changed_is_looked_at_again(database: Database, clock: SteppedClock) -> None:
    for number in range(30):
        add(database, clock, f"http://n{number}.example/", f"Station {chr(97 + number % 26) * 5} {number}")
    clock.step(300)
    assert join_all(database, clock).streams == 30
    assert join_all(database, clock).streams == 0
    stream_id = add(database, clock, "https://n3.example/;")
    clock.step(5)
    assert join_all(database, clock).streams == 0, "a unit that began before may still commit"
    clock.step(SETTLED_S)
    done = join_all(database, clock)
    assert (done.streams, done.merged) == (1, 1)
    clock.step(2 * SETTLED_S)
    done = join_all(database, clock)
    assert (done.streams, done.merged) == (1, 0), "what was moved has changed, and is looked at once more"
    with database.read() as session:
        assert session.scalars(select(StationClue.kind).where(StationClue.stream_id == stream_id)).all()


def test_a_merge_that_was_taken_back_is_not_made_again(database: Database, clock: SteppedClock) -> None:
    add(database, clock, "http://x.example/1", "Blue Harbour", website=HOME)
    second = add(database, clock, "http://y.example/2", "Blue Harbour", website=HOME)
    assert join(database, clock) == 1
    with database.read() as session:
        (view,) = find_merges(session).rows
    with database.unit() as unit:
        undo(unit, view.id, Actor("user:ada"), now=clock.now())
        unit.session.get_one(Stream, second).updated_at = clock.now()
    assert join(database, clock) == 0
    assert stations(database) == 2


def test_what_was_heard_to_be_different_stays_apart(database: Database, clock: SteppedClock) -> None:
    one = add(database, clock, "http://x.example/1", "Blue Harbour", website=HOME)
    other = add(database, clock, "http://y.example/2", "Blue Harbour", website=HOME)
    heard(database, clock, one, other, HEARD_DIFFERENT)
    assert join(database, clock) == 0


def test_simulcasts_are_told_from_the_stations_side(database: Database, clock: SteppedClock) -> None:
    one, other = add(database, clock, "http://x.example/1", "Blue"), add(database, clock, "http://y.example/2", "Red")
    heard(database, clock, one, other, HEARD_RELATED)
    with database.read() as session:
        ours, theirs = (session.get_one(Stream, each).station_id or 0 for each in (one, other))
        (seen,), (turned,) = simulcasts_of(session, ours), simulcasts_of(session, theirs)
    assert (seen.stream_id, seen.other_stream_id, seen.other_name, seen.delay_s) == (one, other, "Red", 4.5)
    assert (turned.stream_id, turned.other_stream_id, turned.other_name, turned.delay_s) == (other, one, "Blue", -4.5)


def test_a_hosting_companys_homepage_joins_nobody(database: Database, clock: SteppedClock) -> None:
    for number in range(25):
        add(
            database,
            clock,
            f"http://h{number}.example/",
            f"Guest {chr(97 + number) * 3}",
            website="https://hoster.example",
        )
    add(database, clock, "http://s1.example/", "Sunshine", website="https://hoster.example")
    add(database, clock, "http://s2.example/", "Sunshine", website="https://hoster.example")
    assert join(database, clock) == 0


def test_retired_streams_are_left_alone(database: Database, clock: SteppedClock) -> None:
    add(database, clock, "http://a.example/live", state=RETIRED)
    add(database, clock, "https://a.example/live")
    assert join(database, clock) == 0


def heard(database: Database, clock: SteppedClock, one: int, other: int, verdict: str) -> None:
    now = clock.now()
    with database.unit() as unit:
        unit.session.add(
            SameSoundPair(
                stream_a=one, stream_b=other, verdict=verdict, probability=0.001, delay_s=4.5, looks_agreed=1,
                looks_related=1, looks_disagreed=3, log_odds=-7.0, first_seen=now, last_seen=now,
            )
        )  # fmt: skip
