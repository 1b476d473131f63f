"""Titles in Ogg streams: each new track begins a new chained stream, whose second packet carries its comments.

Ogg stations have no ICY metadata. Pages after RFC 3533, comments after the Vorbis I specification, section 5, for
Vorbis, Opus (RFC 7845, section 5.2) and FLAC in Ogg.
"""

import struct

from airledger.audio.icy import TITLE_LIMIT_CHARS, IcyTitle

PAGE_HEADER = struct.Struct("<4sBBqIIIB")
CAPTURE = b"OggS"
FIRST_PAGE_FLAG = 2
FULL_SEGMENT = 255
COMMENT_LIMIT_BYTES = 256 * 1024
COMMENTS_LIMIT = 256
FLAC_COMMENT_BLOCK = 4
FLAC_BLOCK_HEADER_BYTES = 4


class OggTitles:
    """Reads the titles out of an Ogg stream as it passes by, however it is cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._position = 0
        self._comment: _CommentPacket | None = None
        self._last_title: str | None = None

    def feed(self, data: bytes) -> list[IcyTitle]:
        """Take the next bytes; give the titles that changed, each with the byte where its stream begins."""
        self._buffer += data
        titles: list[IcyTitle] = []
        while (page := self._next_page()) is not None:
            at, flags, segments, payload = page
            if flags & FIRST_PAGE_FLAG:
                self._comment = _CommentPacket(at)
            elif self._comment is not None:
                titles += self._take_comment(self._comment, segments, payload)
        return titles

    def _take_comment(self, comment: "_CommentPacket", segments: bytes, payload: bytes) -> list[IcyTitle]:
        if not comment.add(segments, payload):
            return []
        self._comment = None
        title = title_of(comment.packet)
        if title is None or title == self._last_title:
            return []
        self._last_title = title
        return [IcyTitle(title, comment.position)]

    def _next_page(self) -> tuple[int, int, bytes, bytes] | None:
        """Cut off the next whole page: its position, flags, segment table and payload."""
        self._drop(self._start_of_page())
        if len(self._buffer) < PAGE_HEADER.size:
            return None
        _capture, _version, flags, _granule, _serial, _number, _checksum, count = PAGE_HEADER.unpack_from(self._buffer)
        begin = PAGE_HEADER.size + count
        segments = bytes(self._buffer[PAGE_HEADER.size : begin])
        end = begin + sum(segments)
        if len(segments) < count or len(self._buffer) < end:
            return None
        page = (self._position, flags, segments, bytes(self._buffer[begin:end]))
        self._drop(end)
        return page

    def _start_of_page(self) -> int:
        found = self._buffer.find(CAPTURE)
        return found if found >= 0 else max(len(self._buffer) - len(CAPTURE) + 1, 0)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._position += count


class _CommentPacket:
    """Gathers the second packet of a stream, which may span pages (covers are put into comments)."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.packet = b""

    def add(self, segments: bytes, payload: bytes) -> bool:
        """Take a page; whether the packet is complete. One beyond the limit is taken as far as it goes."""
        length = 0
        for segment in segments:
            length += segment
            if segment < FULL_SEGMENT:
                self.packet += payload[:length]
                return True
        self.packet += payload[:length]
        return len(self.packet) > COMMENT_LIMIT_BYTES


def title_of(packet: bytes) -> str | None:
    """Read `artist - title` from a comment packet, None where it is none or names no title."""
    if packet.startswith(b"\x03vorbis"):
        found = _comments(packet[7:])
    elif packet.startswith(b"OpusTags"):
        found = _comments(packet[8:])
    elif packet[:1] and packet[0] & 0x7F == FLAC_COMMENT_BLOCK:
        found = _comments(packet[FLAC_BLOCK_HEADER_BYTES:])
    else:
        return None
    title, artist = found.get("title", ""), found.get("artist", "")
    text = f"{artist} - {title}" if artist and title else title
    return text[:TITLE_LIMIT_CHARS] or None


def _comments(block: bytes) -> dict[str, str]:
    """Read length-prefixed `NAME=value` pairs, as many as are whole."""
    found: dict[str, str] = {}
    try:
        at = 4 + struct.unpack_from("<I", block)[0]
        count = struct.unpack_from("<I", block, at)[0]
        at += 4
        for _ in range(min(count, COMMENTS_LIMIT)):
            length = struct.unpack_from("<I", block, at)[0]
            name, _, value = block[at + 4 : at + 4 + length].partition(b"=")
            found.setdefault(name.decode("ascii", "replace").lower(), value.decode("utf-8", "replace").strip())
            at += 4 + length
    except struct.error:  # cut off, or never a comment
        return found
    return found
