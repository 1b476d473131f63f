"""The mission's eight tasks, done by a real worker process: leased from the database, and carried by Celery."""

import io
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from airledger.app import Airledger
from airledger.cli.up import QUEUES_WITH_TASKS
from airledger.platform.settings import Settings
from airledger.platform.tasks.rows import TaskRow
from airledger.recognition.outside.jobs import store_question
from api_house import House
from listening_house import RATE_HZ, made_song
from servers.redis import RedisServer

PATIENCE_S = 240.0
PROCESS = "import sys; from airledger.platform.settings import load_settings; from airledger import worker; "


@dataclass
class Working:
    """An installation whose worker runs in a process of its own."""

    app: Airledger
    log: Path

    def enqueue(self, name: str, **args: Any) -> UUID:
        with self.app.unit() as unit:
            task_id = self.app.tasks.enqueue(unit.session, name, args, now=self.app.clock.now())
        assert task_id is not None
        return task_id

    def finished(self, ids: dict[str, UUID]) -> dict[str, TaskRow]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with self.app.read() as session:
                rows = {row.id: row for row in session.scalars(select(TaskRow).where(TaskRow.id.in_(ids.values())))}
            found = {name: rows[task_id] for name, task_id in ids.items()}
            if all(row.status in {"done", "failed"} for row in found.values()):
                return found
            assert time.monotonic() < deadline, self.log.read_text()[-3_000:]
            threading.Event().wait(0.1)


@pytest.fixture(params=["embedded", "celery"])
def working(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Working]:
    data, log = tmp_path / "data", tmp_path / "worker.log"
    broker = ""
    roles = ["worker"]
    if request.param == "celery":
        redis: RedisServer = request.getfixturevalue("redis_server")
        redis.start()
        redis.empty()
        broker, roles = redis.url, ["worker", "scheduler"]
    env = {**os.environ, "AIRLEDGER_DATA": str(data), "AIRLEDGER_BROKER_URL": broker, "AIRLEDGER_MUSICBRAINZ_URL": ""}
    with Airledger.open(Settings(data=data, broker_url=broker)) as app:
        assert app.organisation_id
        app.declare_tasks()
        with log.open("wb") as out:
            processes = [
                subprocess.Popen(
                    [sys.executable, "-c", f"{PROCESS}worker.run_{role}(load_settings())"],
                    stdout=out, stderr=out, env=env, cwd=tmp_path,
                )
                for role in roles
            ]  # fmt: skip
            try:
                yield Working(app, log)
            finally:
                for process in processes:
                    process.terminate()
                for process in processes:
                    process.wait(60)


def wav(seed: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((made_song(seed, 12) * 32_000).astype("<i2").tobytes())
    return buffer.getvalue()


def test_all_eight_are_done(working: Working) -> None:
    app = working.app
    whose = {"organisation_id": str(app.organisation_id)}
    for number in range(3):
        app.storage.put(f"uploads/20260101/{number}", wav(number))
    pcm = made_song(9, 12).astype(np.float32)
    track = {"key": "uploads/20260101/0", "name": "first.wav", "row": {"title": "First"}}
    more = [{"key": f"uploads/20260101/{number}", "name": f"{number}.wav", "row": {}} for number in (1, 2)]
    by_hand = {**whose, "actor": "user:test", "profile": "balanced"}
    ids = {
        "enhanced_fingerprint_track": working.enqueue("enhanced_fingerprint_track", **by_hand, track=track),
        "batch_enhanced_fingerprint": working.enqueue("batch_enhanced_fingerprint", **by_hand, tracks=more),
        "auto_fingerprint_new_tracks": working.enqueue("auto_fingerprint_new_tracks"),
        "cleanup_old_fingerprints": working.enqueue("cleanup_old_fingerprints"),
        "update_isrc_metadata": working.enqueue("update_isrc_metadata"),
        "batch_update_pro_mappings": working.enqueue("batch_update_pro_mappings"),
    }
    for name in ("hybrid_audio_detection", "acrcloud_identify_audio"):
        key = store_question(app.storage, pcm, app.clock.now())
        ids[name] = working.enqueue(name, sound_key=key, **whose)
    rows = working.finished(ids)
    assert {name: row.error for name, row in rows.items() if row.status == "failed"} == {}
    results = {name: row.result or {} for name, row in rows.items()}
    assert results["enhanced_fingerprint_track"]["title"] == "First"
    assert results["batch_enhanced_fingerprint"]["outcomes"] == {"enrolled": 2}
    assert results["acrcloud_identify_audio"]["outcome"] == "off", "there is no account"
    assert results["hybrid_audio_detection"]["detection_source"] == "none"


def test_every_queue_that_has_tasks_has_a_worker_under_celery(house: House) -> None:
    assert {task.queue for task in house.app.tasks.tasks.values()} == set(QUEUES_WITH_TASKS)
