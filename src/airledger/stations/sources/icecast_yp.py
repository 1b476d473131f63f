"""Icecast's directory file `yp.xml`: `<directory><entry><server_name/><listen_url/>...</entry>...</directory>`.

Any child may be empty or absent. The XML is a stranger's: entities and DTDs are refused outright.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, kbps, tags, text

MAX_DEPTH = 16
MAX_CHILDREN = 64
MAX_CHILD_CHARS = 16 * 1024

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
        path: list[Element] = []
        place = 0
        try:
            for event, element in iterparse(body, events=("start", "end"), forbid_dtd=True):
                if event == "start":
                    _descend(path, element)
                    continue
                path.pop()
                if element.tag == "entry" and len(path) == 1:
                    place += 1
                    yield _entry(element, place)
                    path[0].clear()
        except ParseError as error:
            raise InputError(f"The directory is not well-formed XML: {error}.") from None
        except DefusedXmlException:
            raise InputError("The directory declares a DTD or entities, which are refused.") from None


def _descend(path: list[Element], element: Element) -> None:
    path.append(element)
    if len(path) > MAX_DEPTH:
        raise LimitError(f"The directory's XML is nested deeper than {MAX_DEPTH} elements.")


def _entry(element: Element, place: int) -> Entry | Refused:
    if len(element) > MAX_CHILDREN or any(len(child.text or "") > MAX_CHILD_CHARS for child in element):
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
    )
