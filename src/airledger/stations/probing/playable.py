"""Which players can play a stream. Values in, values out.

The rules are those of the platforms: a page served by https may only load https sound (mixed content); hls.js fetches
by script, so the server must allow other origins (CORS), while `<audio src>` and Safari's own HLS need no such leave;
no browser lets a page set `User-Agent` or `Referer`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Client(StrEnum):
    """A kind of player. The values are stored and served, so they never change."""

    BROWSER_HTTP = "browser_http"
    BROWSER_HTTPS = "browser_https"
    SAFARI = "safari"
    NATIVE = "native"
    CHROMECAST = "chromecast"


# What Chrome, Edge and Firefox decode on every desktop and on Android; Safari plays Ogg only in its newest releases.
_BROWSER_SOUND = frozenset({"mp3", "aac", "vorbis", "opus", "flac"})
_SAFARI_SOUND = frozenset({"mp3", "aac"})
_SAFARI_HLS_SOUND = frozenset({"mp3", "aac", "ac3", "eac3"})
_HLS_JS_SOUND = frozenset({"mp3", "aac"})
_CAST_SOUND = frozenset({"mp3", "aac", "vorbis", "opus", "flac"})
_BROWSER_PICTURE = frozenset({"h264"})
_SAFARI_PICTURE = frozenset({"h264", "hevc"})
# What directories write for what FFmpeg calls otherwise.
_ALIASES = {"aac+": "aac", "aacp": "aac", "he-aac": "aac", "mpeg": "mp3", "ogg": "vorbis", "mp3float": "mp3"}
# A page cannot play MPEG-TS or FLV that comes as one endless answer.
_NOT_IN_PAGES = frozenset({"mpegts", "flv", "asf", "amr", "caf"})


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream.

    Attributes:
        url: The address that gives sound, behind playlists.
        https_url: The same sound by https, where it was heard to be the same.
        codec: Of the sound; None while nobody has decoded it.
        picture_codec: Of the picture; None without one.
        container: Of the bytes, by FFmpeg's names; empty where unknown.
        is_hls: Whether it is sent in segments.
        allows_any_origin: Whether scripts of other sites may read it; None while unknown.
        needs_headers: Whether the server wants headers that a page cannot send.
    """

    url: str
    https_url: str | None = None
    codec: str | None = None
    picture_codec: str | None = None
    container: str = ""
    is_hls: bool = False
    allows_any_origin: bool | None = None
    needs_headers: bool = False


def playable_in(stream: StreamFacts) -> frozenset[str]:
    """Return the clients that can play a stream which is known to play.

    What is unknown counts against it: a client that is named will play it.
    """
    clients = {Client.NATIVE}
    codec = _plain(stream.codec)
    if codec is None or stream.needs_headers:
        return _values(clients)
    can_browse = _plays_in_browser(stream, codec)
    is_secure = stream.url.startswith("https:") or stream.https_url is not None
    if can_browse:
        clients.add(Client.BROWSER_HTTP)
    if can_browse and is_secure:
        clients.add(Client.BROWSER_HTTPS)
    if is_secure and _plays_in_safari(stream, codec):
        clients.add(Client.SAFARI)
    if _plays_on_cast(stream, codec):
        clients.add(Client.CHROMECAST)
    return _values(clients)


def as_text(clients: Iterable[str]) -> str:
    """Write clients as they are stored: between commas (`,native,safari,`), so that one can be searched for."""
    names = sorted(clients)
    return f",{','.join(names)}," if names else ""


def from_text(stored: str) -> list[str]:
    """Read what `as_text` wrote."""
    return [name for name in stored.split(",") if name]


def pattern(client: str) -> str:
    """Return what a stored text contains when the client can play: for `Stream.playable_in.contains(...)`.

    Raises:
        ValueError: There is no such client.
    """
    return f",{Client(client).value},"


def _plays_in_browser(stream: StreamFacts, codec: str) -> bool:
    if not _picture_is_one_of(stream, _BROWSER_PICTURE):
        return False
    if stream.is_hls:
        return codec in _HLS_JS_SOUND and stream.allows_any_origin is True
    return codec in _BROWSER_SOUND and stream.container not in _NOT_IN_PAGES


def _plays_in_safari(stream: StreamFacts, codec: str) -> bool:
    if not _picture_is_one_of(stream, _SAFARI_PICTURE):
        return False
    if stream.is_hls:
        return codec in _SAFARI_HLS_SOUND
    return codec in _SAFARI_SOUND and stream.container not in {*_NOT_IN_PAGES, "ogg", "matroska"}


def _plays_on_cast(stream: StreamFacts, codec: str) -> bool:
    """Tell for the default receiver, which is a browser that fetches segments by script."""
    if not _picture_is_one_of(stream, _BROWSER_PICTURE):
        return False
    if stream.is_hls:
        return codec in _HLS_JS_SOUND and stream.allows_any_origin is True
    return codec in _CAST_SOUND and stream.container not in _NOT_IN_PAGES


def _picture_is_one_of(stream: StreamFacts, codecs: frozenset[str]) -> bool:
    return stream.picture_codec is None or stream.picture_codec in codecs


def _plain(codec: str | None) -> str | None:
    if not codec:
        return None
    name = codec.strip().lower()
    return _ALIASES.get(name, name)


def _values(clients: Iterable[Client]) -> frozenset[str]:
    return frozenset(client.value for client in clients)
