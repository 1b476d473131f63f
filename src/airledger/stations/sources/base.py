"""What every kind of directory has in common: entries out of bytes, within limits, each refusal with its reason.

A source file is a stranger's: it may be endless, broken or built to hurt. Each adapter reads it piece by piece, refuses
single entries with a reason (`Refused`) and the whole only where reading on is impossible (`InputError`).
"""

import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, Protocol, Self, runtime_checkable

from airledger.platform.errors import LimitError

MAX_SOURCE_BYTES = 256 * 1024 * 1024
MAX_ENTRIES = 500_000
MAX_ENTRY_BYTES = 64 * 1024
SNIFF_BYTES = 4_096
MAX_TAGS = 30
MAX_TAG_CHARS = 60
MAX_KBPS = 100_000
LIMITS_CHARS = {"name": 300, "description": 2_000, "website": 2_000, "logo": 2_000, "genre": 200}
MAX_FIELD_CHARS = 120

StreamType = Literal["radio", "tv"]

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory says of one stream. None: it says nothing.

    Attributes:
        url: As it was written; not yet canonical.
        key: The directory's own id of the entry; None lets the URL be the key.
        bitrate: Claimed, in kbit/s.
        country_code: ISO 3166-1 alpha-2.
        says_geo_blocked: True where the directory marks the stream as bound to its country.
        says_part_time: True where it marks the stream as not on the air around the clock.
        headers: Request headers that the server wants, as far as the directory knows.
        extra: Whatever else may serve as evidence; kept with the listing only.
        where: Where it stood in the file (`line 12`, `entry 3`).
    """

    url: str
    name: str | None = None
    type: StreamType | None = None
    genre: str | None = None
    bitrate: int | None = None
    codec: str | None = None
    country_code: str | None = None
    country_name: str | None = None
    city: str | None = None
    language: str | None = None
    website: str | None = None
    description: str | None = None
    logo: str | None = None
    tags: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    says_geo_blocked: bool | None = None
    says_part_time: bool | None = None
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    where: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that is not taken: a stable word, and where it stood (`line 12`, `entry 3`)."""

    reason: str
    where: str


class SourceFile(Protocol):
    """One kind of directory."""

    @property
    def name(self) -> str:
        """What it is called in airledger.toml."""
        ...

    def recognises(self, start: bytes) -> bool:
        """Tell from the first 4 KiB whether a file is of this kind."""
        ...

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read a file piece by piece.

        Raises:
            InputError: Reading on is impossible; what was given out before stands.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a directory: a GET, or the POST of a form.

    Attributes:
        is_page: One of numbered pages: where it begins like the page before, the server has no further ones.
    """

    url: str
    form: Mapping[str, str] | None = None
    is_page: bool = False


@runtime_checkable
class Asking(Protocol):
    """A kind of directory that answers in parts: pages, genres, searches."""

    def asks(self, url: str) -> Generator[Ask, int, None]:
        """Give the requests that make up the whole; how many entries each one brought is sent back in."""
        ...


@runtime_checkable
class Located(Protocol):
    """A kind of directory whose entries are read by the address that the file came from."""

    def at(self, url: str) -> SourceFile:
        """Read as if from this address."""
        ...


@runtime_checkable
class Optioned(Protocol):
    """A kind of directory with settings of its own, given as `options` in airledger.toml."""

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Apply them.

        Raises:
            ConfigurationError: There is no such option, or its value does not fit.
        """
        ...


def text(value: object, limit_chars: int = MAX_FIELD_CHARS) -> str | None:
    """Make a stranger's text fit to show: one line, NFC, no control characters, within a limit; None when empty."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    value = value[: limit_chars * 4]
    if not value.isprintable():
        value = _UNSEEN.sub(" ", value)
    clean = " ".join(value.split())
    return (clean if clean.isascii() else unicodedata.normalize("NFC", clean))[:limit_chars].strip() or None


def number(value: object) -> float | None:
    """Read a finite number from JSON or text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < 1e15 else None  # noqa: PLR2004  nan and inf fail the comparison too


def kbps(value: object) -> int | None:
    """Read a claimed bitrate; some directories give bit/s, some `128 kbps`, some `128,128`."""
    if isinstance(value, str):
        digits = re.match(r"\s*(\d{1,12})", value)
        value = digits[1] if digits else None
    found = number(value)
    if found is None or found < 1:
        return None
    if found >= 8_000:  # noqa: PLR2004  no stream of ours has 8 Mbit/s, no claim in bit/s is below 8 kbit/s
        found /= 1_000
    return int(found) if 1 <= found <= MAX_KBPS else None


def tags(value: object, separators: str = ",;") -> tuple[str, ...]:
    """Split tags, fold their case, drop repeats; directories suffer from tag stuffing, so there is a limit."""
    if isinstance(value, list):
        parts: list[object] = list(value[: MAX_TAGS * 4])
    elif isinstance(value, str):
        parts = list(re.split(f"[{re.escape(separators)}]", value[: MAX_TAGS * MAX_TAG_CHARS]))
    else:
        return ()
    clean = (text(part, MAX_TAG_CHARS) for part in parts)
    return tuple(dict.fromkeys(part.lower() for part in clean if part))[:MAX_TAGS]


def coordinates(latitude: object, longitude: object) -> tuple[float, float] | tuple[None, None]:
    """Read a position; (0, 0) is what careless software writes for "unknown"."""
    north, east = number(latitude), number(longitude)
    if north is None or east is None or (abs(north) < 1e-6 and abs(east) < 1e-6):  # noqa: PLR2004
        return None, None
    return (north, east) if abs(north) <= 90 and abs(east) <= 180 else (None, None)  # noqa: PLR2004  degrees


def country(code: object) -> str | None:
    """Read an ISO 3166-1 alpha-2 code; UK means GB wherever streams are listed."""
    clean = (text(code, 3) or "").upper()
    if len(clean) != 2 or not (clean.isascii() and clean.isalpha()):  # noqa: PLR2004  alpha-2
        return None
    return "GB" if clean == "UK" else clean


def link(value: object) -> str | None:
    """Keep a web address for people; anything but http(s) could run in their browser."""
    clean = text(value, LIMITS_CHARS["website"])
    return clean if clean and clean.lower().startswith(("http://", "https://")) and " " not in clean else None


class BoundedBody:
    """A body that ends in an error where the limit is passed, so that no reader needs to count."""

    def __init__(self, body: BinaryIO, limit_bytes: int = MAX_SOURCE_BYTES) -> None:
        self._body = body
        self._left = limit_bytes
        self._limit = limit_bytes

    def read(self, size: int = -1) -> bytes:
        """Read like a file."""
        return self._count(self._body.read(64 * 1024 if size < 0 else size))

    def readline(self, size: int = -1) -> bytes:
        """Read a line like a file."""
        return self._count(self._body.readline(MAX_ENTRY_BYTES if size < 0 else size))

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise LimitError(f"The source is larger than {self._limit // 2**20} MiB: split it.")
        return data
