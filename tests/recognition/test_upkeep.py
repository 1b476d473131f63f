"""Removing, renewing, clearing away and verifying what is enrolled."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from airledger.fingerprint.params import PROFILES, params_hash
from airledger.platform.clock import SteppedClock
from airledger.platform.errors import NotFoundError
from airledger.platform.events import EventRow
from airledger.platform.storage import Folder
from airledger.platform.tasks.registry import Context, Registry
from airledger.recognition import jobs
from airledger.recognition.clear import GRACE, clear_library
from airledger.recognition.enrol import Enroller
from airledger.recognition.enrol_many import enrol_many
from airledger.recognition.identify import identify
from airledger.recognition.models import EnrolledFile, Fingerprint
from airledger.recognition.remove import remove_recordings
from airledger.recognition.renew import count_stale, find_stale, renew_stale
from airledger.recognition.verify import verify_library
from airledger.repertoire.models import Recording
from airledger.repertoire.recordings import list_recordings
from library_house import RATE_HZ, Library
from made_sound import melody


def enrolled(library: Library, seed: int = 1) -> UUID:
    done = list(enrol_many(library.enroller, [library.file(f"{seed}.mp3", seed)], {}))
    assert [one.outcome for one in done] == ["enrolled"]
    assert done[0].recording_id is not None
    return done[0].recording_id


def remove(library: Library, *recording_ids: UUID) -> int:
    enroller = library.enroller
    with library.database.unit() as unit:
        return remove_recordings(unit, enroller.actor, library.organisation_id, recording_ids, now=enroller.clock.now())


def tracks(library: Library) -> list[Any]:
    with library.database.read() as session:
        return list(session.scalars(select(Fingerprint).order_by(Fingerprint.track)))


def make_stale(library: Library) -> None:
    with library.database.unit() as unit:
        unit.session.execute(update(Fingerprint).values(params_hash="0" * 64, engine_version="0"))


def test_a_removed_recording_is_no_longer_heard_until_its_file_is_enrolled_again(library: Library) -> None:
    recording_id, other = enrolled(library), enrolled(library, 2)
    index = library.index()
    sound = melody(20, rate_hz=RATE_HZ, seed=1)[: 10 * RATE_HZ]
    assert [one.recording_id for one in identify(index, sound).found] == [recording_id]
    assert remove(library, recording_id) == 1
    assert remove(library, recording_id) == 0
    index.sync()
    assert identify(index, sound).found == ()
    assert len(index.index) == len(index.tracks) == 1
    with library.database.read() as session:
        assert [one.id for one in list_recordings(session, library.organisation_id)] == [other]
        assert session.get(Recording, recording_id) is not None
        told = list(session.scalars(select(EventRow.type).order_by(EventRow.id)))
    assert told.count("recording.enrolled") == 2
    assert told[-1] == "recording.removed"
    again = list(enrol_many(library.enroller, [library.folder / "1.mp3"], {}))
    assert [(one.outcome, one.recording_id) for one in again] == [("renewed", recording_id)]
    index.sync()
    assert [one.recording_id for one in identify(index, sound).found] == [recording_id]
    assert tracks(library)[-1].track == 3


def test_all_or_none_are_removed(library: Library) -> None:
    recording_id = enrolled(library)
    with pytest.raises(NotFoundError):
        remove(library, recording_id, uuid4())
    assert len(tracks(library)) == 1


def test_a_fingerprint_of_another_engine_is_left_out_and_made_anew_from_where_it_was_read(library: Library) -> None:
    recording_id = enrolled(library)
    make_stale(library)
    assert len(library.index().index) == 0
    enroller = library.enroller
    with library.database.read() as session:
        assert count_stale(session, enroller.params) == 1
        assert [one.recording_id for one in find_stale(session, enroller.params)] == [recording_id]
    done = renew_stale(lambda *_: enroller, enroller, lambda: False)
    assert (done.renewed, done.needs_file) == (1, 0)
    assert [one.recording_id for one in tracks(library)] == [recording_id]
    assert len(library.index().index) == 1


def test_without_sound_it_waits_for_its_file(library: Library) -> None:
    recording_id = enrolled(library)
    make_stale(library)
    (library.folder / "1.mp3").rename(library.folder / "elsewhere.mp3")
    enroller = library.enroller
    done = renew_stale(lambda *_: enroller, enroller, lambda: False)
    assert (done.renewed, done.needs_file) == (0, 1)
    verdicts = list(verify_library(library.database, enroller.storage, library.index()))
    assert [(one.recording_id, one.verdict) for one in verdicts] == [(recording_id, "stale")]
    again = list(enrol_many(enroller, [library.folder / "elsewhere.mp3"], {}))
    assert [(one.outcome, one.recording_id) for one in again] == [("renewed", recording_id)]


def test_a_kept_source_needs_no_file(library: Library) -> None:
    keeping = Enroller(**{**vars(library.enroller), "keep_sources": True})
    done = list(enrol_many(keeping, [library.file("1.mp3", 1)], {}))
    make_stale(library)
    (library.folder / "1.mp3").unlink()
    assert renew_stale(lambda *_: keeping, keeping, lambda: False).renewed == 1
    (row,) = tracks(library)
    assert row.recording_id == done[0].recording_id
    assert row.params_hash == params_hash(keeping.params)
    assert row.source_sha256 is not None


def test_a_denser_profile_serves_a_thinner_one_and_not_the_other_way(library: Library) -> None:
    dense = Enroller(**{**vars(library.enroller), "params": PROFILES["high_quality"]})
    list(enrol_many(dense, [library.file("1.mp3", 1)], {}))
    sound = melody(20, rate_hz=RATE_HZ, seed=1)[: 10 * RATE_HZ]
    assert len(identify(library.index(), sound).found) == 1
    assert [one.profile for one in tracks(library)] == ["high_quality"]
    enrolled(library, 2)
    with library.database.read() as session:
        assert count_stale(session, PROFILES["balanced"]) == 0
        assert count_stale(session, PROFILES["high_quality"]) == 1


def test_what_no_row_names_is_cleared_away_after_half_a_day(library: Library) -> None:
    recording_id, _ = enrolled(library), enrolled(library, 2)
    storage, clock = library.enroller.storage, SteppedClock(library.enroller.clock.now())
    storage.put("peaks/elsewhere/lost.npz", b"x")
    storage.put("uploads/lost", b"x")
    storage.put("evidence/not-ours", b"x")
    remove(library, recording_id)
    assert clear_library(library.database, storage, clock).objects == 0
    clock.step(GRACE.total_seconds() + 1)
    storage.put("peaks/elsewhere/fresh.npz", b"x")
    cleared = clear_library(library.database, storage, clock)
    assert cleared.objects == 3
    assert "evidence/not-ours" in set(storage.list())
    assert len(list(storage.list("peaks/"))) == 2
    assert library.count(EnrolledFile) == 1
    assert len(library.index().index) == 1


def test_damaged_peaks_are_told(library: Library) -> None:
    enrolled(library)
    index = library.index()
    (row,) = tracks(library)
    library.enroller.storage.put(row.peaks_key, b"damaged")
    assert [one.verdict for one in verify_library(library.database, library.enroller.storage, index)] == ["damaged"]


def declared(library: Library, folders: tuple[Path, ...]) -> Registry:
    registry, enroller = Registry(), library.enroller
    deps = jobs.Deps(
        database=library.database,
        storage=enroller.storage,
        clock=enroller.clock,
        organisation_id=library.organisation_id,
        folders=folders,
        enroller=lambda *_: enroller,
        index=lambda: pytest.fail("no index is asked"),
    )
    jobs.declare(registry, deps)
    return registry


def test_the_missions_tasks_do_what_their_names_say(library: Library) -> None:
    watched = library.folder / "watched"
    watched.mkdir()
    registry = declared(library, (watched, library.folder / "missing"))
    context = Context(uuid4(), 1, lambda _: None, threading.Event().is_set)
    assert registry.get("auto_fingerprint_new_tracks").call(context) == {"stale_renewed": 0, "needs_file": 0}
    library.file("watched/new.mp3", 5)
    first = registry.get("auto_fingerprint_new_tracks").call(context)
    assert first == {"enrolled": 1, "stale_renewed": 0, "needs_file": 0}
    again = registry.get("auto_fingerprint_new_tracks").call(context)
    assert again == {"known": 1, "stale_renewed": 0, "needs_file": 0}
    assert registry.get("cleanup_old_fingerprints").call(context) == {"fingerprints": 0, "objects": 0, "files": 0}


def test_a_folder_lists_below_a_prefix_only(tmp_path: Path) -> None:
    storage = Folder(tmp_path)
    for key in ("a/b/1", "a/b/2", "a/c", "ab/d", "b"):
        storage.put(key, b"")
    assert list(storage.list("a/")) == ["a/b/1", "a/b/2", "a/c"]
    assert list(storage.list("a")) == ["a/b/1", "a/b/2", "a/c", "ab/d"]
    assert list(storage.list("a/b/2")) == ["a/b/2"]
    assert list(storage.list("nothing/")) == []
    assert timedelta(0) < GRACE
