"""Recorded files become plays at their true times, whatever interrupts their hearing."""

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.listening.archive import Archive, ArchiveSettings, FileHeard, Told
from airledger.listening.archive_files import find_files
from airledger.listening.archive_names import read_pattern
from airledger.listening.archive_rows import open_archive
from airledger.listening.models import ArchiveFile, AudioDetection, Coverage
from airledger.platform.audit import Actor
from airledger.platform.errors import ConflictError, InputError
from airledger.platform.leases import try_lease
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import rebuild
from airledger.stations.models import Station, Stream
from airledger.testing.encode import encode
from listening_house import RATE_HZ, House

BEGAN = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def programme(house: House) -> NDArray[np.float32]:
    """Six minutes: 10 s of silence, three songs of a minute, 20 s of silence after each but the last, a song again."""
    parts = [silence(10), house.songs[0], silence(20), house.songs[1], house.songs[2], silence(20), house.songs[0]]
    whole: NDArray[np.float32] = np.concatenate([*parts, silence(60)])
    return whole


def write(folder: Path, sound: NDArray[np.float32], at_s: float, seconds: float, kind: str = "wav") -> Path:
    """Write a stretch of the programme as the logger's file."""
    folder.mkdir(exist_ok=True)
    piece = sound[round(at_s * RATE_HZ) : round((at_s + seconds) * RATE_HZ)]
    moment = BEGAN + timedelta(seconds=at_s)
    path = folder / f"{moment:%Y%m%d-%H%M%S}.{kind}"
    path.write_bytes(encode(piece, RATE_HZ, kind))
    return path


class Stopped(Exception):  # noqa: N818  it ends a hearing, it is no mistake
    """Somebody pulled the plug."""


def hear(
    house: House, folder: Path, *, stop_after: int = 0, pattern: str | None = None, zone: ZoneInfo = UTC_ZONE
) -> list[FileHeard]:
    """Hear a folder; `stop_after` pulls the plug after so many things told."""
    actor = Actor("test", house.organisation_id)
    with house.database.unit() as unit:
        opened = open_archive(unit, actor, house.organisation_id, "Kumasi FM", zone, house.clock.now())
    files, _ = find_files(folder, opened.zone, read_pattern(pattern) if pattern else None)
    told: list[Told] = []

    def tell(one: Told) -> None:
        told.append(one)
        if len(told) == stop_after:
            raise Stopped

    Archive(house.database, house.clock, house.library, opened.target, ArchiveSettings(jobs=2)).hear(files, tell)
    return [one for one in told if isinstance(one, FileHeard)]


def rows(house: House) -> list[tuple[object, ...]]:
    """All that is not of the moment, of plays and coverage."""
    with house.database.read() as session:
        detections = session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)).all()
        stretches = session.scalars(select(Coverage).order_by(Coverage.started_at, Coverage.id)).all()
        played = [
            (one.detection_id, one.recording_id, one.started_at, one.ended_at, one.processing_status, one.windows)
            for one in detections
        ]
        return [*played, *((one.id, one.kind, one.cause, one.started_at, one.ended_at) for one in stretches)]


def plays(house: House) -> list[tuple[int, float, float]]:
    """Number of the song, start and end in seconds since the archive began."""
    with house.database.read() as session:
        found = session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)).all()
    return [
        (
            house.recordings.index(one.recording_id) if one.recording_id else -1,
            (one.started_at - BEGAN).total_seconds(),
            (one.ended_at - BEGAN).total_seconds(),
        )
        for one in found
    ]


def coverage(house: House) -> list[tuple[str, str | None, float, float]]:
    with house.database.read() as session:
        found = session.scalars(select(Coverage).order_by(Coverage.started_at)).all()
    return [
        (one.kind, one.cause, (one.started_at - BEGAN).total_seconds(), (one.ended_at - BEGAN).total_seconds())
        for one in found
    ]


def assert_heard(found: Sequence[tuple[int, float, float]], expected: Sequence[tuple[int, float, float]]) -> None:
    assert [one[0] for one in found] == [one[0] for one in expected]
    for (_, start_s, end_s), (_, true_start_s, true_end_s) in zip(found, expected, strict=True):
        assert abs(start_s - true_start_s) < 0.3
        assert abs(end_s - true_end_s) < 0.5


