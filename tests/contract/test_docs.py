"""The documents say what the program does."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from airledger.__main__ import app

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
WITH_COMMANDS = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?airledger (?P<rest>[^#|>\n]+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def test_the_reference_is_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("generate", REFERENCE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = {name: (REFERENCE / name).read_text(encoding="utf-8") for name in generate.pages()}
    assert written == generate.pages(), "run `python docs/reference/generate.py`"


def commands_in(path: Path) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [found["rest"].strip() for block in blocks for found in COMMAND.finditer(block)]


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=lambda path: path.name)
def test_every_command_shown_exists_with_its_options(path: Path) -> None:
    root: Any = typer.main.get_command(app)
    for line in commands_in(path):
        words, command = shlex.split(line), root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands") or not words, f"{path.name}: there is no `airledger {line}`"
        flags = [flag for one in command.params for flag in (*one.opts, *one.secondary_opts)]
        known = {"--help", *flags}
        unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
        assert not unknown, f"{path.name}: `airledger {line}` has no {unknown}"


def test_the_first_screen_of_the_readme_has_the_two_commands() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:24]
    assert any(line.startswith("make run") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)


@pytest.mark.parametrize("path", [*WITH_COMMANDS, ROOT / "ARCHITECTURE.md"], ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
