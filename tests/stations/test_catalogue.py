import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.words import index_words
from airledger.stations.catalogue import checks, list_streams, metrics, stats, stream_view
from airledger.stations.filters import StreamFilter
from airledger.stations.models import FAILING, PLAYING, RETIRED, Geolocation
from airledger.stations.record import record_proof
from airledger.stations.standing import Pace
from stations.rows import GOOD, add_stream

# What the page and the mission's clients read (now_playing is added by who knows of plays).
PROMISED = """\
id uuid url name type genre bitrate codec country_code country_name city language website description tags
is_active last_checked last_success check_frequency reliability_score reliability_lower_bound quality_score created_at
latitude longitude accuracy_radius_km state cause warnings bitrate_measured_kbps has_picture is_hls playable_url
stream_title"""


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        del connection, cursor, rest
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def filled(either_database: Database, clock: SteppedClock) -> Database:
    def add(n: int, reliability: float, quality: float, **fields: object) -> None:
        fields = {"state": PLAYING, "name": f"S{n}", "type": "radio", "country_code": "GH", **fields}
        stream_id = add_stream(
            either_database,
            clock,
            f"http://s{n}.example/",
            reliability_score=reliability,
            quality_score=quality,
            **fields,
        )
        with either_database.unit() as unit:
            unit.session.add(
                Geolocation(
                    stream_id=stream_id,
                    latitude=n,
                    longitude=170 + n if n < 9 else -175,
                    accuracy_radius_km=5,
                    geocoding_method="source",
                    confidence_score=0.9,
                )
            )

    add(1, 0.9, 0.5, codec="mp3", language="Twi", search_text=index_words("Радио", ["Accra jazz"]))
    add(2, 0.95, 0.5, type="tv", country_code="DE")
    add(3, 0.9, 0.8, codec="AAC")
    add(4, 0.9, 0.8, search_text=index_words("100% _hits_", []))
    add(5, 0.6, 0.9)
    add(6, 0.9, 0.9, state=FAILING, cause="timeout")
    add(7, 0.9, 0.9, is_active=False, state=RETIRED)
    add(8, 1.0, 1.0, state="unproven")
    return either_database


def names(database: Database, wanted: StreamFilter) -> list[str | None]:
    with database.read() as session:
        return [row.name for row in list_streams(session, wanted).rows]


def test_the_missions_default_and_order(filled: Database) -> None:
    assert names(filled, StreamFilter()) == ["S2", "S4", "S3", "S1"]


def test_filters(filled: Database) -> None:
    assert names(filled, StreamFilter(all=True))[:2] == ["S8", "S2"]
    assert len(names(filled, StreamFilter(all=True))) == 8
    assert names(filled, StreamFilter(state="failing")) == ["S6"]
    assert names(filled, StreamFilter(type="tv")) == ["S2"]
    assert names(filled, StreamFilter(country="de")) == ["S2"]
    assert names(filled, StreamFilter(codec="aac")) == ["S3"]
    assert names(filled, StreamFilter(language="twi")) == ["S1"]
    assert names(filled, StreamFilter(q="JAZZ РАДИО")) == ["S1"]
    assert names(filled, StreamFilter(q="100%")) == ["S4"]
    assert names(filled, StreamFilter(q="_hits_")) == ["S4"]
    assert names(filled, StreamFilter(q="jazz rock")) == []
    assert names(filled, StreamFilter(bbox=(171.5, 0, 173.5, 10))) == ["S2", "S3"]
    assert names(filled, StreamFilter(bbox=(173.5, 0, -170, 10))) == ["S4"]


@pytest.mark.parametrize("bbox", [(-200, 0, 0, 1), (0, 5, 1, 4), (0, float("nan"), 1, 2)])
def test_no_such_box(database: Database, bbox: tuple[float, float, float, float]) -> None:
    with database.read() as session, pytest.raises(InputError):
        list_streams(session, StreamFilter(bbox=bbox))


def test_pages_join_up_in_one_query_each(filled: Database) -> None:
    found, cursor = [], None
    with filled.read() as session, counted(filled) as statements:
        while True:
            page = list_streams(session, StreamFilter(all=True), limit=3, cursor=cursor)
            found += [row.name for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert found == names(filled, StreamFilter(all=True))
    assert len(statements) == 3


@pytest.mark.parametrize("cursor", ["", "x", "e30", "W10", "WyJhIiwgMSwgMl0", "[" * 500])
def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.read() as session, pytest.raises(InputError):
        list_streams(session, StreamFilter(), cursor=cursor)


@pytest.mark.parametrize("limit", [0, 10_001])
def test_limits(database: Database, limit: int) -> None:
    with database.read() as session, pytest.raises(InputError):
        list_streams(session, StreamFilter(), limit=limit)
    with database.read() as session, pytest.raises(InputError):
        list_streams(session, StreamFilter(q="x" * 1_000))


def test_a_view_has_what_was_promised(filled: Database) -> None:
    with filled.read() as session:
        view = stream_view(session, 1)
        assert set(PROMISED.split()) <= {field.name for field in dataclasses.fields(view)}
        assert (view.latitude, view.longitude, view.playable_url) == (1, 171, "http://s1.example/")
        with pytest.raises(NotFoundError):
            stream_view(session, 10**12)


def test_players_get_what_stands_behind_a_playlist(database: Database, clock: SteppedClock) -> None:
    wrapped = add_stream(
        database, clock, "http://a.example/x.pls", url_resolved="http://a.example/live", is_wrapped=True
    )
    redirected = add_stream(database, clock, "http://b.example/", url_resolved="http://cdn.example/?token=1")
    with database.read() as session:
        assert stream_view(session, wrapped).playable_url == "http://a.example/live"
        assert stream_view(session, redirected).playable_url == "http://b.example/"


def test_history_and_figures(filled: Database, clock: SteppedClock) -> None:
    clock.step(60)
    with filled.unit() as unit:
        record_proof(unit, 8, GOOD, now=clock.now(), pace=Pace())
    with filled.read() as session:
        [check] = checks(session, 8)
        [metric] = metrics(session, 8)
        assert (check.level, check.is_healthy, check.bitrate_claimed, check.checked_at) == (4, True, 128, clock.now())
        assert (metric.response_time_ms, metric.uptime_percentage, metric.bandwidth_kbps) == (30, 100.0, 128)
        figures = stats(session)
    assert (figures.total_streams, figures.radio_streams, figures.tv_streams) == (8, 7, 1)
    assert figures.active_streams == 7
    assert figures.countries == ["DE", "GH"]
    assert figures.streams_by_state == {"playing": 6, "failing": 1, "retired": 1}
    assert figures.avg_reliability == pytest.approx(7.05 / 8)


def test_an_empty_catalogue_has_figures(database: Database) -> None:
    with database.read() as session:
        figures = stats(session)
    assert (figures.total_streams, figures.avg_reliability, figures.countries) == (0, None, [])