EXPECTED = [(0, 10.0, 70.0), (1, 90.0, 150.0), (2, 150.0, 210.0), (0, 230.0, 290.0)]


def test_songs_across_files_are_one_play_each(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    for at_s in range(0, 350, 50):
        write(tmp_path / "log", sound, at_s, 50)
    done = hear(house, tmp_path / "log")
    assert [one.state for one in done] == ["heard"] * 7
    assert_heard(plays(house), EXPECTED)
    assert {one[0] for one in coverage(house)} == {"heard", "silent"}
    with house.database.unit() as unit:
        assert rebuild(unit, house.clock.now()) == 4
    with house.database.read() as session:
        logged = session.scalars(select(PlayLog)).all()
        station = session.scalar(select(Station.id).where(Station.name == "Kumasi FM"))
    assert {one.status for one in logged} == {"finished"}
    assert {one.station_id for one in logged} == {station}


def test_hearing_again_changes_nothing(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 120)
    write(tmp_path / "log", sound, 120, 120)
    hear(house, tmp_path / "log")
    before = rows(house)
    again = hear(house, tmp_path / "log")
    assert [one.state for one in again] == ["known", "known"]
    shutil.copytree(tmp_path / "log", tmp_path / "copied", copy_function=shutil.copyfile)
    assert [one.state for one in hear(house, tmp_path / "copied")] == ["known", "known"]
    assert rows(house) == before


@pytest.mark.parametrize("stop_after", [1, 3, 6])
def test_a_killed_hearing_goes_on_to_the_same_plays(
    house: House, tmp_path: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airledger.listening.archive.SAVE_EVERY_S", 20.0)
    monkeypatch.setattr("airledger.listening.archive_hear.CHUNK", 4)
    sound = programme(house)
    for at_s in (0, 130, 260):
        write(tmp_path / "log", sound, at_s, 130)
    hear(house, tmp_path / "log")
    whole = rows(house)
    with house.database.unit() as unit:  # as if nothing had been heard
        for table in (AudioDetection, Coverage, ArchiveFile):
            unit.session.execute(table.__table__.delete())  # type: ignore[attr-defined]
    with pytest.raises(Stopped):
        hear(house, tmp_path / "log", stop_after=stop_after)
    hear(house, tmp_path / "log")
    assert rows(house) == whole


def test_files_that_arrive_one_by_one_give_the_same_plays(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    for at_s in range(0, 350, 70):
        write(tmp_path / "log", sound, at_s, 70)
        hear(house, tmp_path / "log")
    assert_heard(plays(house), EXPECTED)
    assert [one[0] for one in coverage(house)].count("gap") == 0


def test_a_missing_file_is_a_gap_and_is_filled_when_it_comes(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 120)
    write(tmp_path / "log", sound, 200, 150)
    hear(house, tmp_path / "log")
    gaps = [one for one in coverage(house) if one[0] == "gap"]
    assert gaps == [("gap", "no_file", 120.0, 200.0)]
    write(tmp_path / "log", sound, 120, 80)
    hear(house, tmp_path / "log")
    assert not [one for one in coverage(house) if one[0] == "gap"]
    assert (2, 150.0) in {(song, round(start_s)) for song, start_s, _ in plays(house)}


def test_overlapping_files_are_heard_once(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 125)
    write(tmp_path / "log", sound, 120, 105)
    write(tmp_path / "log", sound, 130, 20)
    write(tmp_path / "log", sound, 220, 130)
    done = hear(house, tmp_path / "log")
    assert [one.state for one in done] == ["heard", "heard", "covered", "heard"]
    assert_heard(plays(house), EXPECTED)


def test_what_cannot_be_heard_is_told_and_is_a_gap(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 100)
    (tmp_path / "log" / "20261120-140140.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    cut = write(tmp_path / "log", sound, 200, 150)
    cut.write_bytes(cut.read_bytes()[: 100 * RATE_HZ * 2])
    (tmp_path / "log" / "notes.txt").write_text("read me")
    os.mkfifo(tmp_path / "log" / "20261120-150000.wav")
    (tmp_path / "log" / "jingle.wav").write_bytes(encode(house.songs[1], RATE_HZ, "wav"))
    done = hear(house, tmp_path / "log")
    assert [one.state for one in done] == ["heard", "unreadable", "heard"]
    assert done[1].detail
    (gap,) = [one for one in coverage(house) if one[0] == "gap"]
    assert gap[1] == "file_unreadable"
    assert_heard(plays(house)[-1:], EXPECTED[-1:])
    _, undated = find_files(tmp_path / "log", UTC_ZONE)
    assert [one.name for one in undated] == ["jingle.wav"]


def test_a_file_still_being_written_is_heard_to_its_end_and_again_later(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 120)
    hear(house, tmp_path / "log")
    assert len(plays(house)) == 2
    write(tmp_path / "log", sound, 0, 350)
    hear(house, tmp_path / "log")
    assert_heard(plays(house), EXPECTED)


def test_encoders_padding_at_each_joint_does_not_part_plays(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    for at_s in range(0, 350, 50):
        write(tmp_path / "log", sound, at_s, 50, "mp3")
    hear(house, tmp_path / "log")
    assert_heard(plays(house), EXPECTED)


def test_the_hour_that_comes_twice_is_told_by_when_its_files_were_written(tmp_path: Path) -> None:
    berlin, folder = ZoneInfo("Europe/Berlin"), tmp_path / "log"
    folder.mkdir()
    begin = datetime(2026, 10, 24, 22, 40, tzinfo=UTC)  # clocks are set back at 01:00
    aired = [begin + timedelta(minutes=20 * number) for number in range(15)]
    for number, moment in enumerate(aired):
        path = folder / f"{moment.astimezone(berlin):%Y%m%d_%H%M}_{number}.wav"
        path.touch()
        os.utime(path, times=(0, moment.timestamp() + 1_200))
    found, _ = find_files(folder, berlin)
    assert [one.dated.began for one in found] == aired
    assert [one.dated.doubt for one in found].count("ambiguous_hour") == 6
    for path in folder.iterdir():
        os.utime(path)  # a copy that has lost its times: the earlier reading, still marked
    found, _ = find_files(folder, berlin)
    assert {one.dated.otherwise for one in found} != {None}


def test_a_station_is_found_by_name_or_id_and_one_made_only_once(house: House) -> None:
    actor, now = Actor("test", house.organisation_id), house.clock.now()
    with house.database.unit() as unit:
        first = open_archive(unit, actor, house.organisation_id, " Kumasi  FM ", ZoneInfo("Africa/Accra"), now)
        second = open_archive(unit, actor, house.organisation_id, "kumasi fm", None, now)
        third = open_archive(unit, actor, house.organisation_id, str(first.target.station_id), None, now)
        assert (first.is_new, second.is_new) == (True, False)
        assert first.target == second.target == third.target
        assert second.zone.key == "Africa/Accra"
        stream = unit.session.get(Stream, first.target.stream_id)
        assert stream is not None
        assert not stream.is_active
        unit.session.add(Station(identity="other", name="Kumasi FM", created_at=now))
        unit.session.flush()
        with pytest.raises(ConflictError, match="by its id"):
            open_archive(unit, actor, house.organisation_id, "Kumasi FM", None, now)
        with pytest.raises(InputError):
            open_archive(unit, actor, house.organisation_id, "  ", None, now)


def test_what_live_listening_logged_is_not_logged_twice(house: House, tmp_path: Path) -> None:
    sound = programme(house)
    write(tmp_path / "log", sound, 0, 120)
    hear(house, tmp_path / "log")
    with house.database.unit() as unit:  # the same station, heard live: its rows belong to another stream
        live = unit.session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)).first()
        assert live is not None
        live.stream_id = house.stream_id
        live.detection_id = house.session_id
        unit.session.execute(ArchiveFile.__table__.delete())  # type: ignore[attr-defined]
    done = hear(house, tmp_path / "log")
    assert done[0].known_plays == 1
    assert len(plays(house)) == 2


def test_two_do_not_hear_one_archive(house: House, tmp_path: Path) -> None:
    write(tmp_path / "log", programme(house), 0, 20)
    hear(house, tmp_path / "log")
    with house.database.unit() as unit:
        stream_id = unit.session.scalar(select(Stream.id).where(Stream.host == "archive"))
        assert try_lease(unit.session, f"archive:{stream_id}", "elsewhere-1-x", house.clock.now(), 60)
    with pytest.raises(ConflictError):
        hear(house, tmp_path / "log")
