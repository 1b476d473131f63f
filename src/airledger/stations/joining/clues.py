"""What streams of one station have in common, as short texts that can be looked up. Values in, values out."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

ADDRESS, TARGET, HOME, HOME_NAME, SERVER, SERVER_NAME = (
    "address", "target", "home", "home_name", "server", "server_name",
)  # fmt: skip
PAIRING = frozenset({ADDRESS, TARGET, HOME_NAME, SERVER_NAME})
"""Kinds whose clue, carried by two streams, proposes that they are one station's."""

_PLAYLISTS = re.compile(r"\.(m3u|pls|asx|xspf)$", re.IGNORECASE)
_AAC_PLUS = re.compile(r"aac\s?\+")  # a codec; any other plus tells a second channel from the first
_CACHE_KEYS = frozenset(
    {"nocache", "_", "cb", "cachebuster", "rand", "random", "t", "ts", "time", "dummy", "dist", "ref", "source"}
)
_WORDS = re.compile(r"[^\W_]+")
_TECHNICAL = re.compile(
    r"(?:\d+k(?:bps|bit|b)?|kbps|kbits?|mp3|aac|aacp|heaac|ogg|opus|flac|hls|hd|hq|lq|sd|stream|livestream|webstream|online|"
    r"main|backup|mirror|\d+p|high|low|mobile|stereo|mono|ssl|https?)"
)
_BITRATES = frozenset({"16", "24", "32", "40", "48", "56", "64", "80", "96", "112", "128", "160", "192", "256", "320"})
_HEAD_WORDS = frozenset({"kbps", "kbit", "kbits", "kb", "k", "mp3", "aac", "ogg", "opus"})
_GENERIC = frozenset(
    {
        "radio", "live", "fm", "am", "tv", "music", "news", "unknown", "untitled", "default", "noname", "name",
        "station", "test", "my", "the", "webradio", "internet", "this", "is", "your", "server", "description",
        "unnamed", "unspecified", "autodj", "icecast", "shoutcast",
    }
)  # fmt: skip
_LEAST_LETTERS = 3


@dataclass(frozen=True, slots=True)
class Clues:
    """What a stream can be recognised by.

    Attributes:
        name_key: Its name, folded and without bitrates and codecs; empty where it says nothing.
        by_kind: Clues by kind.
    """

    name_key: str
    by_kind: Mapping[str, str]


def clues_of(url: str, resolved: str | None, name: str | None, website: str | None) -> Clues:
    """Find the clues of a stream.

    Args:
        url: Its canonical address.
        resolved: Where redirects and playlists led, if anywhere.
        name: What it is called.
        website: Its homepage.
    """
    key = name_key(name)
    found = {ADDRESS: address_key(url), SERVER: server_key(url)}
    if resolved and (target := address_key(resolved)) != found[ADDRESS]:
        found[TARGET] = target
    home = home_key(website)
    if home:
        found[HOME] = home
    if key:
        found[SERVER_NAME] = f"{found[SERVER]} {key}"
        if home:
            found[HOME_NAME] = f"{home} {key}"
    return Clues(key, found)


def address_key(url: str) -> str:
    """Fold what names the same mount: http and https, default ports, `;`, `.m3u` before it, and what defeats caches.

    The path's case and all other parts of the query stay: they tell mounts of one server apart.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip(";").rstrip("/")
    path = _PLAYLISTS.sub("", path)
    kept = [pair for pair in parts.query.split("&") if pair and not _is_for_caches(pair)]
    query = f"?{'&'.join(kept)}" if kept else ""
    return f"{server_key(url)}{path or '/'}{query}"


def server_key(url: str) -> str:
    """Name the server of an address: host and port, the two default ports as one."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    return f"{parts.hostname or ''}{port}"


def home_key(website: str | None) -> str:
    """Name a homepage by host and path, without scheme, `www.` and index files; empty for none."""
    if not website:
        return ""
    try:
        parts = urlsplit(website if "//" in website else f"//{website}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    path = re.sub(r"/(?:index|home|default)\.\w+$", "", parts.path).rstrip("/").casefold()
    return f"{host}{path}" if "." in host else ""


def name_key(name: str | None) -> str:
    """Fold a name to its words, without bitrates and codecs; empty where what is left could be anybody's."""
    folded = _AAC_PLUS.sub("aac ", unicodedata.normalize("NFKD", name or "").casefold()).replace("+", " plus ")
    words = _WORDS.findall("".join(letter for letter in folded if not unicodedata.combining(letter)))
    kept = [word for at, word in enumerate(words) if not _TECHNICAL.fullmatch(word) and not _is_bitrate(words, at)]
    if not kept or all(word in _GENERIC for word in kept) or sum(map(len, kept)) < _LEAST_LETTERS:
        return ""
    return " ".join(kept)


def _is_bitrate(words: list[str], at: int) -> bool:
    """Whether a number is a bitrate: a usual one beside `kbps` or a codec. Alone it is a name ("Radio 96")."""
    beside = words[at - 1 : at] + words[at + 1 : at + 2] if at else words[1:2]
    return words[at] in _BITRATES and any(word in _HEAD_WORDS for word in beside)


def _is_for_caches(pair: str) -> bool:
    key, _, value = pair.partition("=")
    return key.lower() in _CACHE_KEYS and (not value or value.replace(".", "").isdigit() or key.lower() == "nocache")
