"""Rows to learn places from: Radio Browser's stations and iptv-org's channels, with the country that people claim."""

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airledger.learning.where_told import Told, told

IPTV_WEIGHT = 0.3  # television is there for countries that the radio rows lack; heavier, it costs accuracy on radio
_TVG_ID = re.compile(r'tvg-id="([^"@]*)')


@dataclass(frozen=True, slots=True)
class Labelled:
    """A stream whose country somebody claims.

    Attributes:
        source: `radio` or `tv`.
    """

    told: Told
    country: str
    source: str

    @property
    def weight(self) -> float:
        """How much the row counts in training."""
        return 1.0 if self.source == "radio" else IPTV_WEIGHT

    @property
    def group(self) -> str:
        """The domain whose rows stay together when rows are split; a row without any stands alone."""
        return self.told.group or f"#{self.told.name}"


def told_of(row: Mapping[str, Any]) -> Told:
    """Read what a Radio Browser row tells, leaving out whatever claims its country."""
    return told(
        _text(row, "name"),
        _text(row, "url") or _text(row, "url_resolved"),
        _text(row, "homepage"),
        _text(row, "tags"),
        _text(row, "languagecodes") or _text(row, "language"),
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read Radio Browser rows: a JSON array, or one JSON object a line; plain or gzip.

    Raises:
        ValueError: It is neither.
    """
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    text = data.decode("utf-8-sig", "replace").strip()
    rows = (
        json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines() if line.strip()]
    )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("these are no station rows: a JSON array of objects is expected")
    return rows


def radio_browser(path: Path) -> list[Labelled]:
    """Read labelled stations; of rows with one URL the first."""
    seen: set[str] = set()
    found = []
    for row in read_rows(path):
        url, country = _text(row, "url"), _text(row, "countrycode").upper()
        if country and url not in seen:
            seen.add(url)
            found.append(Labelled(told_of(row), country, "radio"))
    return found


def iptv_org(folder: Path) -> list[Labelled]:
    """Read labelled channels that have a website or a stream, from `database/channels.csv` and `streams/*.m3u`."""
    urls: dict[str, str] = {}
    for playlist in sorted((folder / "streams").glob("*.m3u")):
        for channel, url in _entries(playlist):
            urls.setdefault(channel, url)
    found = []
    with (folder / "database" / "channels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            url, website = urls.get(row["id"], ""), row["website"]
            if url or website:
                country = "GB" if row["country"] == "UK" else row["country"]
                found.append(Labelled(told(row["name"], url, website), country, "tv"))
    return found


def groups_of(rows: list[Labelled]) -> dict[str, list[int]]:
    """Return the places of each group's rows."""
    found: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        found[row.group].append(at)
    return found


def _entries(playlist: Path) -> Iterator[tuple[str, str]]:
    channel = ""
    for line in playlist.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("#EXTINF"):
            match = _TVG_ID.search(line)
            channel = match[1] if match else ""
        elif channel and line and not line.startswith("#"):
            yield channel, line.strip()
            channel = ""


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)
