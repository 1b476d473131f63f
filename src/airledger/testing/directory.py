"""Directories in which the band publishes itself: Icecast's yp.xml, the Radio Browser API's station search, an M3U."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from airledger.testing.packets import CODECS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airledger.testing.band import Station

LISTED_AT = "2026-11-01 12:00:00"
LISTED_AT_ISO = "2026-11-01T12:00:00Z"
MAX_LIMIT = 100_000
CODEC_LABELS = {"mp3": "MP3", "mp3-stereo": "MP3", "aac": "AAC", "vorbis": "OGG", "opus": "OGG"}


def icecast_directory(stations: Sequence[Station], url: Callable[[Station], str]) -> bytes:
    """Write ``yp.xml``: one entry per station; HLS is not in it, Icecast has none."""
    root = ET.Element("directory")
    for station in stations:
        if station.is_hls:
            continue
        codec = CODECS[station.codec]
        entry = ET.SubElement(root, "entry")
        for tag, text in (
            ("server_name", station.name),
            ("listen_url", url(station)),
            ("server_type", codec.content_type),
            ("bitrate", str(station.claimed_kbps)),
            ("channels", str(codec.channels)),
            ("samplerate", str(codec.rate_hz)),
            ("genre", " ".join(station.tags)),
            ("current_song", ""),
        ):
            ET.SubElement(entry, tag).text = text
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode()


def m3u(stations: Sequence[Station], url: Callable[[Station], str]) -> bytes:
    """Write an extended M3U with the attributes that such lists carry."""
    lines = ["#EXTM3U"]
    for s in stations:
        radio = "" if s.is_tv else ' radio="true"'
        lines.append(
            f'#EXTINF:-1 tvg-id="{s.key}.{s.country_code.lower()}" tvg-country="{s.country_code}" '
            f'tvg-language="{s.language.capitalize()}" group-title="{";".join(s.tags)}"{radio},{s.name}'
        )
        lines.append(url(s))
    return ("\n".join(lines) + "\n").encode()


def station_row(station: Station, url: str, url_resolved: str) -> dict[str, Any]:
    """Write one row as the Radio Browser API gives it."""
    times = ("lastchangetime", "lastchecktime", "lastcheckoktime", "lastlocalchecktime", "clicktimestamp")
    row: dict[str, Any] = {
        "changeuuid": station.uuid,
        "stationuuid": station.uuid,
        "serveruuid": None,
        "name": station.name,
        "url": url,
        "url_resolved": url_resolved,
        "homepage": station.homepage,
        "favicon": "",
        "tags": ",".join(station.tags),
        "country": station.country,
        "countrycode": station.country_code,
        "iso_3166_2": None,
        "state": station.city,
        "language": station.language,
        "languagecodes": None,
        "votes": 0,
        "codec": CODEC_LABELS[station.codec] if not station.is_tv else "AAC,H.264",
        "bitrate": station.claimed_kbps,
        "hls": int(station.is_hls),
        "lastcheckok": 1,  # a directory does not know better; that is what we prove
        "ssl_error": 0,
        "clickcount": 0,
        "clicktrend": 0,
        "geo_lat": station.latitude,
        "geo_long": station.longitude,
        "has_extended_info": False,
    }
    row.update(dict.fromkeys(times, LISTED_AT))
    row.update({f"{name}_iso8601": LISTED_AT_ISO for name in times})
    return row


def search(rows: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Answer a station search.

    Args:
        rows: all stations.
        query: ``name``, ``country``, ``countrycode``, ``language``, ``tag``, ``codec``, ``order`` (a field),
            ``reverse``, ``hidebroken``, ``offset``, ``limit``; others are not looked at.

    Returns:
        The rows asked for.

    Raises:
        ValueError: offset or limit is not a number.
    """
    found = [row for row in rows if _matches(row, query)]
    order = query.get("order", "")
    if order and rows and order in rows[0]:
        found.sort(key=lambda row: str(row[order]), reverse=query.get("reverse") == "true")
    offset, limit = max(0, int(query.get("offset", "0"))), min(MAX_LIMIT, int(query.get("limit", str(MAX_LIMIT))))
    return found[offset : offset + max(0, limit)]


def _matches(row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    for name in ("name", "country", "language", "codec"):
        if query.get(name, "").lower() not in str(row[name]).lower():
            return False
    if query.get("countrycode", row["countrycode"]).upper() != row["countrycode"]:
        return False
    if query.get("hidebroken") == "true" and not row["lastcheckok"]:
        return False
    return query.get("tag", "").lower() in row["tags"].lower()


def as_json(value: Any) -> bytes:
    """Write JSON as UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode()
