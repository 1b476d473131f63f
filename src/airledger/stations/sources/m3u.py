"""M3U: lists of streams with IPTV attributes, and plain lists of URLs.

    #EXTM3U x-tvg-url="..."
    #EXTINF:-1 tvg-id="Channel.cc@Feed" tvg-logo="..." group-title="News;Local" radio="true",Name (720p) [Geo-blocked]
    #EXTVLCOPT:http-user-agent=...
    http://host/path|User-Agent=...

Commas and even quotes occur inside quoted attributes. Without `radio="true"` an entry is TV, as in iptv-org's lists.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from airledger.platform.errors import InputError
from airledger.stations.sources.base import (
    LIMITS_CHARS,
    Entry,
    Refused,
    StreamType,
    country,
    link,
    tags,
    text,
)
from airledger.stations.sources.text_lines import decoded, text_lines
from airledger.stations.urls import wanted_headers

# Bounded and bound to a word's start: a line of 64 KiB of letters must not cost the square of its length.
_KEY = re.compile(r'(?<![\w-])([A-Za-z][\w-]{0,40})=("?)')
# A quote ends a value only where a comma, the next attribute or the end follows: values with quotes in them are real.
_CLOSING_QUOTE = re.compile(r'"(?=\s*(?:,|$|[A-Za-z][\w-]{0,40}=))')
_BARE_VALUE = re.compile(r'[^\s",]*')
_LENGTH = re.compile(r"\s*-?\d+(?:\.\d+)?")
_HEIGHT = re.compile(r"\s*\((\d{3,4})[pi]\)")
_LABEL = re.compile(r"\s*\[([^\[\]]{1,40})\]\s*$")
_TVG_ID = re.compile(r"[^@]*\.([A-Za-z]{2})(?:@.*)?$")
_VLC_HEADERS = {"http-user-agent": "User-Agent", "http-referrer": "Referer", "http-origin": "Origin"}
_HLS_TAGS = (b"#EXT-X-TARGETDURATION", b"#EXT-X-STREAM-INF", b"#EXT-X-MEDIA-SEQUENCE")
MAX_LABELS = 5


@dataclass
class _Pending:
    """What the lines before a URL have said of it."""

    title: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    group: str | None = None
    has_info: bool = False
    spoilt: str | None = None


class M3u:
    """The adapter for M3U."""

    name = "m3u"

    def recognises(self, start: bytes) -> bool:
        """Tell by the header, or by a line that describes an address."""
        head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
        return head[:7].upper() in (b"#EXTM3U", b"#EXTINF") or (head[:1] == b"#" and b"\n#EXTINF:" in head)

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read entry by entry.

        Raises:
            InputError: It is the playlist of an HLS stream, which names pieces of one stream.
            LimitError: It has more lines than any list needs.
        """
        pending = _Pending()
        for place, line, is_cut in text_lines(body):
            if is_cut:
                pending.spoilt = pending.spoilt or "line_too_long"
                if not line.startswith(b"#"):  # an address, so the entry ends here and the next one is none the worse
                    yield Refused(pending.spoilt, f"line {place}")
                    pending = _Pending()
                continue
            if line.startswith(_HLS_TAGS):
                raise InputError("This is the playlist of one HLS stream, not a list of streams: submit its address.")
            if line.startswith(b"#"):
                _note(pending, decoded(line))
            elif line:
                yield _finished(pending, line, place)
                pending = _Pending()
        if pending.has_info or pending.spoilt:
            yield Refused(pending.spoilt or "no_url", "at the end")


