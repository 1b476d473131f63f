"""SHOUTcast's directory, as its own web page asks it without a key: JSON rows from POSTs of a genre or a search."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self
from urllib.parse import urlsplit

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
from airledger.stations.sources.icecast_yp import CODECS
from airledger.stations.sources.json_rows import json_rows
from airledger.stations.sources.options import with_options
from airledger.stations.sources.shoutcast_xml import TUNE_IN_PATH, TUNE_IN_SERVER

BY_GENRE, BY_WORDS, TOP = "/Home/BrowseByGenre", "/Search/UpdateSearch", "/Home/Top"
_EXTRA = (("current_song", "CurrentTrack"), ("listeners", "Listeners"), ("server_type", "Format"))
_MARKS = (b'"ID"', b'"Name"', b'"Bitrate"')


@dataclass(frozen=True)
class ShoutcastJson:
    """The adapter for the rows of `BrowseByGenre` and `UpdateSearch`.

    Attributes:
        genres: Genres to ask for, one request each.
        searches: Words to search for, one request each.
        tune_in: The server whose playlists lead to the streams.
    """

    name: ClassVar[str] = "shoutcast_json"

    genres: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    tune_in: str = TUNE_IN_SERVER

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Apply the options of a configured source.

        Raises:
            ConfigurationError: There is no such option, or its value does not fit.
        """
        return with_options(self, options)

    def asks(self, url: str) -> Generator[Ask, int, None]:
        """Ask for each genre and search; with neither, for what is heard most."""
        if urlsplit(url).path.rstrip("/") not in {"", BY_GENRE, BY_WORDS, TOP}:
            yield Ask(url)  # a file of rows
            return
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        for genre in self.genres:
            yield Ask(base + BY_GENRE, {"genrename": genre})
        for words in self.searches:
            yield Ask(base + BY_WORDS, {"query": words})
        if not self.genres and not self.searches:
            yield Ask(base + TOP, {})

    def recognises(self, start: bytes) -> bool:
        """Tell by the rows' names."""
        return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and all(mark in start for mark in _MARKS)

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read row by row.

        Raises:
            InputError: It is not a JSON array, or breaks off.
        """
        for place, row in enumerate(json_rows(body), start=1):
            yield self._entry(row, f"row {place}")

    def _entry(self, row: Any, where: str) -> Entry | Refused:
        if not isinstance(row, dict):
            return Refused("not_an_object", where)
        number = text(row.get("ID"))
        url = _address(row)
        if url is None and number is None:
            return Refused("no_url", where)
        kind = (text(row.get("Format") or row.get("Mime")) or "").partition(";")[0].lower()
        return Entry(
            url=url or f"{self.tune_in.rstrip('/')}{TUNE_IN_PATH}?id={number}",
            name=text(row.get("Name"), LIMITS_CHARS["name"]),
            type="tv" if kind.startswith("video/") else "radio",
            genre=text(row.get("Genre"), LIMITS_CHARS["genre"]),
            bitrate=kbps(row.get("Bitrate")),
            codec=CODECS.get(kind),
            country_code=country(row.get("Country")),
            website=link(row.get("Website")),
            tags=tags(row.get("Genre")),
            key=number,
            extra={
                ours: value
                for ours, name in (
                    ("current_song", "CurrentTrack"),
                    ("listeners", "Listeners"),
                    ("server_type", "Format"),
                )
                if (value := text(row.get(name), LIMITS_CHARS["name"]))
            },
            where=where,
        )


def _address(row: dict[str, Any]) -> str | None:
    """Return the stream's own address where the row has one; most have only an id."""
    for name in ("StreamUrl", "URI"):
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None
