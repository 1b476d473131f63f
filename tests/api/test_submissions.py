"""Submitting by the list: taken from those who may, kept from the others, the same again for the same list."""

from typing import Any

import pytest
from sqlalchemy import func, select

from airledger.stations.models import Listing, Stream
from airledger.stations.submissions import propose
from api_house import House

PLAYLIST = (
    '#EXTM3U\n#EXTINF:-1 tvg-country="GH",Joy\nhttp://joy.example/live\n'
    "#EXTINF:-1,Bad\nrtmp://bad.example/live\nhttp://b.example/\n"
)


def send(house: House, body: Any, role: str = "operator") -> Any:
    headers = house.bearer(role)  # type: ignore[arg-type]
    if isinstance(body, str):
        return house.client.post("/api/v1/submissions", content=body, headers={**headers, "Content-Type": "text/plain"})
    return house.client.post("/api/v1/submissions", json=body, headers=headers)


def outcomes(answer: Any) -> list[tuple[str, str | None]]:
    return [(one["outcome"], one["reason"]) for one in answer.raise_for_status().json()]


def test_a_playlist_is_taken_entry_by_entry(house: House) -> None:
    assert outcomes(send(house, PLAYLIST)) == [("taken", None), ("refused", "unsupported_scheme"), ("taken", None)]
    assert outcomes(send(house, PLAYLIST)) == [("known", None), ("refused", "unsupported_scheme"), ("known", None)]
    with house.app.read() as session:
        joy = session.scalars(select(Stream).where(Stream.name == "Joy")).one()
        assert (joy.country_code, joy.country_name, joy.next_check_at is not None) == ("GH", "Ghana", True)
        assert session.scalars(select(Listing.source)).all() == ["user", "user"]


def test_fields_are_made_fit_to_show(house: House) -> None:
    said = {
        "url": "http://a.example/live", "name": " A\n<b> ", "country_code": "uk", "website": "javascript:alert(1)",
        "tags": ["Rock", "rock"], "bitrate": 96,
    }  # fmt: skip
    assert outcomes(send(house, {"streams": [said]})) == [("taken", None)]
    with house.app.read() as session:
        row = session.scalars(select(Stream)).one()
        assert (row.name, row.country_code, row.website, row.tags) == ("A <b>", "GB", None, ["rock"])


def test_a_viewers_wait_for_a_moderator(house: House) -> None:
    said = {"streams": [{"url": "HTTP://A.example/live", "name": "A"}, {"url": "http://b.example/"}]}
    first = send(house, said, "viewer").json()
    assert [one["outcome"] for one in first] == ["waiting", "waiting"]
    assert send(house, said, "viewer").json() == first
    with house.app.read() as session:
        assert session.scalar(select(func.count()).select_from(Stream)) == 0
    assert house.client.get("/api/v1/submissions", headers=house.bearer("viewer")).status_code == 403
    moderator = house.bearer("moderator")
    rows = house.client.get("/api/v1/submissions?status=pending", headers=moderator).json()
    rows.sort(key=lambda row: row["url"])
    assert [row["url"] for row in rows] == ["http://a.example/live", "http://b.example/"]
    accepted = house.client.post(f"/api/v1/submissions/{rows[0]['id']}/accept", headers=moderator).json()
    assert accepted["status"] == "accepted"
    refused = f"/api/v1/submissions/{rows[1]['id']}/refuse"
    assert house.client.post(refused, json={"reason": "no station"}, headers=moderator).json()["status"] == "refused"
    assert house.client.post(refused, json={"reason": "again"}, headers=moderator).status_code == 409
    assert outcomes(send(house, said, "viewer")) == [("known", None), ("refused", "no station")]
    with house.app.read() as session:
        assert session.scalars(select(Stream.name)).all() == ["A"]


@pytest.mark.parametrize(
    "body",
    [
        "<html></html>",
        {"streams": []},
        {"streams": [{"url": "http://a/", "stars": 5}]},
        {"streams": [{"url": "http://a/"}] * 1_001},
        "http://a.example/\n" * 1_001,
    ],
)
def test_what_is_no_list_is_refused_whole(house: House, body: Any) -> None:
    assert send(house, body).status_code in {400, 422}


def test_a_viewer_has_so_many_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propose, "MAX_WAITING_EACH", 1)
    assert send(house, {"streams": [{"url": "http://a.example/"}]}, "viewer").status_code == 200
    assert send(house, {"streams": [{"url": "http://b.example/"}]}, "viewer").status_code == 413
