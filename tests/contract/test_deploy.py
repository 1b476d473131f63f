"""The compose file starts the processes that there are, with settings that there are."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from airledger.platform.settings import Settings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROCESSES = {"api", "worker", "scheduler", "listener"}


@pytest.fixture
def compose() -> dict[str, Any]:
    document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert isinstance(document, dict)
    return document


def test_each_process_is_a_service_of_the_one_image(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if service["image"].startswith("airledger")}
    assert ours.keys() == PROCESSES
    assert {name: service["command"] for name, service in ours.items()} == {name: [name] for name in PROCESSES}
    assert compose["services"].keys() - PROCESSES == {"postgres", "redis"}


def test_no_password_is_written_down(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_every_setting_given_exists(compose: dict[str, Any]) -> None:
    given = set(re.findall(r"AIRLEDGER_[A-Z_]+(?==)", (DEPLOY / "Dockerfile").read_text()))
    for name in PROCESSES:
        given |= compose["services"][name]["environment"].keys()
    assert {"AIRLEDGER_DATA", "AIRLEDGER_DATABASE_URL", "AIRLEDGER_BROKER_URL"} <= given
    assert {name for name in given if name.removeprefix("AIRLEDGER_").lower() not in Settings.model_fields} == set()


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_every_process_is_a_command(process: str) -> None:
    command = [sys.executable, "-m", "airledger", process, "--help"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert asked.returncode == 0, asked.stderr
