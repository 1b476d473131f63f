"""Commands as a user types them, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from airledger.platform.settings import Settings, load_settings
from airledger.platform.settings_file import settings_template, write_settings_file
from made_sound import encoded, melody


def airledger(folder: Path, *arguments: str, code: int = 0, **extra: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "airledger", *arguments],
        env={**environment, "AIRLEDGER_DATA": str(folder), "COLUMNS": "200", **extra},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + (done.stderr if code else "")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    music = tmp_path / "music"
    music.mkdir()
    for seed in range(2):
        tags = {"title": f"Song {seed}", "artist": "Made"}
        (music / f"{seed}.mp3").write_bytes(encoded(melody(40, seed=seed), "mp3", tags=tags))
    return tmp_path


def test_a_library_is_enrolled_listed_and_recognised(house: Path) -> None:
    (house / "music" / "junk.wav").write_bytes(b"RIFF not really")
    lines = airledger(house, "library", "add", str(house / "music"), "--json", code=1).splitlines()
    assert sorted(json.loads(line)["outcome"] for line in lines) == ["enrolled", "enrolled", "refused"]
    listed = [json.loads(line) for line in airledger(house, "library", "list", "song", "--json").splitlines()]
    assert [one["title"] for one in listed] == ["Song 0", "Song 1"]
    assert "Song 1" in airledger(house, "library", "list", "1")
    both = house / "both.wav"
    both.write_bytes(encoded(melody(40, seed=1), "wav"))
    found = json.loads(airledger(house, "identify", str(both), "--json"))["plays"]
    assert [one["title"] for one in found] == ["Song 1"]
    assert abs(found[0]["start_s"]) < 0.5
    assert abs(found[0]["end_s"] - 40) < 0.5


def test_errors_are_sentences(house: Path) -> None:
    assert "no file or folder" in airledger(house, "library", "add", str(house / "nowhere"), code=1)
    assert "port" in airledger(house, "config", "show", code=1, AIRLEDGER_PORT="many")
    assert "schedule list" in airledger(house, "schedule", "run", "nothing", code=1)


def test_secrets_are_masked(house: Path) -> None:
    shown = airledger(
        house,
        "config",
        "show",
        "--json",
        ACRCLOUD_ACCESS_SECRET="hush-hush",
        AIRLEDGER_EVENTS_URL="redis://me:hush-hush@host:1/0",
    )
    assert "hush-hush" not in shown
    assert json.loads(shown)["events_url"] == "redis://me:********@host:1/0"


def test_the_settings_file_explains_every_key_and_changes_nothing(house: Path) -> None:

    assert write_settings_file(house)
    assert not write_settings_file(house)
    assert load_settings(data=house) == Settings(data=house)
    everything = "\n".join(
        line.removeprefix("#") for line in settings_template().splitlines() if line.startswith("#") and line[1:2] != " "
    )
    (house / "airledger.toml").write_text(everything, encoding="utf-8")
    assert load_settings(data=house) == Settings(data=house)
