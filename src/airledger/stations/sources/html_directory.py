"""Directories that are web pages only, read by a selector file: which element is a row, which part of it a field.

    rows = "table.stations tr.station"
    [fields]
    url = "a.play@href"
    name = "td.name"
    country_code = "img.flag@alt"
    [match]
    country_code = "([A-Z]{2})"
    [fixed]
    type = "radio"

Without such a file the page's links to streams and playlists are taken. The page is parsed by a child under limits of
memory and time (`html_child.py`): a page of 8 MiB can be built to keep a parser busy for hours.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self
from urllib.parse import urljoin

from airledger.platform.errors import ConfigurationError, InputError, LimitError
from airledger.platform.sandbox import SandboxedCommand, SandboxedProcess, SandboxLimits, python_command
from airledger.stations.sources.base import (
    LIMITS_CHARS,
    Ask,
    Entry,
    Refused,
    country,
    kbps,
    link,
    tags,
    text,
)
from airledger.stations.sources.options import with_options
from airledger.stations.sources.text_lines import decoded

MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_SELECTOR_BYTES = 64 * 1024
CHILD_CPU_S = 10
CHILD_WAIT_S = 60.0
CHILD_MEMORY_BYTES = 768 * 1024 * 1024
FIELDS = frozenset(
    {
        *("url", "name", "type", "genre", "bitrate", "codec", "country_code", "country_name", "city", "language"),
        *("website", "description", "logo", "tags", "key"),
    }
)
PLAYABLE = (".pls", ".m3u", ".asx", ".xspf", ".mp3", ".aac", ".ogg", ".opus", ".flac")
STREAM_LINKS = ", ".join(["audio[src]", "audio source[src]", *(f'a[href*="{suffix}"]' for suffix in PLAYABLE)])
_PAGE = "{page}"


@dataclass(frozen=True)
class Selectors:
    """What a selector file says.

    Attributes:
        rows: CSS selector of one station's element.
        fields: Per field `selector`, `selector@attribute`, or `@attribute` of the row itself.
        match: Regular expressions; the first group (or all) of a field's text is its value.
        fixed: Fields that are the same for all rows.
    """

    rows: str = STREAM_LINKS
    fields: Mapping[str, str] = field(default_factory=lambda: {"url": "@href|@src", "name": ""})
    match: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HtmlDirectory:
    """The adapter for web pages.

    Attributes:
        selectors: Path of the selector file; empty: links to streams and playlists.
        first_page: Number that stands for `{page}` in the address at first.
        max_pages: How many pages are asked for at most; a page without a row ends it earlier.
    """

    name: ClassVar[str] = "html_directory"

    selectors: str = ""
    first_page: int = 1
    max_pages: int = 200
    reads: Selectors = field(default_factory=Selectors)
    base: str = ""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Apply the options of a configured source, and read its selector file.

        Raises:
            ConfigurationError: An option does not fit, or the file cannot be used.
        """
        given = with_options(self, options)
        return replace(given, reads=load_selectors(Path(given.selectors))) if given.selectors else given

    def asks(self, url: str) -> Generator[Ask, int, None]:
        """Ask for the one page, or for page after page where the address has `{page}` in it."""
        if _PAGE not in url:
            yield Ask(url)
            return
        for page in range(self.first_page, self.first_page + self.max_pages):
            if not (yield Ask(url.replace(_PAGE, str(page)), is_page=True)):
                return

    def at(self, url: str) -> Self:
        """Read links as they stand on the page of an address."""
        return replace(self, base=url)

    def recognises(self, start: bytes) -> bool:
        """Never: an error page is HTML too, so a web page must be named as a directory."""
        del start
        return False

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read row by row.

        Raises:
            InputError: The page cannot be read.
            LimitError: It is larger than 8 MiB, or keeps the parser busy for too long.
        """
        raw = b""
        while data := body.read(64 * 1024):
            raw += data
            if len(raw) > MAX_PAGE_BYTES:
                raise LimitError(f"The page is larger than {MAX_PAGE_BYTES // 2**20} MiB.")
        for place, row in enumerate(_rows(raw, self.reads), start=1):
            yield self._entry(row, f"row {place}")

    def _entry(self, row: dict[str, str], where: str) -> Entry | Refused:
        said = {**{name: self._matched(name, value) for name, value in row.items()}, **self.reads.fixed}
        url = said.get("url", "").strip()
        if not url:
            return Refused("no_url", where)
        if "\ufffd" in url:  # what a parser makes of a NUL
            return Refused("control_characters", where)
        kind = said.get("type", "").strip().lower()
        return Entry(
            url=_joined(self.base, url),
            name=text(said.get("name"), LIMITS_CHARS["name"]),
            type="tv" if kind == "tv" else "radio" if kind == "radio" else None,
            genre=text(said.get("genre"), LIMITS_CHARS["genre"]),
            bitrate=kbps(said.get("bitrate")),
            codec=text(said.get("codec")),
            country_code=country(said.get("country_code")),
            country_name=text(said.get("country_name")),
            city=text(said.get("city")),
            language=text(said.get("language")),
            website=link(said.get("website")),
            description=text(said.get("description"), LIMITS_CHARS["description"]),
            logo=link(_joined(self.base, said["logo"]) if said.get("logo") else None),
            tags=tags(said.get("tags")),
            key=text(said.get("key")),
            where=where,
        )

    def _matched(self, name: str, value: str) -> str:
        pattern = self.reads.match.get(name)
        if pattern is None:
            return value
        found = re.search(pattern, value)
        return "" if found is None else found[1] if found.re.groups else found[0]


def load_selectors(path: Path) -> Selectors:
    """Read a selector file.

    Raises:
        ConfigurationError: It is not there, is not TOML, or says what no selector file says.
    """
    try:
        raw = path.read_bytes()[: MAX_SELECTOR_BYTES + 1]
        told = tomllib.loads(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"the selector file {path} cannot be read: {error}") from error
    unknown = sorted(set(told) - {"rows", "fields", "match", "fixed"})
    if unknown or not isinstance(told.get("rows"), str) or not isinstance(told.get("fields"), dict):
        wrong = f"knows no {unknown[0]!r}" if unknown else "needs `rows` and a table `fields`"
        raise ConfigurationError(f"the selector file {path} {wrong}")
    for table in ("fields", "match", "fixed"):
        _check_table(path, table, told.get(table, {}))
    if "url" not in {*told["fields"], *told.get("fixed", {})}:
        raise ConfigurationError(f"the selector file {path} does not say where a row's url is")
    return Selectors(told["rows"], told["fields"], told.get("match", {}), told.get("fixed", {}))


def _check_table(path: Path, table: str, told: Any) -> None:
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise ConfigurationError(f"the selector file {path}: [{table}] must map fields to texts")
    if unknown := sorted(set(told) - FIELDS):
        raise ConfigurationError(f"the selector file {path}: [{table}] names {unknown[0]!r}, which is no field")
    if table == "match":
        for name, pattern in told.items():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigurationError(f"the selector file {path}: [match] {name}: {error}") from error


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:  # brackets that are no IPv6 address
        return url


def _rows(raw: bytes, reads: Selectors) -> Iterator[dict[str, str]]:
    told = _parsed_apart({"html": decoded(raw), "rows": reads.rows, "fields": dict(reads.fields)})
    if "error" in told:
        raise InputError(f"The page cannot be read: {told['error']}.")
    yield from told["rows"]


def _parsed_apart(orders: Mapping[str, Any]) -> dict[str, Any]:
    """Have a child parse the page; return what it found in each row."""
    limits = SandboxLimits(address_space_bytes=CHILD_MEMORY_BYTES, cpu_s=CHILD_CPU_S)
    command = SandboxedCommand(python_command("airledger.stations.sources.html_child"), limits)
    with SandboxedProcess(command) as child:
        try:
            out, _ = child.process.communicate(json.dumps(orders).encode(), CHILD_WAIT_S)
        except subprocess.TimeoutExpired:
            raise LimitError("Reading the page took too long.") from None
        code = child.process.returncode
    if code < 0:
        raise LimitError("The page is built so that no parser gets through it in time.")
    told: dict[str, Any] = json.loads(out) if code == 0 and out else {"error": "its parser ran out of memory"}
    return told
