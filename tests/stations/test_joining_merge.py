from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from airledger.platform.audit import SYSTEM, Actor
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database, Row
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.platform.events import EventRow
from airledger.stations.joining.facts import StationFacts, Told, choose_facts, zone_of_country
from airledger.stations.joining.merge import are_apart, keep_apart, members, merge, station_now, take_in, undo
from airledger.stations.joining.models import StationMerge
from airledger.stations.joining.why import BY_HAND, SAME_HOME, Reason
from airledger.stations.models import Station, Stream
from stations.rows import add_stream

REASON = Reason(SAME_HOME, 0.97, {"homepage": "blue.example"})
HAND = Reason(BY_HAND, 1.0, {})
PERSON = Actor("user:ada")


def add_station(database: Database, clock: SteppedClock, name: str, *reliabilities: float, **facts: Any) -> int:
    with database.unit() as unit:
        row = Station(identity=f"test:{name}", name=name, created_at=clock.now(), **facts)
        unit.session.add(row)
        unit.session.flush()
        station_id = row.id
    for number, reliability in enumerate(reliabilities):
        add_stream(
            database,
            clock,
            f"http://{name}.example/{number}",
            name=name,
            station_id=station_id,
            reliability_lower_bound=reliability,
            country_code=facts.get("country_code"),
            website=facts.get("website"),
        )
    return station_id


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as session:
        stations = list(Station.__table__.columns)
        streams = [c for c in Stream.__table__.columns if c.name != "updated_at"]
        return {
            "stations": [tuple(row) for row in session.execute(select(*stations).order_by(Station.id))],
            "streams": [tuple(map(str, row)) for row in session.execute(select(*streams).order_by(Stream.id))],
        }


def joined(database: Database, clock: SteppedClock, one: int, other: int, reason: Reason = REASON) -> int | None:
    with database.unit() as unit:
        done = merge(unit, one, other, reason, SYSTEM, now=clock.now())
        return None if done is None else done.merge_id


def streams_of(database: Database, station_id: int) -> int:
    with database.read() as session:
        return len(session.scalars(select(Stream.id).where(Stream.station_id == station_id)).all())


def test_a_merge_moves_the_streams_and_is_explained(either_database: Database, clock: SteppedClock) -> None:
    database = either_database
    big = add_station(database, clock, "blue", 0.9, 0.8, country_code="PT", website="https://blue.example")
    small = add_station(database, clock, "azure", 0.2)
    merge_id = joined(database, clock, small, big)
    assert streams_of(database, big) == 3
    with database.read() as session:
        row = session.get_one(StationMerge, merge_id)
        assert (row.kept_station_id, row.merged_station_id, row.reason) == (big, small, SAME_HOME)
        assert row.evidence == {"homepage": "blue.example"}
        assert len(row.stream_ids) == 1
        assert station_now(session, small) == station_now(session, big) == big
        assert session.get_one(Station, big).name == "blue"
        types = set(session.scalars(select(EventRow.type)))
        assert "station.merged" in types


def test_what_is_one_already_is_not_merged_again(database: Database, clock: SteppedClock) -> None:
    one, other = (add_station(database, clock, name, 0.5) for name in ("a", "b"))
    assert joined(database, clock, one, other) is not None
    assert joined(database, clock, one, other) is None
    assert joined(database, clock, other, one) is None


def test_a_person_who_takes_a_merge_back_is_heeded(database: Database, clock: SteppedClock) -> None:
    one, other, third = (add_station(database, clock, name, 0.5) for name in ("a", "b", "c"))
    before = rows_of(database)
    merge_id = joined(database, clock, one, other)
    assert merge_id is not None
    with database.unit() as unit:
        undo(unit, merge_id, PERSON, now=clock.now())
    assert rows_of(database) == before
    assert joined(database, clock, one, other) is None
    assert joined(database, clock, other, third) is not None
    assert joined(database, clock, one, third) is None, "by way of a third station they would be one after all"
    assert joined(database, clock, one, third, HAND) is not None, "a person may think again"
    with pytest.raises(ConflictError), database.unit() as unit:
        undo(unit, merge_id, PERSON, now=clock.now())


