"""iptv-org: its M3U lists, joined with its database of channels by `tvg-id="Channel.cc@Feed"`.

The list says where a stream is and how it is marked; the database says who broadcasts it: country, categories, website,
languages, area and time zone. What its block list names (by law's notice, or for what it shows) is refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, ClassVar, Self

from airledger.stations.sources.base import Entry, Refused, country, link, tags, text
from airledger.stations.sources.iptv_org_database import ChannelDatabase
from airledger.stations.sources.m3u import M3u
from airledger.stations.sources.options import with_options

_TVG_ID = re.compile(rb'tvg-id="[^"@]+\.[A-Za-z]{2}@')


@dataclass(frozen=True)
class IptvOrg:
    """The adapter for iptv-org's lists.

    Attributes:
        database: Folder or address of the database's CSV files; empty: entries are taken as the list has them.
        channels: What was read from there.
    """

    name: ClassVar[str] = "iptv_org"

    database: str = ""
    channels: ChannelDatabase | None = None

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Apply the options of a configured source.

        Raises:
            ConfigurationError: There is no such option, or its value does not fit.
        """
        return with_options(self, options)

    def joined_with(self, channels: ChannelDatabase) -> Self:
        """Return an adapter that joins entries with a database."""
        return replace(self, channels=channels)

    def recognises(self, start: bytes) -> bool:
        """Tell by ids that name a channel and its feed."""
        return M3u().recognises(start) and _TVG_ID.search(start) is not None

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read entry by entry.

        Raises:
            InputError: It is the playlist of an HLS stream.
            LimitError: It has more lines than any list needs.
        """
        for entry in M3u().entries(body):
            yield entry if isinstance(entry, Refused) or self.channels is None else _joined(entry, self.channels)


def _joined(entry: Entry, known: ChannelDatabase) -> Entry | Refused:
    channel_id, _, feed_id = str(entry.extra.get("tvg_id", "")).partition("@")
    if channel_id in known.blocked:
        return Refused(f"blocklist_{known.blocked[channel_id]}", entry.where)
    channel = known.channels.get(channel_id)
    if channel is None:
        return entry
    feed = known.feed(channel_id, feed_id)
    languages = [known.languages[code] for code in feed.languages if code in known.languages] if feed else []
    categories = [known.categories.get(name, name) for name in channel.categories]
    more = {
        "channel": channel.name,
        "network": channel.network,
        "closed": channel.closed,
        "areas": list(feed.areas) if feed else [],
        "time_zone": feed.time_zone if feed else "",
        "feed_format": feed.format if feed else "",
        "is_nsfw": channel.is_nsfw,
    }
    return replace(
        entry,
        name=entry.name or text(channel.name),
        genre=entry.genre or text(", ".join(categories)),
        country_code=country(channel.country) or entry.country_code,
        city=entry.city or _city(feed.areas if feed else (), known),
        language=entry.language or text(", ".join(languages)),
        website=entry.website or link(channel.website),
        tags=entry.tags or tags(categories),
        extra={**entry.extra, **{name: value for name, value in more.items() if value}},
    )


def _city(areas: tuple[str, ...], known: ChannelDatabase) -> str | None:
    """Name the city that a feed is made for, where it is one."""
    if len(areas) != 1 or not areas[0].startswith("ct/"):
        return None
    return text(known.cities.get(areas[0].removeprefix("ct/")))
