"""Icecast's directory file `yp.xml`: `<directory><entry><server_name/><listen_url/>...</entry>...</directory>`.

Any child may be empty or absent. The XML is a stranger's: entities and DTDs are refused outright.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, kbps, tags, text
from airledger.stations.sources.xml_rows import MAX_CHILD_CHARS, xml_rows

CODECS = {
    "audio/mpeg": "MP3",
    "audio/mp3": "MP3",
    "audio/aac": "AAC",
    "audio/aacp": "AAC+",
    "application/aacp": "AAC+",
    "audio/ogg": "OGG",
    "application/ogg": "OGG",
    "audio/opus": "OPUS",
    "audio/flac": "FLAC",
}


class IcecastYp:
    """The adapter for `yp.xml`."""

    name = "icecast_yp"

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost element."""
        return b"<directory" in start

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read entry by entry; memory stays with one of them.

        Raises:
            InputError: It is not XML, or has entities or a DTD in it.
        """
        for place, (element, is_spoilt) in enumerate(xml_rows(body, {"entry"}, depth=1), start=1):
            yield Refused("entry_too_large", f"entry {place}") if is_spoilt else _entry(element, place)


def _entry(element: Element, place: int) -> Entry | Refused:
    if any(len(child.text or "") > MAX_CHILD_CHARS for child in element):
        return Refused("entry_too_large", f"entry {place}")
    said = {str(child.tag): child.text or "" for child in element}
    url = said.get("listen_url", "").strip()
    if not url:
        return Refused("no_url", f"entry {place}")
    server_type = said.get("server_type", "").partition(";")[0].strip().lower()
    return Entry(
        url=url,
        name=text(said.get("server_name"), LIMITS_CHARS["name"]),
        type="tv" if server_type.startswith("video/") else "radio",
        genre=text(said.get("genre"), LIMITS_CHARS["genre"]),
        bitrate=kbps(said.get("bitrate")),
        codec=CODECS.get(server_type),
        tags=tags(said.get("genre"), ",; "),
        extra={
            key: value
            for key in ("channels", "samplerate", "current_song", "server_type")
            if (value := text(said.get(key), LIMITS_CHARS["name"]))
        },
        where=f"entry {place}",
    )