def test_two_stations_may_be_told_apart_before_anything_joins_them(database: Database, clock: SteppedClock) -> None:
    one, other = (add_station(database, clock, name, 0.5) for name in ("a", "b"))
    with database.unit() as unit:
        keep_apart(unit, other, one, PERSON, now=clock.now())
        keep_apart(unit, one, other, PERSON, now=clock.now())
        assert are_apart(unit.session, one, other)
    assert joined(database, clock, one, other) is None


def test_streams_that_a_crawl_adds_to_a_merged_station_follow_and_go_back_with_it(
    database: Database, clock: SteppedClock
) -> None:
    one, other = add_station(database, clock, "a", 0.5, 0.5), add_station(database, clock, "b", 0.5)
    merge_id = joined(database, clock, one, other)
    assert merge_id is not None
    add_stream(database, clock, "http://b.example/new", station_id=other)
    with database.unit() as unit:
        assert take_in(unit, other, clock.now()) == 1
    assert streams_of(database, one) == 4
    with database.unit() as unit:
        undo(unit, merge_id, PERSON, now=clock.now())
    assert streams_of(database, other) == 2


def test_an_earlier_merge_can_be_taken_back_while_a_later_one_stands(database: Database, clock: SteppedClock) -> None:
    a, b, c = (add_station(database, clock, name, 0.5) for name in ("a", "b", "c"))
    before = rows_of(database)
    first = joined(database, clock, a, b)
    add = joined(database, clock, a, c)
    assert first is not None
    assert add is not None
    for merge_id, left in ((first, 2), (add, 1)):
        with database.unit() as unit:
            undo(unit, merge_id, PERSON, now=clock.now(), apart=False)
        assert streams_of(database, a) == left
    assert rows_of(database) == before


def test_what_is_not_there_is_said_so(database: Database, clock: SteppedClock) -> None:
    one = add_station(database, clock, "a", 0.5)
    with pytest.raises(NotFoundError):
        joined(database, clock, one, 77)
    with pytest.raises(NotFoundError), database.unit() as unit:
        undo(unit, 77, PERSON, now=clock.now())


@settings(max_examples=10, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=10),
    shuffled=st.randoms(use_true_random=False),
    in_reverse=st.booleans(),
)
def test_any_merges_taken_back_in_any_order_leave_the_rows_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[int, int]], shuffled: Any, in_reverse: bool
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('merges')}/catalogue.db")
    Row.metadata.create_all(database.engine)
    clock = SteppedClock()
    countries = ["PT", None, "DE", "US", None, "PT", "FR"]
    stations = [
        add_station(
            database, clock, f"s{n}", *[0.1 * n] * (1 + n % 3), country_code=country, website=f"https://{n % 3}.example"
        )
        for n, country in enumerate(countries)
    ]
    before = rows_of(database)
    merges = [
        merge_id
        for one, other in pairs
        if (merge_id := joined(database, clock, stations[one], stations[other])) is not None
    ]
    with database.read() as session:
        groups = [members(session, one) for one in stations if station_now(session, one) == one]
        assert sorted(each for group in groups for each in group) == sorted(stations)
        assert not set(session.scalars(select(Stream.station_id))) - {station_now(session, one) for one in stations}
    merges.reverse()
    if not in_reverse:
        shuffled.shuffle(merges)
    for merge_id in merges:
        with database.unit() as unit:
            undo(unit, merge_id, PERSON, now=clock.now(), apart=False)
    assert rows_of(database) == before
    database.close()


def test_facts_are_those_of_the_more_reliable_streams() -> None:
    before = StationFacts("Old", None, None, None)
    streams = [
        Told(1, "Blue", "PT", None, 0.1),
        Told(2, "Blue 128", None, "https://blue.example", 0.9),
        Told(3, "Blue", None, None, 0.85),
        Told(4, None, None, None, 1.0),
    ]
    assert choose_facts(streams, before) == StationFacts("Blue", "PT", "https://blue.example", None)
    assert choose_facts([], before) == before


def test_a_country_of_one_time_zone_tells_it() -> None:
    assert zone_of_country("at") == "Europe/Vienna"
    assert zone_of_country("US") is None
    assert zone_of_country(None) is None
