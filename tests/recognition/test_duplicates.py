"""Duplicates: the same audio, at another speed, an edit, one within the other; and who gets the plays."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import select

import airledger.app  # noqa: F401  makes every table known
from airledger.fingerprint.params import ENGINE_VERSION, PROFILES, params_hash
from airledger.fingerprint.peaks import extract
from airledger.platform.audit import SYSTEM, Actor
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.platform.storage import Folder
from airledger.recognition.changes import next_revision
from airledger.recognition.duplicates import DuplicateSearch
from airledger.recognition.find_duplicates import FoundDuplicate, find_duplicates
from airledger.recognition.identify import identify
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.models import Fingerprint
from airledger.recognition.overlap_kinds import MIRRORED, PART, kind_of
from airledger.recognition.peaks_file import to_bytes
from airledger.recognition.remove import remove_recordings
from airledger.repertoire.models import Recording
from listening_house import made_song
from tunes import excerpt, faster, noisy

PARAMS = PROFILES["balanced"]
F32 = NDArray[np.float32]


@dataclass
class Shelf:
    """A library to put sounds into."""

    database: Database
    storage: Folder
    clock: SystemClock
    organisation_id: UUID
    index: LibraryIndex
    search: DuplicateSearch

    def put(self, title: str, sound: F32) -> UUID:
        key = f"peaks/{title}.npz"
        self.storage.put(key, to_bytes(extract(sound, PARAMS, dense="reference")))
        with self.database.unit() as unit:
            recording = Recording(
                organisation_id=self.organisation_id, title=title, artist="", duration_ms=len(sound) // 8,
                source_name="x", content_sha256=title, tags={}, created_at=self.clock.now(),
            )  # fmt: skip
            unit.session.add(recording)
            unit.session.flush()
            unit.session.add(
                Fingerprint(
                    recording_id=recording.id, organisation_id=self.organisation_id,
                    engine_version=str(ENGINE_VERSION), params_hash=params_hash(PARAMS), peaks_key=key,
                    duration_ms=len(sound) // 8, audible_from_ms=0, audible_to_ms=len(sound) // 8, quality={},
                    created_at=self.clock.now(), revision=next_revision(unit.session),
                )
            )  # fmt: skip
            return recording.id

    def found(self, *recordings: UUID) -> list[FoundDuplicate]:
        with self.database.read() as session:
            return find_duplicates(session, self.organisation_id, recordings or None)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    database, clock, storage = Database(f"sqlite:///{tmp_path}/a.db"), SystemClock(), Folder(tmp_path / "objects")
    upgrade(database)
    with database.unit() as unit:
        organisation_id = ensure_home(unit, clock)
    index = LibraryIndex(tmp_path / "index", database, storage)
    search = DuplicateSearch(database, storage, clock, index)
    yield Shelf(database, storage, clock, organisation_id, index, search)
    database.close()


SONG, OTHER = made_song(5, 80), made_song(6, 60)


@pytest.mark.parametrize(
    ("sound", "kind", "speed"),
    [
        (noisy(SONG, 20), "same", 1.0),
        (faster(SONG, 1.03), "speed", 1.03),
        (excerpt(SONG, 20, 35), "contained", 1.0),
        (np.concatenate([OTHER, SONG, OTHER[: 30 * 8000]]), "contains", 1.0),
        (np.concatenate([SONG[: 30 * 8000], SONG[50 * 8000 :]]), "edit", 1.0),
        (made_song(7, 60), None, 1.0),
    ],
    ids=["same", "speed", "contained", "contains", "edit", "another song"],
)
def test_what_a_later_recording_is_of_an_earlier_one(shelf: Shelf, sound: F32, kind: str | None, speed: float) -> None:
    first = shelf.put("first", SONG)
    assert shelf.search.turn().found == 0
    second = shelf.put("second", sound.astype(np.float32))
    assert shelf.search.turn().recordings == 1
    found = shelf.found(second)
    if kind is None:
        assert found == []
        return
    (one,) = found
    assert (one.kind, one.of_recording_id) == (kind, first)
    assert one.speed == pytest.approx(speed, abs=0.003)
    (mirrored,) = shelf.found(first)
    assert (mirrored.kind, mirrored.of_recording_id) == (MIRRORED[one.kind], second)  # type: ignore[index]
    assert (mirrored.share, mirrored.share_of) == (one.share_of, one.share)


def test_either_order_of_checking_tells_the_same(shelf: Shelf) -> None:
    ids = [shelf.put("whole", SONG), shelf.put("part", excerpt(SONG, 20, 35)), shelf.put("fast", faster(SONG, 0.97))]
    seen = []
    for order in (ids, ids[::-1]):
        with shelf.database.unit() as unit:
            for row in unit.session.scalars(select(Fingerprint)):
                row.duplicates_checked_at = None
        for one in order:
            shelf.search.turn(only=[one])
        seen.append(sorted((one.recording_id, one.of_recording_id, one.kind) for one in shelf.found()))
    assert seen[0] == seen[1]
    assert {kind for _, _, kind in seen[0]} == {"contained", "speed", "contains"}


def test_the_same_sound_twice_is_one_play(shelf: Shelf) -> None:
    first, second = shelf.put("first", SONG), shelf.put("second", noisy(SONG, 20))
    shelf.search.turn()
    shelf.index.sync()
    heard = excerpt(SONG, 30, 10)
    assert [one.recording_id for one in identify(shelf.index, heard).found] == [first]
    third = shelf.put("third", noisy(SONG, 20, seed=3))
    shelf.search.turn()
    with shelf.database.unit() as unit:
        remove_recordings(
            unit, Actor(SYSTEM.name, shelf.organisation_id), shelf.organisation_id, [first], now=shelf.clock.now()
        )
    shelf.search.turn()
    shelf.index.sync()
    assert [one.recording_id for one in identify(shelf.index, heard).found] == [second]
    with shelf.database.read() as session:
        stands = dict(session.execute(select(Fingerprint.recording_id, Fingerprint.stands_for)).all())
    assert stands == {second: None, third: second}
    fresh = LibraryIndex(shelf.storage.root.parent / "fresh", shelf.database, shelf.storage)
    fresh.sync()
    assert len(fresh.tracks) == 1


@given(
    share=st.floats(0, 1),
    share_of=st.floats(0, 1),
    speed=st.floats(0.9, 1.1),
    alignments=st.integers(1, 4),
)
def test_kinds_are_mirrored(share: float, share_of: float, speed: float, alignments: int) -> None:
    one, other = kind_of(share, share_of, speed, alignments), kind_of(share_of, share, speed, alignments)
    assert other == (None if one is None else MIRRORED[one])
    assert (one is None) == (max(share, share_of) < PART)
