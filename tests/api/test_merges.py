"""Merges over HTTP: read by all, made and taken back by moderators."""

from typing import Any

from sqlalchemy import select

from airledger.listening.find_detections import DetectionFilter, find_detections
from airledger.platform.audit import AuditEntry
from airledger.platform.clock import SystemClock
from airledger.stations.models import Station, Stream
from airledger.stations.urls import parse_address
from api_house import House, add_play


def add(house: House, name: str) -> int:
    now = SystemClock().now()
    address = parse_address(f"http://{name}.example/live")
    with house.app.unit() as unit:
        station = Station(identity=name, name=name, created_at=now)
        unit.session.add(station)
        unit.session.flush()
        unit.session.add(
            Stream(
                station_id=station.id, url=address.url, url_key=address.key, host=address.host, name=name, tags=[],
                warnings=[], search_text=name, created_at=now, updated_at=now,
            )
        )  # fmt: skip
        return station.id


def test_a_moderator_merges_and_anybody_reads_why(house: House) -> None:
    blue, azure = add(house, "blue"), add(house, "azure")
    body: dict[str, Any] = {"station_id": blue, "other_station_id": azure, "keep": azure, "note": "same studio"}
    assert house.client.post("/api/v1/merges", json=body).status_code == 401
    assert house.client.post("/api/v1/merges", json=body, headers=house.bearer("operator")).status_code == 403
    moderator = house.bearer("moderator")
    made = house.client.post("/api/v1/merges", json=body, headers=moderator)
    assert made.status_code == 201
    told = made.json()
    assert (told["kept_station_id"], told["merged_station_id"], told["reason"]) == (azure, blue, "by_hand")
    assert told["evidence"] == {"note": "same studio"}
    assert made.headers["location"] == f"/api/v1/stations/{azure}"
    assert house.client.post("/api/v1/merges", json=body, headers=moderator).status_code == 409
    for path in ("/api/v1/merges", f"/api/v1/stations/{blue}/merges", f"/api/v1/stations/{azure}/merges"):
        assert [one["id"] for one in house.client.get(path).json()] == [told["id"]]
    assert house.client.get("/api/v1/merges?standing=false").json() == []
    assert house.client.get(f"/api/v1/stations/{blue}/simulcasts").json() == []
    undo = f"/api/v1/merges/{told['id']}/undo"
    assert house.client.post(undo, headers=house.bearer("operator")).status_code == 403
    undone = house.client.post(undo, headers=moderator)
    assert undone.json()["undone_by"].startswith("key:")
    assert house.client.post(undo, headers=moderator).status_code == 409
    with house.app.read() as session:
        assert len(set(session.scalars(select(Stream.station_id)))) == 2
        actions = set(session.scalars(select(AuditEntry.action).where(AuditEntry.object_type == "station")))
    assert {"merged", "parted"} <= actions


def test_merges_are_paged(house: House) -> None:
    moderator = house.bearer("moderator")
    first = add(house, "s0")
    for number in range(1, 4):
        body = {"station_id": first, "other_station_id": add(house, f"s{number}")}
        assert house.client.post("/api/v1/merges", json=body, headers=moderator).status_code == 201
    page = house.client.get("/api/v1/merges?limit=2")
    assert len(page.json()) == 2
    following = page.headers["link"].split(";")[0].strip("<>")
    assert len(house.client.get(following).json()) == 1
    assert house.client.get("/api/v1/merges?cursor=x").status_code == 422


def test_stations_can_be_kept_apart(house: House) -> None:
    one, other = add(house, "one"), add(house, "other")
    path, moderator = f"/api/v1/stations/{one}/apart", house.bearer("moderator")
    assert house.client.post(path, json={"other_station_id": other}).status_code == 401
    assert house.client.post(path, json={"other_station_id": other}, headers=moderator).status_code == 204
    assert house.client.post(path, json={"other_station_id": one}, headers=moderator).status_code == 409
    assert house.client.post(path, json={"other_station_id": 9_999_999}, headers=moderator).status_code == 404


def test_plays_follow_their_streams_into_a_merge_and_out_of_it(house: House) -> None:
    blue, azure = add(house, "blue"), add(house, "azure")
    with house.app.unit() as unit:
        stream = unit.session.scalars(select(Stream).where(Stream.station_id == blue)).one()
        add_play(unit, house.home_id, stream, house.app.clock.now())
    reader, moderator = house.bearer("viewer"), house.bearer("moderator")

    def plays(station_id: int) -> list[tuple[int, str]]:
        found = house.client.get(f"/api/v1/plays?station_id={station_id}", headers=reader).json()
        return [(one["station_id"], one["station_name"]) for one in found]

    def detections(station_id: int) -> int:
        with house.app.read() as session:
            return len(find_detections(session, house.home_id, DetectionFilter(station_id=station_id), limit=10)[0])

    assert (plays(blue), plays(azure)) == ([(blue, "blue")], [])
    body = {"station_id": blue, "other_station_id": azure, "keep": azure}
    merge_id = house.client.post("/api/v1/merges", json=body, headers=moderator).json()["id"]
    (play,) = plays(azure)
    assert play[0] == azure
    assert plays(blue) == plays(azure), "who still asks for the merged station gets the one that has its streams"
    assert (detections(azure), detections(blue)) == (1, 1)
    house.client.post(f"/api/v1/merges/{merge_id}/undo", headers=moderator)
    assert (plays(blue), plays(azure)) == ([(blue, "blue")], [])
    assert (detections(azure), detections(blue)) == (0, 1)
