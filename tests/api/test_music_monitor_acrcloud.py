"""The mission's ACRCloud API against scripted services: identification, hybrid, ISRCs, societies."""

import io
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from airledger.platform.tasks.rows import TaskRow
from airledger.platform.tasks.worker import work
from airledger.recognition.outside.models import OutsideCall, ProMapping
from airledger.testing.scripted_acrcloud import ScriptedAcrCloud, music_item
from airledger.testing.scripted_musicbrainz import ScriptedMusicBrainz, recording
from api_house import House, furnish

BASE = "/api/music-monitor/acrcloud"
ISRC = "QZALD2600001"


@dataclass
class Outside:
    """Scripted services that the installation asks."""

    cloud: ScriptedAcrCloud
    musicbrainz: ScriptedMusicBrainz


@pytest.fixture
def outside(house: House) -> Iterator[Outside]:
    cloud, musicbrainz = ScriptedAcrCloud(), ScriptedMusicBrainz()
    with cloud.service, musicbrainz.service:
        house.app.settings = house.app.settings.model_copy(
            update={
                "acrcloud_access_key": SecretStr("key"),
                "acrcloud_access_secret": SecretStr("secret"),
                "acrcloud_base_url": cloud.service.url,
                "musicbrainz_url": musicbrainz.service.url,
                "user_agent": "Airledger-test/1",
            }
        )
        yield Outside(cloud, musicbrainz)


@pytest.fixture
def worker(house: House, outside: Outside) -> Iterator[None]:
    """Work as a worker does, beside the API."""
    del outside
    stop, app = threading.Event(), house.app
    hands = {"recognise": 1, "default": 1}
    thread = threading.Thread(
        target=work,
        args=(app.database, app.tasks, app.clock),
        kwargs={"holder": "test", "concurrency": hands, "stop": stop},
    )
    thread.start()
    yield
    stop.set()
    thread.join()


