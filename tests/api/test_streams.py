"""The mission's contract of /streams and /stats, paging, and what people do to a stream."""

import pytest
from sqlalchemy import event, func, select

from airledger.platform.audit import AuditEntry
from airledger.platform.tasks.rows import TaskRow
from airledger.stations.models import FAILING, Stream
from api_house import House, add_history, add_stream, furnish

MISSION_FIELDS = {
    "id", "url", "name", "type", "genre", "bitrate", "codec", "country_code", "country_name", "city", "language",
    "website", "description", "tags", "is_active", "last_checked", "last_success", "check_frequency",
    "reliability_score", "quality_score", "created_at", "latitude", "longitude",
}  # fmt: skip
MISSION_STATS = {"total_streams", "radio_streams", "tv_streams", "active_streams", "avg_reliability", "countries"}


def ids(house: House, query: str = "") -> list[int]:
    answer = house.client.get(f"/api/v1/streams{query}")
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def test_a_row_has_every_field_of_the_mission_and_its_place(house: House) -> None:
    furnish(house)
    row = house.client.get("/api/v1/streams").json()[0]
    assert row.keys() >= MISSION_FIELDS
    assert (row["latitude"], row["longitude"], row["tags"]) == (52.5, 13.4, ["pop"])


def test_by_default_active_reliable_and_proven_ones_come_best_first(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        good = add_stream(unit, now, 1, reliability_score=0.9, quality_score=0.5)
        better = add_stream(unit, now, 2, reliability_score=0.9, quality_score=0.8)
        best = add_stream(unit, now, 3, reliability_score=0.95, quality_score=0.1)
        add_stream(unit, now, 4, reliability_score=0.7)
        add_stream(unit, now, 5, is_active=False)
        add_stream(unit, now, 6, state=FAILING)
    assert ids(house) == [best.id, better.id, good.id]
    assert len(ids(house, "?all=true")) == 6
    assert len(ids(house, "?state=failing")) == 1


def test_filters_narrow(house: House) -> None:
    found = furnish(house)
    assert ids(house, "?type=tv&all=true") == [found.unproven_id]
    assert ids(house, "?country=de") == [found.stream_id]
    assert ids(house, "?q=station+2&all=true") == [found.unproven_id]
    assert ids(house, "?bbox=13,52,14,53") == [found.stream_id]
    assert ids(house, "?bbox=14,52,15,53") == []


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=10001", "type=film", "country=DEU", "bbox=1,2,3", "bbox=a,b,c,d", "bbox=nan,1,2,3",
     "cursor=%21%21", "cursor=WzEsMl0", "state=odd", f"q={'x' * 201}"],
)  # fmt: skip
def test_what_cannot_be_used_is_named(house: House, query: str) -> None:
    answer = house.client.get(f"/api/v1/streams?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"


def test_pages_follow_each_other_without_loss_or_repeat(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        for number in range(25):
            add_stream(unit, now, number, reliability_score=0.8 + (number % 3) / 100, quality_score=(number % 4) / 10)
    whole = ids(house)
    seen: list[int] = []
    path: str | None = "/api/v1/streams?limit=4&q=station"
    while path:
        answer = house.client.get(path)
        seen += [row["id"] for row in answer.json()]
        path = answer.links.get("next", {}).get("url")
        assert path is None or path.startswith("/api/v1/streams?")
    assert seen == whole


def test_listing_a_hundred_streams_takes_one_query(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        for number in range(100):
            add_history(unit, add_stream(unit, now, number), now)
    queries: list[str] = []
    event.listen(house.app.database.engine, "before_cursor_execute", lambda *given: queries.append(given[2]))
    assert len(ids(house)) == 100
    assert len([one for one in queries if one.startswith("SELECT")]) == 1


@pytest.mark.parametrize(
    "query", ["q=station", "country=de", "near=52.5,13.4&radius_km=100", "q=station&country=de&bbox=0,0,50,60",
              "playable_in=native", "changed_since=2020-01-01T00:00:00Z"],
)  # fmt: skip
def test_narrowing_takes_two_queries_at_most(house: House, query: str) -> None:
    furnish(house)
    queries: list[str] = []
    event.listen(house.app.database.engine, "before_cursor_execute", lambda *given: queries.append(given[2]))
    house.client.get(f"/api/v1/streams?{query}").raise_for_status()
    assert 1 <= len([one for one in queries if one.startswith("SELECT")]) <= 2


def test_paths_answer_with_and_without_a_trailing_slash(house: House) -> None:
    found = furnish(house)
    for path in ("/api/v1/streams", "/api/v1/stats", f"/api/v1/streams/{found.stream_id}", "/healthz"):
        plain, slashed = house.client.get(path), house.client.get(f"{path}/", follow_redirects=False)
        assert (plain.status_code, slashed.status_code) == (200, 200)
        assert slashed.json() == plain.json()


def test_stats_have_the_missions_keys_and_ours(house: House) -> None:
    furnish(house)
    stats = house.client.get("/api/v1/stats").json()
    assert stats.keys() >= MISSION_STATS
    assert (stats["total_streams"], stats["radio_streams"], stats["tv_streams"]) == (2, 1, 1)
    assert stats["countries"] == "DE,FR"
    assert (stats["plays_total"], stats["recordings_total"], stats["sessions_live"]) == (1, 1, 1)
    assert stats["streams_by_state"] == {"playing": 1, "unproven": 1}


def test_a_stream_has_its_history(house: House) -> None:
    found = furnish(house)
    checks = house.client.get(f"/api/v1/streams/{found.stream_id}/checks").json()
    metrics = house.client.get(f"/api/v1/streams/{found.stream_id}/metrics").json()
    assert [(row["level"], row["is_healthy"]) for row in checks] == [(4, True)]
    assert [row["uptime_percentage"] for row in metrics] == [100.0]
    for path in ("", "/checks", "/metrics"):
        assert house.client.get(f"/api/v1/streams/999{path}").status_code == 404


def test_a_submitted_stream_is_added_once_proven_soon_and_written_in_the_audit_log(house: House) -> None:
    operator = house.bearer("operator")
    body = {"url": "http://Radio.Test:80/live"}
    first = house.client.post("/api/v1/streams", json=body, headers=operator)
    again = house.client.post("/api/v1/streams", json=body, headers=operator)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == f"/api/v1/streams/{first.json()['id']}"
    with house.app.read() as session:
        assert session.scalar(select(func.count()).select_from(Stream)) == 1
        assert [row.name for row in session.scalars(select(TaskRow))] == ["stations.probe"]
        actors = session.scalars(select(AuditEntry.actor).where(AuditEntry.object_type == "stream")).all()
        assert len(actors) == 2
        assert all(actor.startswith("key:") for actor in actors)


@pytest.mark.parametrize("url", ["ftp://x.test/", "javascript:alert(1)", "http://", "http://x.test/\x00", "x" * 9_000])
def test_an_address_that_cannot_be_used_is_refused(house: House, url: str) -> None:
    answer = house.client.post("/api/v1/streams", json={"url": url}, headers=house.bearer())
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_proof_can_be_asked_for_once(house: House) -> None:
    found, operator = furnish(house), house.bearer("operator")
    path = f"/api/v1/streams/{found.stream_id}/probe"
    assert house.client.post(path, headers=operator).json()["task_id"]
    assert house.client.post(path, headers=operator).json() == {"task_id": None}
    assert house.client.post("/api/v1/streams/999/probe", headers=operator).status_code == 404


def test_listening_starts_and_stops(house: House) -> None:
    found, operator = furnish(house), house.bearer("operator")
    path = f"/api/v1/streams/{found.unproven_id}/listen"
    started = house.client.post(path, headers=operator)
    assert started.status_code == 202
    rows = house.client.get("/api/v1/sessions", headers=operator).json()
    assert started.json()["session_id"] in {row["session_id"] for row in rows if row["is_wanted"]}
    assert house.client.delete(path, headers=operator).status_code == 204
    rows = house.client.get("/api/v1/sessions", headers=operator).json()
    assert started.json()["session_id"] not in {row["session_id"] for row in rows if row["is_wanted"]}
    assert house.client.delete("/api/v1/streams/999/listen", headers=operator).status_code == 404
