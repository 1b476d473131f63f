"""Stations with ranked streams, what they play, and one live connection for many of them."""

import json
import threading
from http.client import HTTPConnection
from typing import Any

import pytest

from airledger.platform.events import Dispatcher, publish
from airledger.playlog.models import PlayLog
from airledger.stations.directory.ranking import rank_streams
from airledger.stations.events import StreamChecked
from airledger.stations.models import FAILING, Station, Stream
from api.catalogue_rows import add_catalogue
from api.test_live import PATIENCE_S, Process, started
from api_house import House, add_play, add_stream


@pytest.fixture
def stocked(house: House) -> House:
    with house.app.unit() as unit:
        add_catalogue(unit, house.app.clock)
    return house


def with_second_stream(house: House, **fields: Any) -> tuple[int, int, int]:
    """Give the first station a second stream; return the station and both streams."""
    with house.app.unit() as unit:
        station = unit.session.query(Station).filter(Station.identity == "test:0").one()
        first = unit.session.query(Stream).filter(Stream.station_id == station.id).one()
        second = add_stream(unit, house.app.clock.now(), 77, station_id=station.id, **fields)
        return station.id, first.id, second.id


def test_a_station_comes_once_with_all_its_streams(stocked: House) -> None:
    station_id, first, second = with_second_stream(stocked, reliability_score=0.95)
    rows = stocked.client.get("/api/v1/stations").json()
    [row] = [row for row in rows if row["id"] == station_id]
    assert {one["stream"]["id"] for one in row["streams"]} == {first, second}
    assert len(rows) == 4  # one of five fails
    assert rows[0]["id"] == station_id  # its best stream is the catalogue's best


