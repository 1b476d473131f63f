"""Getting at a directory's bytes: a file, a folder of playlists, an address, or an API part by part."""

import contextlib
import gzip
import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from airledger.platform.errors import InputError, LimitError, NotFoundError
from airledger.platform.fetch_error import FetchError
from airledger.platform.settings import Source
from airledger.stations.polite import Manners, PoliteDoor
from airledger.stations.sources import sniff, source_file
from airledger.stations.sources.base import (
    MAX_SOURCE_BYTES,
    SNIFF_BYTES,
    Ask,
    Asking,
    BoundedBody,
    Entry,
    Located,
    Optioned,
    Refused,
    SourceFile,
)
from airledger.stations.sources.iptv_org import IptvOrg
from airledger.stations.sources.iptv_org_database import COLUMNS, ChannelDatabase, read_database
from airledger.stations.unwrapping import Unwrapper

GZIP_MAGIC = b"\x1f\x8b"
FOLDER_PATTERNS = ("*.m3u", "*.m3u8", "*.pls", "*.xspf", "*.asx", "*.opml")
MAX_FILES = 10_000
ANY_SERVER = "all.api."
SRV_NAME = "_api._tcp."
SERVERS_PATH = "/json/servers"
MAX_SERVERS_BYTES = 1024 * 1024


@dataclass(frozen=True)
class CrawlTarget:
    """A directory to read.

    Attributes:
        name: What its listings are filed under.
        location: A path to a file or a folder, or an http(s) address.
        kind: Name of an adapter; None sniffs it.
        options: What the adapter is told beside.
        distance_s: Least seconds between two requests to one host.
        robots: Whether robots.txt is obeyed.
        unwrap: Whether playlists that it lists are followed to their streams.
    """

    name: str
    location: str
    kind: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    distance_s: float = 1.0
    robots: bool = True
    unwrap: bool = False

    @classmethod
    def of(cls, location: str, kind: str | None = None, *, unwrap: bool = False) -> "CrawlTarget":
        """Name a path or an address after itself."""
        if is_address(location):
            parts = urlsplit(location)
            name = f"{parts.netloc}{parts.path}".rstrip("/")[:200].lower()
        else:
            name = Path(location).resolve().name
        return cls(name, location, kind, unwrap=unwrap)

    @classmethod
    def of_source(cls, source: Source, folder: Path) -> "CrawlTarget":
        """Read a source of airledger.toml; paths in its options are relative to the data folder."""
        options = dict(source.options)
        if isinstance(options.get("selectors"), str):
            options["selectors"] = str(folder / options["selectors"])
        return cls(
            source.name,
            source.url,
            source.type,
            options,
            source.seconds_between_requests,
            source.robots,
            source.unwrap,
        )

    @property
    def fingerprint(self) -> str:
        """What must be the same for an unchanged answer to mean unchanged entries."""
        told = json.dumps([self.location, self.kind, sorted(self.options.items()), self.unwrap])
        return hashlib.blake2b(told.encode(), digest_size=12).hexdigest()


@dataclass
class Validators:
    """What conditional requests need, by address: `etag` and `last_modified`.

    Attributes:
        known: Of the last crawl that came to its end.
        found: Of this one.
        is_unchanged: Set where the server said that nothing changed.
    """

    known: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    found: dict[str, dict[str, str | None]] = field(default_factory=dict)
    is_unchanged: bool = False

    def condition(self, url: str) -> dict[str, str | None]:
        """Return what to send along."""
        told = self.known.get(url, {})
        return {name: told.get(name) for name in ("etag", "last_modified")}


def is_address(location: str) -> bool:
    """Tell an address from a path."""
    return location.lower().startswith(("http://", "https://"))


