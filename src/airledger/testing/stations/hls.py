"""HLS (RFC 8216): a window of segments, playlists with EXT-X-PROGRAM-DATE-TIME, three ways of packing segments.

PROGRAM-DATE-TIME runs with the media, as the standard wants it: with a speed factor it runs ahead of the wall clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from airledger.testing.packets import AAC_FRAME, PacketEncoder
from airledger.testing.pcm import SONG_RATE_HZ

if TYPE_CHECKING:
    from airledger.testing.band import Station
    from airledger.testing.http_server import Connection, Request
    from airledger.testing.packets import Packet
    from airledger.testing.pcm import Pcm
    from airledger.testing.ticks import Ticks

READY_SEGMENTS = 4
LISTED_SEGMENTS = 6
KEPT_BEYOND = 3
PRIMING = 2 * AAC_FRAME  # encoded before the first segment and thrown away: the codec must settle
START_DEADLINE_S = 30.0
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


class Packing(Protocol):
    """How a segment is made."""

    suffix: str
    content_type: str
    segment_samples: int
    master_attributes: str

    def init(self, encoder: PacketEncoder) -> bytes:
        """Make what a player needs once before the segments; empty if nothing."""

    def segment(self, number: int, packets: list[Packet]) -> bytes:
        """Make segment ``number``, which begins at sample ``number * segment_samples``."""


@dataclass(frozen=True)
class Segment:
    """One segment: sequence number, station position of its first sample, its length in samples, its bytes."""

    sequence: int
    position: int
    samples: int
    data: bytes


class HlsOutlet:
    """A station sent as HLS.

    Args:
        station: what is sent; its mount is the playlist's path.
        ticks: tells when there is something new.
        packing: how segments are made.
        epoch_s: wall time of station position 0.
        speed: the transmitter's speed factor; the playlist is that much longer.
    """

    def __init__(self, station: Station, ticks: Ticks, packing: Packing, epoch_s: float, speed: float) -> None:
        self._station, self._ticks, self._packing, self._epoch_s = station, ticks, packing, epoch_s
        self._listed = math.ceil(LISTED_SEGMENTS * max(1.0, speed))
        self._encoder: PacketEncoder | None = None
        self._pending: list[Packet] = []
        self._number = 0
        self._segments: tuple[Segment, ...] = ()
        self._init = b""
        self._folder = station.mount.rsplit("/", 1)[0]
        # Sequence numbers go on from one run of the transmitter to the next, as players expect.
        self._first_sequence = int(epoch_s * SONG_RATE_HZ / packing.segment_samples)

    def begin(self, edge: int) -> int:
        """Far enough back for four whole segments."""
        first = max(0, edge // self._packing.segment_samples - READY_SEGMENTS)
        return max(0, first * self._packing.segment_samples - PRIMING)

    def start(self, begin: int) -> None:
        """Start to encode; the first segment begins at the next multiple of the segment length."""
        self._encoder = PacketEncoder("aac", self._station.bitrate_kbps, begin)
        self._number = -(-begin // self._packing.segment_samples)
        self._pending, self._segments = [], ()
        self._init = self._packing.init(self._encoder)

    def feed(self, pcm: Pcm, title: str) -> None:  # noqa: ARG002 - HLS as we send it carries no titles
        """Encode, and close the segment when the next one's first packet has come."""
        if self._encoder is None:
            raise RuntimeError("An outlet must be started before it is fed.")
        length = self._packing.segment_samples
        self._pending += self._encoder.encode(pcm)
        while self._pending and self._pending[-1].position >= (self._number + 1) * length:
            start, end = self._number * length, (self._number + 1) * length
            inside = [p for p in self._pending if start <= p.position < end]
            self._pending = [p for p in self._pending if p.position >= end]
            data = self._packing.segment(self._number, inside)
            segment = Segment(self._first_sequence + self._number, start, length, data)
            self._segments = (*self._segments, segment)[-(self._listed + KEPT_BEYOND) :]
            self._number += 1

    def stop(self) -> None:
        """Forget encoder and segments."""
        self._encoder, self._segments, self._pending = None, (), []

    def paths(self) -> list[str]:
        """Everything in the playlist's folder."""
        return [f"{self._folder}/"]

    async def answer(self, request: Request, connection: Connection) -> None:
        """Answer with a playlist, the initialisation segment, or a segment."""
        name = request.path.rsplit("/", 1)[1]
        if not await self._ticks.until(lambda: len(self._segments) >= READY_SEGMENTS - 1, START_DEADLINE_S):
            await connection.respond(503, "text/plain", b"The encoder did not start.\n")
        elif request.path == self._station.mount and self._packing.master_attributes:
            await connection.respond(200, PLAYLIST_TYPE, self._master().encode())
        elif name in {"live.m3u8", self._station.mount.rsplit("/", 1)[1]}:
            await connection.respond(200, PLAYLIST_TYPE, self.playlist().encode())
        elif name == "init.mp4" and self._init:
            await connection.respond(200, self._packing.content_type, self._init)
        else:
            found = [s for s in self._segments if name == self._name(s)]
            if found:
                position = {"X-Airledger-Position": str(found[0].position)}
                await connection.respond(200, self._packing.content_type, found[0].data, position)
            else:
                await connection.respond(404, "text/plain", b"No such segment now.\n")

    def playlist(self) -> str:
        """Write the media playlist."""
        segments = self._segments[-self._listed :]
        target_s = math.ceil(self._packing.segment_samples / SONG_RATE_HZ)
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_s}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{segments[0].sequence if segments else 0}")
        if self._init:
            lines.append('#EXT-X-MAP:URI="init.mp4"')
        for segment in segments:
            at = datetime.fromtimestamp(self._epoch_s + segment.position / SONG_RATE_HZ, UTC)
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}")
            lines.append(f"#EXTINF:{segment.samples / SONG_RATE_HZ:.5f},")
            lines.append(self._name(segment))
        return "\n".join(lines) + "\n"

    def _name(self, segment: Segment) -> str:
        return f"segment-{segment.sequence}{self._packing.suffix}"

    def _master(self) -> str:
        bandwidth = self._station.claimed_kbps * 1100
        return f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},{self._packing.master_attributes}\nlive.m3u8\n"
