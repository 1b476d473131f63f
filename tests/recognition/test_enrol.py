"""Enrolment through decoding, rows, objects and index, and the library's answer."""

from uuid import UUID

import numpy as np
from sqlalchemy import select

from airledger.platform.audit import AuditEntry
from airledger.recognition.changes import forget_tracks
from airledger.recognition.enrol import sound_files
from airledger.recognition.enrol_many import enrol_many
from airledger.recognition.identify import identify
from airledger.recognition.models import Fingerprint
from airledger.repertoire.models import Recording
from library_house import RATE_HZ, Library
from made_sound import encoded, melody


def test_a_file_becomes_a_recording_that_is_recognised(library: Library) -> None:
    path = library.file("a.mp3", 1, tags={"title": "Bright Water", "artist": "Made", "TSRC": "QZALD2600001"})
    done = library.enroller.enrol(path, {"album": "By hand"})
    assert (done.outcome, done.title) == ("enrolled", "Bright Water")
    with library.enroller.database.read() as session:
        recording = session.get(Recording, done.recording_id)
        fingerprint = session.scalars(select(Fingerprint)).one()
    assert recording is not None
    assert (recording.artist, recording.album, recording.isrc) == ("Made", "By hand", "QZALD2600001")
    assert abs(recording.duration_ms - 20_000) < 200
    assert 0 <= fingerprint.audible_from_ms < fingerprint.audible_to_ms <= recording.duration_ms
    sound = melody(20, rate_hz=RATE_HZ, seed=1)[5 * RATE_HZ : 15 * RATE_HZ]
    (found, *_) = identify(library.index(), sound).found
    assert found.recording_id == done.recording_id
    assert abs(found.offset_s - 5.0) < 0.1
    assert found.score > 0.9


def test_doing_it_again_changes_nothing(library: Library) -> None:
    path = library.file("a.mp3", 1)
    first = library.enroller.enrol(path, {})
    audited = library.count(AuditEntry)
    second = library.enroller.enrol(path.rename(library.folder / "b.mp3"), {})
    assert (second.outcome, second.recording_id) == ("known", first.recording_id)
    assert library.count(Recording) == library.count(Fingerprint) == 1
    assert library.count(AuditEntry) == audited


def test_what_cannot_be_used_is_refused_with_its_reason_and_the_rest_goes_on(library: Library) -> None:
    (library.folder / "text.mp3").write_text("this is no music\n" * 100)
    (library.folder / "empty.wav").write_bytes(b"")
    (library.folder / "short.wav").write_bytes(encoded(melody(1), "wav"))
    (library.folder / "silent.wav").write_bytes(encoded(np.zeros(44_100 * 5, np.float32), "wav"))
    library.file("good.ogg", 2, "ogg")
    rows = {"good.ogg": {"isrc": ""}}
    outcomes = {one.file.name: one for one in enrol_many(library.enroller, sound_files([library.folder]), rows)}
    assert {name: one.outcome for name, one in outcomes.items()} == {
        "text.mp3": "refused",
        "empty.wav": "refused",
        "short.wav": "refused",
        "silent.wav": "refused",
        "good.ogg": "enrolled",
    }
    assert "too short" in outcomes["short.wav"].reason
    assert "silent" in outcomes["silent.wav"].reason
    assert all(one.reason for one in outcomes.values() if one.outcome == "refused")


def test_the_index_is_only_a_cache(library: Library) -> None:
    for number in range(3):
        library.enroller.enrol(library.file(f"{number}.mp3", number), {})
    first = library.index()
    assert len(first.index) == 3
    for path in (library.folder / "index").glob("segment-*.fp"):
        path.write_bytes(path.read_bytes()[:100])
    mended = library.index()
    assert len(mended.index) == 3
    assert any(library.folder.glob("index.set-aside-*"))
    with library.enroller.database.unit() as unit:
        gone = unit.session.scalars(select(Fingerprint.track)).first()
        assert gone is not None
        forget_tracks(unit, [gone], library.enroller.clock.now())
    mended.sync()
    assert gone not in mended.index
    assert len(mended.index) == 2


def test_others_recordings_do_not_answer(library: Library) -> None:
    library.enroller.enrol(library.file("a.mp3", 1), {})
    sound = melody(20, rate_hz=RATE_HZ, seed=1)[: 10 * RATE_HZ]
    index = library.index()
    assert identify(index, sound, organisations=(UUID(int=7),)).found == ()
    assert identify(index, sound, organisations=(library.enroller.organisation_id,)).found


def test_silence_is_no_question(library: Library) -> None:
    answer = identify(library.index(), np.zeros(10 * RATE_HZ, np.float32))
    assert answer.is_silent
    assert answer.found == ()
