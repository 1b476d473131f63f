"""Enrolling folders: resumed, cut off, dry, with broken files, at little cost when nothing is new."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event, select

from airledger.audio.stream_format import StreamFormat
from airledger.platform.settings import Settings
from airledger.recognition import enrol_many as module
from airledger.recognition.decode import DecodedFile, FileDecoder
from airledger.recognition.enrol import Enrolment, sound_files
from airledger.recognition.enrol_many import Manner, enrol_many
from airledger.recognition.models import EnrolledFile, EnrolmentRun, Fingerprint
from airledger.recognition.runs import begin_run, get_run
from airledger.repertoire.models import Recording
from library_house import RATE_HZ, Library
from made_sound import encoded, melody

SONGS = 5


@pytest.fixture
def music(library: Library) -> Path:
    folder = library.folder / "music"
    folder.mkdir()
    for seed in range(SONGS):
        (folder / f"{seed}.wav").write_bytes(encoded(melody(12, seed=seed), "wav"))
    return folder


def outcomes(library: Library, folder: Path, manner: Manner | None = None) -> Counter[str]:
    return Counter(one.outcome for one in enrol_many(library.enroller, sound_files([folder]), {}, manner))


def test_what_was_read_before_is_not_opened_again(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (music / "broken.mp3").write_bytes(b"no sound" * 999)
    assert outcomes(library, music) == {"enrolled": SONGS, "refused": 1}

    def opened(file: Path) -> str:
        raise AssertionError(f"{file} was opened")

    with monkeypatch.context() as patched:
        patched.setattr(module, "sha256_of", opened)
        assert outcomes(library, music) == {"known": SONGS, "refused": 1}
    os.utime(music / "0.wav", (1, 1))  # touched: its content has to be looked at, but not decoded
    with monkeypatch.context() as patched:
        patched.setattr(FileDecoder, "decode", opened)
        assert outcomes(library, music) == {"known": SONGS, "refused": 1}
    (music / "broken.mp3").write_bytes(encoded(melody(12, seed=77), "mp3"))
    assert outcomes(library, music) == {"known": SONGS, "enrolled": 1}
    assert library.count(Recording) == SONGS + 1


def test_a_refused_file_is_read_again_when_asked(library: Library, music: Path) -> None:
    (music / "broken.mp3").write_bytes(b"no sound" * 999)
    first = {one.file.name: one.reason for one in enrol_many(library.enroller, [music / "broken.mp3"], {})}
    again = {one.file.name: one.reason for one in enrol_many(library.enroller, [music / "broken.mp3"], {})}
    assert first == again
    stubborn = list(enrol_many(library.enroller, [music / "broken.mp3"], {}, Manner(is_stubborn=True)))
    assert [one.outcome for one in stubborn] == ["refused"]


def test_a_dry_run_writes_nothing(library: Library, music: Path) -> None:
    assert outcomes(library, music, Manner(is_dry=True)) == {"new": SONGS}
    assert library.count(Recording) == library.count(EnrolledFile) == 0
    assert list(library.enroller.storage.list()) == []
    outcomes(library, music)
    assert outcomes(library, music, Manner(is_dry=True)) == {"known": SONGS}


def test_the_same_sound_twice_is_one_recording_and_leaves_nothing_behind(library: Library, music: Path) -> None:
    shutil.copy(music / "0.wav", music / "copy.wav")
    found = outcomes(library, music, Manner(workers=4))
    assert found == {"enrolled": SONGS, "known": 1}
    assert len(list(library.enroller.storage.list("peaks/"))) == SONGS


def test_being_asked_to_stop_keeps_what_was_read(library: Library, music: Path) -> None:
    seen: list[Enrolment] = []
    manner = Manner(workers=1, stopping=lambda: bool(seen))
    for one in enrol_many(library.enroller, sound_files([music]), {}, manner):
        seen.append(one)  # noqa: PERF402  the first one is the sign to stop
    assert len(seen) == library.count(Recording) <= SONGS
    assert outcomes(library, music)["known"] == len(seen)


def test_a_file_that_vanishes_is_told(library: Library, music: Path) -> None:
    files = [*sound_files([music]), music / "gone.wav"]
    told = [one for one in enrol_many(library.enroller, files, {}) if one.outcome == "refused"]
    assert [one.file.name for one in told] == ["gone.wav"]
    assert "cannot be read" in told[0].reason


def test_a_run_tells_how_far_it_is(library: Library, music: Path) -> None:
    (music / "broken.mp3").write_bytes(b"no sound" * 999)
    files = sound_files([music])
    enroller = library.enroller
    run = begin_run(library.database, enroller.clock, library.organisation_id, enroller.actor, len(files))
    before_s = run.left_s
    assert before_s is None
    for one in enrol_many(enroller, files, {}):
        run.note(one)
    assert run.left_s == 0
    run.finish()
    with library.database.read() as session:
        row = get_run(session, library.organisation_id, run.id)
    assert (row.status, row.files, row.enrolled, row.refused) == ("finished", SONGS + 1, SONGS, 1)
    assert abs(row.audio_ms - SONGS * 12_000) < 1_000
    assert [one["file"] for one in row.refusals] == ["broken.mp3"]
    assert len(row.recordings) == SONGS


def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for seed in range(60):
        (music / f"{seed:02}.wav").write_bytes(encoded(melody(8, seed=seed), "wav"))
    data = tmp_path / "data"
    command = [sys.executable, "-m", "airledger", "library", "add", str(music), "--json", "--workers", "1"]
    environment = {**os.environ, "AIRLEDGER_DATA": str(data)}
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert first.stdout is not None
    try:
        assert first.stdout.readline()  # the first batch is written
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    from airledger.app import Airledger

    with Airledger.open(Settings(data=data)) as app:
        with app.read() as session:
            before = set(session.scalars(select(Recording.id)))
        assert 0 < len(before) < 60
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        with app.read() as session:
            after = set(session.scalars(select(Recording.id)))
            assert len(after) == len(session.scalars(select(Fingerprint.track)).all()) == 60
            assert before <= after
            runs = session.scalars(select(EnrolmentRun.status).order_by(EnrolmentRun.started_at)).all()
        assert runs == ["running", "finished"]
        app.library.sync()
        assert len(app.library.index) == len(app.library.tracks) > 30  # what sounds the same stands back


def test_known_files_cost_two_questions_a_page(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    music = library.folder / "many"
    music.mkdir()
    for number in range(120):
        (music / f"{number}.wav").write_bytes(bytes([number]))
    sound = melody(4, rate_hz=RATE_HZ)
    told = StreamFormat(container="wav", codec="pcm_s16le", sample_rate_hz=RATE_HZ, channels=1)
    monkeypatch.setattr(FileDecoder, "decode", lambda *_: DecodedFile(sound, 4.0, {}, told))
    monkeypatch.setattr(module, "LOOKS_AT_ONCE", 50)
    assert outcomes(library, music) == {"enrolled": 120}
    statements: list[str] = []
    event.listen(library.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert outcomes(library, music) == {"known": 120}
    assert len([one for one in statements if one.startswith("SELECT")]) == 2 * 3
