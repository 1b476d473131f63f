"""Monitoring of streams under the mission's keys: start, stop, status, and who hears of it live."""

import pytest
from sqlalchemy import select

from airledger.api.hub import Audience, EventHub
from airledger.api.threads import Threads
from airledger.listening.jobs import close_stale
from airledger.listening.models import AudioDetection, ListeningSession
from airledger.listening.monitoring import MonitoringConfig
from airledger.platform.auth.scopes import ROLES
from airledger.platform.errors import InputError
from airledger.platform.events import EventRow, told
from airledger.platform.settings import Settings
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import rebuild
from api_house import House, add_stream, furnish

BASE = "/api/music-monitor/streams"
MISSION_DEFAULTS = {
    "capture_interval_seconds": 30,
    "capture_duration_seconds": 20,
    "overlap_seconds": 5,
    "max_retry_attempts": 3,
    "confidence_threshold": 0.8,
    "enable_hybrid_detection": True,
    "enable_websocket_broadcast": True,
}


def fresh_stream(house: House) -> int:
    with house.app.unit() as unit:
        return add_stream(unit, house.app.clock.now(), 9).id


def stored(house: House, stream_id: int) -> ListeningSession:
    with house.app.read() as session:
        return session.scalars(select(ListeningSession).where(ListeningSession.stream_id == stream_id)).one()


@pytest.mark.parametrize("slash", ["", "/"])
def test_monitoring_begins_with_the_missions_defaults_and_ends(house: House, slash: str) -> None:
    stream_id, writer = fresh_stream(house), house.bearer("operator")
    begun = house.client.post(f"{BASE}/{stream_id}/start{slash}", headers=writer)
    assert begun.status_code == 202, begun.text
    assert begun.json()["config"] == {"mode": "continuous", **MISSION_DEFAULTS}
    status = house.client.get(f"{BASE}/{stream_id}/status{slash}", headers=house.bearer("viewer")).json()
    assert (status["session_id"], status["is_monitored"]) == (begun.json()["session_id"], True)
    assert status["config"] == begun.json()["config"]
    assert (status["detections_24h"], status["capture_success_rate"]) == (0, None)
    stopped = house.client.post(f"{BASE}/{stream_id}/stop{slash}", headers=writer)
    assert stopped.json()["session_id"] == begun.json()["session_id"]
    assert not stored(house, stream_id).is_wanted
    assert house.client.get(f"{BASE}/{stream_id}/status", headers=writer).json()["is_monitored"] is False


def test_only_what_was_asked_for_is_stored_and_the_settings_stand_behind_it(house: House) -> None:
    stream_id, writer = fresh_stream(house), house.bearer("operator")
    body = {"mode": "sampled", "capture_interval_seconds": 60, "enable_websocket_broadcast": False}
    begun = house.client.post(f"{BASE}/{stream_id}/start", headers=writer, json=body).json()
    assert stored(house, stream_id).config == body
    assert begun["config"] == {**MISSION_DEFAULTS, **body}
    house.app.settings = house.app.settings.model_copy(update={"max_retry_attempts": 7})
    status = house.client.get(f"{BASE}/{stream_id}/status", headers=writer).json()
    assert (status["config"]["max_retry_attempts"], status["config"]["capture_interval_seconds"]) == (7, 60)
    house.client.post(f"{BASE}/{stream_id}/start", headers=writer, json={})
    assert stored(house, stream_id).config == {}
    changes = [row["action"] for row in house.client.get("/api/v1/audit", headers=house.bearer()).json()]
    assert changes.count("configured") == 2


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "now and then"},
        {"mode": "sampled", "capture_duration_seconds": 40, "capture_interval_seconds": 30},
        {"overlap_seconds": 20},
        {"confidence_threshold": 1.1},
        {"interval": 3},
    ],
)
def test_settings_that_do_not_fit_are_refused(house: House, body: dict[str, object]) -> None:
    stream_id = fresh_stream(house)
    answer = house.client.post(f"{BASE}/{stream_id}/start", headers=house.bearer(), json=body)
    assert answer.status_code == 422, answer.text
    with house.app.read() as session:
        assert session.scalars(select(ListeningSession)).all() == []


def test_settings_of_the_installation_that_contradict_each_other_are_told() -> None:
    with pytest.raises(InputError, match="overlap_seconds"):
        MonitoringConfig.of(Settings(overlap_seconds=30))
    assert MonitoringConfig.of(Settings(), {"kind": "archive", "mode": "sampled"}).mode == "sampled"


def test_another_organisation_neither_steers_nor_sees_it(house: House) -> None:
    ids, other = furnish(house), house.bearer("admin", "other")
    assert house.client.post(f"{BASE}/{ids.stream_id}/start", headers=other).status_code == 409
    assert house.client.post(f"{BASE}/{ids.stream_id}/stop", headers=other).status_code == 404
    assert house.client.get(f"{BASE}/{ids.stream_id}/status", headers=other).status_code == 404
    assert house.client.post(f"{BASE}/999999/start", headers=house.bearer()).status_code == 404


def test_status_tells_what_was_detected_and_taken_in(house: House) -> None:
    ids = furnish(house)
    status = house.client.get(f"{BASE}/{ids.stream_id}/status", headers=house.bearer("viewer")).json()
    assert (status["detections_24h"], status["last_detection_id"]) == (1, str(ids.play_id))
    assert status["capture_success_rate"] == 1.0


@pytest.mark.parametrize("own", [None, True, False])
@pytest.mark.parametrize("common", [True, False])
def test_live_clients_hear_of_a_session_as_it_says_and_others_always(
    house: House, own: bool | None, *, common: bool
) -> None:
    """`enable_websocket_broadcast` of the session wins over the installation's; webhooks and the log do not mind it."""
    ids = furnish(house)
    with house.app.unit() as unit:
        row = unit.session.scalars(select(ListeningSession)).one()
        row.config = {} if own is None else {"enable_websocket_broadcast": own}
        detection = unit.session.get_one(AudioDetection, ids.play_id)
        detection.started_at = detection.ended_at = detection.started_at.replace(year=2020)
        unit.session.delete(unit.session.get_one(PlayLog, ids.play_id))
        unit.session.flush()
        close_stale(unit, house.app.clock)
        rebuild(unit, house.app.clock.now())
    with house.app.read() as session:
        rows = {row.type: row for row in session.scalars(select(EventRow))}
    assert {"detection.closed", "play.finished"} <= set(rows)
    assert rows["detection.closed"].payload["recording_id"] == str(ids.recording_id)
    hub = EventHub(Threads(house.app.database), tells_of_sessions=common)
    line = hub.open(Audience(house.home_id, ROLES["admin"]), "me")
    expected = common if own is None else own
    for event in ("detection.closed", "play.finished"):
        assert hub._reaches(line, told(rows[event])) == expected