def sample(seconds: float = 12.0, rate_hz: int = 16_000) -> bytes:
    pcm = (np.random.default_rng(5).standard_normal(round(seconds * rate_hz)) * 3_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("slash", ["", "/"])
def test_acrcloud_is_asked_with_what_was_uploaded(house: House, outside: Outside, slash: str) -> None:
    outside.cloud.everything = [music_item("Dust", "Kofi", isrc=ISRC)]
    answer = house.client.post(
        f"{BASE}/test-identification{slash}",
        headers=house.bearer("operator"),
        files={"file": ("a.wav", sample())},
        data={"wait_s": "50"},
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["status"], told["task"]) == ("done", "acrcloud_identify_audio")
    (asked,) = told["result"]["asked"]
    assert (asked["provider"], asked["outcome"]) == ("acrcloud", "hit")
    assert asked["matches"][0]["title"] == "Dust"
    assert list(house.app.storage.list("questions/")) == []
    with house.app.read() as session:
        call = session.scalars(select(OutsideCall)).one()
    assert (call.organisation_id, call.outcome) == (house.home_id, "hit")


@pytest.mark.usefixtures("worker")
def test_hybrid_says_who_is_believed_and_why(house: House, outside: Outside) -> None:
    outside.cloud.everything = [music_item("Dust", "Kofi", isrc=ISRC)]
    answer = house.client.post(
        f"{BASE}/test-hybrid",
        headers=house.bearer("operator"),
        files={"file": ("a.wav", sample())},
        data={"wait_s": "50", "started_at": "2026-11-20T12:00:00Z"},
    )
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    assert (result["route"], result["outcome"], result["title"]) == ("ask", "hit", "Dust")
    assert result["detection_source"] in {"acrcloud", "none"}


def test_who_does_not_wait_is_told_where_to_look(house: House, outside: Outside) -> None:
    del outside
    answer = house.client.post(
        f"{BASE}/test-hybrid",
        headers=house.bearer("operator"),
        files={"file": ("a.wav", sample())},
        data={"wait_s": "0"},
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    later = house.client.get(answer.headers["location"], headers=house.bearer("operator")).json()
    assert later["task"] == "hybrid_audio_detection"
    assert house.client.get(answer.headers["location"], headers=house.bearer("admin", "other")).status_code == 404


def test_what_is_no_usable_sound_makes_no_task(house: House, outside: Outside) -> None:
    writer = house.bearer("operator")
    path = f"{BASE}/test-identification"
    answers = [
        house.client.post(path, headers=writer, json={}),
        house.client.post(path, headers=writer, files={"file": ("a.wav", b"no sound at all" * 50)}),
        house.client.post(path, headers=writer, files={"file": ("a.wav", sample(61, 8_000))}),
        house.client.post(path, headers=writer, files={"file": ("a.wav", sample())}, data={"wait_s": "1000"}),
    ]
    assert {answer.status_code for answer in answers} == {422}, [answer.text for answer in answers]
    assert outside.cloud.service.asked == []
    with house.app.read() as session:
        assert session.scalars(select(TaskRow)).all() == []


def test_an_isrc_is_looked_up_and_remembered(house: House, outside: Outside) -> None:
    outside.musicbrainz.recordings["m1"] = recording("m1", "Dust", "Kofi", ISRC)
    reader = house.bearer("viewer")
    found = house.client.get(f"{BASE}/isrc/QZ-ALD-26-00001/", headers=reader).json()
    assert (found["isrc"], found["outcome"], found["is_cached"]) == (ISRC, "found", False)
    (candidate,) = found["candidates"]
    assert (candidate["title"], candidate["artists"], candidate["country"]) == ("Dust", ["Kofi"], "GH")
    assert candidate["writers"][0]["ipi"] == "00012345678"
    assert house.client.get(f"{BASE}/isrc/{ISRC}", headers=reader).json()["is_cached"] is True
    assert house.client.get(f"{BASE}/isrc/nonsense", headers=reader).status_code == 422


@pytest.mark.usefixtures("worker")
def test_many_isrcs_are_looked_up_at_once(house: House, outside: Outside) -> None:
    outside.musicbrainz.recordings["m1"] = recording("m1", "Dust", "Kofi", ISRC)
    writer = house.bearer("operator")
    answer = house.client.post(
        f"{BASE}/batch-isrc", headers=writer, json={"isrcs": [ISRC, "nonsense", ISRC], "wait_s": 50}
    )
    assert answer.status_code == 200, answer.text
    outcomes = [one["outcome"] for one in answer.json()["result"]["answers"]]
    assert outcomes == ["found", "invalid", "found"]
    too_many = house.client.post(f"{BASE}/batch-isrc", headers=writer, json={"isrcs": [ISRC] * 51})
    assert too_many.status_code == 422


def test_societies_and_what_recordings_are_presumed_to_belong_to(house: House) -> None:
    ids, reader, now = furnish(house), house.bearer("viewer"), house.app.clock.now()
    whole = house.client.get(f"{BASE}/pro-mappings", headers=reader).json()
    names = {one["name"] for one in whole["societies"]}
    assert {"GHAMRO", "ASCAP", "BMI", "PRS", "SACEM", "GEMA", "JASRAC", "APRA"} <= names
    assert (whole["default_pro"], whole["recordings"]) == ("ghamro", [])
    ghana = house.client.get(f"{BASE}/pro-mappings/?country_code=gh", headers=reader).json()["societies"]
    assert {one["country_code"] for one in ghana} == {"GH"}
    code = next(one["code"] for one in ghana if one["name"] == "GHAMRO")
    with house.app.unit() as unit:
        unit.session.add(
            ProMapping(
                organisation_id=house.home_id, recording_id=ids.recording_id, party="", society_code=code,
                level="presumed", source="default of this installation", noted_at=now, fresh_until=now, rank=4,
            )
        )  # fmt: skip
    path = f"{BASE}/pro-mappings?recording_id={ids.recording_id}"
    (mapped,) = house.client.get(path, headers=reader).json()["recordings"]
    assert (mapped["society"], mapped["level"]) == ("GHAMRO", "presumed")
    assert house.client.get(path, headers=house.bearer("admin", "other")).status_code == 404