class Reading:
    """One reading of a directory.

    Attributes:
        part: The file or address that is being read.
    """

    def __init__(self, target: CrawlTarget, door: PoliteDoor, validators: Validators, manners: Manners) -> None:
        self.part = ""
        self._target = target
        self._door = door
        self._validators = validators
        self._manners = manners

    def entries(self) -> Iterator[Entry | Refused]:
        """Give all entries.

        Raises:
            InputError: It cannot be read (on), or robots.txt closes it.
            NotFoundError: The path is not there.
            ConfigurationError: The adapter has no such option.
            FetchError: The address cannot be fetched.
        """
        found = self._from_address() if is_address(self._target.location) else self._from_path()
        if not self._target.unwrap:
            yield from found
            return
        unwrapper = Unwrapper(self._door, self._manners)
        for entry in found:
            yield from [entry] if isinstance(entry, Refused) else unwrapper.unwrap(entry)

    def _adapter(self) -> SourceFile | None:
        if self._target.kind is None:
            return None
        adapter = source_file(self._target.kind)
        if not self._target.options:
            return adapter
        if not isinstance(adapter, Optioned):
            raise InputError(f"A source of type {adapter.name!r} has no options.")
        return cast("SourceFile", adapter.with_options(self._target.options))

    def _from_path(self) -> Iterator[Entry | Refused]:
        path = Path(self._target.location)
        adapter = self._adapter()
        if adapter is None or isinstance(adapter, IptvOrg):
            joined = _joined_by_layout(path, adapter)
            adapter = adapter if joined is None else joined
        for file in _files(path, adapter):
            if file.stat().st_size > MAX_SOURCE_BYTES:
                raise LimitError(f"{file.name} is larger than {MAX_SOURCE_BYTES // 2**20} MiB: split it.")
            self.part = file.name
            with file.open("rb") as body:
                yield from _from_body(body, adapter)

    def _from_address(self) -> Iterator[Entry | Refused]:
        adapter, url = self._adapter(), self._target.location
        if adapter is not None and adapter.name == "radio_browser" and ANY_SERVER in url:
            yield from self._from_any_server(adapter, url)
        elif adapter is None or _is_one_ask(adapter, url):
            yield from self._from_one(adapter, url)
        else:
            yield from self._from_parts(adapter, url)

    def _from_any_server(self, adapter: SourceFile, url: str) -> Iterator[Entry | Refused]:
        """Read from one of the service's servers; the next one is tried where the first does not answer at all."""
        servers = [f"{urlsplit(url).scheme}://{server}" for server in self._servers(url)]
        for server in servers:
            has_begun = False
            try:
                for entry in self._from_parts(adapter, server):
                    has_begun = True
                    yield entry
            except FetchError:
                if has_begun or server == servers[-1]:
                    raise
            else:
                return

    def _servers(self, url: str) -> list[str]:
        """Name servers by DNS, else by what any of them says of the others, else the one that the address means."""
        host = urlsplit(url).netloc
        if found := self._door.discover(SRV_NAME + host.removeprefix(ANY_SERVER)):
            return found
        body = bytearray()
        try:
            self._door.get(
                f"{urlsplit(url).scheme}://{host}{SERVERS_PATH}",
                self._manners,
                body.extend,
                max_bytes=MAX_SERVERS_BYTES,
            )
            rows = json.loads(bytes(body))
        except (FetchError, InputError, ValueError, RecursionError):
            return [host]
        names = [row.get("name") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return [*dict.fromkeys(name for name in names if isinstance(name, str) and name), host]

    def _from_one(self, adapter: SourceFile | None, url: str) -> Iterator[Entry | Refused]:
        """Read what one request gives, if anything changed since."""
        url = _first_ask(adapter, url)
        joined = adapter.database if isinstance(adapter, IptvOrg) else ""
        parts = {name: f"{joined.rstrip('/')}/{name}.csv" for name in COLUMNS} if joined and is_address(joined) else {}
        self.part = url
        with contextlib.ExitStack() as stack:
            bodies = {one: stack.enter_context(tempfile.TemporaryFile()) for one in (url, *parts.values())}
            unchanged = [one for one, body in bodies.items() if not self._fetch(one, body, is_conditional=True)]
            if len(unchanged) == len(bodies):
                self._validators.is_unchanged = True
                return
            for one in unchanged:  # the others changed, so these are needed after all
                self._fetch(one, bodies[one], is_conditional=False)
            if isinstance(adapter, IptvOrg) and joined:
                adapter = adapter.joined_with(_database(adapter.database, parts, bodies))
            found = dict(self._validators.found)
            self._validators.found.clear()
            yield from _from_body(cast("BinaryIO", bodies[url]), adapter, url)
            self._validators.found.update(found)  # only what was read to its end may be skipped next time

    def _fetch(self, url: str, body: Any, *, is_conditional: bool) -> bool:
        """Fetch into a file, ready to be read; False where the server says that nothing changed."""
        condition = self._validators.condition(url) if is_conditional else {}
        answer = self._door.get(url, self._manners, body.write, max_bytes=MAX_SOURCE_BYTES, **condition)
        if answer.not_modified:
            if not any(condition.values()):
                raise InputError("The server says that nothing changed, without having been asked.")
            self._validators.found[url] = condition
            return False
        self._validators.found[url] = {"etag": answer.etag, "last_modified": answer.last_modified}
        body.seek(0)
        return True

    def _from_parts(self, adapter: SourceFile, url: str) -> Iterator[Entry | Refused]:
        """Ask as often as the adapter wants."""
        if not isinstance(adapter, Asking):
            raise TypeError(f"{adapter.name} is read by one request")
        asks = adapter.asks(url)
        ask = next(asks)
        first_before: Entry | Refused | None = None
        while True:
            self.part, rows = ask.url, 0
            with tempfile.TemporaryFile() as body:
                self._answer_to(ask, body)
                for entry in _from_body(cast("BinaryIO", body), adapter, ask.url):
                    if rows == 0:
                        if ask.is_page and entry == first_before:
                            return
                        first_before = entry
                    rows += 1
                    yield entry
            try:
                ask = asks.send(rows)
            except StopIteration:
                return

    def _answer_to(self, ask: Ask, body: Any) -> None:
        if ask.form is None:
            self._door.get(ask.url, self._manners, body.write, max_bytes=MAX_SOURCE_BYTES)
        else:
            self._door.post(ask, self._manners, body.write)
        body.seek(0)


def _first_ask(adapter: SourceFile | None, url: str) -> str:
    return next(adapter.asks(url)).url if isinstance(adapter, Asking) else url


def _is_one_ask(adapter: SourceFile, url: str) -> bool:
    """Tell whether an adapter needs no more than one GET, whatever that brings."""
    if not isinstance(adapter, Asking):
        return True
    asks = adapter.asks(url)
    if next(asks).form is not None:
        return False
    try:
        asks.send(MAX_SOURCE_BYTES)
    except StopIteration:
        return True
    return False


def _files(path: Path, adapter: SourceFile | None) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError(f"There is no file or folder {path}.")
    folder = path / "streams" if isinstance(adapter, IptvOrg) and (path / "streams").is_dir() else path
    files = sorted({file for pattern in FOLDER_PATTERNS for file in folder.rglob(pattern)})[: MAX_FILES + 1]
    if not files:
        raise NotFoundError(f"There is no M3U file or other playlist in {path}.")
    if len(files) > MAX_FILES:
        raise LimitError(f"There are more than {MAX_FILES} files in {path}: crawl parts of it.")
    return files


def _joined_by_layout(path: Path, adapter: IptvOrg | None) -> SourceFile | None:
    """Join lists with the database that was named, or that lies beside them as iptv-org publishes it."""
    if adapter is not None and adapter.database:
        folder: Path | None = Path(adapter.database)
    else:
        place = path.resolve()
        folder = next((root / "database" for root in (place, *place.parents[:2]) if _is_layout(root, place)), None)
    if folder is None:
        return None
    stamp = max((file.stat().st_mtime_ns for file in folder.glob("*.csv")), default=0)
    return (adapter or IptvOrg()).joined_with(_database_in(folder, stamp))


def _is_layout(root: Path, place: Path) -> bool:
    streams = root / "streams"
    has_both = streams.is_dir() and (root / "database" / "channels.csv").is_file()
    return has_both and (place == root or place.is_relative_to(streams))


@lru_cache(maxsize=1)
def _database_in(folder: Path, stamp: int) -> ChannelDatabase:
    """Read the database once for all the lists of one command."""
    del stamp
    return read_database(lambda name: _opened(folder / f"{name}.csv"))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFoundError(f"The database of channels lacks {path.name}.") from None


def _database(told: str, parts: Mapping[str, str], bodies: Mapping[str, Any]) -> ChannelDatabase:
    if parts:
        return read_database(lambda name: bodies[parts[name]])
    return _database_in(Path(told), 0)


def _from_body(body: BinaryIO, adapter: SourceFile | None, url: str = "") -> Iterator[Entry | Refused]:
    with contextlib.ExitStack() as stack:
        magic = body.read(len(GZIP_MAGIC))
        body.seek(0)
        if magic == GZIP_MAGIC:
            body = cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=body)))
        try:
            if adapter is None:
                adapter = sniff(body.read(SNIFF_BYTES))
                body.seek(0)
            if url and isinstance(adapter, Located):
                adapter = adapter.at(url)
            yield from adapter.entries(cast("BinaryIO", BoundedBody(body)))
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(f"The compressed file is damaged: {error}.") from None
