"""`airledger library` as a user types it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from made_sound import encoded, melody


def airledger(folder: Path, *arguments: str, code: int = 0, extra: Mapping[str, str] | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRLEDGER_")}
    done = subprocess.run(
        [sys.executable, "-m", "airledger", *arguments],
        env={**environment, "AIRLEDGER_DATA": str(folder / "data"), "COLUMNS": "200", **(extra or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout + (done.stderr if code else "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    (folder / "music").mkdir()
    for seed in range(3):
        tags = {"title": f"Song {seed}", "artist": "Made"}
        (folder / "music" / f"{seed}.mp3").write_bytes(encoded(melody(12, seed=seed), "mp3", tags=tags))
    return folder


def test_a_library_from_dry_run_to_removal(house: Path) -> None:
    music = str(house / "music")
    assert "3 new" in airledger(house, "library", "add", music, "--dry-run")
    assert "3 enrolled, 0 known before, 0 refused (0.0 h of sound" in airledger(house, "library", "add", music)
    assert "0 enrolled, 3 known before, 0 refused" in airledger(
        house, "library", "add", music, "--quiet", "--workers", "2"
    ) + (airledger(house, "library", "add", music))
    first = airledger(house, "library", "list", "--limit", "2")
    assert "Song 1" in first
    after = first.rpartition("--after ")[2].strip()
    rest = [json.loads(line) for line in airledger(house, "library", "list", "--after", after, "--json").splitlines()]
    assert [one["title"] for one in rest] == ["Song 2"]
    assert "3 sound" in airledger(house, "library", "verify")
    (shard,) = [json.loads(line) for line in airledger(house, "library", "index", "status", "--json").splitlines()]
    assert (shard["tracks"], shard["is_up_to_date"]) == (3, True)
    assert "3 recordings, all sound" in airledger(house, "library", "index", "verify")
    assert "1 removed" in airledger(house, "library", "remove", rest[0]["id"])
    assert "Song 2" not in airledger(house, "library", "list")
    assert "is not the id" in airledger(house, "library", "remove", "nonsense", code=2)


def test_a_denser_profile_is_refused_by_name_and_shards_are_built(house: Path) -> None:
    airledger(house, "library", "add", str(house / "music"))
    dense = {"AIRLEDGER_FINGERPRINT_PROFILE": "high_quality"}
    assert "3 of 3 recordings are left out" in airledger(house, "library", "index", "status", code=1, extra=dense)
    shards = {"AIRLEDGER_INDEX_SHARDS": "2"}
    built = airledger(house, "library", "index", "build", extra=shards)
    assert built.count("generation 1") == 2
    assert airledger(house, "library", "index", "build", extra=shards) == ""
    found = [
        json.loads(line) for line in airledger(house, "library", "index", "status", "--json", extra=shards).splitlines()
    ]
    assert sum(one["tracks"] for one in found) == 3
    assert all(one["is_up_to_date"] for one in found)
    assert "3 recordings, all sound" in airledger(house, "library", "index", "verify", extra=shards)
