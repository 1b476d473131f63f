"""Getting at a directory's bytes: a file, a folder of playlists, an address, or Radio Browser's API page by page."""

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from airledger.platform.errors import InputError, LimitError, NotFoundError
from airledger.platform.fetch import Fetcher
from airledger.stations.sources import sniff, source_file
from airledger.stations.sources.base import MAX_SOURCE_BYTES, SNIFF_BYTES, BoundedBody, Entry, Refused, SourceFile
from airledger.stations.sources.radio_browser import MAX_PAGES, PAGE_ROWS, is_api, page_url

FETCH_TIMEOUT_S = 120
GZIP_MAGIC = b"\x1f\x8b"
STATUS_PATH = "/status-json.xsl"
FOLDER_PATTERNS = ("*.m3u", "*.m3u8")
MAX_FILES = 10_000


@dataclass(frozen=True)
class CrawlTarget:
    """A directory to read.

    Attributes:
        name: What its listings are filed under.
        location: A path to a file or a folder, or an http(s) address.
        kind: Name of an adapter; None sniffs it.
    """

    name: str
    location: str
    kind: str | None = None

    @classmethod
    def of(cls, location: str, kind: str | None = None) -> "CrawlTarget":
        """Name a path or an address after itself."""
        if is_address(location):
            parts = urlsplit(location)
            return cls(f"{parts.netloc}{parts.path}".rstrip("/")[:200].lower(), location, kind)
        return cls(Path(location).resolve().name, location, kind)


@dataclass
class Validators:
    """What a conditional request needs. `is_unchanged` is set where the server said so."""

    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = field(default=False, compare=False)


def is_address(location: str) -> bool:
    """Tell an address from a path."""
    return location.lower().startswith(("http://", "https://"))


def read_entries(target: CrawlTarget, fetcher: Fetcher, validators: Validators) -> Iterator[Entry | Refused]:
    """Give all entries of a directory.

    Args:
        target: Which.
        fetcher: For addresses.
        validators: Of the last crawl; what the server says now is written into it.

    Raises:
        InputError: It cannot be read (on).
        NotFoundError: The path is not there.
        FetchError: The address cannot be fetched.
    """
    if not is_address(target.location):
        yield from _from_path(Path(target.location), target.kind)
    elif target.kind == "radio_browser" and is_api(target.location):
        yield from _from_pages(target.location, fetcher)
    else:
        yield from _from_address(target, fetcher, validators)


def _from_path(path: Path, kind: str | None) -> Iterator[Entry | Refused]:
    if path.is_dir():
        files = sorted({file for pattern in FOLDER_PATTERNS for file in path.rglob(pattern)})[: MAX_FILES + 1]
        if not files:
            raise NotFoundError(f"There is no M3U file in {path}.")
        if len(files) > MAX_FILES:
            raise LimitError(f"There are more than {MAX_FILES} files in {path}: crawl parts of it.")
    elif path.is_file():
        files = [path]
    else:
        raise NotFoundError(f"There is no file or folder {path}.")
    for file in files:
        if file.stat().st_size > MAX_SOURCE_BYTES:
            raise LimitError(f"{file.name} is larger than {MAX_SOURCE_BYTES // 2**20} MiB: split it.")
        with file.open("rb") as body:
            yield from _from_body(body, kind)


def _from_address(target: CrawlTarget, fetcher: Fetcher, validators: Validators) -> Iterator[Entry | Refused]:
    url = target.location
    if target.kind == "icecast_status" and urlsplit(url).path in {"", "/"}:
        url = url.rstrip("/") + STATUS_PATH
    with tempfile.TemporaryFile() as body:
        answer = fetcher.get(
            url,
            max_bytes=MAX_SOURCE_BYTES,
            timeout_s=FETCH_TIMEOUT_S,
            etag=validators.etag,
            last_modified=validators.last_modified,
            sink=body.write,
        )
        if answer.not_modified:
            validators.is_unchanged = True
            return
        body.seek(0)
        yield from _from_body(cast("BinaryIO", body), target.kind)
        # Only what was read to its end may be skipped next time.
        validators.etag, validators.last_modified = answer.etag, answer.last_modified


def _from_pages(url: str, fetcher: Fetcher) -> Iterator[Entry | Refused]:
    first_before: Entry | Refused | None = None
    for page in range(MAX_PAGES):
        with tempfile.TemporaryFile() as body:
            fetcher.get(page_url(url, page), max_bytes=MAX_SOURCE_BYTES, timeout_s=FETCH_TIMEOUT_S, sink=body.write)
            body.seek(0)
            rows = 0
            for entry in source_file("radio_browser").entries(cast("BinaryIO", body)):
                if rows == 0 and entry == first_before:
                    return  # the server knows no offset and gives its first page again
                first_before = entry if rows == 0 else first_before
                rows += 1
                yield entry
        if rows < PAGE_ROWS:
            return


def _from_body(body: BinaryIO, kind: str | None) -> Iterator[Entry | Refused]:
    with contextlib.ExitStack() as stack:
        magic = body.read(len(GZIP_MAGIC))
        body.seek(0)
        if magic == GZIP_MAGIC:
            body = cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=body)))
        try:
            adapter = _adapter(body, kind)
            yield from adapter.entries(cast("BinaryIO", BoundedBody(body)))
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(f"The compressed file is damaged: {error}.") from None


def _adapter(body: BinaryIO, kind: str | None) -> SourceFile:
    if kind is not None:
        return source_file(kind)
    start = body.read(SNIFF_BYTES)
    body.seek(0)
    return sniff(start)
