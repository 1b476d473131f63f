"""SHOUTcast's directory, legacy XML: `<stationlist><tunein base="..."/><station name mt id br genre logo ct lc/>...`.

The API (`api.shoutcast.com/legacy`) wants a developer's key; Top500, one genre, or a search make up an answer. A
station is named by its id: its address is a playlist at the tune-in server.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar, Self
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

from airledger.stations.sources.base import LIMITS_CHARS, Ask, Entry, Refused, kbps, link, tags, text
from airledger.stations.sources.icecast_yp import CODECS
from airledger.stations.sources.options import with_options
from airledger.stations.sources.xml_rows import MAX_CHILD_CHARS, local_name, xml_rows

TUNE_IN_SERVER = "http://yp.shoutcast.com"
TUNE_IN_PATH = "/sbin/tunein-station.pls"
METHODS = frozenset({"top500", "genresearch", "stationsearch"})


@dataclass(frozen=True)
class ShoutcastXml:
    """The adapter for `<stationlist>`.

    Attributes:
        key: The developer's key that the API wants.
        genres: Genres to ask for, one request each.
        searches: Words to search for, one request each.
        tune_in: The server whose playlists lead to the streams.
    """

    name: ClassVar[str] = "shoutcast_xml"

    key: str = ""
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
        """Ask for each genre and search; with neither, for the 500 most heard."""
        if urlsplit(url).path.rsplit("/", 1)[-1].lower() in METHODS:
            yield Ask(url)
            return
        base, key = url.rstrip("/"), {"k": self.key} if self.key else {}
        for genre in self.genres:
            yield Ask(f"{base}/genresearch?{urlencode({**key, 'genre': genre})}")
        for words in self.searches:
            yield Ask(f"{base}/stationsearch?{urlencode({**key, 'search': words})}")
        if not self.genres and not self.searches:
            yield Ask(f"{base}/Top500?{urlencode(key)}")

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost element."""
        return b"<stationlist" in start

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read station by station.

        Raises:
            InputError: It is not XML, or has entities or a DTD in it.
        """
        place, path = 0, TUNE_IN_PATH
        for element, _ in xml_rows(body, {"tunein", "station"}, depth=1):
            if local_name(element) == "tunein":
                path = element.get("base") or path
                continue
            place += 1
            yield self._entry(element, path, f"station {place}")

    def _entry(self, station: Element, path: str, where: str) -> Entry | Refused:
        said = station.attrib
        if any(len(value) > MAX_CHILD_CHARS for value in said.values()):
            return Refused("entry_too_large", where)
        number = said.get("id", "").strip()
        if not number:
            return Refused("no_url", where)
        kind = said.get("mt", "").partition(";")[0].strip().lower()
        genres = [said[name] for name in ("genre", "genre2", "genre3", "genre4", "genre5") if said.get(name)]
        return Entry(
            url=f"{self.tune_in.rstrip('/')}/{path.lstrip('/')}?id={number}",
            name=text(said.get("name"), LIMITS_CHARS["name"]),
            type="tv" if kind.startswith("video/") else "radio",
            genre=text(said.get("genre"), LIMITS_CHARS["genre"]),
            bitrate=kbps(said.get("br")),
            codec=CODECS.get(kind),
            logo=link(said.get("logo")),
            tags=tags(genres),
            key=number,
            extra={
                ours: value
                for ours, name in (("current_song", "ct"), ("listeners", "lc"), ("server_type", "mt"))
                if (value := text(said.get(name), LIMITS_CHARS["name"]))
            },
            where=where,
        )
