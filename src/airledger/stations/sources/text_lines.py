"""Lists of lines: each within a limit, the file within a number of them, in whatever encoding it was written."""

from collections.abc import Iterator
from typing import BinaryIO

from airledger.platform.errors import LimitError
from airledger.stations.sources.base import MAX_ENTRY_BYTES

MAX_LINES = 5_000_000  # ten for each entry that a source may have


def text_lines(body: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    """Give places and stripped lines; of one that is too long the beginning, and that it was cut.

    Raises:
        LimitError: There are more lines than any list needs.
    """
    place = 0
    while line := body.readline(MAX_ENTRY_BYTES + 1):
        place += 1
        if place > MAX_LINES:  # the size alone would allow lines enough for minutes of work
            raise LimitError(f"The list has more than {MAX_LINES:,} lines: split it.")
        clean = (line.removeprefix(b"\xef\xbb\xbf") if place == 1 else line).strip(b" \t\r\n")
        if len(line) <= MAX_ENTRY_BYTES:
            yield place, clean, False
            continue
        while line and not line.endswith(b"\n"):
            line = body.readline(MAX_ENTRY_BYTES)
        yield place, clean, True


def decoded(raw: bytes) -> str:
    """Read UTF-8, else Latin-1, which every byte is a letter of."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
