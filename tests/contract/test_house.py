"""The house keeps its own rules; each rule is first shown to catch what it is there for."""

import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from contract import house_rules

REPOSITORY = Path(__file__).resolve().parents[2]
# The rules and their examples name what they forbid.
ABOUT_THE_RULES = frozenset(
    {PurePosixPath("tests/contract/house_rules.py"), PurePosixPath("tests/contract/test_house.py")}
)
# Written by programs, for programs.
GENERATED = frozenset({"package-lock.json", "openapi.json"})
HEAVY = ("numba", "scipy", "sqlalchemy")


@cache
def tracked() -> dict[PurePosixPath, str]:
    """Return the text of every file that git tracks, by path."""
    # A clone may belong to somebody else than who runs the tests, which git would refuse.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode()
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = PurePosixPath(name)
        content = (REPOSITORY / path).read_bytes() if (REPOSITORY / path).is_file() else b""
        if path.name not in GENERATED and path not in ABOUT_THE_RULES and b"\0" not in content:
            texts[path] = content.decode()
    return texts


def python_of(room: str) -> dict[PurePosixPath, str]:
    return {path: text for path, text in tracked().items() if path.suffix == ".py" and path.is_relative_to(room)}


def test_files_are_seen() -> None:
    assert PurePosixPath("pyproject.toml") in tracked()
    assert len(python_of("src/airledger")) > 10


def test_no_file_is_too_long() -> None:
    assert house_rules.too_long(PurePosixPath("a.py"), "x\n" * 601)
    assert not house_rules.too_long(PurePosixPath("a.py"), "x\n" * 600)
    assert [str(path) for path, text in tracked().items() if house_rules.too_long(path, text)] == []


@pytest.mark.parametrize(
    "path", ["src/utils.py", "src/stream_helpers.py", "web/src/PlayerManager.tsx", "a/common/b.py"]
)
def test_a_drawer_is_recognised(path: str) -> None:
    assert house_rules.drawers_in(PurePosixPath(path))


def test_no_file_is_named_for_a_drawer() -> None:
    assert {str(path): drawers for path in tracked() if (drawers := house_rules.drawers_in(path))} == {}


def test_only_the_unit_of_work_commits() -> None:
    assert list(house_rules.commits("session.add(x)\nsession.commit()")) == [2]
    the_door = PurePosixPath("src/airledger/platform/db.py")
    elsewhere = {
        str(path): list(house_rules.commits(text)) for path, text in python_of("src").items() if path != the_door
    }
    assert {path: lines for path, lines in elsewhere.items() if lines} == {}


def test_nothing_is_left_for_later() -> None:
    assert house_rules.unfinished("# TODO: mend") == {"TODO"}
    assert {str(path): notes for path, text in tracked().items() if (notes := house_rules.unfinished(text))} == {}


@pytest.mark.parametrize("text", ["cd /Users/ann", 'open("/home/ann/a")', "file:///opt/somewhere/simple"])
def test_a_path_of_one_machine_is_recognised(text: str) -> None:
    assert house_rules.machine_paths(text)


@pytest.mark.parametrize("text", ["src/home/x.py", "https://example.org/home/1", "/usr/bin/env", "{root}/home"])
def test_a_path_of_every_machine_is_none(text: str) -> None:
    assert not house_rules.machine_paths(text)


def test_no_file_names_a_path_of_one_machine() -> None:
    offences = {str(path): house_rules.machine_paths(text) for path, text in tracked().items()}
    offences |= {str(path): {str(REPOSITORY)} for path, text in tracked().items() if f"{REPOSITORY}/" in text}
    assert {path: found for path, found in offences.items() if found} == {}


@pytest.mark.parametrize(
    "text",
    [
        "https://registry.example.org/react/-/react-19.tgz",
        "https://mirror.example.org/packages/x.whl",
        "from http://10.0.0.7:8080/simple",
        "http://build.corp.internal/wheels",
    ],
)
def test_a_registry_is_recognised(text: str) -> None:
    assert house_rules.registry_hosts(text)


def test_no_file_names_a_registry() -> None:
    assert {str(path): hosts for path, text in tracked().items() if (hosts := house_rules.registry_hosts(text))} == {}
    lock = REPOSITORY / "web" / "package-lock.json"
    if lock.exists():
        assert house_rules.registry_hosts(lock.read_text()) == set()


def test_asking_for_help_loads_nothing_heavy() -> None:
    program = f"""
        import contextlib, io, sys

        sys.argv = ["airledger", "--help"]
        from airledger.__main__ import main

        said = io.StringIO()
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(said):
            main()
        assert "listen" in said.getvalue(), said.getvalue()
        print([name for name in {HEAVY!r} if name in sys.modules])
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
