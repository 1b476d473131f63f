"""Radio Browser: rows of its API `/json/stations/search`, live and in pages, or from a file (`.json`, `.json.gz`)."""

from collections.abc import Generator, Iterator
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit, urlunsplit

from airledger.stations.sources.base import (
    LIMITS_CHARS,
    Ask,
    Entry,
    Refused,
    coordinates,
    country,
    kbps,
    link,
    number,
    tags,
    text,
)
from airledger.stations.sources.json_rows import json_rows

PAGE_ROWS = 5_000
MAX_PAGES = 200
SEARCH_PATH = "/json/stations/search"
PICTURE_CODECS = ("H.264", "H.265", "HEVC")
UNKNOWN_CODEC = "UNKNOWN"


class RadioBrowser:
    """The adapter for Radio Browser's rows."""

    name = "radio_browser"

    def asks(self, url: str) -> Generator[Ask, int, None]:
        """Ask page by page where the address is the API's, else for the one file."""
        if not is_api(url):
            yield Ask(url)
            return
        for page in range(MAX_PAGES):
            if (yield Ask(page_url(url, page), is_page=True)) < PAGE_ROWS:
                return

    def recognises(self, start: bytes) -> bool:
        """Tell by the rows' own id."""
        return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and b'"stationuuid"' in start

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read row by row.

        Raises:
            InputError: It is not a JSON array, or breaks off.
        """
        for place, row in enumerate(json_rows(body), start=1):
            yield _entry(row, place)


def is_api(url: str) -> bool:
    """Tell whether an address names a server of the API, rather than a file of rows."""
    path = urlsplit(url).path
    return path.rstrip("/") in {"", SEARCH_PATH}


def page_url(url: str, page: int) -> str:
    """Return the address of a page of all stations, broken ones too: their checker never reads sound, ours does."""
    parts = urlsplit(url)
    query = {"offset": page * PAGE_ROWS, "limit": PAGE_ROWS, "order": "name", "hidebroken": "false"}
    return urlunsplit((parts.scheme, parts.netloc, SEARCH_PATH, urlencode(query), ""))


def _entry(row: Any, place: int) -> Entry | Refused:
    if not isinstance(row, dict):
        return Refused("not_an_object", f"row {place}")
    url = row.get("url") or row.get("url_resolved")
    if not isinstance(url, str) or not url.strip():
        return Refused("no_url", f"row {place}")
    codec = text(row.get("codec"))
    latitude, longitude = coordinates(row.get("geo_lat"), row.get("geo_long"))
    return Entry(
        url=url,
        name=text(row.get("name"), LIMITS_CHARS["name"]),
        type="tv" if codec and any(mark in codec.upper() for mark in PICTURE_CODECS) else "radio",
        genre=text(row.get("genre"), LIMITS_CHARS["genre"]) or _first_tag(row.get("tags")),
        bitrate=kbps(row.get("bitrate")),
        codec=None if codec is None or codec.upper() == UNKNOWN_CODEC else codec,
        country_code=country(row.get("countrycode")),
        country_name=text(row.get("country")),
        city=None,  # `state` is what contributors make of it: a region, a county, a city
        language=text(row.get("language")),
        website=link(row.get("homepage")),
        logo=link(row.get("favicon")),
        tags=tags(row.get("tags")),
        latitude=latitude,
        longitude=longitude,
        key=text(row.get("stationuuid")),
        extra=_extra(row),
        where=f"row {place}",
    )


def _first_tag(value: object) -> str | None:
    return next(iter(tags(value)), None)


def _extra(row: dict[str, Any]) -> dict[str, Any]:
    words = {key: value for key in ("state", "languagecodes", "iso_3166_2") if (value := text(row.get(key)))}
    counts = {key: int(count) for key in ("votes", "clickcount", "lastcheckok") if (count := number(row.get(key)))}
    return words | counts
