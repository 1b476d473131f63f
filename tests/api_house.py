"""An installation with two organisations, a catalogue, a library and a log, and the API over it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from airledger.api.main import build_api
from airledger.app import Airledger
from airledger.listening.models import AudioDetection, Coverage, ListeningSession
from airledger.platform.audit import SYSTEM, Actor, record_change
from airledger.platform.auth.accounts import NewUser, create_organisation, create_user
from airledger.platform.auth.bootstrap import Bootstrap, bootstrap
from airledger.platform.auth.keys import make_key
from airledger.platform.auth.passwords import hash_password
from airledger.platform.auth.rows import User
from airledger.platform.auth.scopes import Role, Scope, parse_role, scopes_of
from airledger.platform.clock import SystemClock
from airledger.platform.db import Unit
from airledger.platform.settings import Settings
from airledger.playlog.models import PlayLog
from airledger.repertoire.models import Recording
from airledger.stations.models import PLAYING, UNPROVEN, Geolocation, Stream, StreamMetric, Verification

PASSWORD = "correct horse battery"


@dataclass
class House:
    """The installation; `key(role)` makes a key of the organisation that runs it, `key(role, "other")` of another."""

    app: Airledger
    api: FastAPI
    client: TestClient
    home_id: UUID
    link: str

    def key(self, role: Role = "admin", organisation: str = "default", scopes: frozenset[Scope] | None = None) -> str:
        with self.app.unit() as unit:
            user = self.person(unit, role, organisation)
            granted = scopes if scopes is not None else scopes_of(parse_role(role), is_home=organisation == "default")
            return make_key(unit, SYSTEM, user, "test", granted, now=self.app.clock.now())[1]

    def bearer(self, role: Role = "admin", organisation: str = "default") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key(role, organisation)}"}

    def person(self, unit: Unit, role: Role, organisation: str = "default", password: str | None = None) -> User:
        email = f"{role}@{organisation}.test"
        known = unit.session.scalar(select(User).where(User.email == email))
        if known is not None:
            return known
        organisation_id = self.home_id if organisation == "default" else other_organisation(unit, self.app)
        new = NewUser(email, role.title(), role, hash_password(password) if password else None)
        return create_user(unit, SYSTEM, organisation_id, new, now=self.app.clock.now())


def other_organisation(unit: Unit, app: Airledger) -> UUID:
    from airledger.platform.auth.rows import Organisation

    known = unit.session.scalar(select(Organisation.id).where(Organisation.slug == "other"))
    return known or create_organisation(unit, SYSTEM, "other", "Other", now=app.clock.now()).id


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Bootstrap]:
    """Give a data folder that was started once, to be copied."""
    data = tmp_path_factory.mktemp("first") / "data"
    with Airledger.open(Settings(data=data)) as app:
        begun = bootstrap(app.database, app.clock)
        build_api(app)
        return data, begun


@pytest.fixture
def house(tmp_path: Path, first_start: tuple[Path, Bootstrap]) -> Iterator[House]:
    data, begun = first_start
    shutil.copytree(data, tmp_path / "data")
    settings = Settings(data=tmp_path / "data", requests_per_minute=6_000)
    with Airledger.open(settings) as app:
        api = build_api(app)
        with TestClient(api, base_url="http://airledger.test") as client:
            yield House(app, api, client, begun.organisation_id, begun.link)


def add_stream(unit: Unit, now: datetime, number: int = 1, **columns: Any) -> Stream:
    url = f"http://station.test/{number}"
    row = Stream(
        **{
            "url": url,
            "url_key": f"key-{number}",
            "host": "station.test",
            "name": f"Station {number}",
            "type": "radio",
            "country_code": "DE",
            "tags": ["pop"],
            "warnings": [],
            "state": PLAYING,
            "search_text": f"station {number} {url}",
            "created_at": now,
            "updated_at": now,
            **columns,
        }
    )
    unit.session.add(row)
    unit.session.flush()
    return row


def add_play(unit: Unit, organisation_id: UUID, stream: Stream, now: datetime, number: int = 1) -> UUID:
    """Add a recording, a session, a detection and its play; return the play's id."""
    recording = Recording(
        organisation_id=organisation_id, title=f"Song {number}", artist="Band", duration_ms=60_000, isrc="QZALD2600001",
        source_name="song.flac", content_sha256=uuid4().hex, tags={}, created_at=now,
    )  # fmt: skip
    unit.session.add(recording)
    session = unit.session.scalar(select(ListeningSession).where(ListeningSession.stream_id == stream.id))
    if session is None:
        session = ListeningSession(
            organisation_id=organisation_id, stream_id=stream.id, status="listening", config={}, started_at=now
        )
        unit.session.add(session)
    unit.session.flush()
    times = {"started_at": now - timedelta(seconds=60 + number), "ended_at": now - timedelta(seconds=number)}
    detection = AudioDetection(
        organisation_id=organisation_id, session_id=session.session_id, stream_id=stream.id,
        recording_id=recording.id, detection_source="local", confidence_score=0.99, processing_status="active",
        reference_start_ms=0, reference_end_ms=60_000, alignment_s=0.0, windows=11, **times,
    )  # fmt: skip
    unit.session.add(detection)
    unit.session.flush()
    unit.session.add(
        PlayLog(
            id=detection.detection_id, organisation_id=organisation_id, audio_detection_id=detection.detection_id,
            stream_id=stream.id, recording_id=recording.id, duration_ms=60_000, status="playing",
            confidence_score=0.99, detection_source="local", **times,
        )
    )  # fmt: skip
    unit.session.add(Coverage(stream_id=stream.id, session_id=session.session_id, kind="heard", cause=None, **times))
    unit.session.flush()
    return detection.detection_id


def add_history(unit: Unit, stream: Stream, now: datetime) -> None:
    unit.session.add(Geolocation(
        stream_id=stream.id, latitude=52.5, longitude=13.4, accuracy_radius_km=25, geocoding_method="city",
        confidence_score=0.8,
    ))  # fmt: skip
    unit.session.add(Verification(
        stream_id=stream.id, checked_at=now, level=4, is_healthy=True, warnings=[], sound_s=12.0, response_time_ms=80,
        bandwidth_kbps=128,
    ))  # fmt: skip
    unit.session.add(StreamMetric(
        stream_id=stream.id, response_time_ms=80, uptime_percentage=100.0, error_count=0, last_error_type="",
        bandwidth_kbps=128, check_timestamp=now,
    ))  # fmt: skip


@dataclass
class Furnished:
    """What `furnish` put in."""

    stream_id: int
    unproven_id: int
    play_id: UUID
    recording_id: UUID
    session_id: UUID


def furnish(house: House) -> Furnished:
    """Put a stream with history, a play and an unproven stream in."""
    now = house.app.clock.now()
    with house.app.unit() as unit:
        stream = add_stream(unit, now)
        add_history(unit, stream, now)
        unproven = add_stream(unit, now, 2, state=UNPROVEN, country_code="FR", type="tv")
        play_id = add_play(unit, house.home_id, stream, now)
        play = unit.session.get_one(PlayLog, play_id)
        session = unit.session.scalars(select(ListeningSession)).one()
        record_change(unit, Actor("system:test", house.home_id), "made", "test", 1, {}, at=now)
        return Furnished(stream.id, unproven.id, play_id, play.recording_id, session.session_id)


__all__ = ["PASSWORD", "Furnished", "House", "SystemClock", "add_play", "add_stream", "first_start", "furnish", "house"]
