"""Ogg Vorbis and Ogg Opus as they go: pages with positions, and the header pages for those who join late."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import av
from av.audio.stream import AudioStream

from airledger.testing.packets import CODECS, FrameFeeder, Packet
from airledger.testing.pcm import SONG_RATE_HZ

if TYPE_CHECKING:
    from airledger.testing.pcm import Pcm

PAGE_US = 200_000
_HEADER = struct.Struct("<4sBBqIIIB")
"""capture pattern, version, flags, granule position, serial, sequence, checksum, segment count (RFC 3533)."""


class _Sink:
    """Collects what the muxer writes."""

    def __init__(self) -> None:
        self.written = bytearray()

    def write(self, data: bytes) -> int:
        self.written += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self.written)
        self.written.clear()
        return data


class OggEncoder:
    """Encode into Ogg pages of about 0.2 s.

    Args:
        codec: "vorbis" or "opus".
        bitrate_kbps: what is aimed at; both are variable-rate codecs.
        begin: station position of the first sample that will be given.
    """

    def __init__(self, codec: str, bitrate_kbps: int, begin: int) -> None:
        chosen = CODECS[codec]
        self._rate_hz, self._begin, self._position = chosen.rate_hz, begin, begin
        self._sink, self._rest = _Sink(), b""
        options = {"page_duration": str(PAGE_US), "flush_packets": "1"}
        self._container = av.open(self._sink, "w", format="ogg", options=options)
        layout = "mono" if chosen.channels == 1 else "stereo"
        stream = self._container.add_stream(
            chosen.name, rate=chosen.rate_hz, layout=layout, options=dict(chosen.options)
        )
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{chosen.name} is not an audio encoder.")
        stream.codec_context.bit_rate = bitrate_kbps * 1000
        self._stream: AudioStream = stream
        self._feeder = FrameFeeder(chosen.channels)
        self._container.start_encoding()
        self.head = self._sink.take()
        self._skipped = _pre_skip(self.head)

    def encode(self, pcm: Pcm) -> list[Packet]:
        """Encode the next samples into the pages that are complete by now."""
        self._container.mux(self._stream.encode(self._feeder.frame(pcm)))
        return self._pages()

    def finish(self) -> list[Packet]:
        """Give the last pages; the last one is marked as the end of the stream."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._pages()

    def _pages(self) -> list[Packet]:
        pages, self._rest = split_pages(self._rest + self._sink.take())
        packets = []
        for page, granule in pages:
            packets.append(Packet(self._position, page))
            if granule >= 0:
                self._position = self._begin + (granule - self._skipped) * SONG_RATE_HZ // self._rate_hz
        return packets


def split_pages(data: bytes) -> tuple[list[tuple[bytes, int]], bytes]:
    """Split bytes into whole Ogg pages.

    Returns:
        (page, its granule position, -1 if no packet ends on it) for each, and the rest.

    Raises:
        ValueError: a page does not begin where one must.
    """
    pages, at = [], 0
    while len(data) - at >= _HEADER.size:
        pattern, _, _, granule, _, _, _, segments = _HEADER.unpack_from(data, at)
        if pattern != b"OggS":
            raise ValueError(f"No Ogg page at byte {at}.")
        body = at + _HEADER.size + segments
        end = body + sum(data[at + _HEADER.size : body])
        if len(data) < max(body, end):
            break
        pages.append((data[at:end], granule))
        at = end
    return pages, data[at:]


def _pre_skip(head: bytes) -> int:
    """Read how many samples an Opus decoder must drop at the start (RFC 7845, 5.1); 0 for Vorbis."""
    at = head.find(b"OpusHead")
    return int.from_bytes(head[at + 10 : at + 12], "little") if at >= 0 else 0
