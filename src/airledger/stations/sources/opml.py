"""OPML: outlines with an address each, in groups; the form in which TuneIn and many players exchange station lists.

An outline of type `audio`, `video` or `stream`, or of none, is a stream; `link` and `include` lead to further lists and
`rss` is a podcast: they are refused by name.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, kbps, link, tags, text
from airledger.stations.sources.xml_rows import MAX_CHILD_CHARS, xml_starts

STREAM_TYPES = frozenset({"", "audio", "video", "stream"})
_ADDRESS = ("URL", "url", "streamUrl", "xmlUrl")
_FEED = "xmlUrl"


class Opml:
    """The adapter for OPML."""

    name = "opml"

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost element."""
        return b"<opml" in start

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read outline by outline; those without an address are groups, whose names are tags.

        Raises:
            InputError: It is not XML, or has entities or a DTD in it.
        """
        place = 0
        for outline, around in xml_starts(body, "outline"):
            said = outline.attrib
            url = next((said[name] for name in _ADDRESS if said.get(name, "").strip()), "")
            if url:
                place += 1
                yield _entry(said, url, around, f"outline {place}")


def _entry(said: dict[str, str], url: str, around: tuple[Element, ...], where: str) -> Entry | Refused:
    if any(len(value) > MAX_CHILD_CHARS for value in said.values()):
        return Refused("entry_too_large", where)
    kind = said.get("type", "").strip().lower()
    if kind not in STREAM_TYPES or said.get(_FEED) == url or said.get("item") == "show":
        return Refused("not_a_stream", where)
    groups = [name for outer in around if (name := text(outer.get("text") or outer.get("title")))]
    name = said.get("text") or said.get("title")
    return Entry(
        url=url,
        name=text(name, LIMITS_CHARS["name"]),
        type="tv" if kind == "video" else "radio" if kind == "audio" else None,
        genre=groups[-1] if groups else None,
        bitrate=kbps(said.get("bitrate")),
        codec=(text(said.get("formats")) or "").partition(",")[0].upper() or None,
        language=text(said.get("language")),
        website=link(said.get("htmlUrl")),
        description=text(said.get("description") or said.get("subtext"), LIMITS_CHARS["description"]),
        logo=link(said.get("image")),
        tags=tags(groups),
        key=text(said.get("guide_id")),
        where=where,
    )
