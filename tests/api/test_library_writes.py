"""Enrolling and removing over HTTP, with a worker's hands in between."""

import threading
from uuid import uuid4

import pytest
from sqlalchemy import select

from airledger.platform.tasks.queue import claim
from airledger.platform.tasks.run import Runner
from airledger.recognition.models import EnrolmentRun, Fingerprint
from airledger.repertoire.models import Recording
from api_house import House
from made_sound import encoded, melody

URL = "/api/v1/library"


def work(house: House) -> None:
    app = house.app
    with app.unit() as unit:
        (task,) = claim(unit.session, ["analyse"], "test", app.clock.now())
    Runner(app.database, app.tasks, app.clock, "test", threading.Event()).run(task)


@pytest.fixture(scope="module")
def sound() -> bytes:
    return encoded(melody(12, seed=3), "mp3", tags={"title": "From its tags", "artist": "Made"})


def test_an_uploaded_file_is_enrolled_and_removed_again(house: House, sound: bytes) -> None:
    who = house.bearer("operator")
    answer = house.client.post(
        URL, headers=who, files={"file": ("a.mp3", sound)}, data={"album": "By hand", "recording_class": "jingle"}
    )
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert (run["status"], run["files"], run["progress"]) == ("running", 1, 0)
    work(house)
    done = house.client.get(answer.headers["Location"], headers=who).json()
    assert (done["status"], done["enrolled"], done["refused"], done["progress"]) == ("finished", 1, 0, 1)
    assert 11 < done["audio_s"] < 13
    (recording_id,) = done["recordings"]
    shown = house.client.get(f"/api/v1/recordings/{recording_id}", headers=who).json()
    assert (shown["title"], shown["album"], shown["recording_class"]) == ("From its tags", "By hand", "jingle")
    assert list(house.app.storage.list("uploads/")) == []
    with house.app.read() as session:
        assert session.scalars(select(Fingerprint.recording_id)).all() == [session.scalars(select(Recording.id)).one()]
    assert house.client.delete(f"{URL}/{recording_id}", headers=who).status_code == 204
    assert house.client.get("/api/v1/recordings", headers=who).json() == []
    with house.app.read() as session:
        assert session.scalars(select(Fingerprint.track)).all() == []


def test_a_file_that_cannot_be_used_is_told_in_its_run(house: House) -> None:
    who = house.bearer("operator")
    answer = house.client.post(URL, headers=who, files={"file": ("../../etc/a.mp3", b"no sound at all" * 99)})
    assert answer.status_code == 202
    work(house)
    done = house.client.get(answer.headers["Location"], headers=who).json()
    assert (done["status"], done["refused"]) == ("finished", 1)
    assert done["refusals"][0]["file"] == "a.mp3"
    assert "no kind of sound" in done["refusals"][0]["reason"] or "text" in done["refusals"][0]["reason"]
    assert list(house.app.storage.list("uploads/")) == []


@pytest.mark.parametrize("data", [{"files": {"other": ("a", b"x")}}, {"json": {"title": "no file"}}, {"content": b"x"}])
def test_what_is_no_upload_is_refused(house: House, data: dict[str, object]) -> None:
    assert house.client.post(URL, headers=house.bearer(), **data).status_code == 422  # type: ignore[arg-type]


def test_runs_are_listed_in_pages_and_others_see_none(house: House, sound: bytes) -> None:
    who = house.bearer("operator")
    for _ in range(3):
        house.client.post(URL, headers=who, files={"file": ("a.mp3", sound)})
    first = house.client.get(f"{URL}/runs", headers=who, params={"limit": 2})
    assert len(first.json()) == 2
    link = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = house.client.get(link, headers=who)
    assert len(second.json()) == 1
    assert "Link" not in second.headers
    everything = {run["id"] for run in first.json() + second.json()}
    assert len(everything) == 3
    other = house.bearer("operator", "other")
    assert house.client.get(f"{URL}/runs", headers=other).json() == []
    assert house.client.get(f"{URL}/runs/{next(iter(everything))}", headers=other).status_code == 404
    with house.app.read() as session:
        assert len(session.scalars(select(EnrolmentRun)).all()) == 3


def test_only_ones_own_recordings_can_be_removed(house: House) -> None:
    assert house.client.delete(f"{URL}/{uuid4()}", headers=house.bearer("operator")).status_code == 404
    assert house.client.delete(f"{URL}/{uuid4()}", headers=house.bearer("viewer")).status_code == 403
