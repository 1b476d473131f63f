"""Unknown sound on its way: through the outbox and the spool, past a broken storage, and into tasks."""

import json
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import numpy as np
from sqlalchemy import select

from airledger.app import Airledger
from airledger.fingerprint.peaks import Peaks
from airledger.listening import unknown_jobs
from airledger.listening.outbox import Outbox, Target, from_json, to_json
from airledger.listening.unknown_keep import UnknownKeeper
from airledger.listening.unknown_kept import KeptSound
from airledger.listening.unknown_stretch import SoundClip, UnknownStretch
from airledger.platform.events import publish
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings
from airledger.platform.storage import Folder
from airledger.platform.tasks.registry import Context
from airledger.platform.tasks.rows import TaskRow
from airledger.recognition.events import RecordingEnrolled

TARGET = Target(uuid4(), uuid4(), 7, None, "http://x/", "X")


def stretch(revision: int = 1, *, closed: bool = False) -> UnknownStretch:
    some = np.ones(100, np.float32)
    peaks = Peaks(some, 440 * some, 9 * some, 60.0)
    clip = SoundClip(1_000.0, np.arange(96_000, dtype=np.int16), 0.1)
    return UnknownStretch(ID, TARGET, 1_000.0, 1_060.0 * revision, peaks, clip, closed, revision)


ID = uuid4()


class BrokenFolder(Folder):
    """A storage that is full for a while."""

    is_broken = True

    def put(self, key: str, content: BinaryIO | bytes) -> int:
        if self.is_broken:
            raise OSError(28, "No space left on device")
        return super().put(key, content)


def test_what_storage_cannot_take_waits_as_its_newest_state(tmp_path: Path) -> None:
    storage, outbox, counts = BrokenFolder(tmp_path), Outbox(), Counts()
    keeper = UnknownKeeper(storage, outbox, counts)
    keeper._wait([stretch()])
    keeper.store_waiting()
    keeper._wait([stretch(2, closed=True)])
    keeper.store_waiting()
    assert not outbox.take()
    storage.is_broken = False
    keeper.store_waiting()
    (kept,) = outbox.take().unknown.values()
    assert (kept.revision, kept.is_closed, kept.clip_s) == (2, True, 1_000.0)
    assert sorted(storage.list()) == sorted(key for key in (kept.peaks_key, kept.clip_key) if key)
    keeper.store_waiting()
    assert not outbox.take()


def test_it_survives_the_spool(tmp_path: Path) -> None:
    outbox = Outbox()
    keeper = UnknownKeeper(Folder(tmp_path), outbox, Counts())
    keeper._wait([stretch()])
    keeper.store_waiting()
    batch = outbox.take()
    assert isinstance(batch.unknown[ID], KeptSound)
    assert from_json(json.loads(json.dumps(to_json(batch), default=str))) == batch
    assert from_json({"plays": [], "coverage": []}).unknown == {}, "a spool of an earlier version has none"


def test_what_is_enrolled_is_looked_back_for_soon_and_once(tmp_path: Path) -> None:
    with Airledger.open(Settings(data=tmp_path / "data")) as app:
        app.declare_tasks()
        with app.unit() as unit:
            for track in (1, 2):
                publish(unit, RecordingEnrolled(recording_id=uuid4(), track=track), at=app.clock.now())
        app.dispatcher("test").turn()
        with app.read() as session:
            (task,) = session.scalars(select(TaskRow).where(TaskRow.name == unknown_jobs.LOOK_BACK))
        assert task.run_at - app.clock.now() < timedelta(seconds=5)
        context = Context(uuid4(), 1, lambda _: None, lambda: False)
        names = (unknown_jobs.JUDGE, unknown_jobs.COMPARE, unknown_jobs.LOOK_BACK, unknown_jobs.FORGET)
        done = {name: app.tasks.get(name).call(context) for name in names}
        assert done[unknown_jobs.FORGET] == {"speech": 0, "clips": 0, "sounds": 0}
        assert (done[unknown_jobs.COMPARE] or {})["stretches"] == 0
        assert (done[unknown_jobs.LOOK_BACK] or {})["recordings"] == 0
        app.declare_schedules()
        found = app.tasks.get("library.find_duplicates").call(context)
        assert found is not None
        assert (found["recordings"], found["found"]) == (0, 0)