def _note(pending: _Pending, line: str) -> None:
    tag, _, value = line.partition(":")
    match tag.upper():
        case "#EXTINF":
            pending.title, pending.attributes = _parse_info(value)
            pending.has_info = True
        case "#EXTGRP":
            pending.group = value
        case "#EXTVLCOPT":
            option, _, setting = value.partition("=")
            if option.strip().lower() in _VLC_HEADERS:
                pending.headers[_VLC_HEADERS[option.strip().lower()]] = setting
        case "#EXTHTTP":
            pending.headers |= wanted_headers(_http_headers(value))
        case "#KODIPROP":
            option, _, setting = value.partition("=")
            if option.strip().lower().endswith("stream_headers"):
                pairs = (pair.partition("=") for pair in setting.split("&"))
                pending.headers |= wanted_headers({name: value for name, _, value in pairs})


def _parse_info(value: str) -> tuple[str | None, dict[str, str]]:
    """Split `-1 a="b, c" d=e,Title` into the title and the attributes."""
    length = _LENGTH.match(value)
    position = length.end() if length else 0
    attributes: dict[str, str] = {}
    while (comma := value.find(",", position)) != -1 or position < len(value):
        found = _KEY.search(value, position, comma if comma != -1 else len(value))
        if found is None:
            break
        end = (_CLOSING_QUOTE if found[2] else _BARE_VALUE).search(value, found.end())
        if end is None:  # the quote is never closed: the rest of the line is this value
            return None, attributes | {found[1].lower(): value[found.end() :]}
        attributes[found[1].lower()] = value[found.end() : end.start()] if found[2] else end[0]
        position = end.end()
    return (value[comma + 1 :].strip() or None) if comma != -1 else None, attributes


def _http_headers(value: str) -> dict[str, str]:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(setting) for name, setting in found.items()} if isinstance(found, dict) else {}


def _finished(pending: _Pending, line: bytes, place: int) -> Entry | Refused:
    if pending.spoilt:
        return Refused(pending.spoilt, f"line {place}")
    if b"\x00" in line:
        return Refused("control_characters", f"line {place}")
    attributes = pending.attributes
    title, extra = _title(pending.title or attributes.get("tvg-name"))
    return Entry(
        url=decoded(line),
        name=title,
        type=_type(pending),
        genre=text((attributes.get("group-title") or pending.group or "").replace(";", ", "), LIMITS_CHARS["genre"]),
        country_code=_country(attributes),
        language=text(attributes.get("tvg-language", "").replace(";", ", ")),
        logo=link(attributes.get("tvg-logo")),
        tags=tags(attributes.get("group-title") or pending.group),
        headers=wanted_headers(pending.headers),
        says_geo_blocked=_says(extra, "geo-blocked"),
        says_part_time=_says(extra, "not 24/7"),
        extra=extra | ({"tvg_id": tvg_id} if (tvg_id := text(attributes.get("tvg-id"))) else {}),
        where=f"line {place}",
    )


def _says(extra: dict[str, Any], label: str) -> bool | None:
    return True if any(one.casefold() == label for one in extra.get("labels", ())) else None


def _type(pending: _Pending) -> StreamType | None:
    if not pending.has_info:
        return None  # a plain list of addresses claims nothing
    return "radio" if pending.attributes.get("radio", "").lower() in {"true", "1"} else "tv"


def _country(attributes: dict[str, str]) -> str | None:
    claimed = country(re.split("[;,]", attributes.get("tvg-country", ""))[0])
    by_id = _TVG_ID.match(attributes.get("tvg-id", ""))
    return claimed or (country(by_id[1]) if by_id else None)


def _title(raw: str | None) -> tuple[str | None, dict[str, Any]]:
    """Split `Name (720p) [Geo-blocked]` into the name and what the brackets say."""
    title = text(raw, LIMITS_CHARS["name"]) or ""
    labels: list[str] = []
    while (label := _LABEL.search(title)) and len(labels) < MAX_LABELS:
        labels.append(label[1])
        title = title[: label.start()]
    extra: dict[str, Any] = {"labels": labels} if labels else {}
    if height := _HEIGHT.search(title):
        extra["height_px"] = int(height[1])
        title = title[: height.start()] + title[height.end() :]
    return title.strip() or None, extra
