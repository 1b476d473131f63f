"""The mission's API: fingerprint a track or many, see how the task goes and how well it all works."""

import io
import json
import threading
import wave
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from airledger.api import limit_requests
from airledger.api.music_monitor_fingerprint import TrackIn
from airledger.api.upload import body_of, plain_name
from airledger.listening.figures import percentiles
from airledger.listening.models import Coverage, ListeningSession
from airledger.platform.tasks.queue import claim
from airledger.platform.tasks.rows import TaskRow
from airledger.platform.tasks.run import Runner
from airledger.recognition.models import Fingerprint
from airledger.recognition.outside.models import OutsideCall, RecognitionReview
from api_house import House, furnish
from listening_house import RATE_HZ, made_song

TRACK, BATCH = "/api/music-monitor/fingerprint/track", "/api/music-monitor/fingerprint/batch"
MISSION_TASKS = {
    "enhanced_fingerprint_track",
    "batch_enhanced_fingerprint",
    "auto_fingerprint_new_tracks",
    "cleanup_old_fingerprints",
    "hybrid_audio_detection",
    "acrcloud_identify_audio",
    "update_isrc_metadata",
    "batch_update_pro_mappings",
}


def wav(seed: int, seconds: int = 12) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((made_song(seed, seconds) * 32_000).astype("<i2").tobytes())
    return buffer.getvalue()


def work_off(house: House, queue: str = "analyse") -> int:
    """Do what is due on a queue, as a worker would."""
    runner = Runner(house.app.database, house.app.tasks, house.app.clock, "test", threading.Event())
    done = 0
    while True:
        with house.app.unit() as unit:
            tasks = claim(unit.session, [queue], "test", house.app.clock.now())
        if not tasks:
            return done
        runner.run(tasks[0])
        done += 1


def status(house: House, started: dict[str, Any]) -> dict[str, Any]:
    answer = house.client.get(started["status_url"] + "/", headers=house.bearer("viewer"))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_missions_eight_tasks_are_there_under_their_names(house: House) -> None:
    assert set(house.app.tasks.tasks) >= MISSION_TASKS


def test_a_track_is_fingerprinted_and_listened_for(house: House) -> None:
    writer = house.bearer("operator")
    sent = {"file": ("../../etc/My song.wav", wav(1), "audio/wav")}
    form = {"profile": "high_quality", "title": "Given", "artist": "Somebody", "isrc": "QZ-ALD-26-00001"}
    answer = house.client.post(f"{TRACK}/", headers=writer, files=sent, data=form)
    assert answer.status_code == 202, answer.text
    started = answer.json()
    assert answer.headers["location"] == started["status_url"]
    assert status(house, started)["status"] == "pending"
    assert work_off(house) == 1
    done = status(house, started)
    assert (done["status"], done["progress"], done["error"]) == ("done", 1.0, None)
    result = done["result"]
    assert (result["outcome"], result["title"], result["profile"]) == ("enrolled", "Given", "high_quality")
    assert result["quality"]["duration_s"] == 12.0
    assert 0 <= result["quality"]["self_similarity"] <= 1
    recording = house.client.get(f"/api/v1/recordings/{result['recording_id']}", headers=writer).json()
    assert (recording["artist"], recording["isrc"]) == ("Somebody", "QZALD2600001")
    assert list(house.app.storage.list("uploads/")) == []
    house.app.library.sync()
    assert len(house.app.library.index.track_numbers()) == 1

    again = house.client.post(TRACK, headers=writer, files=sent, data={"profile": "balanced"}).json()
    work_off(house)
    assert status(house, again)["result"]["outcome"] == "known", "the denser fingerprint serves the thinner profile"
    stats = house.client.get("/api/music-monitor/fingerprint/stats/", headers=writer).json()
    assert stats["library"]["by_profile"] == {"high_quality": 1}
    assert stats["tasks"]["enhanced_fingerprint_track"] == {"done": 2}


