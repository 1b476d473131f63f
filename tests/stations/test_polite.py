"""How directories are asked: robots.txt, a distance per host, conditions, servers by DNS, playlists followed."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any, get_args

import dns.message
import dns.rrset
import pytest
from sqlalchemy import select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import LimitError
from airledger.platform.fetch import Fetcher
from airledger.platform.fetch_error import FetchError
from airledger.platform.guard import AddressGuard
from airledger.platform.settings import Source
from airledger.stations.crawl import CrawlReport, crawl
from airledger.stations.discovery import servers_by_srv
from airledger.stations.models import Listing, Stream
from airledger.stations.polite import Manners, PoliteDoor, RobotsError
from airledger.stations.reading import CrawlTarget
from airledger.stations.sources import SOURCE_FILES
from raw_http import RawServer, Talk

LOOPBACK = AddressGuard([ip_network("127.0.0.0/8")])
FREELY = Manners(distance_s=0)


class Waiting:
    """A clock that waiting moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waited: list[float] = []

    def tick(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


def door(waiting: Waiting | None = None, **more: Any) -> PoliteDoor:
    waiting = waiting or Waiting()
    return PoliteDoor(Fetcher(LOOPBACK, "Airledger/1.0"), tick=waiting.tick, wait=waiting.wait, **more)


def get(asked: PoliteDoor, url: str, manners: Manners = FREELY) -> bytes:
    body = bytearray()
    asked.get(url, manners, body.extend, max_bytes=1_000_000)
    return bytes(body)


def say(server: RawServer, path: str, body: str, **headers: str) -> str:
    return server.on(path, lambda talk: talk.answer(body.encode(), **headers))


def read(database: Database, clock: SteppedClock, target: CrawlTarget, asked: PoliteDoor | None = None) -> CrawlReport:
    fetcher = Fetcher(LOOPBACK, "Airledger/1.0")
    return crawl(database, clock, fetcher, replace(target, distance_s=0), door=asked or door())


def urls(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(Stream.url)))


def test_robots_txt_is_obeyed_and_asked_once(server: RawServer) -> None:
    say(server, "/robots.txt", "User-agent: airledger\nDisallow: /private/\n\nUser-agent: *\nDisallow: /\n")
    url, closed = say(server, "/list.m3u", "#EXTM3U"), say(server, "/private/list.m3u", "#EXTM3U")
    asked = door()
    assert get(asked, url) == b"#EXTM3U"
    with pytest.raises(RobotsError, match=r"robots\.txt of 127\.0\.0\.1 closes"):
        get(asked, closed)
    assert get(asked, closed, Manners(0, obeys_robots=False)) == b"#EXTM3U"
    assert [talk.path for talk in server.requests].count("/robots.txt") == 1


def test_no_robots_txt_means_open_and_no_answer_means_closed(server: RawServer) -> None:
    url = say(server, "/list.m3u", "#EXTM3U")
    assert get(door(), url)  # 404
    server.on("/robots.txt", lambda talk: talk.answer(b"", status="HTTP/1.1 503 Busy"))
    with pytest.raises(FetchError):
        get(door(), url)


def test_a_host_is_asked_no_faster_than_it_bears(server: RawServer) -> None:
    say(server, "/robots.txt", "User-agent: *\nCrawl-delay: 7\n")
    url, waiting = say(server, "/list.m3u", "#EXTM3U"), Waiting()
    asked = door(waiting)
    get(asked, url, Manners(2))
    assert waiting.now == pytest.approx(100)
    get(asked, url, Manners(2))
    assert waiting.now == pytest.approx(107)
    get(asked, url, Manners(2, obeys_robots=False))
    assert waiting.now == pytest.approx(114)
    get(asked, url, Manners(2, obeys_robots=False))
    assert waiting.now == pytest.approx(116)
    with pytest.raises(LimitError, match="stopped"):
        get(asked, url, Manners(2, stopping=lambda: True))


def test_a_form_is_posted_and_its_answer_read(database: Database, clock: SteppedClock, server: RawServer) -> None:
    rows = [{"ID": 5, "Name": "T", "Bitrate": 64, "Genre": "Rock", "StreamUrl": "http://t.example/"}]
    say(server, "/Home/BrowseByGenre", json.dumps(rows))
    target = CrawlTarget("shoutcast", server.base, "shoutcast_json", {"genres": ["Rock", "Pop"]})
    report = read(database, clock, target)
    assert (report.found, report.added, report.merged, report.error) == (2, 1, 1, None)
    server.on("/Home/BrowseByGenre", lambda talk: talk.answer(b"", status="HTTP/1.1 429 Slow down"))
    assert "429" in (read(database, clock, target).error or "")


DATABASE = {
    "channels": "id,name,alt_names,network,owners,country,categories,is_nsfw,launched,closed,replaced_by,website\n"
    "Joy.gh,Joy TV,,,,GH,news,FALSE,,,,\nBad.gh,Bad,,,,GH,,FALSE,,,,\n",
    "feeds": "channel,id,name,alt_names,is_main,broadcast_area,timezones,languages,format\nJoy.gh,HD,HD,,TRUE,,,eng,\n",
    "blocklist": "channel,reason,ref\nBad.gh,dmca,x\n",
    "languages": "code,name\neng,English\n",
    "categories": "id,name,description\nnews,News,\n",
    "cities": "country,subdivision,code,name,wikidata_id\n",
}
STREAMS = (
    '#EXTM3U\n#EXTINF:-1 tvg-id="Joy.gh@HD",Joy\nhttp://joy.example/a.m3u8\n'
    '#EXTINF:-1 tvg-id="Bad.gh@SD",Bad\nhttp://bad.example/b.m3u8\n'
)


