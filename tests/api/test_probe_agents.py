"""Probe agents: real processes at two addresses, and what the server makes of what they see."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from airledger.platform.auth.scopes import Scope
from airledger.platform.clock import SystemClock
from airledger.platform.guard import AddressGuard
from airledger.recognition.outside.http_call import open_door
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, Stream, Verification
from airledger.stations.probing.agent import ProbeAgent, ProbeServer, ResultBuffer
from airledger.stations.probing.check import Checker
from airledger.stations.probing.first_frames import FramesDecoder
from airledger.stations.probing.knock import Knocker
from airledger.stations.probing.models import VantageView
from airledger.stations.record import record_proof
from airledger.stations.standing import Pace
from airledger.stations.tuner import Tuner
from api.test_remote import BadLine
from api_house import House, first_start, house
from made_sound import encoded, melody
from raw_http import RawServer, Talk, raw_server
from stations.rows import add_stream, bad

__all__ = ["first_start", "house"]

AGENTS = "/api/v1/probe-agents"
DEADLINE_S = 240.0
SOUND = encoded(melody(8), "mp3")
SHUT_OUT, LET_IN = "127.0.0.2", "127.0.0.3"
LOOPBACK = [ip_network("127.0.0.0/8")]


def no_tuner() -> Tuner:
    raise AssertionError("Nothing here is to be listened to.")


@pytest.fixture
def radio() -> Iterator[RawServer]:
    """Give a station that plays for one address of this machine only."""

    def answer(talk: Talk) -> None:
        if talk.peer != LET_IN:
            talk.answer(b"", status="HTTP/1.1 451 Unavailable For Legal Reasons")
            return
        talk.begin(Content_Type="audio/mpeg")
        talk.send(SOUND)
        while not talk.closing.wait(0.2):
            talk.send(SOUND[:3_000])

    with raw_server() as server:
        server.on("/live", answer)
        yield server


def only_stream(house: House, url: str) -> int:
    """Add a stream that fails here."""
    stream_id = add_stream(house.app.database, house.app.clock, url)
    with house.app.unit() as unit:
        for _ in range(3):
            record_proof(unit, stream_id, bad(Cause.FORBIDDEN), now=house.app.clock.now(), pace=Pace())
        assert unit.session.get_one(Stream, stream_id).state == FAILING
    return stream_id


@contextmanager
def agent_process(line: BadLine, key: str, name: str, address: str, data: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "airledger", "probe-agent", "--server", f"http://127.0.0.1:{line.port}"]
    command += ["--token", key, "--name", name, "--interface", address, "--seconds", "1", "--allow-private", "--json"]
    env = {**os.environ, "AIRLEDGER_DATA": str(data / name)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=DEADLINE_S)
        kinds = [json.loads(each)["kind"] for each in told.splitlines()]
        assert (kinds[0], kinds[-1]) == ("started", "stopped")


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.1)


def test_two_agents_show_that_a_station_is_fenced_and_not_dead(house: House, radio: RawServer, tmp_path: Path) -> None:
    stream_id = only_stream(house, radio.base + "/live")
    key = house.key(scopes=frozenset({Scope.PROBES_WRITE}))

    def vantages() -> dict[str, Any]:
        found: dict[str, Any] = house.client.get(f"/api/v1/streams/{stream_id}/vantages").json()
        return found

    with (
        BadLine(house, lambda _number: "pass") as line,
        agent_process(line, key, "shut-out", SHUT_OUT, tmp_path),
        agent_process(line, key, "let-in", LET_IN, tmp_path),
    ):
        wait_for(lambda: len(vantages()["views"]) == 3)
    told = vantages()
    assert told["agreement"] == "blocked_here"
    assert {view["vantage"]: (view["is_healthy"], view["cause"]) for view in told["views"]} == {
        "here": (False, "geo_blocked"),
        "shut-out": (False, "geo_blocked"),
        "let-in": (True, None),
    }
    checks = house.client.get(f"/api/v1/streams/{stream_id}/checks").json()
    by_vantage = {check["vantage"]: check for check in checks}
    assert (by_vantage["let-in"]["level"], by_vantage["let-in"]["codec"]) == (4, "mp3")
    assert (by_vantage["shut-out"]["http_status"], by_vantage["shut-out"]["cause_family"]) == (451, "geo_blocked")
    assert by_vantage["shut-out"]["cause_confidence"] > 0.9
    with house.app.read() as session:
        stream = session.get_one(Stream, stream_id)
        assert (stream.state, stream.cause) == (FAILING, "geo_blocked")  # no word from elsewhere brings it back here
    agents = house.client.get(AGENTS, headers=house.bearer()).json()
    assert {agent["name"]: agent["checks"] for agent in agents} == {"shut-out": 1, "let-in": 1}


def claim(house: House, name: str = "lagos", *, key: str | None = None, limit: int = 100) -> Any:
    headers = {"Authorization": f"Bearer {key or house.key()}"}
    return house.client.post(f"{AGENTS}/{name}/claim", json={"limit": limit}, headers=headers)


def send(house: House, result: dict[str, Any], name: str = "lagos") -> dict[str, int]:
    headers = {"Authorization": f"Bearer {house.key()}"}
    answer = house.client.post(f"{AGENTS}/{name}/results", json={"results": [result]}, headers=headers)
    assert answer.status_code == 200
    found: dict[str, int] = answer.json()
    return found


def seen(house: House, stream_id: int, *, ago: timedelta = timedelta(0), **fields: Any) -> dict[str, Any]:
    at = (house.app.clock.now() - ago).isoformat()
    return {"stream_id": stream_id, "checked_at": at, "level": 4, "is_healthy": True, **fields}


def test_work_is_given_once_and_only_its_result_counts(house: House) -> None:
    stream_id = only_stream(house, "http://a.example/live")
    assert send_before_claim(house, stream_id) == 404
    given = claim(house).json()["streams"]
    assert [one["stream_id"] for one in given] == [stream_id]
    assert claim(house).json()["streams"] == []
    result = seen(house, stream_id)
    assert send(house, result) == {"taken": 1, "ignored": 0}
    assert send(house, result) == {"taken": 0, "ignored": 1}  # the answer was lost, it is sent again
    assert send(house, seen(house, stream_id + 1)) == {"taken": 0, "ignored": 1}
    assert send(house, seen(house, stream_id, ago=timedelta(days=8))) == {"taken": 0, "ignored": 1}
    assert send(house, seen(house, stream_id, ago=-timedelta(hours=1))) == {"taken": 0, "ignored": 1}
    assert claim(house).json()["streams"] == []  # seen of late
    with house.app.read() as session:
        assert len(session.scalars(select(Verification).where(Verification.vantage == "lagos")).all()) == 1


def send_before_claim(house: House, stream_id: int) -> int:
    headers = {"Authorization": f"Bearer {house.key()}"}
    body = {"results": [seen(house, stream_id)]}
    return house.client.post(f"{AGENTS}/lagos/results", json=body, headers=headers).status_code


def test_a_lost_agent_gives_its_streams_back(house: House) -> None:
    stream_id = only_stream(house, "http://a.example/live")
    assert len(claim(house).json()["streams"]) == 1
    with house.app.unit() as unit:
        past = house.app.clock.now() - timedelta(seconds=1)
        unit.session.execute(update(VantageView).values(leased_until=past))
    assert [one["stream_id"] for one in claim(house).json()["streams"]] == [stream_id]


def test_a_word_from_elsewhere_takes_nothing_off_the_air(house: House) -> None:
    stream_id = only_stream(house, "http://a.example/live")
    with house.app.unit() as unit:
        stream = unit.session.get_one(Stream, stream_id)
        stream.state, stream.cause, stream.failures_in_row = PLAYING, None, 0
    claim(house)
    send(house, seen(house, stream_id, is_healthy=False, level=0, cause="geo_blocked", http_status=451))
    with house.app.read() as session:
        stream = session.get_one(Stream, stream_id)
        assert (stream.state, stream.cause) == (PLAYING, None)
    told = house.client.get(f"/api/v1/streams/{stream_id}/vantages").json()
    assert told["agreement"] == "blocked_elsewhere"


def test_who_may(house: House) -> None:
    assert claim(house, key=house.key("viewer")).status_code == 403
    assert claim(house, key=house.key(scopes=frozenset({Scope.PROBES_WRITE}))).status_code == 200
    assert claim(house, key=house.key("admin", "other")).status_code == 409  # the name is taken
    assert claim(house, name="Not-A-Name").status_code == 422
    assert house.client.get(f"{AGENTS}", headers=house.bearer("admin", "other")).status_code == 403


def test_what_was_seen_waits_while_the_server_is_away(house: House, radio: RawServer, tmp_path: Path) -> None:
    stream_id = only_stream(house, radio.base + "/live")
    door, decoder, told = open_door("test", timeout_s=5), FramesDecoder(), []
    is_away = threading.Event()

    def fate(_number: int) -> str:
        return "refuse" if is_away.is_set() else "pass"

    def tell(kind: str, _text: str) -> None:
        told.append(kind)
        if kind == "proving":
            is_away.set()

    with (
        BadLine(house, fate) as line,
        Checker(Knocker(AddressGuard(LOOPBACK), "t", interface=SHUT_OUT), decoder, no_tuner) as checker,
    ):
        server = ProbeServer(f"http://127.0.0.1:{line.port}", house.key(), "lagos", door)
        agent = ProbeAgent(server, checker, ResultBuffer(tmp_path), SystemClock(), tell=tell)
        stop = threading.Event()
        thread = threading.Thread(target=agent.run, args=(stop,))
        thread.start()
        wait_for(lambda: "waiting" in told)
        stop.set()
        thread.join(DEADLINE_S)
        assert len(ResultBuffer(tmp_path)) == 1
        is_away.clear()
        ProbeAgent(server, checker, ResultBuffer(tmp_path), SystemClock()).send(threading.Event())
    assert len(ResultBuffer(tmp_path)) == 0
    with house.app.read() as session:
        [view] = session.scalars(select(VantageView).where(VantageView.stream_id == stream_id))
        assert (view.is_healthy, view.http_status) == (False, 451)
    door.close()
    decoder.close()


def test_a_full_folder_lets_the_oldest_go_and_damage_is_passed_over(tmp_path: Path) -> None:
    buffer = ResultBuffer(tmp_path, most=2)
    for number in range(3):
        buffer.keep([{"stream_id": number}])
    (tmp_path / "000000000002.results").write_text("{damaged")
    again = ResultBuffer(tmp_path, most=2)
    kept = again.oldest()
    assert kept is not None
    assert kept[1] == [{"stream_id": 2}]
    assert len(again) == 1
    again.keep([])
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["000000000003", "000000000004"]
