"""iptv-org's database: CSV files of channels, feeds, what is blocked, and the names of codes. Values in, values out."""

import csv
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, cast

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import BoundedBody

COLUMNS = {
    "channels": ("id", "name", "country", "categories", "website", "network", "closed", "is_nsfw"),
    "feeds": ("channel", "id", "timezones", "languages", "broadcast_area", "format", "is_main"),
    "blocklist": ("channel", "reason"),
    "languages": ("code", "name"),
    "categories": ("id", "name"),
    "cities": ("code", "name"),
}
MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ROWS = 500_000
MAX_CELL_CHARS = 16 * 1024

OpenFile = Callable[[str], BinaryIO]


class Channel(NamedTuple):
    """Who broadcasts."""

    name: str
    country: str
    categories: tuple[str, ...]
    website: str
    network: str
    closed: str
    is_nsfw: bool


class Feed(NamedTuple):
    """One version of a channel: its languages, and where it is meant for (`c/GH`, `s/US-CA`, `ct/USNYC`, `r/EUR`)."""

    languages: tuple[str, ...]
    areas: tuple[str, ...]
    time_zone: str
    format: str


@dataclass(frozen=True)
class ChannelDatabase:
    """What the files say, by id.

    Attributes:
        blocked: Why a channel is blocked: `dmca` or `nsfw`.
        main_feeds: Id of the feed that a channel's bare id means.
    """

    channels: Mapping[str, Channel]
    feeds: Mapping[tuple[str, str], Feed]
    main_feeds: Mapping[str, str]
    blocked: Mapping[str, str]
    languages: Mapping[str, str]
    categories: Mapping[str, str]
    cities: Mapping[str, str]

    def feed(self, channel_id: str, feed_id: str) -> Feed | None:
        """Find a feed; with no id, or one that is not known, the main one."""
        found = self.feeds.get((channel_id, feed_id)) if feed_id else None
        main = self.main_feeds.get(channel_id)
        return found or (self.feeds.get((channel_id, main)) if main is not None else None)


def read_database(open_file: OpenFile) -> ChannelDatabase:
    """Read the database.

    Args:
        open_file: Gives a file by its bare name (`channels`).

    Raises:
        InputError: A file is not CSV, or lacks a column.
        LimitError: A file is too large.
    """
    share = sys.intern
    channels = {
        row["id"]: Channel(
            row["name"],
            share(row["country"]),
            _parts(row["categories"]),
            row["website"],
            share(row["network"]),
            row["closed"],
            row["is_nsfw"].upper() == "TRUE",
        )
        for row in _rows(open_file, "channels")
    }
    feeds, main_feeds = {}, {}
    for row in _rows(open_file, "feeds"):
        zone = row["timezones"].partition(";")[0]
        feeds[row["channel"], share(row["id"])] = Feed(
            _parts(row["languages"]), _parts(row["broadcast_area"]), share(zone), share(row["format"])
        )
        if row["is_main"].upper() == "TRUE":
            main_feeds[row["channel"]] = share(row["id"])
    return ChannelDatabase(
        channels,
        feeds,
        main_feeds,
        blocked={row["channel"]: share(row["reason"]) for row in _rows(open_file, "blocklist")},
        languages=_names(open_file, "languages", "code"),
        categories=_names(open_file, "categories", "id"),
        cities=_names(open_file, "cities", "code"),
    )


def _names(open_file: OpenFile, name: str, key: str) -> dict[str, str]:
    return {row[key]: row["name"] for row in _rows(open_file, name)}


def _parts(value: str) -> tuple[str, ...]:
    return tuple(sys.intern(part) for part in value.split(";") if part)


def _rows(open_file: OpenFile, name: str) -> Iterator[dict[str, str]]:
    """Read a file's rows; a row that is too short has empty cells, one that is too long loses what has no column."""
    with open_file(name) as file:
        lines = _lines(cast("BinaryIO", BoundedBody(file, MAX_FILE_BYTES)), name)
        table = csv.DictReader(lines, restval="")
        try:
            missing = [column for column in COLUMNS[name] if column not in (table.fieldnames or ())]
            if missing:
                raise InputError(f"{name}.csv has no column {missing[0]!r}.")
            for place, row in enumerate(table):
                if place >= MAX_ROWS:
                    raise LimitError(f"{name}.csv has more than {MAX_ROWS:,} rows.")
                yield row
        except csv.Error as error:
            raise InputError(f"{name}.csv cannot be read: {error}.") from None


def _lines(body: BinaryIO, name: str) -> Iterator[str]:
    while line := body.readline(MAX_CELL_CHARS):
        if len(line) == MAX_CELL_CHARS:
            raise LimitError(f"{name}.csv has a line of more than {MAX_CELL_CHARS} bytes.")
        yield line.decode("utf-8", "replace").removeprefix("\ufeff")
