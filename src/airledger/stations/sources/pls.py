"""PLS: `File1=`, `Title1=`, `Length1=` under `[playlist]`; `Ref1=` under `[Reference]`, as Windows Media said.

Some writers give each file with its title, others all files and then all titles: entries are held for a while.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from airledger.stations.sources.base import LIMITS_CHARS, Entry, Refused, text
from airledger.stations.sources.text_lines import decoded, text_lines

HELD_ENTRIES = 500
_KEY = re.compile(r"(file|title|ref)(\d{1,9})\s*=\s*(.*)", re.IGNORECASE)


class Pls:
    """The adapter for PLS."""

    name = "pls"

    def recognises(self, start: bytes) -> bool:
        """Tell by the section's name."""
        head = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
        return head.startswith((b"[playlist]", b"[reference]"))

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read entry by entry; a title that comes more than 500 entries late is not waited for.

        Raises:
            LimitError: It has more lines than any list needs.
        """
        held: dict[str, _Numbered] = {}
        for place, line, is_cut in text_lines(body):
            found = _KEY.match(decoded(line))
            if found is None:
                continue
            kind, number, value = found[1].lower(), found[2], found[3].strip()
            entry = held.get(number)
            if kind == "title":
                if entry is not None:
                    entry.title = value
                continue
            if entry is not None:  # the number is used twice: both are entries
                yield held.pop(number).finished()
            held[number] = _Numbered(value, place, is_cut)
            if len(held) > HELD_ENTRIES:
                yield held.pop(next(iter(held))).finished()
        yield from (entry.finished() for entry in held.values())


class _Numbered:
    """What is known of one number so far."""

    __slots__ = ("is_cut", "place", "title", "url")

    def __init__(self, url: str, place: int, is_cut: bool) -> None:
        self.url = url if not is_cut else ""
        self.place = place
        self.is_cut = is_cut
        self.title = ""

    def finished(self) -> Entry | Refused:
        where = f"line {self.place}"
        if self.is_cut:
            return Refused("line_too_long", where)
        if not self.url:
            return Refused("no_url", where)
        return Entry(url=self.url, name=text(self.title, LIMITS_CHARS["name"]), where=where)
