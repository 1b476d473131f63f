"""XSPF, the XML playlist (xspf.org, version 1): `<trackList><track><location/><title/>...</track></trackList>`."""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, link, text
from airledger.stations.sources.xml_rows import child_texts, xml_rows


class Xspf:
    """The adapter for XSPF."""

    name = "xspf"

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost element and its namespace."""
        return b"<playlist" in start and (b"xspf.org/ns" in start or b"<trackList" in start)

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read track by track.

        Raises:
            InputError: It is not XML, or has entities or a DTD in it.
        """
        for place, (track, is_spoilt) in enumerate(xml_rows(body, {"track"}, depth=2), start=1):
            yield Refused("entry_too_large", f"track {place}") if is_spoilt else _entry(track, f"track {place}")


def _entry(track: Element, where: str) -> Entry | Refused:
    said = child_texts(track)
    if said is None:
        return Refused("entry_too_large", where)
    if not said.get("location"):
        return Refused("no_url", where)
    return Entry(
        url=said["location"],
        name=text(said.get("title") or said.get("creator"), LIMITS_CHARS["name"]),
        website=link(said.get("info")),
        description=text(said.get("annotation"), LIMITS_CHARS["description"]),
        logo=link(said.get("image")),
        where=where,
    )
