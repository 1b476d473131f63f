"""A small installation with a library of three made songs and one stream, for the listening room."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from airledger.fingerprint.params import ENGINE_VERSION, PROFILES, params_hash
from airledger.fingerprint.peaks import extract
from airledger.listening.models import ListeningSession
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.platform.storage import Folder
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import to_bytes
from airledger.repertoire.models import Recording
from airledger.stations.models import PLAYING, Stream

RATE_HZ = 8_000
SONG_S = 60


@lru_cache(maxsize=8)
def made_song(seed: int, seconds: int = SONG_S) -> NDArray[np.float32]:
    """A tune of random notes with overtones and decay: float32, 8 kHz."""
    random = np.random.default_rng(seed)
    sound = np.zeros(seconds * RATE_HZ)
    for voice in range(3):
        position = 0
        while position < len(sound):
            length = int(random.uniform(0.12, 0.5) * RATE_HZ)
            time_s = np.arange(min(length, len(sound) - position)) / RATE_HZ
            pitch_hz = 110 * 2 ** (random.integers(0, 36) / 12) * (1 + voice / 2)
            tone = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in (1, 2, 3) if pitch_hz * k < 3_800)
            sound[position : position + len(time_s)] += tone * np.exp(-4 * time_s)
            position += length
    scaled = 0.2 * sound / np.abs(sound).max() + 0.001 * random.standard_normal(len(sound))
    made: NDArray[np.float32] = scaled.astype(np.float32)
    made.setflags(write=False)
    return made


@dataclass
class House:
    """What a listener needs, and what is in it."""

    database: Database
    clock: SystemClock
    library: LibraryIndex
    organisation_id: UUID
    recordings: list[UUID]
    songs: list[NDArray[np.float32]]
    stream_id: int
    session_id: UUID
    folder: Path

    def want(self, *, wanted: bool = True) -> None:
        with self.database.unit() as unit:
            row = unit.session.get(ListeningSession, self.session_id)
            assert row is not None
            row.is_wanted = wanted


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    database, clock, storage = Database(f"sqlite:///{tmp_path}/a.db"), SystemClock(), Folder(tmp_path / "objects")
    upgrade(database)
    songs = [made_song(seed) for seed in range(3)]
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
        recordings = [enrol_song(unit.session, storage, organisation_id, n, song) for n, song in enumerate(songs)]
        stream = Stream(
            url="http://station.test/",
            url_key="k",
            host="station.test",
            search_text="test",
            name="Test",
            tags=[],
            warnings=[],
            state=PLAYING,
            has_sound=True,
            created_at=clock.now(),
            updated_at=clock.now(),
        )
        unit.session.add(stream)
        unit.session.flush()
        session_id, stream_id = uuid4(), stream.id
        unit.session.add(
            ListeningSession(
                session_id=session_id, organisation_id=organisation_id, stream_id=stream_id, status="waiting", config={}
            )
        )
    library = LibraryIndex(tmp_path / "index", database, storage)
    library.sync()
    yield House(database, clock, library, organisation_id, recordings, songs, stream_id, session_id, tmp_path)
    database.close()


def enrol_song(session, storage, organisation_id, number, song) -> UUID:  # type: ignore[no-untyped-def]  # noqa: ANN001
    params = PROFILES["balanced"]
    storage.put(f"peaks/{number}.npz", to_bytes(extract(song, params, dense="reference")))
    recording = Recording(
        organisation_id=organisation_id,
        title=f"Song {number}",
        artist="Made",
        duration_ms=len(song) * 1000 // RATE_HZ,
        source_name=f"{number}.wav",
        content_sha256=str(number),
        tags={},
        created_at=SystemClock().now(),
    )
    session.add(recording)
    session.flush()
    session.add(
        Fingerprint(
            recording_id=recording.id,
            organisation_id=organisation_id,
            engine_version=str(ENGINE_VERSION),
            params_hash=params_hash(params),
            peaks_key=f"peaks/{number}.npz",
            duration_ms=recording.duration_ms,
            audible_from_ms=0,
            audible_to_ms=recording.duration_ms,
            quality={},
            created_at=SystemClock().now(),
        )
    )
    identity: UUID = recording.id
    return identity
