"""ASX (and WAX, WVX): `<asx><entry><title/><ref href="..."/></entry></asx>`.

It looks like XML and seldom is: names come in any case, `&` is not escaped, elements stay open. So it is read as the
tag soup that it is; there are no entities to expand. Several `<ref>` of one entry are its mirrors.
"""

from collections import deque
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import BinaryIO

from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, link, text
from airledger.stations.sources.text_lines import decoded

MAX_ASX_BYTES = 1024 * 1024
PIECE_BYTES = 4 * 1024
MAX_OPEN_CHARS = 256 * 1024
MAX_REFS = 16


class Asx:
    """The adapter for ASX."""

    name = "asx"

    def recognises(self, start: bytes) -> bool:
        """Tell by the outermost element."""
        return b"<asx" in start.lower()

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read entry by entry.

        Raises:
            InputError: There is no `<asx>` in it.
            LimitError: It is larger than 1 MiB, or a tag does not end.
        """
        soup, total = _Soup(), 0
        while data := body.read(PIECE_BYTES):
            total += len(data)
            if total > MAX_ASX_BYTES:
                raise LimitError(f"The playlist is larger than {MAX_ASX_BYTES // 1024} KiB, which no ASX needs to be.")
            soup.feed(decoded(data))
            if len(soup.rawdata) > MAX_OPEN_CHARS:
                raise LimitError("A tag or a text of the playlist does not end.")
            while soup.found:
                yield soup.found.popleft()
        soup.close()
        soup.finish_entry()
        yield from soup.found
        if not soup.is_asx:
            raise InputError("This is not an ASX playlist: it has no <asx> element.")


class _Soup(HTMLParser):
    """Collects entries from tags as they come."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: deque[Entry | Refused] = deque()
        self.is_asx = False
        self._place = 0
        self._is_in_entry = False
        self._told: dict[str, str] = {}
        self._refs: list[str] = []
        self._text_of: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag says."""
        said = {name: value or "" for name, value in attrs}
        self._text_of = None
        match tag:
            case "asx":
                self.is_asx = True
            case "entry":
                self.finish_entry()
                self._is_in_entry = True
            case "entryref":
                self._place += 1
                where = f"entry {self._place}"
                href = said.get("href", "").strip()
                self.found.append(Entry(url=href, where=where) if href else Refused("no_url", where))
            case "ref" if self._is_in_entry and len(self._refs) < MAX_REFS:
                self._refs.append(said.get("href", "").strip())
            case "moreinfo" if self._is_in_entry:
                self._told["moreinfo"] = said.get("href", "")
            case "title" | "author" | "abstract" if self._is_in_entry:
                self._text_of = tag

    def handle_endtag(self, tag: str) -> None:
        """End a text or an entry."""
        self._text_of = None
        if tag in {"entry", "asx"}:
            self.finish_entry()

    def handle_data(self, data: str) -> None:
        """Take the text of an element that we want."""
        if self._text_of is not None:
            said = self._told.get(self._text_of, "")
            self._told[self._text_of] = (said + data)[: LIMITS_CHARS["description"]]

    def finish_entry(self) -> None:
        """Give out what was collected of the entry that is open."""
        if not self._is_in_entry:
            return
        self._place += 1
        where, told = f"entry {self._place}", self._told
        urls = [url for url in self._refs if url]
        if not urls:
            self.found.append(Refused("no_url", where))
        for url in urls:
            entry = Entry(
                url=url,
                name=text(told.get("title") or told.get("author"), LIMITS_CHARS["name"]),
                website=link(told.get("moreinfo")),
                description=text(told.get("abstract"), LIMITS_CHARS["description"]),
                where=where,
            )
            self.found.append(entry)
        self._is_in_entry, self._told, self._refs = False, {}, []
