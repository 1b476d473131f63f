"""The rules of the house as pure functions: each names what breaks it in one file's path or text."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

LONGEST_FILE_LINES = 600
CODE_SUFFIXES = frozenset({".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".sh"})
# Drawers: names that tell where something was put, not what happens there.
DRAWERS = frozenset(
    {
        *("util", "utils", "helper", "helpers", "service", "services", "manager", "managers"),
        *("common", "misc", "repository", "repositories", "stuff"),
    }
)
# A migration is the record of one step, written by Alembic and never again: a reader starts at the models.
RECORDS = PurePosixPath("src/airledger/platform/migrations/versions")
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# Places of one machine: home folders, mounts of a workshop, file addresses. /tmp, /usr and the like are everywhere.
_MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|Users|home/[a-z]\w*)(?:/|\b)|file:///(?:opt|srv)/")
# Package indexes and their mirrors: where packages come from is the machine's setting, not the project's.
_REGISTRY_HOST = re.compile(
    r"https?://(?:[\w.-]*(?:registry|mirror|artifactory|nexus|pypi|pythonhosted|npmjs|npmmirror)[\w-]*\.[\w.-]+"
    r"|[\w.-]+\.(?:internal|local|corp|lan)\b|[\w.-]+(?::\d+)?/simple\b)",
    re.IGNORECASE,
)


def too_long(path: PurePosixPath, text: str) -> bool:
    """Tell whether a file of code is longer than anybody wants to read."""
    return (
        path.suffix in CODE_SUFFIXES
        and not path.is_relative_to(RECORDS)
        and len(text.splitlines()) > LONGEST_FILE_LINES
    )


def drawers_in(path: PurePosixPath) -> set[str]:
    """Return the words of a path that name a drawer: `stream_utils.py`, `helpers/x.ts`, `stationManager.ts`."""
    words = re.findall(r"[A-Za-z][a-z]*", " ".join(path.parts))
    return {word.lower() for word in words} & DRAWERS


def commits(text: str) -> Iterator[int]:
    """Yield the lines of Python at which something is committed by hand."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield node.lineno


def unfinished(text: str) -> set[str]:
    """Return the notes that call a piece unfinished."""
    return set(_UNFINISHED.findall(text))


def machine_paths(text: str) -> set[str]:
    """Return paths that exist on one machine only."""
    return {found.group() for found in _MACHINE_PATH.finditer(text)}


def registry_hosts(text: str) -> set[str]:
    """Return addresses of package registries and private hosts."""
    return {found.group() for found in _REGISTRY_HOST.finditer(text)}
