"""Playlists that a source lists in place of streams: followed to what they name, within limits, never in circles."""

import io
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from airledger.platform.errors import InputError
from airledger.platform.fetch_error import FetchError
from airledger.stations.polite import Manners, PoliteDoor, RobotsError
from airledger.stations.sources import sniff
from airledger.stations.sources.base import Entry, Refused
from airledger.stations.urls import UrlRefusedError, canonical

SUFFIXES = (".pls", ".m3u", ".asx", ".wax", ".wvx", ".xspf")
KINDS = frozenset({"pls", "m3u", "asx", "xspf", "plain"})
MAX_DEPTH = 3
MAX_PLAYLIST_BYTES = 256 * 1024
MAX_FETCHES = 2_000
MAX_FETCHES_EACH = 8  # behind one entry: a playlist of playlists of playlists must not hold a crawl up
MAX_STREAMS = 50


class Unwrapper:
    """Follows playlists for one crawl, within a number of requests."""

    def __init__(self, door: PoliteDoor, manners: Manners) -> None:
        self._door = door
        self._manners = manners
        self._left = MAX_FETCHES
        self._left_here = MAX_FETCHES_EACH

    def unwrap(self, entry: Entry, around: tuple[str, ...] = ()) -> Iterator[Entry | Refused]:
        """Give the streams behind an entry: itself, unless its address ends like a playlist's.

        A playlist that does not answer stays as it is: whoever proves the stream unwraps it, or finds out why not.
        """
        if not around:
            self._left_here = MAX_FETCHES_EACH
        if not is_playlist(entry.url) or self._left <= 0:
            yield entry
            return
        try:
            url = canonical(entry.url)
        except UrlRefusedError:
            yield entry
            return
        if url in around:
            yield Refused("playlist_names_itself", entry.where)
        elif len(around) >= MAX_DEPTH:
            yield Refused("playlist_nested_too_deeply", entry.where)
        elif self._left_here <= 0:
            yield Refused("playlist_names_too_many", entry.where)
        else:
            yield from self._inside(entry, url, around)

    def _inside(self, entry: Entry, url: str, around: tuple[str, ...]) -> Iterator[Entry | Refused]:
        self._left -= 1
        self._left_here -= 1
        try:
            found = self._read(url)
        except (FetchError, InputError, RobotsError):
            yield entry
            return
        if not found:
            yield Refused("playlist_empty", entry.where)
        for number, inner in enumerate(found, start=1):
            key = None if entry.key is None else entry.key if number == 1 else f"{entry.key} {number}"
            named = replace(
                entry,
                url=inner.url,
                key=key,
                name=entry.name or inner.name,
                headers={**entry.headers, **inner.headers},
                extra={**entry.extra, "playlist": around[0] if around else url},
            )
            yield from self.unwrap(named, (*around, url))

    def _read(self, url: str) -> list[Entry]:
        body = io.BytesIO()
        self._door.get(url, self._manners, body.write, max_bytes=MAX_PLAYLIST_BYTES)
        adapter = sniff(body.getvalue()[:4096])
        if adapter.name not in KINDS | {"iptv_org"}:
            raise InputError("This is no playlist.")
        body.seek(0)
        entries = (entry for entry in adapter.entries(body) if isinstance(entry, Entry))
        return [entry for entry, _ in zip(entries, range(MAX_STREAMS), strict=False)]


def is_playlist(url: str) -> bool:
    """Tell by its path whether an address is a playlist's (`.m3u8` is a stream)."""
    try:
        return urlsplit(url).path.lower().endswith(SUFFIXES)
    except ValueError:
        return False
