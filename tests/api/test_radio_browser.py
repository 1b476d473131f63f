"""Radio Browser's paths, asked by its clients from PyPI over real connections, and by hand."""

import asyncio
import csv
import io
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import aiodns
import aiohttp
import httpx
import pyradios
import pytest
import radios
from aiohttp.abc import AbstractResolver, ResolveResult
from radios import FilterBy, Order

from airledger.stations.models import Listing, Stream
from api.catalogue_rows import STATIONS, add_catalogue
from api.test_live import Process, started
from api.tls_door import NAME, tls_door
from api_house import House

JAZZ, JAZZ_FM, ROCK, DEAD, TV = (station["name"] for station in STATIONS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Give a running API process with a small catalogue."""
    with started(tmp_path_factory.mktemp("directory") / "data") as process:
        with process.app.unit() as unit:
            add_catalogue(unit, process.app.clock)
        yield process


@pytest.fixture
def client(served: Process, monkeypatch: pytest.MonkeyPatch) -> Iterator[pyradios.RadioBrowser]:
    """Give pyradios as it is; only the names that it resolves when it is made are answered here."""
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address])
    monkeypatch.setattr(socket, "gethostbyaddr", lambda _: (NAME, [], []))
    with httpx.Client() as session:
        made = pyradios.RadioBrowser(session=session)
        monkeypatch.undo()
        made.base_url = f"http://127.0.0.1:{served.port}/"
        yield made


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


def test_pyradios_finds_stations(client: pyradios.RadioBrowser) -> None:
    assert names(client.search(name="jazz")) == [JAZZ_FM, JAZZ]
    assert names(client.search(name="lodz")) == [JAZZ]  # accents are no obstacle
    assert names(client.search(name="Jazz FM", name_exact=True)) == [JAZZ_FM]
    assert names(client.stations_by_tag("jazz", exact=True)) == [JAZZ_FM, JAZZ]
    assert names(client.search(tag_list="jazz,soul")) == [JAZZ_FM]
    assert names(client.stations_by_country("Germany", exact=True)) == [DEAD, ROCK]
    assert names(client.search(country="Germany", hidebroken=True)) == [ROCK]
    assert names(client.stations_by_countrycode("gb")) == [JAZZ_FM]
    assert names(client.stations_by_state("Łódź")) == [JAZZ]
    assert names(client.stations_by_language("english")) == [JAZZ_FM, ROCK]
    assert names(client.stations_by_codec("AAC")) == [TV, JAZZ_FM]
    assert names(client.search(bitrate_min=100, bitrate_max=150)) == [JAZZ]
    assert names(client.search(order="bitrate", reverse=True, limit=2)) == [ROCK, JAZZ]
    assert names(client.stations(offset=1, limit=2)) == [DEAD, JAZZ_FM]
    [row] = client.station_by_uuid(client.search(name=ROCK)[0]["stationuuid"])
    assert row["name"] == ROCK


def test_pyradios_counts(client: pyradios.RadioBrowser) -> None:
    assert {row["iso_3166_1"]: row["stationcount"] for row in client.countries()} == {
        "DE": 2,
        "FR": 1,
        "GB": 1,
        "PL": 1,
    }
    assert names(client.countrycodes("d")) == ["DE"]
    assert {row["name"]: row["stationcount"] for row in client.languages()} == {
        "english": 2, "french": 1, "german": 2, "polish": 1,
    }  # fmt: skip
    assert names(client.tags("jazz")) == ["jazz", "smooth jazz"]
    assert {row["name"]: row["stationcount"] for row in client.codecs()} == {"MP3": 3, "AAC": 2}
    assert names(client.states(country="germany")) == ["Ismaning"]


def test_pyradios_clicks_once_a_day(client: pyradios.RadioBrowser) -> None:
    [row] = client.search(name=ROCK)
    for _ in range(3):
        told = client.click_counter(row["stationuuid"])
        assert (told["ok"], told["name"], told["url"]) == (True, ROCK, row["url"])
    [again] = client.search(name=ROCK)
    assert (again["clickcount"], again["clicktrend"]) == (1, 1)
    assert again["clicktimestamp_iso8601"]


class Here(AbstractResolver):
    """Resolves every name to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del port
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


def test_radios_reads_every_type(served: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The strict client, as it is: by SRV record and https; only the resolvers are answered here."""

    async def query(*_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(host=NAME)]

    monkeypatch.setattr(aiodns.DNSResolver, "query", query)

    async def ask(port: int, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=str(certificate))
        connector = aiohttp.TCPConnector(resolver=Here(port), ssl=context)
        async with aiohttp.ClientSession(connector=connector) as session:
            client = radios.RadioBrowser(user_agent="Airledger tests", session=session)
            stats = await client.stats()
            assert (stats.supported_version, stats.status, stats.stations, stats.stations_broken) == (1, "OK", 5, 1)
            assert (stats.countries, stats.languages) == (4, 4)
            found = await client.search(name="jazz", order=Order.NAME, hide_broken=True)
            assert [station.name for station in found] == [JAZZ_FM, JAZZ]
            assert (found[1].latitude, found[1].longitude, found[1].tags) == (51.77, 19.46, ["jazz", "smooth jazz"])
            assert found[1].last_check_ok_time is not None
            assert not found[0].hls
            one = await client.station(uuid=found[0].uuid)
            assert one is not None
            assert (one.name, one.codec, one.country_code) == (JAZZ_FM, "AAC", "GB")
            by_code = await client.stations(filter_by=FilterBy.COUNTRY_CODE_EXACT, filter_term="DE")
            assert [station.name for station in by_code] == [DEAD, ROCK]
            by_tag = await client.stations(filter_by=FilterBy.TAG_EXACT, filter_term="smooth jazz")
            assert [station.name for station in by_tag] == [JAZZ]
            assert {country.name for country in await client.countries()} >= {"Germany", "Poland"}
            assert {language.name for language in await client.languages()} >= {"German", "Polish"}
            assert {tag.name for tag in await client.tags()} >= {"jazz", "rock"}
            await client.station_click(uuid=found[0].uuid)

    with tls_door(tmp_path, served.port) as door:
        asyncio.run(ask(door.port, door.certificate))


FIELDS = {
    "changeuuid": str, "stationuuid": str, "name": str, "url": str, "url_resolved": str, "homepage": str,
    "favicon": str, "tags": str, "country": str, "countrycode": str, "state": str, "language": str, "codec": str,
    "votes": int, "bitrate": int, "hls": int, "lastcheckok": int, "clickcount": int, "clicktrend": int,
    "lastchangetime": str, "lastchecktime": str, "lastcheckoktime": str, "lastlocalchecktime": str,
    "clicktimestamp": str,
}  # fmt: skip
NULLABLE = (
    "serveruuid", "iso_3166_2", "languagecodes", "geo_lat", "geo_long", "has_extended_info", "ssl_error",
    "lastchangetime_iso8601", "lastchecktime_iso8601", "lastcheckoktime_iso8601", "lastlocalchecktime_iso8601",
    "clicktimestamp_iso8601",
)  # fmt: skip


@pytest.fixture
def stocked(house: House) -> House:
    with house.app.unit() as unit:
        rows = add_catalogue(unit, house.app.clock)
        now = house.app.clock.now()
        unit.session.add(Listing(
            stream_id=rows[0].id, source="radio-browser", source_key="9617a958-0601-11e8-ae97-52543be04c81", claims={},
            first_seen=now, last_seen=now,
        ))  # fmt: skip
    return house


def test_a_row_has_every_field_with_its_type(stocked: House) -> None:
    for row in stocked.client.get("/json/stations").json():
        for name, kind in FIELDS.items():
            assert type(row[name]) is kind, name
        assert row.keys() >= set(NULLABLE)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("stations/byname/fm", [JAZZ_FM]),
        ("stations/bynameexact/Radio%20%C5%81%C3%B3d%C5%BA%20Jazz", [JAZZ]),
        ("stations/bycodecexact/mp3", [DEAD, JAZZ, ROCK]),
        ("stations/bycountryexact/Germany", [DEAD, ROCK]),
        ("stations/bycountrycodeexact/pl", [JAZZ]),
        ("stations/bystateexact/London", [JAZZ_FM]),
        ("stations/bylanguageexact/english", [JAZZ_FM, ROCK]),
        ("stations/bytag/azz", [JAZZ_FM, JAZZ]),
        ("stations/bytagexact/azz", []),
        ("stations/broken", [DEAD]),
        ("stations/lastchange/2", [JAZZ, JAZZ_FM]),
        ("stations/search?is_https=true", [JAZZ_FM, DEAD]),
        ("stations/search?has_geo_info=false", [TV, DEAD]),
        ("stations/byuuid/9617a958-0601-11e8-ae97-52543be04c81", [JAZZ]),
        ("stations/byuuid?uuids=9617a958-0601-11e8-ae97-52543be04c81,nonsense", [JAZZ]),
        ("stations/lastclick", []),
        ("stations/search?limit=0", []),
    ],
)
def test_paths(stocked: House, path: str, expected: list[str]) -> None:
    answer = stocked.client.get(f"/json/{path}")
    assert answer.status_code == 200, answer.text
    assert sorted(names(answer.json())) == sorted(expected)


def test_search_takes_forms_and_json(stocked: House) -> None:
    wanted = {"name": "jazz", "order": "name", "reverse": "true"}
    by_form = stocked.client.post("/json/stations/search", data=wanted).json()
    by_json = stocked.client.post("/json/stations/search", json={**wanted, "reverse": True, "limit": 5}).json()
    assert names(by_form) == names(by_json) == [JAZZ, JAZZ_FM]
    assert (
        stocked.client.post(
            "/json/stations/search", content=b"[1]", headers={"Content-Type": "application/json"}
        ).status_code
        == 422
    )


def test_what_changed_comes_in_order_and_from_a_place(stocked: House) -> None:
    rows = stocked.client.get("/json/stations/changed").json()
    assert names(rows) == [TV, DEAD, ROCK, JAZZ_FM, JAZZ]
    known = rows[2]["changeuuid"]
    assert names(stocked.client.get(f"/json/stations/changed?lastchangeuuid={known}").json()) == [JAZZ_FM, JAZZ]
    assert (
        stocked.client.get("/json/stations/changed?lastchangeuuid=9617a958-0601-11e8-ae97-52543be04c81").status_code
        == 422
    )


def test_the_formats_tell_the_same(stocked: House) -> None:
    get = stocked.client.get
    known = {row["stationuuid"]: row["name"] for row in get("/json/stations").json()}
    xml = ET.fromstring(get("/xml/stations").content)  # noqa: S314  our own
    assert {row.attrib["stationuuid"]: row.attrib["name"] for row in xml.iter("station")} == known
    table = list(csv.DictReader(io.StringIO(get("/csv/stations").text)))
    assert {row["stationuuid"]: row["name"].removeprefix("'") for row in table} == known
    assert get("/m3u/stations").text.count("#RADIOBROWSERUUID:") == len(known)
    assert f"NumberOfEntries={len(known)}" in get("/pls/stations").text
    xspf = ET.fromstring(get("/xspf/stations").content)  # noqa: S314  our own
    assert len(xspf.findall(".//{http://xspf.org/ns/0/}track")) == len(known)
    countries = ET.fromstring(get("/xml/countries").content)  # noqa: S314  our own
    assert {row.attrib["name"] for row in countries.iter("country")} >= {"Germany", "Poland"}


def test_votes_count_once_and_make_an_order(stocked: House) -> None:
    uuid = stocked.client.get("/json/stations/byname/rock").json()[0]["stationuuid"]
    first, second = (stocked.client.get(f"/json/vote/{uuid}").json() for _ in range(2))
    assert (first["ok"], second["ok"]) == (True, False)
    [best] = stocked.client.get("/json/stations/topvote/1").json()
    assert (best["name"], best["votes"]) == (ROCK, 1)
    stocked.client.get(f"/m3u/url/{uuid}")
    assert names(stocked.client.get("/json/stations/topclick/1").json()) == [ROCK]
    assert names(stocked.client.get("/json/stations/lastclick").json()) == [ROCK]


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP"])
def test_no_header_makes_a_second_listener(stocked: House, header: str) -> None:
    uuid = stocked.client.get("/json/stations/byname/rock").json()[0]["stationuuid"]
    for number in range(5):
        stocked.client.get(f"/json/url/{uuid}", headers={header: f"203.0.113.{number}"})
        stocked.client.get(f"/json/vote/{uuid}", headers={header: f"for=203.0.113.{number}", "User-Agent": str(number)})
    [row] = stocked.client.get(f"/json/stations/byuuid/{uuid}").json()
    assert (row["clickcount"], row["votes"]) == (1, 1)


@pytest.mark.parametrize(
    "path", ["/json/nothing", "/json/stations/topnothing/3", "/json/url/none", "/json/stations/bynothing/3"]
)
def test_what_is_not_there_is_a_404(stocked: House, path: str) -> None:
    assert stocked.client.get(path).status_code == 404


def test_other_sites_may_read(stocked: House) -> None:
    assert stocked.client.get("/json/stations").headers["Access-Control-Allow-Origin"] == "*"


def test_submitting_needs_a_key(stocked: House) -> None:
    told = {"name": "New", "url": "http://new.test/live"}
    assert stocked.client.post("/json/add", data=told).status_code == 401
    answer = stocked.client.post("/json/add", data=told, headers=stocked.bearer()).json()
    assert answer["ok"] is True
    with stocked.app.read() as session:
        assert session.query(Stream).filter(Stream.url == "http://new.test/live").count() == 1
    refused = stocked.client.post("/json/add", data={"url": "gopher://x"}, headers=stocked.bearer()).json()
    assert refused["ok"] is False