def conditional(server: RawServer, path: str, body: str, tag: str) -> str:
    def answer(talk: Talk) -> None:
        if talk.headers.get("if-none-match") == tag:
            talk.answer(b"", status="HTTP/1.1 304 Not Modified")
        else:
            talk.answer(body.encode(), ETag=tag)

    return server.on(path, answer)


def test_a_list_and_its_database_are_unchanged_only_together(
    database: Database, clock: SteppedClock, server: RawServer
) -> None:
    for name, body in DATABASE.items():
        conditional(server, f"/data/{name}.csv", body, f'"{name}"')
    url = conditional(server, "/index.m3u", STREAMS, '"list"')
    target = CrawlTarget("iptv", url, "iptv_org", {"database": f"{server.base}/data"})
    first = read(database, clock, target)
    assert (first.added, first.refused, first.error) == (1, {"blocklist_dmca": 1}, None)
    with database.read() as session:
        row = session.scalars(select(Stream)).one()
        assert (row.language, row.genre, row.country_code) == ("English", "News", "GH")
    assert read(database, clock, target).is_unchanged
    changed = DATABASE["languages"].replace("English", "English (GH)")
    conditional(server, "/data/languages.csv", changed, '"languages 2"')
    again = read(database, clock, target)
    assert (again.is_unchanged, again.updated) == (False, 1)
    # Another question than last time: what was unchanged then says nothing now.
    assert not read(database, clock, CrawlTarget("iptv", url, "m3u")).is_unchanged


def test_playlists_are_followed_to_their_streams(database: Database, clock: SteppedClock, server: RawServer) -> None:
    say(server, "/b.pls", f"[playlist]\nFile1=http://one.example/\nFile2={server.base}/c.m3u\n")
    say(server, "/c.m3u", "#EXTM3U\n#EXTINF:-1,C\nhttp://two.example/\n")
    say(server, "/self.pls", f"[playlist]\nFile1={server.base}/self.pls\n")
    for number in range(6):
        say(server, f"/deep{number}.pls", f"[playlist]\nFile1={server.base}/deep{number + 1}.pls\n")
    named = ("b.pls", "self.pls", "deep0.pls", "gone.pls")
    url = say(server, "/all.m3u", "#EXTM3U\n" + "".join(f"#EXTINF:-1,{n}\n{server.base}/{n}\n" for n in named))
    report = read(database, clock, CrawlTarget("lists", url, unwrap=True))
    assert report.error is None
    assert report.refused == {"playlist_names_itself": 1, "playlist_nested_too_deeply": 1}
    assert urls(database) == sorted(["http://one.example/", "http://two.example/", f"{server.base}/gone.pls"])
    with database.read() as session:
        said = session.scalars(select(Listing.claims)).all()
        assert {one.get("playlist") for one in said} == {f"{server.base}/b.pls", None}


def test_playlists_stay_as_they_are_where_nobody_asked(
    database: Database, clock: SteppedClock, server: RawServer
) -> None:
    url = say(server, "/all.m3u", "#EXTM3U\n#EXTINF:-1,A\nhttp://a.example/b.pls\n")
    read(database, clock, CrawlTarget("lists", url))
    assert urls(database) == ["http://a.example/b.pls"]


@contextmanager
def name_server(records: list[str]) -> Iterator[tuple[str, int]]:
    """Answer SRV questions over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(10)

        def serve() -> None:
            while True:
                try:
                    raw, sender = udp.recvfrom(2_048)
                except OSError:
                    return
                question = dns.message.from_wire(raw)
                answer = dns.message.make_response(question)
                if records:
                    answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "SRV", *records))
                udp.sendto(answer.to_wire(), sender)

        threading.Thread(target=serve, daemon=True).start()
        yield ("127.0.0.1", udp.getsockname()[1])


def test_servers_are_found_by_their_service_records() -> None:
    records = ["20 1 443 last.example.", "10 5 443 first.example.", "10 5 8443 second.example."]
    with name_server(records) as server:
        found = servers_by_srv("_api._tcp.radio.test", nameserver=server)
    assert found[-1] == "last.example:443"
    assert set(found[:2]) == {"first.example:443", "second.example:8443"}
    with name_server([]) as server:
        assert servers_by_srv("_api._tcp.radio.test", nameserver=server) == []


def test_the_next_server_is_asked_where_one_is_down(database: Database, clock: SteppedClock, server: RawServer) -> None:
    rows = [{"stationuuid": "u", "name": "R", "url": "http://r.example/"}]
    say(server, "/json/stations/search", json.dumps(rows))
    asked: list[str] = []

    def discover(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.1:9", f"127.0.0.1:{server.port}"]

    target = CrawlTarget("rb", "http://all.api.radio.test", "radio_browser")
    report = read(database, clock, target, door(discover=discover))
    assert (report.added, report.error) == (1, None)
    assert asked == ["_api._tcp.radio.test"]


def test_every_kind_can_be_configured() -> None:
    assert set(get_args(Source.model_fields["type"].annotation)) == set(SOURCE_FILES)
