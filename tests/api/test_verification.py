"""Verification over HTTP: empty before a look, told after it, confirmed by those who may."""

from sqlalchemy import select

from airledger.audio.sound_vector import WINDOW_COLUMNS
from airledger.platform.audit import AuditEntry
from airledger.stations.models import PLAYING
from airledger.stations.verdict.models import StreamVerdict
from airledger.stations.verdict.record import claim, find_due, record_verdict
from airledger.stations.verdict.weigh import Weighed
from api_house import House, add_stream

FOUND = Weighed(
    label="music",
    probabilities={"music": 0.9, "mixed": 0.1},
    confidence=1.0,
    risk_score=0.2,
    quality=0.8,
    reasons=("listed in 3 countries",),
    model_version="stream_classifier test",
    vector=dict.fromkeys(WINDOW_COLUMNS, 0.5),
)
DAY_S = 86_400


def add_playing(house: House) -> int:
    with house.app.unit() as unit:
        stream = add_stream(unit, house.app.clock.now())
        stream.state = PLAYING
        unit.session.flush()
        return stream.id


def add_verdict(house: House, stream_id: int, found: Weighed = FOUND) -> None:
    with house.app.unit() as unit:
        record_verdict(unit, stream_id, found, now=house.app.clock.now(), every_s=7 * DAY_S)


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_before_a_look_nothing_is_known(house: House) -> None:
    answer = house.client.get(f"/api/v1/streams/{add_playing(house)}/verification")
    assert answer.status_code == 200
    assert (answer.json()["looked_at"], answer.json()["is_valid"], answer.json()["class"]) == (None, None, None)
    assert house.client.get("/api/v1/streams/999999/verification").status_code == 404


def test_after_a_look_everybody_may_read_it(house: House) -> None:
    stream_id = add_playing(house)
    add_verdict(house, stream_id)
    told = house.client.get(f"/api/v1/streams/{stream_id}/verification").json()
    assert (told["is_valid"], told["confidence"], told["risk_score"]) == (True, 1.0, 0.2)
    assert (told["class"], told["quality"], told["model_version"]) == ("music", 0.8, "stream_classifier test")
    assert told["reasons"] == ["listed in 3 countries"]


def test_a_look_that_saw_nothing_leaves_the_last_verdict(house: House) -> None:
    stream_id = add_playing(house)
    add_verdict(house, stream_id)
    add_verdict(house, stream_id, Weighed(error="nothing could be heard: timeout"))
    told = house.client.get(f"/api/v1/streams/{stream_id}/verification").json()
    assert (told["class"], told["error"]) == ("music", "nothing could be heard: timeout")


def test_a_correction_is_kept_as_a_lesson(house: House) -> None:
    stream_id = add_playing(house)
    path = f"/api/v1/streams/{stream_id}/verification/confirm"
    key = headers(house.key("operator"))
    assert house.client.post(path, json={}, headers=key).status_code == 409
    add_verdict(house, stream_id)
    said = house.client.post(path, json={"class": "speech"}, headers=key)
    assert said.status_code == 201
    assert (said.json()["class"], said.json()["was"]) == ("speech", "music")
    assert house.client.post(path, json={}, headers=key).json()["class"] == "music"
    assert house.client.post(path, json={"class": "opera"}, headers=key).status_code == 422
    with house.app.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.object_type == "stream_verdict")).first()
        assert entry is not None
        assert entry.change == {"label": "speech", "was": "music"}


def test_strangers_and_viewers_confirm_nothing(house: House) -> None:
    stream_id = add_playing(house)
    add_verdict(house, stream_id)
    path = f"/api/v1/streams/{stream_id}/verification/confirm"
    assert house.client.post(path, json={}).status_code == 401
    assert house.client.post(path, json={}, headers=headers(house.key("viewer"))).status_code == 403


def test_a_stream_is_due_once_and_again_after_its_time(house: House) -> None:
    stream_id = add_playing(house)
    now = house.app.clock.now()
    with house.app.unit() as unit:
        assert stream_id in find_due(unit.session, now, limit=50)
        claim(unit, [stream_id], now)
        unit.session.flush()
        assert stream_id not in find_due(unit.session, now, limit=50)
    add_verdict(house, stream_id)
    with house.app.unit() as unit:
        assert stream_id not in find_due(unit.session, now, limit=50)
        row = unit.session.get(StreamVerdict, stream_id)
        assert row is not None
        row.due_at = now
        unit.session.flush()
        assert stream_id in find_due(unit.session, now, limit=50)
