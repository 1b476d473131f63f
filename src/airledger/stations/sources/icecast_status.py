"""One Icecast server's `status-json.xsl`: every mount in one answer, instead of a connection to each.

`icestats.source` is absent, an object or an array. Icecast writes `"title": -` for an empty title, which is no JSON.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, kbps, link, tags, text
from airledger.stations.sources.icecast_yp import CODECS

MAX_STATUS_BYTES = 4 * 1024 * 1024
MAX_MOUNTS = 5_000
UNSPECIFIED = "unspecified"

_BARE_DASH = re.compile(r'(":\s*)-(?=\s*[,}\]])')
_EXTRA = ("channels", "samplerate", "audio_info", "listeners", "title", "artist", "subtype", "server_type")


class IcecastStatus:
    """The adapter for `status-json.xsl`."""

    name = "icecast_status"

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
            yield _entry(source, place)


def _document(body: BinaryIO) -> Any:
    raw = b""
    while data := body.read(64 * 1024):
        raw += data
        if len(raw) > MAX_STATUS_BYTES:
            raise LimitError(f"The status page is larger than {MAX_STATUS_BYTES} bytes.")
    try:
        return json.loads(_BARE_DASH.sub(r"\1null", raw.decode("utf-8", "replace").removeprefix("\ufeff")))
    except RecursionError:
        raise LimitError("The status page is nested too deeply.") from None
    except ValueError as error:
        raise InputError(f"The status page is not JSON: {error}.") from None


def _sources(document: Any) -> list[Any]:
    stats = document.get("icestats") if isinstance(document, dict) else None
    if not isinstance(stats, dict):
        raise InputError("This is not the status page of an Icecast server: it has no icestats.")
    found = stats.get("source", [])
    sources = found if isinstance(found, list) else [found]
    if len(sources) > MAX_MOUNTS:
        raise LimitError(f"The server claims more than {MAX_MOUNTS} mounts.")
    return sources


def _entry(source: Any, place: int) -> Entry | Refused:
    if not isinstance(source, dict):
        return Refused("not_an_object", f"mount {place}")
    url = source.get("listenurl")
    if not isinstance(url, str) or not url.strip():
        return Refused("no_url", f"mount {place}")
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
    )


def _bitrate(source: dict[str, Any]) -> int | None:
    info = re.search(r"(?:ice-)?bitrate=(\d+)", str(source.get("audio_info") or ""))
    claims = (source.get("ice-bitrate"), source.get("bitrate"), source.get("audio_bitrate"), info[1] if info else None)
    return next((found for claim in claims if (found := kbps(claim))), None)


def _specified(value: object, limit_chars: int) -> str | None:
    """Leave out Icecast's own filler (`Unspecified name`)."""
    clean = text(value, limit_chars)
    return None if clean is None or clean.lower().startswith(UNSPECIFIED) else clean
