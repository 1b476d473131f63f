"""Reviews and cost over HTTP: an organisation's own, decided once, by those who may."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from airledger.listening.models import AudioDetection, ListeningSession, UnknownSound
from airledger.platform.audit import AuditEntry
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import log_play
from airledger.recognition.outside.answer import OutsideAnswer, OutsideMatch
from airledger.recognition.outside.budget import Asker, Refused, reserve, settle
from airledger.recognition.outside.reviews import Doubt, queue_review
from airledger.recognition.outside.share import Limits
from api_house import House, add_stream

MATCH = OutsideMatch(
    "acrcloud", "a1", "Harmattan", ("Ama Serwaa",), isrcs=("GHA012600001",), duration_ms=180_000, score=82.0,
    sample_begin_ms=0, sample_end_ms=11_000, reference_begin_ms=30_000,
)  # fmt: skip


def add_review(house: House) -> UUID:
    """An unknown stretch on a station, and a match that is not sure enough."""
    now = house.app.clock.now()
    key = "reviews/x.wav"
    house.app.storage.put(key, b"RIFF-sound")
    with house.app.unit() as unit:
        stream = add_stream(unit, now)
        session = ListeningSession(organisation_id=house.home_id, stream_id=stream.id, status="listening", config={})
        unit.session.add(session)
        unit.session.flush()
        sound_id = uuid4()
        unit.session.add(
            UnknownSound(
                id=sound_id, organisation_id=house.home_id, stream_id=stream.id, session_id=session.session_id,
                started_at=now - timedelta(seconds=600), ended_at=now - timedelta(seconds=420), state="compared",
                peaks_key="x", clip_key=key, clip_at=now - timedelta(seconds=570),
            )
        )  # fmt: skip
        asker = Asker(house.home_id, None, stream.id)
        doubt = Doubt(asker, now, "ab" * 32, key, "unsure", None, MATCH, 0.76, {"sound_id": str(sound_id)})
        return queue_review(unit, doubt, now)


def test_a_review_is_listed_heard_and_decided_once(house: House) -> None:
    review_id = add_review(house)
    viewer, moderator = house.bearer("viewer"), house.bearer("moderator")
    (listed,) = house.client.get("/api/v1/reviews", headers=viewer).json()
    assert (listed["id"], listed["reason"], listed["outside"]["title"]) == (str(review_id), "unsure", "Harmattan")
    assert (listed["local"], listed["outside_score"], listed["state"]) == (None, 0.76, "open")
    sound = house.client.get(listed["sound"], headers=viewer)
    assert (sound.content, sound.headers["content-type"]) == (b"RIFF-sound", "audio/wav")
    path = f"/api/v1/reviews/{review_id}"
    assert house.client.post(path, headers=house.bearer("operator"), json={"decision": "outside"}).status_code == 403
    assert house.client.post(path, headers=moderator, json={"decision": "local"}).status_code == 422
    assert house.client.post(path, headers=moderator, json={"decision": "maybe"}).status_code == 422
    answer = house.client.post(path, headers=moderator, json={"decision": "outside", "note": "heard it"})
    assert answer.status_code == 200, answer.text
    decided = answer.json()
    assert (decided["state"], decided["decision"], decided["note"]) == ("decided", "outside", "heard it")
    assert house.client.post(path, headers=moderator, json={"decision": "neither"}).status_code == 409
    assert house.client.get("/api/v1/reviews", headers=viewer).json() == []
    assert len(house.client.get("/api/v1/reviews?state=decided", headers=viewer).json()) == 1
    with house.app.unit() as unit:
        (detection,) = unit.session.scalars(select(AudioDetection))
        log_play(unit, detection.detection_id, house.app.clock.now())
        (play,) = unit.session.scalars(select(PlayLog))
        assert (play.detection_source, play.confidence_score) == ("acrcloud", 1.0)
        audited = unit.session.scalars(select(AuditEntry).where(AuditEntry.object_type == "recognition_review")).one()
        assert audited.actor == decided["decided_by"]


def test_another_organisation_sees_no_review_of_ours(house: House) -> None:
    review_id, other = add_review(house), house.bearer("admin", "other")
    assert house.client.get("/api/v1/reviews?state=all", headers=other).json() == []
    for path in (f"/api/v1/reviews/{review_id}", f"/api/v1/reviews/{review_id}/sound"):
        assert house.client.get(path, headers=other).status_code == 404
    answer = house.client.post(f"/api/v1/reviews/{review_id}", headers=other, json={"decision": "neither"})
    assert answer.status_code == 404


def test_reviews_come_in_pages(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        for number in range(5):
            doubt = Doubt(Asker(house.home_id), now, f"{number:064}", None, "unsure", None, MATCH, 0.7, {})
            queue_review(unit, doubt, now + timedelta(seconds=number))
            queue_review(unit, doubt, now)  # the same sound waits once
    seen, path = [], "/api/v1/reviews?limit=2"
    while path:
        answer = house.client.get(path, headers=house.bearer())
        seen += [row["id"] for row in answer.json()]
        path = answer.links.get("next", {}).get("url", "")
    assert len(seen) == len(set(seen)) == 5


def test_cost_is_told_by_day_and_station(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        asker = Asker(house.home_id, None, 7)
        call = reserve(unit, "acrcloud", asker, "x", limits=Limits(), attempt=1, now=now)
        assert not isinstance(call, Refused)
        settle(unit, call, OutsideAnswer("hit", billed_halves=2), latency_ms=700, price_micros=4_000, now=now)
    told = house.client.get("/api/v1/outside", headers=house.bearer("viewer")).json()
    (row,) = told["spent"]
    assert (row["provider"], row["stream_id"], row["requests"], row["hits"]) == ("acrcloud", 7, 1, 1)
    assert (row["billed"], row["cost_micros"]) == (1.0, 4_000)
    assert (told["providers"], told["open_reviews"]) == ([], 0)  # nobody is configured here
    assert house.client.get("/api/v1/outside", headers=house.bearer("viewer", "other")).json()["spent"] == []
