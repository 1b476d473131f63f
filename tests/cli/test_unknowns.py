"""Classes, duplicates and unknown recordings in the terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

from made_sound import encoded, melody


def airledger(folder: Path, *arguments: str, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "airledger", *arguments],
        env={**environment, "AIRLEDGER_DATA": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + (done.stderr if code else "")


def test_duplicates_are_told_when_they_are_enrolled_and_classes_are_kept(tmp_path: Path) -> None:
    music, spots = tmp_path / "music", tmp_path / "spots"
    music.mkdir()
    spots.mkdir()
    sound = melody(40, seed=1)
    (music / "a.mp3").write_bytes(encoded(sound, "mp3", tags={"title": "Whole"}))
    (spots / "b.wav").write_bytes(encoded(sound[44_100 * 5 : 44_100 * 30], "wav", tags={"title": "Part"}))
    airledger(tmp_path, "library", "add", str(music))
    lines = airledger(tmp_path, "library", "add", str(spots), "--class", "advert", "--json").splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["outcome"] for one in told] == ["enrolled", "duplicate"]
    assert (told[1]["kind"], told[1]["of_title"]) == ("contained", "Whole")
    (advert,) = (
        json.loads(one) for one in airledger(tmp_path, "library", "list", "--class", "advert", "--json").splitlines()
    )
    assert advert["recording_class"] == "advert"
    airledger(tmp_path, "library", "change", advert["id"], "--class", "jingle", "--title", "Station song")
    assert "Station song" in airledger(tmp_path, "library", "list", "--class", "jingle")
    (found,) = (json.loads(one) for one in airledger(tmp_path, "library", "duplicates", "--json").splitlines())
    assert found["title"] == "Station song"
    assert "not a class" in airledger(tmp_path, "plays", "--class", "noise", code=1)
    assert airledger(tmp_path, "unknowns", "--json") == ""
    nobody = "00000000-0000-0000-0000-000000000001"
    assert "no unknown recording" in airledger(tmp_path, "unknowns", "name", nobody, "--title", "X", code=1)
    assert "either the id" in airledger(tmp_path, "unknowns", "name", nobody, code=1)
