"""Alerts, history and takedown over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from airledger.stations.alerts.raise_alerts import open_alert
from airledger.stations.models import RETIRED, Stream, StreamMetric
from airledger.stations.watching.habit import Habit, packed
from airledger.stations.watching.models import StreamHabit
from api_house import House
from mail_server import mail_server

ALERTS, CHANNELS, SUBSCRIPTIONS = "/api/v1/alerts", "/api/v1/alert-channels", "/api/v1/alert-subscriptions"


@pytest.fixture
def stream_id(house: House) -> int:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        stream = Stream(
            url="http://radio.test/live",
            url_key="key",
            host="radio.test",
            tags=[],
            warnings=[],
            search_text="",
            created_at=now,
            updated_at=now,
        )
        unit.session.add(stream)
        unit.session.flush()
        return stream.id


def alert(house: House, stream_id: int) -> int:
    with house.app.unit() as unit:
        stream = unit.session.get_one(Stream, stream_id)
        made = open_alert(unit, stream, "down", at=house.app.clock.now(), cause="timeout", detail="Late.")
        assert made is not None
        return made


def post(house: House, path: str, body: dict[str, Any], role: Any = "admin", organisation: str = "default") -> Any:
    return house.client.post(path, headers=house.bearer(role, organisation), json=body)


def test_alerts_are_listed_and_acknowledged_by_each_organisation_for_itself(house: House, stream_id: int) -> None:
    alert_id = alert(house, stream_id)
    ours, theirs = house.bearer(), house.bearer("operator", "other")
    seen = post(house, f"{ALERTS}/{alert_id}/ack", {"note": "on it"}).json()
    assert (seen["id"], seen["ack"]["note"]) == (alert_id, "on it")
    assert house.client.get(ALERTS, headers=theirs).json()[0]["ack"] is None
    assert house.client.get(f"{ALERTS}?open=true&acknowledged=false", headers=ours).json() == []
    assert len(house.client.get(f"{ALERTS}?stream_id={stream_id}&kind=down", headers=ours).json()) == 1
    assert house.client.delete(f"{ALERTS}/{alert_id}/ack", headers=ours).json()["ack"] is None
    assert post(house, f"{ALERTS}/999999/ack", {}).status_code == 404
    assert post(house, f"{ALERTS}/{alert_id}/ack", {}, "viewer").status_code == 403


def test_a_channel_is_made_tried_subscribed_and_deleted(house: House, stream_id: int) -> None:
    del stream_id
    with mail_server() as mail:
        object.__setattr__(house.app.settings, "smtp_host", "127.0.0.1")
        object.__setattr__(house.app.settings, "smtp_port", mail.port)
        object.__setattr__(house.app.settings, "smtp_security", "none")
        made = post(
            house, CHANNELS, {"kind": "email", "addresses": ["ops@a.test"], "quiet_from": "22:00", "quiet_to": "07:00"}
        )
        assert made.status_code == 201, made.text
        path = f"{CHANNELS}/{made.json()['id']}"
        assert made.headers["Location"] == path
        tried = post(house, f"{path}/test", {}).json()
        assert (tried["status"], mail.got[0][0]) == ("sent", ["ops@a.test"])
    assert house.client.get(f"{path}/messages", headers=house.bearer()).json()[0]["scope"] == "test"
    wanted = post(
        house, SUBSCRIPTIONS, {"channel_id": made.json()["id"], "kinds": ["down"], "countries": ["gh"]}
    ).json()
    assert wanted["countries"] == ["GH"]
    assert house.client.get(SUBSCRIPTIONS, headers=house.bearer("operator", "other")).json() == []
    assert house.client.get(path + "/messages", headers=house.bearer("operator", "other")).status_code == 404
    changed = house.client.put(path, headers=house.bearer(), json={"kind": "email", "addresses": ["b@a.test"]}).json()
    assert (changed["addresses"], changed["quiet_from"]) == (["b@a.test"], None)
    assert house.client.delete(f"{SUBSCRIPTIONS}/{wanted['id']}", headers=house.bearer()).status_code == 204
    assert house.client.delete(path, headers=house.bearer()).status_code == 204
    assert house.client.get(CHANNELS, headers=house.bearer()).json() == []


def test_a_webhooks_secret_is_shown_once_and_the_operators_services_are_not_for_others(house: House) -> None:
    made = post(house, CHANNELS, {"kind": "webhook", "addresses": ["http://receiver.test/"]}).json()
    assert made["secret"].startswith("whsec_")
    assert "secret" not in house.client.get(CHANNELS, headers=house.bearer()).json()[0]
    assert post(house, CHANNELS, {"kind": "operator", "addresses": ["desk"]}, "admin", "other").status_code == 403
    assert house.client.get("/api/v1/alert-choices", headers=house.bearer()).json()["operator_names"] == []


def test_history_is_served_raw_and_rolled_up(house: House, stream_id: int) -> None:
    now = house.app.clock.now().replace(minute=30)
    with house.app.unit() as unit:
        for hours in range(5):
            unit.session.add(
                StreamMetric(
                    stream_id=stream_id,
                    response_time_ms=100,
                    uptime_percentage=100.0,
                    error_count=0,
                    last_error_type="",
                    bandwidth_kbps=128,
                    check_timestamp=now - timedelta(hours=hours),
                    is_healthy=hours != 2,
                    cause="timeout" if hours == 2 else "",
                )
            )
    path, until = f"/api/v1/streams/{stream_id}/history", (now + timedelta(minutes=1)).isoformat()
    raw = house.client.get(path, params={"step": "raw", "to": until}).json()
    hours = house.client.get(path, params={"step": "hour", "to": until}).json()
    assert len(raw) == len(hours) == 5
    assert [one["successes"] for one in hours] == [1, 1, 0, 1, 1]
    assert hours[2]["causes"] == {"timeout": 1}
    assert house.client.get(path, params={"step": "raw", "from": "1999-01-01T00:00:00Z"}).status_code == 422
    assert house.client.get("/api/v1/streams/999999/history").status_code == 404


def test_what_is_learnt_of_a_stream_is_shown(house: House, stream_id: int) -> None:
    plain = house.client.get(f"/api/v1/streams/{stream_id}/outlook").json()
    assert plain == {"is_flapping": False, "degrading": [], "time_zone": None, "off_hours": []}
    today = int(house.app.clock.now().timestamp() // 86_400)
    days = tuple((today - back, 0xFFFFF0, 0xF) for back in range(15))
    with house.app.unit() as unit:
        now = house.app.clock.now()
        habit = packed(Habit(days[0], days[1:]))
        unit.session.add(StreamHabit(stream_id=stream_id, time_zone="UTC", days=habit, updated_at=now))
    shown = house.client.get(f"/api/v1/streams/{stream_id}/outlook").json()
    assert set(range(4)) <= set(shown["off_hours"])
    assert 12 not in shown["off_hours"]
    assert house.client.get("/api/v1/analysis/host", headers=house.bearer()).json() == []


def test_a_takedown_is_asked_for_and_granted(house: House, stream_id: int) -> None:
    asked = house.client.post(
        "/api/v1/takedown", json={"url": "http://radio.test/live", "reason": "Ours.", "contact": "me@radio.test"}
    )
    assert asked.status_code == 202, asked.text
    assert "contact" not in asked.json()
    [waiting] = house.client.get("/api/v1/takedown?status=open", headers=house.bearer()).json()
    decision = post(house, f"/api/v1/takedown/{waiting['id']}/decision", {"grant": True, "answer": "Done."})
    assert decision.status_code == 204
    with house.app.read() as session:
        assert session.scalar(select(Stream.state).where(Stream.id == stream_id)) == RETIRED
    assert post(house, "/api/v1/streams", {"url": "http://radio.test/live"}).status_code == 409
    [entry] = house.client.get("/api/v1/blocked", headers=house.bearer()).json()
    assert house.client.delete(f"/api/v1/blocked/{entry['id']}", headers=house.bearer()).status_code == 204
    assert post(house, "/api/v1/blocked", {"kind": "pattern", "value": "*"}).status_code in {400, 422}
    assert house.client.get("/api/v1/takedown", headers=house.bearer("operator")).status_code == 403
