"""ICY metadata: a title block into the body every so many bytes of audio."""

from __future__ import annotations

METAINT = 16_000
MAX_TITLE_BYTES = 16 * 255 - 32


def title_block(title: str) -> bytes:
    """Make a metadata block: length in units of 16 bytes, then ``StreamTitle='...';`` padded with NUL."""
    text = b"StreamTitle='" + title.encode()[:MAX_TITLE_BYTES] + b"';StreamUrl='';"
    units = -(-len(text) // 16)
    return bytes((units,)) + text.ljust(units * 16, b"\0")


class TitleInserter:
    """Puts title blocks into one listener's body; an unchanged title is a single zero byte."""

    def __init__(self, metaint: int = METAINT) -> None:
        self._metaint = metaint
        self._until_block = metaint
        self._told: str | None = None

    def feed(self, audio: bytes, title: str) -> bytes:
        """Give the bytes to send for some audio bytes during which ``title`` was playing."""
        out, at = bytearray(), 0
        while len(audio) - at >= self._until_block:
            out += audio[at : at + self._until_block]
            at += self._until_block
            self._until_block = self._metaint
            out += b"\0" if title == self._told else title_block(title)
            self._told = title
        out += audio[at:]
        self._until_block -= len(audio) - at
        return bytes(out)
