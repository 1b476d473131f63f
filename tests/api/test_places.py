"""Places over HTTP: read by all, said and confirmed by moderators."""

from typing import Any

from sqlalchemy import select

from airledger.platform.audit import AuditEntry
from airledger.platform.clock import SystemClock
from airledger.stations.models import Geolocation
from airledger.stations.places.models import PlaceVote
from api_house import House, add_stream


def stream(house: House, number: int, share: float | None = None) -> int:
    """Add a stream; with a share, one that machines hold for Ghanaian as surely."""
    now = SystemClock().now()
    with house.app.unit() as unit:
        made = add_stream(unit, now, number)
        unit.session.flush()
        if share is not None:
            vote = PlaceVote(
                stream_id=made.id, method="text", country_code="GH", confidence=share, evidence={"words": "x"}, at=now
            )
            place = Geolocation(
                stream_id=made.id, latitude=7.9, longitude=-1.0, accuracy_radius_km=300, country_code="GH",
                country_probability=share, candidates=[["GH", share], ["NG", 1 - share]], geocoding_method="country",
                confidence_score=share, verified=False, located_at=now,
            )  # fmt: skip
            unit.session.add_all([vote, place])
        return made.id


def test_anybody_reads_the_place_and_its_votes(house: House) -> None:
    one = stream(house, 1, 0.6)
    told = house.client.get(f"/api/v1/streams/{one}/place").json()
    assert (told["country_code"], told["country_probability"], told["verified"]) == ("GH", 0.6, False)
    assert [(vote["method"], vote["evidence"]) for vote in told["votes"]] == [("text", {"words": "x"})]
    assert sum(candidate["probability"] for candidate in told["candidates"]) <= 1
    assert house.client.get("/api/v1/streams/999999/place").status_code == 404


def test_a_moderator_says_where_a_stream_is(house: House) -> None:
    one = stream(house, 1, 0.6)
    path, moderator = f"/api/v1/streams/{one}/place", house.bearer("moderator")
    body: dict[str, Any] = {"country_code": "NG", "city": "Lagos", "note": "their imprint"}
    assert house.client.post(path, json=body).status_code == 401
    assert house.client.post(path, json=body, headers=house.bearer("viewer")).status_code == 403
    for wrong in ({"country_code": "QQ"}, {"country_code": "ng"}, {**body, "latitude": 91}, {**body, "more": 1}):
        assert house.client.post(path, json=wrong, headers=moderator).status_code in {400, 422}, wrong
    told = house.client.post(path, json=body, headers=moderator).json()
    assert (told["country_code"], told["city"], told["verified"]) == ("NG", "Lagos", True)
    assert (told["country_probability"], told["geocoding_method"]) == (1.0, "moderator")
    assert house.client.get(path).json() == told
    with house.app.read() as session:
        assert "placed" in set(session.scalars(select(AuditEntry.action)))


def test_the_least_sure_come_first_until_somebody_confirms_them(house: House) -> None:
    ids = {share: stream(house, number, share) for number, share in enumerate((0.8, 0.4, 0.6, 0.95), 1)}
    moderator = house.bearer("moderator")
    path = "/api/v1/places/unsure"
    assert house.client.get(path).status_code == 401
    first = house.client.get(f"{path}?limit=2", headers=moderator)
    assert [one["stream_id"] for one in first.json()] == [ids[0.4], ids[0.6]]
    rest = house.client.get(first.links["next"]["url"], headers=moderator).json()
    assert [one["stream_id"] for one in rest] == [ids[0.8]]
    assert house.client.get(f"{path}?cursor=nonsense", headers=moderator).status_code in {400, 422}
    verify = f"/api/v1/streams/{ids[0.4]}/place/verify"
    assert house.client.put(verify).status_code == 401
    assert house.client.put(verify, headers=house.bearer("viewer")).status_code == 403
    assert house.client.put(verify, headers=moderator).json()["verified"] is True
    assert [one["stream_id"] for one in house.client.get(path, headers=moderator).json()] == [ids[0.6], ids[0.8]]
