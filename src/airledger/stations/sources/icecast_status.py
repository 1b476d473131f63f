"""One Icecast server's `status-json.xsl`: every mount in one answer, instead of a connection to each.

What occurs in the wild, and is read all the same: `icestats.source` absent, an object, an array, an array with nulls,
or an object by mount; `"title": -` for an empty title; quotes and line ends in titles that nobody escaped; a
`listenurl` that names `localhost` because nobody set the server's host name; none at all, but a mount.
"""

import ipaddress
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, ClassVar, Self
from urllib.parse import urlsplit, urlunsplit

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import LIMITS_CHARS, Ask, Entry, Refused, kbps, link, tags, text
from airledger.stations.sources.icecast_yp import CODECS
from airledger.stations.sources.text_lines import decoded

MAX_STATUS_BYTES = 4 * 1024 * 1024
MAX_MOUNTS = 5_000
STATUS_PATH = "/status-json.xsl"
UNSPECIFIED = "unspecified"

_BARE_DASH = re.compile(r'(":\s*)-(?=\s*[,}\]])')
# A value of the wild: a text up to the quote that a comma or a brace follows, or a number.
_PAIR = re.compile(r'"(\w[\w-]{0,40})"\s*:\s*(?:"(.{0,2000}?)"(?=\s*[,}\n])|(-?\d+(?:\.\d+)?))', re.DOTALL)
_EXTRA = ("channels", "samplerate", "audio_info", "listeners", "title", "artist", "subtype", "server_type")


@dataclass(frozen=True)
class IcecastStatus:
    """The adapter for `status-json.xsl`.

    Attributes:
        base: Where the page came from; mounts whose own address leads nowhere are looked for there.
    """

    name: ClassVar[str] = "icecast_status"

    base: str = ""

    def asks(self, url: str) -> Generator[Ask, int, None]:
        """Ask for the page; a server may be named by its bare address."""
        parts = urlsplit(url)
        yield Ask(url if parts.path not in {"", "/"} else f"{parts.scheme}://{parts.netloc}{STATUS_PATH}")

    def at(self, url: str) -> Self:
        """Read as from the server of an address."""
        return replace(self, base=url)

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost key."""
        return b'"icestats"' in start

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read all mounts.

        Raises:
            InputError: It is no such document.
            LimitError: It is larger than 4 MiB, or nested too deeply.
        """
        for place, source in enumerate(_sources(_document(body)), start=1):
            yield self._entry(source, f"mount {place}")

    def _entry(self, source: Any, where: str) -> Entry | Refused:
        if not isinstance(source, dict):
            return Refused("not_an_object", where)
        url = self._address(source)
        if not url:
            return Refused("no_url", where)
        server_type = str(source.get("server_type") or "").partition(";")[0].strip().lower()
        subtype = str(source.get("subtype") or "").partition("/")[0].strip().upper()
        return Entry(
            url=url,
            name=_specified(source.get("server_name"), LIMITS_CHARS["name"]),
            type="tv" if server_type.startswith("video/") else "radio",
            genre=_specified(source.get("genre"), LIMITS_CHARS["genre"]),
            bitrate=_bitrate(source),
            codec=subtype if subtype in {"VORBIS", "OPUS", "FLAC"} else CODECS.get(server_type),
            website=link(source.get("server_url")),
            description=_specified(source.get("server_description"), LIMITS_CHARS["description"]),
            tags=tags(source.get("genre"), ",; "),
            extra={key: value for key in _EXTRA if (value := text(source.get(key), LIMITS_CHARS["name"]))},
            where=where,
        )

    def _address(self, source: dict[str, Any]) -> str | None:
        listen_url, mount = source.get("listenurl"), source.get("mount")
        if isinstance(listen_url, str) and listen_url.strip():
            url = listen_url.strip()
        elif isinstance(mount, str) and mount.startswith("/"):
            url = mount
        else:
            return None
        if not self.base or "\x00" in url:
            return url if "://" in url or not url.startswith("/") else None
        return _at_server(url, self.base)


def _at_server(url: str, base: str) -> str:
    """Give a mount the host that answered, where its own is missing or leads to whoever reads it."""
    try:
        parts = urlsplit(url if "://" in url or url.startswith("/") else f"//{url}")
        host = parts.hostname
    except ValueError:
        return url
    server = urlsplit(base)
    if host and not _is_nowhere(host):
        return url if parts.scheme else urlunsplit((server.scheme, *parts[1:]))
    return urlunsplit((server.scheme, server.netloc, parts.path or "/", parts.query, ""))


def _is_nowhere(host: str) -> bool:
    if "." not in host and ":" not in host:
        return True  # localhost, icecast, a container's name
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.endswith((".local", ".localdomain", ".internal", ".lan"))
    return address.is_private or address.is_loopback or address.is_unspecified


def _document(body: BinaryIO) -> Any:
    raw = b""
    while data := body.read(64 * 1024):
        raw += data
        if len(raw) > MAX_STATUS_BYTES:
            raise LimitError(f"The status page is larger than {MAX_STATUS_BYTES} bytes.")
    told = decoded(raw).removeprefix("\ufeff")
    failure = ""
    for attempt in (told, _BARE_DASH.sub(r"\1null", told)):
        try:
            return json.loads(attempt, strict=False)  # line ends in titles are real
        except RecursionError:
            raise LimitError("The status page is nested too deeply.") from None
        except ValueError as error:
            failure = str(error)
    if '"icestats"' in told and (rescued := _rescued(told)):
        return {"icestats": {"source": rescued}}
    raise InputError(f"The status page is not JSON: {failure}.")


def _rescued(told: str) -> list[dict[str, str]]:
    """Pick the mounts out of a page that is no JSON, such as one with quotes in its titles."""
    found = []
    for part in told.split("{")[2:]:
        pairs = {pair[1]: pair[2] if pair[2] is not None else pair[3] for pair in _PAIR.finditer(part)}
        if "listenurl" in pairs:
            found.append({name: value.replace("\\/", "/") for name, value in pairs.items()})
    return found


def _sources(document: Any) -> list[Any]:
    stats = document.get("icestats") if isinstance(document, dict) else None
    if not isinstance(stats, dict):
        raise InputError("This is not the status page of an Icecast server: it has no icestats.")
    found = stats.get("source") or []
    if isinstance(found, dict) and "listenurl" not in found and _is_by_mount(found):
        found = [{"mount": mount, **source} for mount, source in found.items()]
    sources = [one for one in (found if isinstance(found, list) else [found]) if one is not None]
    if len(sources) > MAX_MOUNTS:
        raise LimitError(f"The server claims more than {MAX_MOUNTS} mounts.")
    return sources


def _is_by_mount(found: dict[str, Any]) -> bool:
    return all(name.startswith("/") and isinstance(value, dict) for name, value in found.items())


def _bitrate(source: dict[str, Any]) -> int | None:
    info = re.search(r"(?:ice-)?bitrate=(\d+)", str(source.get("audio_info") or ""))
    claims = (source.get("ice-bitrate"), source.get("bitrate"), source.get("audio_bitrate"), info[1] if info else None)
    return next((found for claim in claims if (found := kbps(claim))), None)


def _specified(value: object, limit_chars: int) -> str | None:
    """Leave out Icecast's own filler (`Unspecified name`)."""
    clean = text(value, limit_chars)
    return None if clean is None or clean.lower().startswith(UNSPECIFIED) else clean
