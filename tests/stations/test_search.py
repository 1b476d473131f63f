"""Searching by words, by distance and by change: one contract for both databases."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError
from airledger.platform.migrations import full_text
from airledger.platform.words import fold, index_words, query_words, split_words
from airledger.stations.catalogue import list_streams
from airledger.stations.changes import SETTLED, list_changed, note_change
from airledger.stations.filters import StreamFilter
from airledger.stations.models import PLAYING, RETIRED, Geolocation, Stream
from airledger.stations.nearby import Circle
from airledger.stations.page_query import FEW
from stations.rows import add_stream


def add(database: Database, clock: SteppedClock, name: str, *others: str, **fields: object) -> int:
    number = abs(hash((name, others))) % 10**9
    fields = {"state": PLAYING, "reliability_score": 0.9, **fields}
    words = index_words(name, others)
    return add_stream(database, clock, f"http://h{number}.example/", name=name, search_text=words, **fields)


def found(database: Database, q: str, **more: object) -> list[str | None]:
    with database.read() as session:
        return [row.name for row in list_streams(session, StreamFilter(q=q, **more)).rows]  # type: ignore[arg-type]


@pytest.fixture
def stocked(either_database: Database, clock: SteppedClock) -> Database:
    for name, others, reliability in (
        ("Jazz", ["accra"], 0.71),
        ("Smooth Jazz Łódź", [], 0.8),
        ("Accra Jazz Radio", ["ghana"], 0.75),
        ("Radio Ghana", ["jazz", "accra"], 0.99),
        ("Straße FM", ["berlin", "ΑΘΗΝΑ"], 0.9),
        ("ラジオ日本", ["東京"], 0.9),
        ("हिन्दी रेडियो", [], 0.9),
    ):
        add(either_database, clock, name, *others, reliability_score=reliability)
    return either_database


def test_names_come_before_mentions_and_the_very_name_first(stocked: Database) -> None:
    assert found(stocked, "jazz") == ["Jazz", "Smooth Jazz Łódź", "Accra Jazz Radio", "Radio Ghana"]


def test_all_words_must_occur_and_the_last_may_be_a_beginning(stocked: Database) -> None:
    assert found(stocked, "jazz acc") == ["Accra Jazz Radio", "Radio Ghana", "Jazz"]
    assert found(stocked, "ja accra") == []
    assert found(stocked, "gha") == ["Radio Ghana", "Accra Jazz Radio"]


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("LODZ", "Smooth Jazz Łódź"),
        ("łódź", "Smooth Jazz Łódź"),
        ("strasse", "Straße FM"),
        ("STRASSE f", "Straße FM"),
        ("αθηνά", "Straße FM"),
        ("日本", "ラジオ日本"),
        ("東京", "ラジオ日本"),
        ("हिन्दी", "हिन्दी रेडियो"),
    ],
)
def test_case_accents_and_scripts_are_no_obstacle(stocked: Database, q: str, name: str) -> None:
    assert found(stocked, q) == [name]


@pytest.mark.parametrize(
    "q", ["!!!", '"', "'", "a' OR 1=1", "NEAR(", "*", "jazz AND", ":*", "&", "(", "\\", "-", "=jazz="]
)
def test_signs_are_no_syntax(stocked: Database, q: str) -> None:
    names = found(stocked, q)
    assert names in ([], found(stocked, "jazz"))


def test_what_changes_is_found_by_its_new_words_alone(stocked: Database) -> None:
    with stocked.unit() as unit:
        row = unit.session.query(Stream).filter(Stream.name == "Jazz").one()
        row.search_text = index_words("Blues", [])
    assert found(stocked, "blues") == ["Jazz"]
    assert "Jazz" not in found(stocked, "jazz")
    with stocked.unit() as unit:
        unit.session.execute(text("DELETE FROM streams WHERE name = 'Jazz'"))
    assert found(stocked, "blues") == []


def test_laying_the_index_anew_finds_the_same_and_refolds_old_rows(stocked: Database, clock: SteppedClock) -> None:
    add_stream(stocked, clock, "http://old.example/", name="Älter", search_text="älter", state=PLAYING,
               reliability_score=0.9)  # fmt: skip
    before = found(stocked, "jazz")
    with stocked.unit() as unit:
        full_text.lay(unit.session.connection())
        full_text.lay(unit.session.connection())
    assert found(stocked, "jazz") == before
    assert found(stocked, "alter") == ["Älter"]


def test_pages_of_a_search_join_up_however_much_matches(stocked: Database, clock: SteppedClock) -> None:
    with stocked.unit() as unit:
        for number in range(FEW + 50):
            is_named = number % 3 == 0
            unit.session.add(Stream(
                url=f"http://n{number}.example/", url_key=f"n{number}", host="n.example", name=f"N{number}", tags=[],
                warnings=[], state=PLAYING, reliability_score=0.8 + (number % 7) / 100, created_at=clock.now(),
                updated_at=clock.now(),
                search_text=index_words(f"Wave {number}" if is_named else f"N{number}", ["wave"]),
            ))  # fmt: skip
    seen: list[int] = []
    cursor = None
    with stocked.read() as session:
        whole = [row.id for row in list_streams(session, StreamFilter(q="wave"), limit=10_000).rows]
        while True:
            page = list_streams(session, StreamFilter(q="wave"), limit=700, cursor=cursor)
            seen += [row.id for row in page.rows]
            if (cursor := page.next_cursor) is None:
                break
    assert seen == whole
    assert len(set(whole)) == FEW + 50
    assert found(stocked, "wave 12")[0] == "N12"


@given(st.text(max_size=60), st.text(max_size=60))
def test_folding_is_stable_and_words_are_what_the_index_takes(one: str, other: str) -> None:
    words = split_words(one)
    assert split_words(" ".join(words)) == words or any(len(word) == 64 for word in words)
    assert set(words) <= set(index_words(other, [one]).split())
    assert all(word and " " not in word and "=" not in word for word in words)
    assert len(query_words(one)) <= 8
    assert fold(fold(one)) == fold(one)


PLACES = ((52.52, 13.4), (51.5, -0.12), (-17.7, 178.0), (-17.7, -178.0), (89.9, 10.0), (89.9, -170.0), (0.0, 0.0))


def great_circle_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    (north, east), (south, west) = (tuple(map(math.radians, place)) for place in (one, other))
    cosine = math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(east - west)
    return 6_371.0088 * math.acos(max(-1.0, min(1.0, cosine)))


def test_near_means_the_great_circle_across_the_antimeridian_and_the_pole(
    either_database: Database, clock: SteppedClock
) -> None:
    for number, (latitude, longitude) in enumerate(PLACES):
        stream_id = add(either_database, clock, f"P{number}")
        with either_database.unit() as unit:
            unit.session.add(Geolocation(
                stream_id=stream_id, latitude=latitude, longitude=longitude, accuracy_radius_km=1,
                geocoding_method="source", confidence_score=1.0,
            ))  # fmt: skip
    for centre in PLACES:
        for radius_km in (30, 500, 1_000, 9_000, 20_040):
            wanted = {
                f"P{number}" for number, place in enumerate(PLACES) if great_circle_km(centre, place) <= radius_km
            }
            assert set(found(either_database, "", near=Circle(*centre, radius_km))) == wanted


@pytest.mark.parametrize("circle", [(91, 0, 1), (0, 181, 1), (0, 0, 0), (0, 0, 30_000), (math.nan, 0, 1)])
def test_no_such_circle(circle: tuple[float, float, float]) -> None:
    with pytest.raises(InputError):
        Circle(*circle)


def test_the_feed_of_changes_tells_each_once_in_order_and_of_what_went(
    either_database: Database, clock: SteppedClock
) -> None:
    began = clock.now()
    ids = []
    for number in range(7):
        ids.append(add(either_database, clock, f"S{number}"))
        clock.step(1)
    clock.step(SETTLED.total_seconds())
    with either_database.unit() as unit:
        gone = unit.session.get_one(Stream, ids[0])
        gone.state, gone.is_active = RETIRED, False
        assert note_change(gone, clock.now())
        unit.session.flush()
        checked = unit.session.get_one(Stream, ids[1])
        checked.last_checked, checked.click_count, checked.reliability_score = clock.now(), 5, 0.5
        assert not note_change(checked, clock.now())

    def read(since_s: float = 0) -> list[tuple[int, str]]:
        rows, cursor = [], None
        with either_database.read() as session:
            while True:
                page = list_changed(session, StreamFilter(), since=began + timedelta(seconds=since_s), now=clock.now(),
                                    limit=2, cursor=cursor)  # fmt: skip
                rows += [(row.id, row.state) for row in page.rows]
                if (cursor := page.next_cursor) is None:
                    return rows

    assert read() == [(one, PLAYING) for one in ids[1:]]  # what has just changed may still be joined by others
    clock.step(SETTLED.total_seconds())
    assert read() == [*((one, PLAYING) for one in ids[1:]), (ids[0], RETIRED)]
    assert read(since_s=5) == [(ids[5], PLAYING), (ids[6], PLAYING), (ids[0], RETIRED)]


@pytest.mark.parametrize("cursor", ["", "x", "e30", "MjAyNi0wMS0wMSB4", "[" * 300])
def test_a_made_up_cursor_of_changes_is_refused(either_database: Database, clock: SteppedClock, cursor: str) -> None:
    with either_database.read() as session, pytest.raises(InputError):
        list_changed(session, StreamFilter(), since=clock.now(), now=clock.now(), limit=1, cursor=cursor)
