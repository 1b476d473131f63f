"""A batch spread over three workers, each with a disk of its own: embedded, and carried by Celery on Redis."""

import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from airledger.app import Airledger
from airledger.fingerprint.match import match
from airledger.fingerprint.peaks import Peaks, extract
from airledger.platform.audit import SYSTEM
from airledger.platform.settings import Settings
from airledger.platform.tasks.celery import Sender, carrier
from airledger.platform.tasks.rows import FAILED, TaskRow
from airledger.recognition.batches import get_batch, parts_by_worker
from airledger.recognition.jobs import BUILD_SHARD, RECOGNISE_BATCH
from airledger.recognition.models import FINISHED, RecognitionBatch
from library_house import RATE_HZ, Library
from made_tracks import enrol_made
from servers.redis import RedisServer
from tunes import excerpt, faster, noise, tune

SHARDS, WORKERS, TRACKS = 6, 3, 18
PATIENCE_S = 400.0  # three processes that load the engine on a busy machine
WORKER = """
import sys
from airledger.platform.settings import load_settings
from airledger.worker import run_worker
run_worker(load_settings(), ("recognise", "analyse"))
"""


@dataclass
class Cluster:
    """Three workers on machines of their own: what they share is the database, storage, and perhaps a broker."""

    app: Airledger
    workers: list["subprocess.Popen[bytes]"]
    logs: list[Path]
    sender: Sender | None

    def until(self, is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_true():
            said = "\n".join(log.read_text() for log in self.logs)
            assert time.monotonic() < deadline, said
            assert all(worker.poll() is None for worker in self.workers), said
            with self.app.read() as session:
                failed = session.scalars(select(TaskRow.error).where(TaskRow.status == FAILED)).all()
            assert not failed
            if self.sender is not None:
                self.sender.turn()
            threading.Event().wait(0.1)

    def enqueue(self, name: str, **args: object) -> None:
        with self.app.unit() as unit:
            self.app.tasks.enqueue(unit.session, name, args, now=self.app.clock.now())


def environment(folder: Path, machine: str, broker_url: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
    shared = {
        "AIRLEDGER_DATA": str(folder / machine),
        "AIRLEDGER_DATABASE_URL": f"sqlite:///{folder}/shared.db",
        "AIRLEDGER_STORAGE_URL": f"file://{folder}/objects",
        "AIRLEDGER_INDEX_SHARDS": str(SHARDS),
    }
    return {**plain, **shared, **({"AIRLEDGER_BROKER_URL": broker_url} if broker_url else {})}


@pytest.fixture(params=["embedded", "celery"])
def cluster(request: pytest.FixtureRequest, tmp_path: Path, redis_server: RedisServer) -> Iterator[Cluster]:
    broker_url = ""
    if request.param == "celery":
        redis_server.start()
        redis_server.empty()
        broker_url = redis_server.url
    settings = Settings(
        data=tmp_path / "own",
        database_url=f"sqlite:///{tmp_path}/shared.db",
        storage_url=f"file://{tmp_path}/objects",
        index_shards=SHARDS,
    )
    with Airledger.open(settings) as app:
        app.declare_tasks()
        workers, logs = [], []
        try:
            for number in range(WORKERS):
                logs.append(tmp_path / f"worker-{number}.log")
                with logs[-1].open("wb") as out:
                    env = environment(tmp_path, f"machine-{number}", broker_url)
                    workers.append(subprocess.Popen([sys.executable, "-c", WORKER], env=env, stdout=out, stderr=out))
            yield Cluster(
                app, workers, logs, Sender(carrier(broker_url), app.database, app.clock) if broker_url else None
            )
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()


def test_three_workers_answer_as_one_index_does(cluster: Cluster, tmp_path: Path) -> None:
    app = cluster.app
    library = Library(app.enroller(app.organisation_id, SYSTEM), tmp_path)
    enrol_made(library, range(TRACKS))
    for shard in range(SHARDS):
        cluster.enqueue(BUILD_SHARD, shard=shard)
    cluster.until(lambda: app.index_here.due(1) == [])

    sounds = [excerpt(tune(seed), 8.0, 12.0) for seed in range(TRACKS)]
    sounds += [faster(excerpt(tune(3), 5.0, 15.0), 0.98), noise(12.0)]
    queries = [extract(one, app.index_here.params, dense="query") for one in sounds]
    own = library.index()
    wanted = [[one for one in match(own.index, peaks) if one.score >= 0.5] for peaks in queries]
    asked = [ask(cluster, queries) for _ in range(3)]
    cluster.until(lambda: all(is_over(app, one) for one in asked))

    with app.read() as session:
        batches = [get_batch(session, app.organisation_id, one) for one in asked]
        workers = {name for one in asked for name in parts_by_worker(session, one)}
    for batch in batches:
        assert batch.answers is not None
        for got, expected in zip(batch.answers, wanted, strict=True):
            named = [own.tracks.get(one.track) for one in expected]
            assert [one["recording_id"] for one in got] == [str(one.recording_id) for one in named if one]
            assert [one["offset_s"] for one in got] == pytest.approx([one.offset_s for one in expected], abs=0.02)
            assert [one["score"] for one in got] == pytest.approx([one.score for one in expected], abs=0.01)
    assert [len(one) for one in batches[0].answers or []] == [1] * (TRACKS + 1) + [0]
    assert len(workers) > 1
    if cluster.sender is None:  # nobody carries messages while a command waits
        ask_by_command(tmp_path)


def ask_by_command(tmp_path: Path) -> None:
    sound = (tune(5)[: 30 * RATE_HZ] * 32_000).astype(np.int16)
    with wave.open(str(tmp_path / "five.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, len(sound), "NONE", ""))
        file.writeframes(sound.tobytes())
    command = [
        sys.executable,
        "-m",
        "airledger",
        "library",
        "ask",
        str(tmp_path / "five.wav"),
        "--json",
        "--start-s",
        "4",
    ]
    env = environment(tmp_path, "own", "")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["found"]
    assert found["title"] == "Tune 5"
    assert abs(found["offset_s"] - 4) < 0.1


def ask(cluster: Cluster, queries: list[Peaks]) -> UUID:
    app = cluster.app

    def enqueue(session: object, batch_id: UUID) -> None:
        app.tasks.enqueue(session, RECOGNISE_BATCH, {"batch": str(batch_id)}, now=app.clock.now())  # type: ignore[arg-type]

    return app.index_here.batches().ask(app.organisation_id, queries, enqueue)


def is_over(app: Airledger, batch_id: UUID) -> bool:
    with app.read() as session:
        return session.get_one(RecognitionBatch, batch_id).status == FINISHED