def test_a_recording_is_fingerprinted_anew_where_its_sound_is_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = house.bearer("operator")
    for keeps in (False, True):
        with monkeypatch.context() as patched:
            patched.setitem(house.app.settings.__dict__, "keep_sources", keeps)
            sent = {"file": ("a.wav", wav(10 + keeps), "audio/wav")}
            first = house.client.post(TRACK, headers=writer, files=sent).json()
            work_off(house)
            recording_id = status(house, first)["result"]["recording_id"]
            body = {"recording_id": recording_id, "profile": "high_quality"}
            again = house.client.post(TRACK, headers=writer, json=body).json()
            work_off(house)
        result = status(house, again)["result"]
        if keeps:
            assert (result["outcome"], result["profile"], result["recording_id"]) == (
                "renewed", "high_quality", recording_id,
            )  # fmt: skip
        else:
            assert result["outcome"] == "refused"
            assert "keep_sources" in result["reason"]


def test_a_batch_goes_on_past_what_cannot_be_used(house: House) -> None:
    writer = house.bearer("operator")
    files = [("files", (f"{n}.wav", wav(n), "audio/wav")) for n in (21, 22)]
    files += [("files", ("broken.mp3", b"not music at all" * 100, "audio/mpeg")), ("files", files[0][1])]
    started = house.client.post(BATCH, headers=writer, files=files, data={"max_workers": "2"}).json()
    assert started["tracks"] == 4
    work_off(house)
    result = status(house, started)["result"]
    assert [one["outcome"] for one in result["results"]][2] == "refused"
    assert result["outcomes"]["enrolled"] == 2
    assert "broken.mp3" in result["results"][2]["reason"]
    with house.app.read() as session:
        assert len(session.scalars(select(Fingerprint)).all()) == 2
    assert list(house.app.storage.list("uploads/")) == []


def test_what_cannot_be_is_refused_before_a_task_is_made(house: House) -> None:
    ids, writer = furnish(house), house.bearer("operator")
    both = house.client.post(
        TRACK, headers=writer, files={"file": ("a.wav", b"x")}, data={"recording_id": str(ids.recording_id)}
    )
    answers = [
        both,
        house.client.post(TRACK, headers=writer, json={}),
        house.client.post(TRACK, headers=writer, json={"recording_id": str(ids.recording_id), "profile": "best"}),
        house.client.post(TRACK, headers=writer, json=[1]),
        house.client.post(TRACK, headers=writer, files={"other": ("a.wav", b"x")}),
        house.client.post(TRACK, headers=writer, files={"file": ("a.wav", b"")}),
        house.client.post(BATCH, headers=writer, json={"recording_ids": [], "max_workers": 4}),
        house.client.post(BATCH, headers=writer, json={"recording_ids": [str(uuid4())], "max_workers": 5}),
    ]
    assert {answer.status_code for answer in answers} == {422}, [answer.text for answer in answers]
    assert all(answer.headers["content-type"] == "application/problem+json" for answer in answers)
    unknown = house.client.post(TRACK, headers=writer, json={"recording_id": str(uuid4())})
    assert unknown.status_code == 404
    other = house.client.post(
        TRACK, headers=house.bearer("operator", "other"), json={"recording_id": str(ids.recording_id)}
    )
    assert other.status_code == 404
    with house.app.read() as session:
        assert session.scalars(select(TaskRow)).all() == []


def test_a_strangers_upload_is_not_even_read(house: House) -> None:
    def body() -> Any:
        for _ in range(100):
            yield b"x" * 65_536

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert house.client.post(TRACK, content=body(), headers=kind).status_code == 401
    assert list(house.app.storage.list("uploads/")) == []


def test_an_upload_has_a_limit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit_requests.body_limit("/api/v1/streams") == 1 << 20
    assert limit_requests.body_limit(TRACK) > 100 << 20
    monkeypatch.setattr(limit_requests, "body_limit", lambda _: 10_000)
    answer = house.client.post(TRACK, headers=house.bearer(), files={"file": ("a.wav", b"x" * 20_000)})
    assert answer.status_code == 413


