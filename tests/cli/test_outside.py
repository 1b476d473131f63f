"""`airledger outside` as a user types it, with MusicBrainz on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path

from airledger.testing.scripted_musicbrainz import ScriptedMusicBrainz, recording


def airledger(folder: Path, *arguments: str, **extra: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "airledger", "outside", *arguments],
        env={**environment, "AIRLEDGER_DATA": str(folder), "COLUMNS": "200", **extra},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_asking_outside_costs_and_finds(tmp_path: Path) -> None:
    account = {"ACRCLOUD_ACCESS_KEY": "k", "ACRCLOUD_ACCESS_SECRET": "s"}
    told = json.loads(airledger(tmp_path, "status", "--json", **account))
    (provider,) = told["providers"]
    assert (provider["provider"], provider["circuit"], provider["left"]) == ("acrcloud", "closed", 1_800)
    assert (told["open_reviews"], told["spent"]) == (0, [])
    assert "No provider is configured" in airledger(tmp_path, "status")
    brainz = ScriptedMusicBrainz()
    brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", "GHA012600001")
    with brainz.service:
        lines = airledger(
            tmp_path, "isrc", "gh-a01-26-00001", "none", "--json", AIRLEDGER_MUSICBRAINZ_URL=brainz.service.url
        )
    found, none = map(json.loads, lines.splitlines())
    assert (found["isrc"], found["candidates"][0]["title"], none["outcome"]) == ("GHA012600001", "Harmattan", "invalid")
    assert "the priors stay" in airledger(tmp_path, "refit")