def test_pages_join_up(stocked: House) -> None:
    with_second_stream(stocked, reliability_score=0.95)
    whole = [row["id"] for row in stocked.client.get("/api/v1/stations?all=true").json()]
    seen, path = [], "/api/v1/stations?all=true&limit=2"
    while path:
        answer = stocked.client.get(path)
        seen += [row["id"] for row in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert seen == whole
    assert len(set(whole)) == 5


def test_a_search_pages_too(stocked: House) -> None:
    first = stocked.client.get("/api/v1/stations?q=jazz&limit=1")
    second = stocked.client.get(first.links["next"]["url"])
    names = [answer.json()[0]["name"] for answer in (first, second)]
    assert sorted(names) == ["Jazz FM", "Radio Łódź Jazz"]
    assert "next" not in second.links


def test_streams_are_ranked_for_the_client_and_say_why(stocked: House) -> None:
    station_id, first, second = with_second_stream(
        stocked, reliability_lower_bound=0.9, playable_in=",browser_https,native,", bitrate=320
    )

    def ranked(query: str) -> list[dict[str, Any]]:
        return list(stocked.client.get(f"/api/v1/stations/{station_id}{query}").json()["streams"])

    assert [one["stream"]["id"] for one in ranked("")] == [second, first]
    best, other = ranked("?client=browser_https")
    assert (best["is_playable"], other["is_playable"], other["score"]) == (True, False, 0)
    assert "plays in browser_https" in best["reasons"]
    slow = ranked("?max_kbps=128")
    assert any("320 kbit/s, more than 128" in reason for one in slow for reason in one["reasons"])
    assert stocked.client.get(f"/api/v1/stations/{station_id}?client=toaster").status_code == 422


def test_what_fails_comes_last(stocked: House) -> None:
    station_id, first, second = with_second_stream(stocked, state=FAILING, cause="timeout", reliability_lower_bound=1.0)
    rows = stocked.client.get(f"/api/v1/stations/{station_id}").json()["streams"]
    assert [one["stream"]["id"] for one in rows] == [first, second]
    assert rank_streams([]) == []


def test_what_is_heard_is_told_to_those_who_may_know(stocked: House) -> None:
    with stocked.app.unit() as unit:
        stream = unit.session.query(Stream).filter(Stream.name == "Jazz FM").one()
        stream.stream_title = "Band - Told"
        play_id = add_play(unit, stocked.home_id, stream, stocked.app.clock.now())
        unit.session.get_one(PlayLog, play_id).station_id = stream.station_id
        station_id = stream.station_id
    told = stocked.client.get(f"/api/v1/stations/{station_id}/now").json()
    assert (told["source"], told["title"], told["artist"]) == ("told", "Band - Told", None)
    heard = stocked.client.get(f"/api/v1/stations/{station_id}/now", headers=stocked.bearer()).json()
    assert (heard["source"], heard["title"], heard["artist"]) == ("heard", "Song 1", "Band")
    page = stocked.client.get(f"/api/v1/stations/{station_id}", headers=stocked.bearer()).json()
    assert [play["title"] for play in page["last_plays"]] == ["Song 1"]
    assert stocked.client.get(f"/api/v1/stations/{station_id}").json()["last_plays"] == []
    other = stocked.client.get(f"/api/v1/stations/{station_id}", headers=stocked.bearer("admin", "other")).json()
    assert (other["last_plays"], other["now"]["source"]) == ([], "told")


def test_a_merged_station_leads_to_the_one_that_has_its_streams(stocked: House) -> None:
    with stocked.app.unit() as unit:
        kept, merged = unit.session.query(Station).order_by(Station.id).limit(2)
        merged.merged_into_id = kept.id
        ids = kept.id, merged.id
    assert stocked.client.get(f"/api/v1/stations/{ids[1]}").json()["id"] == ids[0]
    assert stocked.client.get("/api/v1/stations/999").status_code == 404


def test_an_unchanged_answer_is_not_sent_again(stocked: House) -> None:
    for path in ("/api/v1/stations", "/api/v1/stations/1", "/api/v1/streams"):
        first = stocked.client.get(path)
        again = stocked.client.get(path, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("stations", ["", "x", "0", "1,2,x", ",".join(map(str, range(1, 202)))])
def test_stations_to_follow_are_numbers_and_not_too_many(stocked: House, stations: str) -> None:
    assert stocked.client.get(f"/api/v1/now?stations={stations}").status_code == 422


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with started(tmp_path_factory.mktemp("now") / "data") as running:
        with running.app.unit() as unit:
            for stream in add_catalogue(unit, running.app.clock):
                stream.stream_title = f"Title of {stream.id}"
        yield running


def say(process: Process, stream_id: int, title: str) -> None:
    now = process.app.clock.now()
    checked = StreamChecked(
        stream_id=stream_id, state="playing", cause=None, is_healthy=True, level=3, response_time_ms=1,
        bitrate_measured_kbps=128, codec="mp3", has_picture=False, is_hls=False, stream_title=title,
        reliability_score=1.0, reliability_lower_bound=0.5, quality_score=1.0, last_checked=now.isoformat(),
        last_success=None, warnings=[],
    )  # fmt: skip
    with process.app.unit() as unit:
        publish(unit, checked, at=now)
    Dispatcher(process.app.database, process.app.clock, "test").turn()


def test_one_connection_tells_of_many_stations(process: Process) -> None:
    connection = HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE_S)
    connection.request("GET", "/api/v1/now?stations=1,2,3")
    answer = connection.getresponse()
    told: list[dict[str, Any]] = []
    while len(told) < 3:
        line = answer.readline()
        if line.startswith(b"data: "):
            told.append(json.loads(line[6:]))
    assert {(one["station_id"], one["title"]) for one in told} == {(n, f"Title of {n}") for n in (1, 2, 3)}

    def speak() -> None:
        for stream_id, title in ((5, "of no interest"), (2, "Title of 2"), (3, "Fresh")):
            say(process, stream_id, title)

    sender = threading.Thread(target=speak)
    sender.start()
    while not (line := answer.readline()).startswith(b"data: "):
        pass
    now = json.loads(line[6:])
    sender.join()
    connection.close()
    answer.close()
    assert (now["station_id"], now["title"], now["source"]) == (3, "Fresh", "told")
