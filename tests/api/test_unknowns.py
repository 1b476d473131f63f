"""Unknown recordings over HTTP: listed, shown, named with all their plays, ignored; classes and duplicates beside."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from airledger.listening.models import (
    AudioDetection,
    ListeningSession,
    UnknownOccurrence,
    UnknownRecording,
    UnknownSound,
)
from airledger.platform.audit import AuditEntry
from airledger.playlog.plays import rebuild
from airledger.recognition.models import Duplicate, Fingerprint
from airledger.recognition.peaks_file import to_bytes
from airledger.repertoire.models import Recording
from api_house import House, add_play, add_stream
from tunes import tune


@pytest.fixture
def unknown(house: House) -> UUID:
    """Give an unknown recording that was heard on three streams."""
    now, identity = house.app.clock.now() - timedelta(days=1), uuid4()
    peaks = to_bytes(extract(tune(1), PROFILES["balanced"], dense="query"))
    with house.app.unit() as unit:
        unit.session.add(
            UnknownRecording(
                id=identity, organisation_id=house.home_id, state="new", first_heard_at=now, last_heard_at=now,
                times_heard=3, stations=3, duration_ms=40_000, suggested_class="music", updated_at=now,
            )
        )  # fmt: skip
        unit.session.flush()
        for number in range(1, 4):
            stream = add_stream(unit, now, number)
            session = ListeningSession(
                organisation_id=house.home_id, stream_id=stream.id, status="listening", config={}
            )
            unit.session.add(session)
            unit.session.flush()
            begin, sound = now + timedelta(hours=number), uuid4()
            house.app.storage.put(f"unknown/{sound}.npz", peaks)
            unit.session.add(
                UnknownSound(
                    id=sound, organisation_id=house.home_id, stream_id=stream.id, session_id=session.session_id,
                    started_at=begin, ended_at=begin + timedelta(seconds=40), state="compared",
                    peaks_key=f"unknown/{sound}.npz",
                )
            )  # fmt: skip
            unit.session.flush()
            unit.session.add(
                UnknownOccurrence(
                    unknown_id=identity, organisation_id=house.home_id, sound_id=sound, stream_id=stream.id,
                    started_at=begin, ended_at=begin + timedelta(seconds=40), score=0.99,
                )
            )  # fmt: skip
    return identity


def test_they_are_listed_and_shown(house: House, unknown: UUID) -> None:
    headers = house.bearer("viewer")
    (one,) = house.client.get("/api/v1/unknowns", headers=headers).json()
    assert (one["id"], one["times_heard"], one["state"]) == (str(unknown), 3, "new")
    shown = house.client.get(f"/api/v1/unknowns/{unknown}", headers=headers).json()
    assert len(shown["airings"]) == 3
    assert shown["airings"][0]["started_at"] > shown["airings"][2]["started_at"]
    assert house.client.get("/api/v1/unknowns?of=named", headers=headers).json() == []
    others = house.bearer("admin", "other")
    assert house.client.get("/api/v1/unknowns", headers=others).json() == []
    assert house.client.get(f"/api/v1/unknowns/{unknown}", headers=others).status_code == 404


def test_naming_writes_all_plays_and_enrols(house: House, unknown: UUID) -> None:
    url, given = f"/api/v1/unknowns/{unknown}/name", {"title": "Found", "artist": "Band", "isrc": "QZ-ALD-26-00001"}
    assert house.client.post(url, json=given, headers=house.bearer("viewer")).status_code == 403
    assert house.client.post(url, json=given, headers=house.bearer("admin", "other")).status_code == 404
    named = house.client.post(url, json=given, headers=house.bearer("operator")).json()
    assert (named["plays"], named["is_enrolled"]) == (3, True)
    with house.app.unit() as unit:
        rebuild(unit, house.app.clock.now())
    played = house.client.get("/api/v1/plays", headers=house.bearer("viewer")).json()
    assert [(one["title"], one["isrc"], one["status"]) for one in played] == [("Found", "QZALD2600001", "finished")] * 3
    again = house.client.post(url, json=given, headers=house.bearer("operator")).json()
    assert (again["plays"], again["is_enrolled"], again["recording_id"]) == (0, False, named["recording_id"])
    with house.app.read() as session:
        assert len(session.scalars(select(AudioDetection)).all()) == 3
        assert session.scalars(select(Fingerprint.duration_ms)).all() == [40_000]
        assert "named" in session.scalars(select(AuditEntry.action)).all()


@pytest.mark.parametrize(
    ("given", "status"),
    [({}, 422), ({"title": "X", "recording_id": str(uuid4())}, 422), ({"recording_id": str(uuid4())}, 404),
     ({"title": "X", "isrc": "none"}, 422), ({"title": "X", "recording_class": "noise"}, 422)],
)  # fmt: skip
def test_a_name_must_be_one(house: House, unknown: UUID, given: dict[str, str], status: int) -> None:
    answer = house.client.post(f"/api/v1/unknowns/{unknown}/name", json=given, headers=house.bearer("operator"))
    assert answer.status_code in {status, 400} if status == 422 else answer.status_code == status
    assert answer.json()["title"]


def test_ignoring(house: House, unknown: UUID) -> None:
    assert house.client.post(f"/api/v1/unknowns/{unknown}/ignore", headers=house.bearer("operator")).status_code == 204
    assert house.client.get("/api/v1/unknowns", headers=house.bearer("viewer")).json() == []
    (one,) = house.client.get("/api/v1/unknowns?of=ignored", headers=house.bearer("viewer")).json()
    assert one["id"] == str(unknown)


def test_a_class_is_changed_and_proves_what_was_aired(house: House) -> None:
    with house.app.unit() as unit:
        stream = add_stream(unit, house.app.clock.now())
        play_id = add_play(unit, house.home_id, stream, house.app.clock.now())
        add_play(unit, house.home_id, stream, house.app.clock.now(), 2)
        recording_id = unit.session.get_one(AudioDetection, play_id).recording_id
    operator = house.bearer("operator")
    url = f"/api/v1/library/{recording_id}"
    changed = house.client.patch(url, json={"recording_class": "advert", "album": None}, headers=operator).json()
    assert (changed["recording_class"], changed["plays"]) == ("advert", 1)
    assert [one["id"] for one in house.client.get("/api/v1/plays?class=advert", headers=operator).json()] == [
        str(play_id)
    ]
    assert len(house.client.get("/api/v1/plays?class=music", headers=operator).json()) == 1
    (advert,) = house.client.get("/api/v1/recordings?class=advert", headers=operator).json()
    assert advert["id"] == str(recording_id)
    assert house.client.patch(url, json={"title": None}, headers=operator).status_code in {400, 422}
    assert house.client.patch(url, json={"isrc": "x"}, headers=operator).status_code in {400, 422}
    assert house.client.patch(url, json={"title": "Y"}, headers=house.bearer("viewer")).status_code == 403


def test_duplicates_are_told_from_either_side(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        rows = [
            Recording(
                organisation_id=house.home_id, title=title, artist="", duration_ms=1, source_name="x",
                content_sha256=title, tags={}, created_at=now,
            )
            for title in ("whole", "part")
        ]  # fmt: skip
        unit.session.add_all(rows)
        unit.session.flush()
        unit.session.add(
            Duplicate(
                organisation_id=house.home_id, recording_id=rows[1].id, of_recording_id=rows[0].id, kind="contained",
                speed=1.02, share=1.0, share_of=0.25, spans=[], score=0.99, found_at=now,
            )
        )  # fmt: skip
        whole, part = rows[0].id, rows[1].id
    headers = house.bearer("viewer")
    (one,) = house.client.get(f"/api/v1/duplicates?recording_id={part}", headers=headers).json()
    assert (one["kind"], one["of_title"], one["share_of"]) == ("contained", "whole", 0.25)
    (other,) = house.client.get(f"/api/v1/duplicates?recording_id={whole}", headers=headers).json()
    assert (other["kind"], other["of_title"], other["share_of"]) == ("contains", "part", 1.0)
    assert len(house.client.get("/api/v1/duplicates", headers=headers).json()) == 1
    assert house.client.get("/api/v1/duplicates", headers=house.bearer("viewer", "other")).json() == []
