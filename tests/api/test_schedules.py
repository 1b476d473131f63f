"""Schedules over the API: last and next run, paused, resumed, run by hand."""

from typing import Any

from api_house import House

NAME = "cleanup"


def schedules(house: House) -> dict[str, Any]:
    rows = house.client.get("/api/v1/schedules", headers=house.bearer()).raise_for_status().json()
    return {row["name"]: row for row in rows}


def post(house: House, verb: str, name: str = NAME) -> Any:
    return house.client.post(f"/api/v1/schedules/{name}/{verb}", headers=house.bearer())


def test_the_missions_schedules_are_there(house: House) -> None:
    house.app.declare_schedules()
    found = schedules(house)
    assert found[NAME]["daily_at"] == "02:00"
    assert found["crawl:xiph"]["every_s"] == 6 * 3_600
    assert found[NAME]["last"] is None


def test_pause_and_resume(house: House) -> None:
    house.app.declare_schedules()
    assert post(house, "pause").json()["enabled"] is False
    assert schedules(house)[NAME]["enabled"] is False
    assert post(house, "resume").json()["enabled"] is True
    assert post(house, "pause", "none").status_code == 404


def test_a_run_by_hand_is_told_with_its_end(house: House) -> None:
    house.app.declare_schedules()
    before = schedules(house)[NAME]["next_due"]
    made = post(house, "run")
    assert made.status_code == 202
    assert post(house, "run").status_code == 409
    last = schedules(house)[NAME]["last"]
    assert (last["task_id"], last["status"], last["seconds"]) == (made.json()["task_id"], "pending", None)
    assert schedules(house)[NAME]["next_due"] == before
    assert schedules(house)[NAME]["last_run"] is not None
