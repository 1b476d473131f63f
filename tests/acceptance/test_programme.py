"""A day of a music station, and ten hours that hold nothing enrolled, heard from the logger's files.

Needs the recognition kit's corpus in the folder AIRLEDGER_KIT. Everything that is made is kept in `.cache`, so an
interrupted run goes on where it was: files of the programme, the enrolled library, and the hours heard.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from sqlalchemy import select

from acceptance.kit import Kit
from airledger.platform.db import Database
from airledger.playlog.models import PlayLog
from airledger.repertoire.models import Recording
from airledger.testing.logger import LoggerFiles, write_programme
from airledger.testing.pcm import SONG_RATE_HZ, Pcm16, to_int16
from airledger.testing.programme import Element, Take
from airledger.testing.rotation import Rotation, plan_rotation
from airledger.testing.score import HeardPlay, Listened, score
from airledger.testing.truth import Truth, read_truth

pytestmark = pytest.mark.acceptance

HOURS = float(os.environ.get("AIRLEDGER_PROGRAMME_HOURS", "24"))
STRANGE_HOURS = 10.0
BEGAN = datetime(2026, 10, 24, 18, 0, 0, tzinfo=UTC)
KEPT = Path(__file__).resolve().parents[2] / ".cache" / "acceptance" / "programme"
STATION = "Kit FM"
NOISES = 30


@pytest.fixture(scope="module")
def kit() -> Kit:
    found = Kit.find()
    if found is None:
        pytest.skip("AIRLEDGER_KIT names no folder with the recognition kit's corpus")
    return found


def airledger(data: Path, *arguments: str) -> tuple[list[dict[str, Any]], float]:
    """Run a command; give its JSON lines and the CPU seconds that it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "airledger", *arguments, "--json"]
    done = subprocess.run(
        command, env=os.environ | {"AIRLEDGER_DATA": str(data)}, stdout=subprocess.PIPE, text=True, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], cpu_s


def enrol(data: Path, files: Sequence[Path]) -> None:
    """Enrol a library; what is enrolled already costs nothing."""
    data.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(files), 100):
        airledger(data, "library", "add", *map(str, files[start : start + 100]))


def logged(data: Path, station: str) -> list[HeardPlay]:
    """Read the log."""
    database = Database(f"sqlite:///{data}/airledger.db")
    with database.read() as session:
        rows = session.execute(
            select(Recording.source_name, PlayLog.started_at, PlayLog.ended_at)
            .join(Recording, Recording.id == PlayLog.recording_id)
            .order_by(PlayLog.started_at)
        ).all()
    database.close()
    return [HeardPlay(station, Path(name).stem, began.timestamp(), ended.timestamp()) for name, began, ended in rows]


def report(truth: Truth, plays: list[HeardPlay], hours: float) -> dict[str, Any]:
    clock = truth.stations[0]
    span = Listened(clock.station, clock.epoch_s, clock.epoch_s + hours * 3_600)
    told = score(truth.plays, plays, [span]).to_json()
    precision, recall = told["seconds_precision"] or 0.0, told["seconds_recall"] or 0.0
    told["f1_seconds"] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return told


def test_a_day_of_radio_is_logged_as_it_was(kit: Kit) -> None:
    songs = kit.enrolled()
    files = LoggerFiles(KEPT / "day", STATION, BEGAN, ffmpeg=imageio_ffmpeg.get_ffmpeg_exe())
    rotation = Rotation(songs, kit.strangers(), len(kit.reel()))
    write_programme(files, plan_rotation(rotation, seed=1), round(HOURS * 3_600), kit.sound_of)
    enrol(KEPT / "data", [kit.wav(take.name) for take in songs])
    lines, cpu_s = airledger(KEPT / "data", "listen", "--archive", str(files.folder), "--station", STATION)
    told = report(read_truth(files.folder), logged(KEPT / "data", STATION), HOURS)
    heard_h = lines[-1]["seconds"] / 3_600  # in this round; an interrupted one before it is not counted
    told["cpu_s_per_hour"] = cpu_s / heard_h if heard_h else None
    print(json.dumps(told, indent=1))  # noqa: T201  the figures that are to be shown
    assert lines[-1]["files"]["unreadable"] == 0
    assert told["false_plays"] == 0, told["wrong"]
    assert told["f1_seconds"] >= 0.99
    assert told["start_error_p50_s"] <= 0.3
    assert told["start_error_p95_s"] <= 2.0


