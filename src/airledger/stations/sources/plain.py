"""A plain list: one address a line; empty lines and those behind a `#` say nothing."""

from collections.abc import Iterator
from typing import BinaryIO

from airledger.stations.sources.base import Entry, Refused
from airledger.stations.sources.text_lines import decoded, text_lines

SCHEMES = (b"http://", b"https://")


class Plain:
    """The adapter for plain lists."""

    name = "plain"

    def recognises(self, start: bytes) -> bool:
        """Tell by a first line that is an address."""
        lines = (line.strip() for line in start.removeprefix(b"\xef\xbb\xbf").splitlines())
        first = next((line for line in lines if line and not line.startswith(b"#")), b"")
        return first.lower().startswith(SCHEMES)

    def entries(self, body: BinaryIO) -> Iterator[Entry | Refused]:
        """Read line by line.

        Raises:
            LimitError: It has more lines than any list needs.
        """
        for place, line, is_cut in text_lines(body):
            where = f"line {place}"
            if not line or line.startswith(b"#"):
                continue
            yield Refused("line_too_long", where) if is_cut else Entry(url=decoded(line), where=where)
