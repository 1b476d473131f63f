"""Reading the small playlists that stand in front of a stream: .pls, .m3u, .asx, .xspf."""

import re
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

ENTRIES_LIMIT = 1000
# rtmp, rtsp, mms and srt need players of their own; the caller says so when nothing else is left.
_PLS_ENTRY = re.compile(r"^\s*(?:file|ref)\d*\s*=\s*(\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_ASX_REF = re.compile(r"<ref\b[^>]*?\bhref\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)


def decode_text(raw: bytes) -> str:
    """Read text whose charset nobody declared: UTF-8 if that decodes, else Latin-1."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def is_hls(text: str) -> bool:
    """Whether an M3U is an HLS playlist, which is not a list of addresses but a stream in pieces."""
    return "#EXT-X-TARGETDURATION" in text or "#EXT-X-STREAM-INF" in text or "#EXT-X-MEDIA-SEQUENCE" in text


def entries(kind: str, text: str, base_url: str) -> list[str]:
    """Give the addresses in a playlist, absolute, in order, each once.

    Args:
        kind: `m3u`, `pls`, `asx` or `xspf`.
        text: the playlist.
        base_url: its own address, for relative entries.
    """
    readers = {"m3u": _m3u, "pls": _pls, "asx": _asx, "xspf": _xspf}
    absolute: dict[str, None] = {}
    for entry in readers[kind](text)[:ENTRIES_LIMIT]:
        try:
            absolute[urljoin(base_url, entry)] = None
        except ValueError:  # such as `http://[::1`
            continue
    return list(absolute)


def fetchable(url: str) -> bool:
    """Whether the scheme is one that we fetch."""
    return urlsplit(url).scheme in {"http", "https"}


def _m3u(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line.partition("|")[0] for line in lines if line and not line.startswith("#")]


def _pls(text: str) -> list[str]:
    return _PLS_ENTRY.findall(text)


def _asx(text: str) -> list[str]:
    # ASX looks like XML but is seldom well-formed; players look for its refs, so do we.
    return [href.strip().replace("&amp;", "&") for href in _ASX_REF.findall(text)]


def _xspf(text: str) -> list[str]:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return []
    found = [element.text for element in root.iter() if element.tag.rpartition("}")[2] == "location"]
    return [location.strip() for location in found if location and location.strip()]
