"""Directories into the catalogue, on both databases, from files and over real HTTP."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from airledger.platform.clock import SteppedClock, SystemClock
from airledger.platform.db import Database
from airledger.platform.events import EventRow
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.stations.crawl import CrawlReport, crawl
from airledger.stations.models import Crawl, Geolocation, Listing, Station, Stream
from airledger.stations.reading import CrawlTarget
from airledger.stations.sources.base import MAX_SOURCE_BYTES
from raw_http import RawServer, Talk

LIST = """#EXTM3U
#EXTINF:-1 tvg-id="A.gh" radio="true",Radio A
http://a.example/live
#EXTINF:-1 tvg-id="B.de",B (720p)
http://b.example/live
#EXTINF:-1 radio="true",A again
HTTP://A.example:80/live
#EXTINF:-1,Wrong
rtmp://c.example/live
"""
LOOPBACK = AddressGuard([ip_network("127.0.0.0/8")])


def rows(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"stationuuid": f"u{n}", "name": f"R {n}", "url": f"http://r{n}.example/", "countrycode": "GH"}
        for n in range(start, start + count)
    ]


def read(database: Database, clock: SteppedClock, location: object, kind: str | None = None) -> CrawlReport:
    target = CrawlTarget("test", str(location), kind)
    return crawl(database, clock, Fetcher(LOOPBACK, "test"), target)


def catalogue(database: Database) -> list[Any]:
    with database.read() as session:
        columns = Stream.__table__.columns
        return [tuple(row) for row in session.execute(select(*columns).order_by(Stream.id))]


def asked(server: RawServer) -> list[str]:
    return [talk.path for talk in server.requests if talk.path != "/robots.txt"]


@pytest.fixture
def playlist(tmp_path: Path) -> Path:
    path = tmp_path / "list.m3u"
    path.write_text(LIST)
    return path


def test_every_entry_is_accounted_for(either_database: Database, clock: SteppedClock, playlist: Path) -> None:
    report = read(either_database, clock, playlist)
    assert (report.found, report.added, report.merged, report.unchanged) == (4, 2, 1, 0)
    assert report.refused == {"unsupported_scheme": 1}
    assert report.error is None
    with either_database.read() as session:
        names = session.execute(select(Stream.name, Stream.type, Stream.country_name).order_by(Stream.url)).all()
        assert [tuple(row) for row in names] == [("Radio A", "radio", "Ghana"), ("B", "tv", "Germany")]
        assert session.scalar(select(func.count()).select_from(Station)) == 2
        assert set(session.scalars(select(Geolocation.geocoding_method))) == {"country"}
        assert session.scalars(select(EventRow.type).order_by(EventRow.id)).all() == [
            "stream.added",
            "stream.added",
            "crawl.finished",
        ]
        kept = session.scalars(select(Crawl)).one()
        assert (kept.found, kept.added, kept.merged, kept.refused) == (4, 2, 1, 1)
        assert kept.refused_reasons == {"unsupported_scheme": 1}


def test_a_second_crawl_changes_no_row(either_database: Database, clock: SteppedClock, playlist: Path) -> None:
    read(either_database, clock, playlist)
    before = catalogue(either_database)
    clock.step(3_600)
    report = read(either_database, clock, playlist)
    assert (report.added, report.updated, report.unchanged) == (0, 0, 2)
    assert catalogue(either_database) == before
    with either_database.read() as session:
        assert set(session.scalars(select(Listing.last_seen))) == {clock.now()}


def test_another_directory_fills_gaps_and_keeps_its_claims(
    either_database: Database, clock: SteppedClock, playlist: Path, tmp_path: Path
) -> None:
    read(either_database, clock, playlist)
    other = tmp_path / "rows.json.gz"
    said = {
        "stationuuid": "u",
        "name": "Other",
        "url": "http://a.example/live",
        "bitrate": 96,
        "geo_lat": 5.5,
        "geo_long": 1,
    }
    other.write_bytes(gzip.compress(json.dumps([said]).encode()))
    target = CrawlTarget("other", str(other))
    report = crawl(either_database, clock, Fetcher(LOOPBACK, "test"), target)
    assert (report.added, report.merged) == (0, 1)
    with either_database.read() as session:
        stream = session.scalars(select(Stream).where(Stream.url == "http://a.example/live")).one()
        assert (stream.name, stream.bitrate) == ("Radio A", 96)
        place = session.get_one(Geolocation, stream.id)
        assert (place.latitude, place.geocoding_method) == (5.5, "source")
        claims = {
            row.source: row.claims["name"]
            for row in session.scalars(select(Listing).where(Listing.stream_id == stream.id))
        }
        assert claims == {"test": "Radio A", "other": "Other"}


def test_a_correction_is_taken_over(database: Database, clock: SteppedClock, playlist: Path) -> None:
    read(database, clock, playlist)
    playlist.write_text(LIST.replace("Radio A", "Radio Alpha"))
    report = read(database, clock, playlist)
    assert (report.updated, report.unchanged) == (1, 1)
    with database.read() as session:
        stream = session.scalars(select(Stream).where(Stream.url == "http://a.example/live")).one()
        assert stream.name == "Radio Alpha"
        assert "alpha" in stream.search_text


def test_chunks_and_repeats_agree(database: Database, clock: SteppedClock, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([*rows(700), *rows(700), {**rows(1)[0], "url": "http://else.example/"}]))
    first = read(database, clock, path)
    assert (first.found, first.added, first.merged) == (1_401, 701, 700)
    again = read(database, clock, path)
    assert (again.added, again.updated, again.unchanged, again.merged) == (0, 0, 701, 700)


def test_two_crawls_at_once_agree(either_database: Database, tmp_path: Path) -> None:
    lists = []
    for n, order in enumerate((1, -1)):
        lists.append(tmp_path / f"rows{n}.json")
        lists[n].write_text(json.dumps(rows(600)[::order]))
    targets = [CrawlTarget(f"list{n}", str(path)) for n, path in enumerate(lists)]
    with ThreadPoolExecutor(2) as pool:
        reports = list(
            pool.map(lambda target: crawl(either_database, SystemClock(), Fetcher(LOOPBACK, "test"), target), targets)
        )
    assert [report.error for report in reports] == [None, None]
    assert sum(report.added for report in reports) == 600
    assert sum(report.merged for report in reports) == 600
    with either_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Stream)) == 600
        assert session.scalar(select(func.count()).select_from(Listing)) == 1_200


def test_a_folder_of_playlists(database: Database, clock: SteppedClock, playlist: Path, tmp_path: Path) -> None:
    (tmp_path / "more.m3u").write_text("http://z.example/1\n")
    assert read(database, clock, playlist.parent).added == 3
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no M3U file" in (read(database, clock, empty).error or "")


def test_pages_of_an_api(
    database: Database, clock: SteppedClock, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airledger.stations.sources.radio_browser.PAGE_ROWS", 3)

    def search(talk: Talk) -> None:
        offset = int(talk.path.split("offset=")[1].split("&")[0])
        talk.answer(json.dumps(rows(min(3, 7 - offset), offset)).encode())

    server.on("/json/stations/search", search)
    report = read(database, clock, server.base, "radio_browser")
    assert (report.found, report.added, report.error) == (7, 7, None)
    assert len(asked(server)) == 3


def test_an_api_that_knows_no_offset_ends(
    database: Database, clock: SteppedClock, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airledger.stations.sources.radio_browser.PAGE_ROWS", 3)
    server.on("/json/stations/search", lambda talk: talk.answer(json.dumps(rows(3)).encode()))
    assert read(database, clock, server.base, "radio_browser").found == 3
    assert len(asked(server)) == 2


def test_an_unchanged_directory_costs_one_question(database: Database, clock: SteppedClock, server: RawServer) -> None:
    def answer(talk: Talk) -> None:
        if talk.headers.get("if-none-match") == '"v1"':
            talk.answer(b"", status="HTTP/1.1 304 Not Modified")
        else:
            talk.answer(LIST.encode(), ETag='"v1"')

    url = server.on("/list.m3u", answer)
    assert read(database, clock, url).added == 2
    clock.step(60)
    report = read(database, clock, url)
    assert (report.is_unchanged, report.added, report.unchanged) == (True, 0, 2)
    with database.read() as session:
        assert set(session.scalars(select(Listing.last_seen))) == {clock.now()}


def test_without_a_network_it_says_so(database: Database, clock: SteppedClock) -> None:
    report = read(database, clock, "http://127.0.0.1:1/list.m3u")
    assert "connect" in (report.error or "").lower()
    with database.read() as session:
        kept = session.scalars(select(Crawl)).one()
        assert kept.error == report.error
        assert kept.finished_at is not None


def test_what_stood_before_the_fault_stays(database: Database, clock: SteppedClock, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows(300))[:-1] + ', {"name": ')
    report = read(database, clock, path)
    assert report.added == 300
    assert "JSON" in (report.error or "")


def test_a_list_of_two_gigabytes_is_refused(database: Database, clock: SteppedClock, tmp_path: Path) -> None:
    path = tmp_path / "huge.m3u"
    with path.open("wb") as file:
        file.write(b"#EXTM3U\n")
        file.truncate(2 * 1024**3)
    assert path.stat().st_size > MAX_SOURCE_BYTES
    assert "larger than" in (read(database, clock, path).error or "")


def test_a_gzip_bomb_is_refused(
    database: Database, clock: SteppedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airledger.stations.sources.base.BoundedBody.__init__.__defaults__", (1 << 17,))
    path = tmp_path / "bomb.m3u.gz"
    path.write_bytes(gzip.compress(b"#EXTM3U\n" + b"\n" * (1 << 19)))
    assert "larger than" in (read(database, clock, path).error or "")


def test_a_damaged_file_is_refused(database: Database, clock: SteppedClock, tmp_path: Path) -> None:
    path = tmp_path / "rows.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows(50)).encode())[:-40])
    assert "damaged" in (read(database, clock, path).error or "")
    assert "none of" in (read(database, clock, Path(__file__)).error or "")
    assert "no file or folder" in (read(database, clock, tmp_path / "absent").error or "")