def test_a_task_is_shown_to_its_organisation_only(house: House) -> None:
    writer = house.bearer("operator")
    started = house.client.post(TRACK, headers=writer, files={"file": ("a.wav", wav(1))}).json()
    other = house.client.get(started["status_url"], headers=house.bearer("admin", "other"))
    assert other.status_code == 404
    assert house.client.get(f"/api/music-monitor/fingerprint/task/{uuid4()}", headers=writer).status_code == 404


def test_the_figures_tell_what_is_in_the_rows(house: House) -> None:
    ids, now = furnish(house), house.app.clock.now()
    with house.app.unit() as unit:
        session_id = unit.session.scalars(select(ListeningSession.session_id)).one()
        gap = Coverage(
            stream_id=ids.stream_id, session_id=session_id, kind="gap", cause="x",
            started_at=now - timedelta(seconds=20), ended_at=now,
        )  # fmt: skip
        unit.session.add(gap)
        for decision in ("local", "local", "outside", "neither", None):
            unit.session.add(review(house, ids.recording_id, decision))
        for outcome, code in (("hit", 0), ("none", 1001), ("hit", 0)):
            unit.session.add(call(house, outcome, code))
    house.app.counts.add("outside_cache_hits", 3)
    house.app.counts.add("outside_cache_misses", 1)
    house.app.presence("worker").beat()
    stats = house.client.get("/api/music-monitor/fingerprint/stats", headers=house.bearer("viewer")).json()
    assert stats["detections"]["by_source"] == {"local": 1}
    assert stats["detections"]["mean_score"] == 0.99
    assert stats["accuracy"] == {
        "open_reviews": 1, "local_confirmed": 2, "local_rejected": 2, "outside_confirmed": 1, "outside_rejected": 3,
        "confirmed_share": 3 / 8,
    }  # fmt: skip
    assert stats["capture"] == {"taken_in_s": 60.0, "lost_s": 20.0, "success_rate": 0.75}
    assert stats["caches"]["outside"] == {"hits": 3, "misses": 1, "hit_rate": 0.75}
    assert stats["api_usage"]["acrcloud"] == {"requests": 3, "by_outcome": {"hit": 2, "none": 1}, "cost_micros": 30}
    nothing = house.client.get("/api/music-monitor/fingerprint/stats", headers=house.bearer("admin", "other")).json()
    assert nothing["detections"]["count"] == nothing["library"]["tracks"] == 0
    assert nothing["accuracy"]["confirmed_share"] is None


def review(house: House, recording_id: UUID, decision: str | None) -> RecognitionReview:
    return RecognitionReview(
        organisation_id=house.home_id, heard_at=house.app.clock.now(), sound_sha256=uuid4().hex, reason="unsure",
        local_recording_id=recording_id, provider="acrcloud", outside_match={}, outside_score=0.5,
        state="decided" if decision else "open", decision=decision, context={}, created_at=house.app.clock.now(),
    )  # fmt: skip


def call(house: House, outcome: str, code: int) -> OutsideCall:
    now = house.app.clock.now()
    return OutsideCall(
        provider="acrcloud", organisation_id=house.home_id, sharer="house", sound_sha256="x", at=now, day="2026-01-01",
        outcome=outcome, code=code, cost_micros=10, lease_until=now,
    )  # fmt: skip


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([]) == {}
    assert percentiles([5]) == {50: 5, 90: 5, 99: 5}
    assert percentiles(list(range(1, 101))) == {50: 50, 90: 90, 99: 99}


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a.mp3", "a.mp3"), ("../../a.mp3", "a.mp3"), ("C:\\x\\b.wav", "b.wav"), ("\x00", "upload"), (None, "upload")],
)
def test_a_name_leads_nowhere(given: str | None, expected: str) -> None:
    assert plain_name(given) == expected


def test_the_document_tells_of_file_and_fields() -> None:
    described = json.dumps(body_of(TrackIn))
    assert "binary" in described
    assert "high_quality" in described
