"""A small station's programme, from the logger's files to the log, through the commands."""

import json
from datetime import UTC, datetime
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from airledger.cli.main import app
from airledger.platform.db import Database
from airledger.playlog.models import PlayLog
from airledger.repertoire.models import Recording
from airledger.testing.encode import encode
from airledger.testing.logger import LoggerFiles, write_programme
from airledger.testing.pcm import SONG_RATE_HZ, Pcm16, to_float
from airledger.testing.programme import Take
from airledger.testing.rotation import Rotation, plan_rotation
from airledger.testing.score import HeardPlay, Listened, score
from airledger.testing.songs import render_song
from airledger.testing.truth import read_truth

BEGAN = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)
SECONDS, FILE_S = 420, 150
ENROLLED, STRANGERS = 4, 2


@pytest.fixture(scope="module")
def songs() -> dict[str, Pcm16]:
    return {f"song{number}": render_song(9, number) for number in range(ENROLLED + STRANGERS)}


def run(*arguments: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


def logged(data: Path) -> list[HeardPlay]:
    database = Database(f"sqlite:///{data}/airledger.db")
    with database.read() as session:
        rows = session.execute(
            select(Recording.source_name, PlayLog.started_at, PlayLog.ended_at).join(
                Recording, Recording.id == PlayLog.recording_id
            )
        ).all()
    database.close()
    return [HeardPlay("Small", Path(name).stem, began.timestamp(), ended.timestamp()) for name, began, ended in rows]


def test_a_small_programme_is_logged_as_it_was_aired(
    songs: dict[str, Pcm16], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, library = tmp_path / "data", tmp_path / "library"
    monkeypatch.setenv("AIRLEDGER_DATA", str(data))
    library.mkdir()
    takes = [Take("song", name, len(pcm)) for name, pcm in songs.items()]
    for take in takes[:ENROLLED]:
        (library / f"{take.name}.wav").write_bytes(encode(to_float(songs[take.name]), SONG_RATE_HZ, "wav"))
    strangers = [Take("stranger", take.name, take.samples) for take in takes[ENROLLED:]]
    files = LoggerFiles(
        tmp_path / "log", "Small", BEGAN, hour_s=FILE_S, ffmpeg=imageio_ffmpeg.get_ffmpeg_exe(), bitrate_kbps=96
    )
    rotation = Rotation(takes[:ENROLLED], strangers, strangers_part=0.2, into_part=0.0)

    def sound_of(take: Take) -> Pcm16:
        return songs[take.name.partition("@")[0]]

    write_programme(files, plan_rotation(rotation, seed=3), SECONDS, sound_of)
    run("library", "add", str(library), "--json")
    lines = run("listen", "--archive", str(files.folder), "--station", "Small", "--json")
    assert [one["state"] for one in lines if one["kind"] == "file"] == ["heard"] * 3
    epoch_s = BEGAN.timestamp()
    told = score(read_truth(files.folder).plays, logged(data), [Listened("Small", epoch_s, epoch_s + SECONDS)])
    assert told.aired >= 3
    assert told.found == told.aired, told.missed
    assert told.false_plays == 0, told.wrong
    assert told.start_error_p95_s is not None
    assert told.start_error_p95_s < 2.0
    assert told.splits_per_100 == 0
    assert told.seconds_precision is not None
    assert told.seconds_precision > 0.97
    again = run("listen", "--archive", str(files.folder), "--station", "Small", "--json")
    assert [one["state"] for one in again if one["kind"] == "file"] == []
    assert again[-1]["plays"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("listen",),
        ("listen", "http://a.test/", "http://b.test/"),
        ("listen", "http://a.test/", "--archive", "."),
    ],
)
def test_what_is_no_listening_is_said(arguments: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_silence_of_a_day_is_one_stretch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLEDGER_DATA", str(tmp_path / "data"))
    folder = tmp_path / "log"
    folder.mkdir()
    quiet = encode(np.zeros(30 * SONG_RATE_HZ, np.float32), SONG_RATE_HZ, "flac")
    for name in ("20261120T140000Z", "20261120T140030Z", "no-time"):
        (folder / f"{name}.flac").write_bytes(quiet)
    done = CliRunner().invoke(app, ["listen", "--archive", str(folder), "--station", "Quiet"])
    assert done.exit_code == 1  # one file was left out
    assert "no-time.flac" in done.output
    assert "2 heard" in done.output
