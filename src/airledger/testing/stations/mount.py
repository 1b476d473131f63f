"""Endless streams: MP3, ADTS or Ogg with a burst for those who join, as Icecast 2.4 or SHOUTcast 1 send them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from airledger.testing.http_server import CORS
from airledger.testing.ogg import OggEncoder
from airledger.testing.packets import CODECS, AdtsEncoder, Encoder, PacketEncoder
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.stations.icy import METAINT, TitleInserter

if TYPE_CHECKING:
    from collections.abc import Callable

    from airledger.testing.band import Station
    from airledger.testing.http_server import Connection, Request
    from airledger.testing.pcm import Pcm
    from airledger.testing.ticks import Ticks

BURST_BYTES = 65_536
RING_BYTES = 2 * BURST_BYTES
RING_S = 60
"""A slow listener, or a slow machine, may be so far behind, in the station's own time."""
START_DEADLINE_S = 30.0
STALL_S = 60.0


@dataclass(frozen=True)
class Chunk:
    """Some packets: running number, station position of the first sample, bytes, what is playing."""

    number: int
    position: int
    data: bytes
    title: str


class Mount:
    """One endless stream.

    Args:
        station: what is sent.
        ticks: tells when there is something new.
        head: makes the response head from (station, position of the first sample, whether titles go with it).
    """

    def __init__(self, station: Station, ticks: Ticks, head: Callable[[Station, int, bool], bytes]) -> None:
        self._station, self._ticks, self._head = station, ticks, head
        self._encoder: Encoder | None = None
        # Replaced, never changed: the network thread reads it while the encoding thread goes on.
        self._ring: tuple[Chunk, ...] = ()
        self._number = 0

    def begin(self, edge: int) -> int:
        """Far enough back for a whole burst."""
        burst_s = BURST_BYTES * 8 / (self._station.bitrate_kbps * 1000) + 0.5
        return max(0, edge - int(burst_s * SONG_RATE_HZ))

    def start(self, begin: int) -> None:
        """Start to encode; whoever listens already gets the new header in the stream."""
        self._encoder = _encoder(self._station, begin)
        if self._ring and self._encoder.head:
            self._append(begin, self._encoder.head, "")

    def feed(self, pcm: Pcm, title: str) -> None:
        """Encode the next samples into one chunk."""
        if self._encoder is None:
            raise RuntimeError("A mount must be started before it is fed.")
        packets = self._encoder.encode(pcm)
        if packets:
            self._append(packets[0].position, b"".join(packet.data for packet in packets), title)

    def stop(self) -> None:
        """Forget encoder and burst."""
        self._encoder, self._ring = None, ()

    def paths(self) -> list[str]:
        """One path."""
        return [self._station.mount]

    async def answer(self, request: Request, connection: Connection) -> None:
        """Send the burst and then what comes, until the listener leaves."""
        if request.method != "GET":
            await connection.respond(400, "text/plain", b"Only GET.\n")  # as Icecast 2.4.4 answers HEAD
            return
        await self._stream(request, connection)

    async def _stream(self, request: Request, connection: Connection) -> None:
        if not await self._ticks.until(lambda: bool(self._ring), START_DEADLINE_S):
            await connection.respond(503, "text/plain", b"The encoder did not start.\n")
            return
        titles = TitleInserter() if request.headers.get("icy-metadata") == "1" and not self._station.is_ogg else None
        encoder, chunks = self._encoder, self._burst()
        await connection.send(self._head(self._station, chunks[0].position, titles is not None))
        if encoder is not None and encoder.head:
            await connection.send(encoder.head)
        while chunks:
            for chunk in chunks:
                await connection.send(titles.feed(chunk.data, chunk.title) if titles else chunk.data)
            last = chunks[-1].number
            await self._ticks.until(partial(self._has_after, last), STALL_S)
            ring = self._ring
            if not ring or ring[0].number > last + 1:
                return  # too slow: what comes next is no longer there
            chunks = tuple(chunk for chunk in ring if chunk.number > last)

    def _has_after(self, number: int) -> bool:
        return bool(self._ring) and self._ring[-1].number > number

    def _burst(self) -> tuple[Chunk, ...]:
        size, first, ring = 0, 0, self._ring
        for first in range(len(ring) - 1, -1, -1):
            size += len(ring[first].data)
            if size >= BURST_BYTES:
                break
        return ring[first:]

    def _append(self, position: int, data: bytes, title: str) -> None:
        ring = (*self._ring, Chunk(self._number, position, data, title))
        self._number += 1
        size = sum(len(chunk.data) for chunk in ring)
        oldest = position - RING_S * SONG_RATE_HZ
        while size - len(ring[0].data) > RING_BYTES and ring[0].position < oldest:
            size -= len(ring[0].data)
            ring = ring[1:]
        self._ring = ring


def icecast_head(station: Station, position: int, titles: bool) -> bytes:
    """Answer as Icecast 2.4 does."""
    codec = CODECS[station.codec]
    metaint = f"icy-metaint:{METAINT}\r\n" if titles else ""
    return (
        f"HTTP/1.0 200 OK\r\nServer: Icecast 2.4.4\r\nConnection: Close\r\nContent-Type: {codec.content_type}\r\n"
        f"Cache-Control: no-cache, no-store\r\n{CORS}X-Airledger-Position: {position}\r\n"
        f"icy-br:{station.claimed_kbps}\r\nice-audio-info: bitrate={station.claimed_kbps};channels={codec.channels};"
        f"samplerate={codec.rate_hz}\r\nicy-genre:{station.tags[0]}\r\nicy-name:{station.name}\r\nicy-pub:1\r\n"
        f"icy-url:{station.homepage}\r\n{metaint}\r\n"
    ).encode()


def shoutcast_head(station: Station, position: int, titles: bool) -> bytes:
    """Answer as SHOUTcast 1 does: ``ICY 200 OK``, which is not HTTP, and no space after the colons."""
    metaint = f"icy-metaint:{METAINT}\r\n" if titles else ""
    return (
        "ICY 200 OK\r\nicy-notice1:<BR>This stream requires a player<BR>\r\n"
        f"icy-notice2:SHOUTcast Distributed Network Audio Server/Linux v1.9.8<BR>\r\nicy-name:{station.name}\r\n"
        f"icy-genre:{station.tags[0]}\r\nicy-url:{station.homepage}\r\ncontent-type:{CODECS[station.codec].content_type}"
        f"\r\nicy-pub:1\r\nicy-br:{station.claimed_kbps}\r\n{CORS}X-Airledger-Position: {position}\r\n{metaint}\r\n"
    ).encode()


def _encoder(station: Station, begin: int) -> Encoder:
    if station.is_ogg:
        return OggEncoder(station.codec, station.bitrate_kbps, begin)
    if station.codec == "aac":
        return AdtsEncoder(station.bitrate_kbps, begin)
    return PacketEncoder(station.codec, station.bitrate_kbps, begin)
