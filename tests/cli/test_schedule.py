import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from airledger.cli.main import app


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["schedule", *arguments])
    return result.exit_code, result.output


def test_schedules_are_seen_and_set_before_anything_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRLEDGER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    rows = {row["name"]: row for row in map(json.loads, run("list", "--json")[1].splitlines())}
    assert (rows["crawl:xiph"]["every_s"], rows["cleanup"]["daily_at"]) == (6 * 3_600, "02:00")
    assert json.loads(run("pause", "crawl:xiph", "--json")[1])["enabled"] is False
    assert "paused" in run("list")[1]
    assert "runs next at" in run("resume", "crawl:xiph")[1]
    assert json.loads(run("run", "cleanup", "--json")[1])["task_id"]
    last = next(row for row in map(json.loads, run("list", "--json")[1].splitlines()) if row["name"] == "cleanup")[
        "last"
    ]
    assert last["status"] == "pending"
    code, out = run("pause", "none")
    assert code != 0 or "no schedule" in out
