"""From streams on air to verdicts over HTTP, through the scheduled tasks, the guarded door and the sandboxed child."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from airledger.api.main import build_api
from airledger.app import Airledger
from airledger.platform.auth.bootstrap import Bootstrap
from airledger.platform.settings import Settings
from airledger.platform.tasks.registry import Context
from airledger.platform.tasks.rows import PENDING, TaskRow
from airledger.platform.tasks.run import HandedBackError
from airledger.stations.urls import parse_address
from airledger.stations.verdict import take
from airledger.stations.verdict.jobs import JUDGE_SOUND, PLAN_LOOKS
from airledger.testing.songs import render_song
from api_house import House, add_stream
from made_sound import encoded
from raw_http import Answer, RawServer, Talk, raw_server

RATE_HZ = 44_100
SECONDS = 20


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


@pytest.fixture
def near(tmp_path: Path, first_start: tuple[Path, Bootstrap]) -> Iterator[House]:
    """Give an installation that may listen to this machine."""
    data, begun = first_start
    shutil.copytree(data, tmp_path / "data")
    settings = Settings(data=tmp_path / "data", allow_networks=("127.0.0.0/8",), look_seconds=6)
    with Airledger.open(settings) as app:
        api = build_api(app)
        with TestClient(api, base_url="http://airledger.test") as client:
            yield House(app, api, client, begun.organisation_id, begun.link)


def on_air(body: bytes) -> Answer:
    """Send this and then nothing more, as a station whose encoder has stopped."""

    def answer(talk: Talk) -> None:
        talk.begin(Content_Type="audio/mpeg")
        talk.send(body)

    return answer


def broken_mp3() -> bytes:
    """Begin as MP3 does and go on as noise."""
    whole = encoded(np.zeros(RATE_HZ, np.float32), "mp3")
    return whole[:1_500] + np.random.default_rng(1).bytes(60_000)


def add_playing(house: House, url: str, number: int) -> int:
    address = parse_address(url)
    with house.app.unit() as unit:
        row = add_stream(unit, house.app.clock.now(), number, url=address.url, url_key=address.key, host=address.host)
        return row.id


def run(house: House, name: str, *, stopping: Callable[[], bool] = lambda: False, **arguments: Any) -> Any:
    return house.app.tasks.get(name).call(Context(uuid4(), 1, lambda _: None, stopping), **arguments)


def planned(house: House) -> list[dict[str, Any]]:
    with house.app.read() as session:
        wanted = select(TaskRow).where(TaskRow.name == JUDGE_SOUND, TaskRow.status == PENDING)
        return [dict(row.args) for row in session.scalars(wanted)]


def told(house: House, stream_id: int) -> dict[str, Any]:
    answer = house.client.get(f"/api/v1/streams/{stream_id}/verification")
    assert answer.status_code == 200
    return dict(answer.json())


def test_streams_on_air_are_planned_looked_at_and_told(near: House, server: RawServer) -> None:
    song = (render_song(1, 1)[RATE_HZ * 10 : RATE_HZ * (10 + SECONDS)] / 32768).astype(np.float32)
    song = song.mean(axis=1) if song.ndim > 1 else song
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * RATE_HZ) / RATE_HZ)).astype(np.float32)
    ways: dict[str, Answer] = {
        "broken": on_air(broken_mp3()),
        "music": on_air(encoded(song, "mp3", bit_rate=128_000)),
        "tone": on_air(encoded(tone, "mp3", bit_rate=128_000)),
        "silence": on_air(encoded(np.zeros(SECONDS * RATE_HZ, np.float32), "mp3")),
        "page": lambda talk: talk.answer(b"<html>" + b"x" * 5_000, Content_Type="audio/mpeg"),
        "absent": lambda talk: talk.answer(b"", status="HTTP/1.1 404 Not Found"),
    }
    ids = {name: add_playing(near, server.on(f"/{name}", way), n) for n, (name, way) in enumerate(ways.items())}

    assert run(near, PLAN_LOOKS) == {"streams": len(ids)}
    assert run(near, PLAN_LOOKS) == {"streams": 0}  # they are under way
    (batch,) = planned(near)
    assert run(near, JUDGE_SOUND, **batch) == {"judged": 4}

    found = {name: told(near, stream_id) for name, stream_id in ids.items()}
    assert {name: one["class"] for name, one in found.items()} == {
        "broken": None,
        "music": "music",
        "tone": "tone",
        "silence": "silence",
        "page": "error_page",
        "absent": None,
    }
    assert {name: one["is_valid"] for name, one in found.items() if one["is_valid"] is not None} == {
        "music": True,
        "tone": False,
        "silence": False,
        "page": False,
    }
    assert 0 < found["music"]["quality"] <= 1
    assert found["music"]["model_version"].startswith("stream_classifier")
    assert sum(found["music"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert found["absent"]["error"] == "nothing could be heard: not_found"
    assert found["broken"]["error"]
    assert run(near, PLAN_LOOKS) == {"streams": 0}  # nobody is due before a week, or six hours, are over


def test_one_stream_that_cannot_be_judged_harms_no_other(
    near: House, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = on_air(encoded(np.zeros(8 * RATE_HZ, np.float32), "mp3"))
    odd, plain = (add_playing(near, server.on(path, silent), n) for n, path in enumerate(("/odd", "/plain")))
    honest = take.take_look

    def failing(eyes: Any, collected: Any, signs: Any, models: Any) -> Any:
        if collected.wanted.id == odd:
            raise ZeroDivisionError
        return honest(eyes, collected, signs, models)

    monkeypatch.setattr(take, "take_look", failing)
    assert run(near, JUDGE_SOUND, stream_ids=[odd, plain]) == {"judged": 1}
    assert told(near, odd)["error"] == "judging it failed: ZeroDivisionError"
    assert told(near, plain)["class"] == "silence"


def test_a_stopping_worker_hands_the_batch_back(near: House, server: RawServer) -> None:
    url = server.on("/silent", on_air(encoded(np.zeros(8 * RATE_HZ, np.float32), "mp3")))
    stream_id = add_playing(near, url, 1)
    with pytest.raises(HandedBackError):
        run(near, JUDGE_SOUND, stopping=lambda: True, stream_ids=[stream_id])
    assert told(near, stream_id)["looked_at"] is None


def test_an_endless_stream_is_left_after_its_time(near: House, server: RawServer) -> None:
    body = encoded(np.zeros(8 * RATE_HZ, np.float32), "mp3")

    def endless(talk: Talk) -> None:
        talk.begin(Content_Type="audio/mpeg")
        while not talk.closing.wait(0.1):
            talk.send(body)

    stream_id = add_playing(near, server.on("/endless", endless), 1)
    assert run(near, JUDGE_SOUND, stream_ids=[stream_id]) == {"judged": 1}
    assert told(near, stream_id)["class"] == "silence"