def one_after_the_other(takes: Sequence[Take]) -> Iterator[Element]:
    """Air each take once, at three speeds in turn."""
    at = 0
    for number, take in enumerate(takes):
        speed = (1.0, 1.01, 0.99)[number % 3]
        end = at + int(take.samples / speed)
        yield Element(number, take, at, end, speed)
        at = end + SONG_RATE_HZ // 2
    yield Element(len(takes), Take("voice", "speech@0", 1), 1 << 50, (1 << 50) + 1)  # far behind the end


def halves(kit: Kit) -> tuple[list[Take], list[Take]]:
    """Part the kit's music by game: what two games share is nobody's mistake but the corpus'."""
    groups = kit.by_package()
    halves: tuple[list[Take], list[Take]] = ([], [])
    for takes in sorted(groups.values(), key=lambda some: -sum(take.samples for take in some)):
        min(halves, key=lambda half: sum(take.samples for take in half)).extend(takes)
    return halves


def noises() -> list[Take]:
    """A minute each of noise and tones."""
    return [Take("stranger", f"noise{number}", 60 * SONG_RATE_HZ) for number in range(NOISES)]


def made(kit: Kit, take: Take) -> Pcm16:
    """Give a take's sound: the kit's, or noise."""
    name = take.name
    if name.startswith("noise"):
        number = int(name[5:])
        random = np.random.default_rng(number)
        time_s = np.arange(take.samples) / SONG_RATE_HZ
        white = random.standard_normal(take.samples) * 0.05
        kinds = (
            white,
            np.cumsum(white) % 0.3,
            np.sin(2 * np.pi * random.uniform(60, 3_000) * time_s) * 0.3 + white * 0.1,
            0.2 * np.sin(2 * np.pi * (200 + 900 * (1 + np.sin(time_s * random.uniform(0.1, 3)))) * time_s / 2),
        )
        return to_int16(kinds[number % len(kinds)].astype(np.float32))
    return kit.sound_of(take)


@pytest.mark.parametrize("which", [0, 1])
def test_what_holds_nothing_enrolled_is_no_play(kit: Kit, which: int) -> None:
    """Each half of the kit is aired to a library of the other half: no hour of sound is counted twice."""
    parts = halves(kit)
    enrolled, aired = parts[which], list(parts[1 - which])
    if which:
        reel, piece = len(kit.reel()), 120 * SONG_RATE_HZ
        aired += [Take("voice", f"speech@{at}", min(piece, reel - at)) for at in range(0, reel, piece)]
        aired += noises()
    hours = sum(take.samples for take in aired) / SONG_RATE_HZ / 3_600
    folder, data = KEPT / f"strange{which}", KEPT / f"half{which}"
    files = LoggerFiles(folder, f"Strange {which}", BEGAN, ffmpeg=imageio_ffmpeg.get_ffmpeg_exe())
    write_programme(files, one_after_the_other(aired), round(hours * 3_600), lambda take: made(kit, take))
    enrol(data, [kit.wav(take.name) for take in enrolled if take.samples >= 30 * SONG_RATE_HZ])
    lines, cpu_s = airledger(data, "listen", "--archive", str(folder), "--station", "Strange")
    plays = logged(data, "Strange")
    print(f"{hours:.2f} h of strangers, {len(plays)} plays, {cpu_s:.0f} CPU s, {lines[-1]}")  # noqa: T201
    assert plays == []
    assert hours >= STRANGE_HOURS / 2
