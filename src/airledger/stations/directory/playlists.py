"""Playlists and guides, written piece by piece: M3U, PLS, XSPF, OPML, XMLTV.

Titles come from strangers: line ends and control characters are taken out everywhere, and what a format gives a meaning
(quotes and commas of M3U attributes, markup of XML) is written so that it cannot be mistaken for it.
"""

import re
from collections.abc import Iterable
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from airledger.stations.directory.entries import Entry

_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Writing(Protocol):
    """A format: its beginning, its entries, its end."""

    media_type: str

    def head(self) -> str:
        """Begin."""

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some entries."""

    def tail(self) -> str:
        """End."""


class M3u:
    """Extended M3U with the attributes that players of iptv-org's lists read.

    Args:
        guide_url: Address of the programme guide (`url-tvg`), if there is one.
        names_uuids: Whether each entry tells its `stationuuid`, as Radio Browser's do.
    """

    media_type = "audio/x-mpegurl"

    def __init__(self, guide_url: str | None = None, *, names_uuids: bool = False) -> None:
        self._guide_url = guide_url
        self._names_uuids = names_uuids

    def head(self) -> str:
        """Begin."""
        return f'#EXTM3U url-tvg="{_attribute(self._guide_url)}"\n' if self._guide_url else "#EXTM3U\n"

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some entries."""
        return "".join(self._entry(one) for one in some)

    def tail(self) -> str:
        """End."""
        return ""

    def _entry(self, entry: Entry) -> str:
        stream = entry.stream
        told = {
            "tvg-id": entry.channel_id if stream.type == "tv" else "",
            "tvg-logo": stream.logo or "",
            "tvg-country": stream.country_code or "",
            "tvg-language": stream.language or "",
            "group-title": stream.genre or "",
            "radio": "true" if stream.type == "radio" else "",
        }
        attributes = "".join(f' {name}="{_attribute(value)}"' for name, value in told.items() if value)
        lines = [f"#RADIOBROWSERUUID:{stream.uuid}"] if self._names_uuids else []
        lines.append(f"#EXTINF:-1{attributes},{_line(entry.title)}")
        for option in ("User-Agent", "Referer"):
            wanted = next((value for name, value in entry.headers.items() if name.lower() == option.lower()), None)
            if isinstance(wanted, str):
                lines.append(f"#EXTVLCOPT:http-{'referrer' if option == 'Referer' else 'user-agent'}={_line(wanted)}")
        return "\n".join([*lines, _line(stream.playable_url)]) + "\n"


class Pls:
    """PLS: an INI file, its number of entries at the end, where players look for it as well."""

    media_type = "audio/x-scpls"

    def __init__(self) -> None:
        self._count = 0

    def head(self) -> str:
        """Begin."""
        return "[playlist]\n"

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some entries."""
        lines = []
        for entry in some:
            self._count += 1
            number = self._count
            lines.append(f"File{number}={_line(entry.stream.playable_url)}")
            lines += [f"Title{number}={_line(entry.title)}", f"Length{number}=-1"]
        return "".join(f"{line}\n" for line in lines)

    def tail(self) -> str:
        """End."""
        return f"NumberOfEntries={self._count}\nVersion=2\n"


class Xspf:
    """XSPF, version 1 (xspf.org)."""

    media_type = "application/xspf+xml"

    def head(self) -> str:
        """Begin."""
        return f'{XML_HEAD}<playlist version="1" xmlns="http://xspf.org/ns/0/">\n<trackList>\n'

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some entries."""
        return "".join(
            "<track>"
            + _element("location", entry.stream.playable_url)
            + _element("identifier", f"urn:uuid:{entry.stream.uuid}")
            + _element("title", entry.title)
            + _element("info", entry.stream.website)
            + _element("image", entry.stream.logo)
            + "</track>\n"
            for entry in some
        )

    def tail(self) -> str:
        """End."""
        return "</trackList>\n</playlist>\n"


class Opml:
    """OPML 2.0 with outlines of type `audio`, as internet radios read them."""

    media_type = "text/x-opml"

    def head(self) -> str:
        """Begin."""
        return f'{XML_HEAD}<opml version="2.0">\n<head><title>Airledger</title></head>\n<body>\n'

    def entries(self, some: Iterable[Entry]) -> str:
        """Write some entries."""
        return "".join(
            '<outline type="audio" text={} URL={} image={} bitrate={} formats={}/>\n'.format(
                _quoted(entry.title),
                _quoted(entry.stream.playable_url),
                _quoted(entry.stream.logo),
                _quoted(str(entry.stream.bitrate_measured_kbps or entry.stream.bitrate or "")),
                _quoted(entry.stream.codec),
            )
            for entry in some
        )

    def tail(self) -> str:
        """End."""
        return "</body>\n</opml>\n"


class Xmltv:
    """XMLTV's list of channels, whose ids are the playlist's `tvg-id`. We know of no programmes, so none are named."""

    media_type = "application/xml"

    def __init__(self) -> None:
        self._known: set[str] = set()

    def head(self) -> str:
        """Begin."""
        return f'{XML_HEAD}<!DOCTYPE tv SYSTEM "xmltv.dtd">\n<tv generator-info-name="Airledger">\n'

    def entries(self, some: Iterable[Entry]) -> str:
        """Write channels; streams of one channel are written once."""
        return "".join(self._channel(entry) for entry in some if entry.stream.type == "tv")

    def tail(self) -> str:
        """End."""
        return "</tv>\n"

    def _channel(self, entry: Entry) -> str:
        if entry.channel_id in self._known:
            return ""
        self._known.add(entry.channel_id)
        logo = f"<icon src={_quoted(entry.stream.logo)}/>" if entry.stream.logo else ""
        name = _element("display-name", entry.title)
        home = _element("url", entry.stream.website)
        return f"<channel id={_quoted(entry.channel_id)}>{name}{logo}{home}</channel>\n"


def _line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _attribute(text: str | None) -> str:
    """Write a value between quotes, which M3U has no way to escape."""
    return _line(text or "").replace('"', "'")


def _element(name: str, text: str | None) -> str:
    return f"<{name}>{escape(_line(text))}</{name}>" if text else ""


def _quoted(text: str | None) -> str:
    return quoteattr(_line(text or ""))
