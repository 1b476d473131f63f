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
MAX_ELEMENT_BYTES = 1024 * 1024

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
        reader = _Reader(body)
        try:
            yield from reader.entries()
        except ParseError as error:
            raise InputError(f"The directory is not well-formed XML: {error}.") from None
        except DefusedXmlException:
            raise InputError("The directory declares a DTD or entities, which are refused.") from None


class _Reader:
    """Walks the XML and lets go of what it has seen, however the tree is shaped."""

    def __init__(self, body: BinaryIO) -> None:
        self._body = body
        self._path: list[Element] = []
        self._read_since_event = 0
        self._is_spoilt = False

    def read(self, size: int = -1) -> bytes:
        """Read for the parser; text that never ends would otherwise pile up in it."""
        data = self._body.read(size)
        self._read_since_event += len(data)
        if self._read_since_event > MAX_ELEMENT_BYTES:
            raise LimitError(f"An element of the directory is larger than {MAX_ELEMENT_BYTES} bytes.")
        return data

    def entries(self) -> Iterator[Entry | Refused]:
        place = 0
        for event, element in iterparse(self, events=("start", "end"), forbid_dtd=True):
            self._read_since_event = 0
            if event == "start":
                self._descend(element)
                continue
            self._path.pop()
            if element.tag == "entry" and len(self._path) == 1:
                place += 1
                yield Refused("entry_too_large", f"entry {place}") if self._is_spoilt else _entry(element, place)
                self._is_spoilt = False
            self._let_go()

    def _descend(self, element: Element) -> None:
        self._path.append(element)
        if len(self._path) > MAX_DEPTH:
            raise LimitError(f"The directory's XML is nested deeper than {MAX_DEPTH} elements.")

    def _let_go(self) -> None:
        if not self._path:
            return
        parent = self._path[-1]
        if len(self._path) == 1:
            parent.clear()
        elif len(parent) > MAX_CHILDREN:
            parent.clear()
            self._is_spoilt = True


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
    )
