"""Webhooks over HTTP: the secret is shown once, each organisation steers its own, a test tells what came of it."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest

from airledger.platform.events import Dispatcher, publish
from airledger.platform.guard import AddressGuard
from airledger.platform.webhooks.deliver import Courier
from airledger.stations.events import StreamStateChanged
from api_house import House
from receiver import Receiver, receiver

HOOKS = "/api/v1/webhooks"


@pytest.fixture
def running(house: House) -> Iterator[Receiver]:
    house.app.fetcher._guard = AddressGuard([ip_network("127.0.0.0/8")])
    with receiver() as found:
        yield found


def create(house: House, url: str = "http://receiver.test/", **more: Any) -> dict[str, Any]:
    made = house.client.post(HOOKS, headers=house.bearer(), json={"url": url, **more})
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


def test_the_secret_is_shown_once(house: House) -> None:
    made = create(house)
    assert made["secret"].startswith("whsec_")
    one = house.client.get(f"{HOOKS}/{made['id']}", headers=house.bearer()).json()
    listed = house.client.get(HOOKS, headers=house.bearer()).json()
    assert listed == [one]
    assert "secret" not in one
    assert made["secret"] not in str(house.client.get("/api/v1/audit", headers=house.bearer()).json())
    fresh = house.client.post(f"{HOOKS}/{made['id']}/secret", headers=house.bearer()).json()
    assert fresh["secret"] != made["secret"]


def test_it_is_changed_paused_resumed_and_deleted(house: House) -> None:
    admin, path = house.bearer(), f"{HOOKS}/{create(house)['id']}"
    changed = house.client.put(path, headers=admin, json={"url": "https://other.test/x", "types": ["play.*"]}).json()
    assert (changed["url"], changed["types"]) == ("https://other.test/x", ["play.*"])
    paused = house.client.post(f"{path}/pause", headers=admin).json()
    assert (paused["status"], paused["pause_reason"]) == ("paused", "paused by hand")
    assert house.client.post(f"{path}/resume/", headers=admin).json()["status"] == "active"
    assert house.client.delete(path, headers=admin).status_code == 204
    assert house.client.get(path, headers=admin).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://a.test/"},
        {"url": "http://a.test/", "types": []},
        {"url": "http://a.test/", "types": ["Play"]},
        {"url": "http://a.test/", "stations": [1]},
        {"url": "http://a.test/", "owner_organisation_id": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_what_cannot_be_is_refused(house: House, body: dict[str, Any]) -> None:
    answer = house.client.post(HOOKS, headers=house.bearer(), json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_organisation_sees_and_touches_none_of_ours(house: House) -> None:
    path, other = f"{HOOKS}/{create(house)['id']}", house.bearer("admin", "other")
    assert house.client.get(HOOKS, headers=other).json() == []
    answers = [
        house.client.get(path, headers=other),
        house.client.put(path, headers=other, json={"url": "http://theirs.test/"}),
        house.client.delete(path, headers=other),
        house.client.get(f"{path}/deliveries", headers=other),
        *(house.client.post(f"{path}/{verb}", headers=other) for verb in ("pause", "resume", "test", "secret")),
        house.client.post(f"{path}/replay?since=0", headers=other),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert house.client.get(HOOKS, headers=house.bearer("operator")).status_code == 403


def test_a_test_tells_what_came_of_it(house: House, running: Receiver) -> None:
    made = create(house, running.base + "/hook")
    row = house.client.post(f"{HOOKS}/{made['id']}/test", headers=house.bearer()).json()
    assert (row["status"], row["http_status"], row["type"]) == ("delivered", 200, "webhook.test")
    assert [got.headers["webhook-id"] for got in running.got] == [row["message_id"]]
    running.reply = running.hang
    running.released.set()
    refused = create(house, "http://127.0.0.1:9/")
    row = house.client.post(f"{HOOKS}/{refused['id']}/test", headers=house.bearer()).json()
    assert (row["status"], row["http_status"]) == ("failed", None)
    log = house.client.get(f"{HOOKS}/{refused['id']}/deliveries?status=failed", headers=house.bearer()).json()
    assert log == [row]
    assert house.client.get(f"{HOOKS}/{refused['id']}/deliveries?status=delivered", headers=house.bearer()).json() == []


def test_the_log_has_pages_and_a_replay_begins_where_it_is_told(house: House, running: Receiver) -> None:
    made = create(house, running.base + "/hook", types=["stream.state_changed"])
    now = house.app.clock.now()
    with house.app.unit() as unit:
        for number in range(5):
            told = StreamStateChanged(stream_id=number, from_state="unproven", to_state="playing", cause=None)
            publish(unit, told, at=now)
    Dispatcher(house.app.database, house.app.clock, "test").turn()
    courier = Courier(house.app.database, house.app.clock, house.app.fetcher)
    assert courier.deliver(UUID(made["id"])) == 5
    admin, path = house.bearer(), f"{HOOKS}/{made['id']}"
    first = house.client.get(f"{path}/deliveries?limit=3", headers=admin)
    assert len(first.json()) == 3
    rest = house.client.get(first.links["next"]["url"], headers=admin)
    assert len(rest.json()) == 2
    assert "next" not in rest.links
    positions = sorted(row["position"] for row in first.json() + rest.json())
    replay = house.client.post(f"{path}/replay?since={positions[2]}", headers=admin)
    assert (replay.status_code, replay.json()) == (202, {"since": positions[2], "newest": positions[-1]})
    tasks = house.client.get("/api/v1/tasks?queue=deliver", headers=admin).json()
    assert [task["name"] for task in tasks] == ["webhooks.deliver"]
    assert courier.deliver(UUID(made["id"])) == 2
