"""The mission's tasks, done by a worker over an App that is configured as an operator would; services on loopback."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from airledger.app import Airledger
from airledger.platform.audit import SYSTEM
from airledger.platform.clock import SteppedClock
from airledger.platform.settings import Settings
from airledger.platform.tasks.queue import claim
from airledger.platform.tasks.registry import QUEUES
from airledger.platform.tasks.rows import DONE, TaskRow
from airledger.platform.tasks.run import Runner
from airledger.platform.tasks.schedules import fire_due
from airledger.recognition.outside import jobs
from airledger.recognition.outside.affiliate import affiliations
from airledger.recognition.outside.forget import forget_sounds
from airledger.recognition.outside.models import RecognitionReview
from airledger.recognition.outside.musicbrainz import MusicBrainz
from airledger.repertoire.describe import Description
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import add_recording
from airledger.testing.scripted_acrcloud import music_item
from airledger.testing.scripted_musicbrainz import ScriptedMusicBrainz, recording
from outside_house import NOON, Cloud, sound

ISRC = "GHA012600001"


@dataclass
class Configured:
    """An App with an ACRCloud account and a MusicBrainz, both on loopback."""

    app: Airledger
    clock: SteppedClock
    cloud: Cloud
    brainz: ScriptedMusicBrainz

    def run(self, name: str, **arguments: Any) -> dict[str, Any]:
        with self.app.unit() as unit:
            task_id = self.app.tasks.enqueue(unit.session, name, arguments, now=self.clock.now())
        self.work()
        with self.app.read() as session:
            row = session.get_one(TaskRow, task_id)
        assert row.status == DONE, row.error
        assert row.result is not None
        return row.result

    def work(self) -> None:
        runner = Runner(self.app.database, self.app.tasks, self.clock, "worker", threading.Event())
        while True:
            with self.app.unit() as unit:
                batch = claim(unit.session, list(QUEUES), "worker", self.clock.now())
            if not batch:
                return
            runner.run(batch[0])

    def record(self, **described: Any) -> UUID:
        with self.app.unit() as unit:
            row = add_recording(
                unit, SYSTEM, self.app.organisation_id, Description(**described), duration_ms=1_000,
                source_name="x", content_sha256=described["title"], tags={}, at=self.clock.now(),
            )  # fmt: skip
            return row.id


@pytest.fixture
def configured(tmp_path: Path, cloud: Cloud, migrated: Path) -> Iterator[Configured]:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated, tmp_path / "data" / "airledger.db")
    brainz, clock = ScriptedMusicBrainz(), SteppedClock(NOON)
    settings = Settings(
        data=tmp_path / "data",
        acrcloud_access_key=SecretStr("key"),
        acrcloud_access_secret=SecretStr("secret"),
        acrcloud_base_url=cloud.scripted.service.url,
        musicbrainz_url=brainz.service.url,
        outside_daily_limit=20,
    )
    with brainz.service, Airledger.open(settings, clock=clock) as app:
        app.declare_tasks()
        unhurried = [replace(one, pause=clock.step) for one in app.isrc.sources if isinstance(one, MusicBrainz)]
        app.isrc = replace(app.isrc, sources=tuple(unhurried))
        yield Configured(app, clock, cloud, brainz)


def test_the_missions_names_are_declared(configured: Configured) -> None:
    names = {"hybrid_audio_detection", "acrcloud_identify_audio", "update_isrc_metadata", "batch_update_pro_mappings"}
    assert names <= set(configured.app.tasks.tasks)


def test_hybrid_detection_asks_library_and_outside(configured: Configured) -> None:
    configured.cloud.scripted.everything = [music_item()]
    key = jobs.store_question(configured.app.storage, sound(), configured.clock.now())
    told = configured.run(jobs.HYBRID, sound_key=key, organisation_id=str(configured.app.organisation_id), stream_id=3)
    assert (told["detection_source"], told["isrc"], told["outcome"]) == ("acrcloud", ISRC, "hit")
    assert told["asked"][0]["provider"] == "acrcloud"
    assert list(configured.app.storage.list("questions")) == []


def test_acrcloud_alone_is_asked_by_its_task(configured: Configured) -> None:
    key = jobs.store_question(configured.app.storage, sound(), configured.clock.now())
    told = configured.run(jobs.IDENTIFY, sound_key=key, organisation_id=str(configured.app.organisation_id))
    assert (told["outcome"], told["asked"][0]["code"]) == ("none", 1001)


def test_metadata_fills_what_is_empty_and_nothing_else(configured: Configured) -> None:
    bare = configured.record(title="Harmattan", artist="Ama Serwaa", isrc=ISRC)
    written = configured.record(title="Harmattan (mine)", artist="Ama Serwaa", isrc=ISRC, album="Mine")
    configured.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    told = configured.run(jobs.ISRC_METADATA)
    assert told == {"looked_up": 2, "filled": 1, "outcomes": {"found": 2}}
    with configured.app.read() as session:
        assert session.get_one(Recording, bare).album == "Dust"
        assert session.get_one(Recording, written).album == "Mine"
    assert configured.run(jobs.ISRC_METADATA, recording_ids=[str(bare)])["looked_up"] == 1


def test_mappings_are_noted_as_presumed(configured: Configured) -> None:
    known = configured.record(title="Harmattan", artist="Ama Serwaa", isrc="GBAAA2600001")
    configured.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", "GBAAA2600001", country="NG")
    configured.brainz.recordings["m1"]["artist-credit"][0]["artist"]["country"] = "DE"
    configured.run(jobs.ISRC_METADATA)
    assert configured.run(jobs.PRO_MAPPINGS) == {"mapped": 1, "changed": 1}
    assert configured.run(jobs.PRO_MAPPINGS) == {"mapped": 0, "changed": 0}
    with configured.app.read() as session:
        found = affiliations(session, [known])[known]
    assert (found.society.name, found.level) == ("GEMA", "presumed")


def test_the_nights_work_is_scheduled_and_runs(configured: Configured) -> None:
    configured.app.declare_schedules()
    configured.clock.step(86_400)
    with configured.app.unit() as unit:
        fire_due(unit.session, configured.app.tasks, configured.clock.now())
        names = set(unit.session.scalars(select(TaskRow.name)))
    assert {jobs.PRO_MAPPINGS, jobs.REFIT, jobs.FORGET, "listening.ask_outside"} <= names


def test_sounds_are_forgotten_in_time(configured: Configured) -> None:
    app, now = configured.app, configured.clock.now()
    jobs.store_question(app.storage, sound(), now - timedelta(days=3))
    fresh = jobs.store_question(app.storage, sound(), now)
    for number, age in enumerate((91, 89)):
        key = f"reviews/{number}.wav"
        app.storage.put(key, b"x")
        with app.unit() as unit:
            unit.session.add(
                RecognitionReview(
                    organisation_id=app.organisation_id, heard_at=now, sound_sha256=str(number), sound_key=key,
                    reason="unsure", provider="acrcloud", outside_match={}, outside_score=0.7, context={},
                    created_at=now - timedelta(days=age),
                )
            )  # fmt: skip
    assert forget_sounds(app.database, app.storage, now, days=90) == (1, 1)
    assert sorted(app.storage.list("reviews")) == ["reviews/1.wav"]
    assert list(app.storage.list("questions")) == [fresh]
    with app.read() as session:
        keys = session.scalars(select(RecognitionReview.sound_key).order_by(RecognitionReview.sound_sha256)).all()
    assert keys == [None, "reviews/1.wav"]


def test_nothing_is_asked_without_an_account(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    assert jobs.configured(settings) == []
    assert not jobs.is_configured(settings)
    with Airledger.open(settings, clock=SteppedClock(datetime(2026, 1, 1, tzinfo=UTC))) as app:
        assert app.hybrid.providers == ()
        assert [source.name for source in app.isrc.sources] == ["musicbrainz"]
