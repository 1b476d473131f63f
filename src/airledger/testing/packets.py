"""Encode a station's sound as it goes, into packets that know which sample they begin with.

Encoders are LAME, Opus, and FFmpeg's own AAC and Vorbis, through PyAV: LGPL or BSD, never a GPL one. (The PyAV wheel
has no libvorbis; FFmpeg's own Vorbis encoder does stereo only, and well enough.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import av
import numpy as np

from airledger.testing.pcm import SONG_RATE_HZ

if TYPE_CHECKING:
    from airledger.testing.pcm import Pcm

AAC_FRAME = 1024


@dataclass(frozen=True)
class Packet:
    """Encoded sound. ``position`` is the station sample that its first decoded sample is."""

    position: int
    data: bytes


@dataclass(frozen=True)
class Codec:
    """How to encode: name for PyAV, sample rate, channels, options, and the content type of the stream."""

    name: str
    rate_hz: int
    channels: int
    options: tuple[tuple[str, str], ...]
    content_type: str


VORBIS_OPTIONS = (("strict", "-2"), ("flags", "+qscale"), ("global_quality", "472"))
"""It knows qualities only: 4 (times 118) gives 95 to 115 kbit/s on our songs."""

CODECS = {
    "mp3": Codec("libmp3lame", SONG_RATE_HZ, 1, (("compression_level", "7"),), "audio/mpeg"),
    "mp3-stereo": Codec("libmp3lame", SONG_RATE_HZ, 2, (("compression_level", "7"),), "audio/mpeg"),
    "aac": Codec("aac", SONG_RATE_HZ, 1, (("aac_coder", "fast"),), "audio/aac"),
    "vorbis": Codec("vorbis", SONG_RATE_HZ, 2, VORBIS_OPTIONS, "application/ogg"),
    "opus": Codec("libopus", 48_000, 1, (("compression_level", "3"),), "audio/ogg"),
}


class Encoder(Protocol):
    """Sound in, packets out."""

    @property
    def head(self) -> bytes:
        """What every listener needs before the first packet; empty for formats without a header."""

    def encode(self, pcm: Pcm) -> list[Packet]:
        """Encode the next samples: float32 (n,) at 44.1 kHz. Some packets come later."""

    def finish(self) -> list[Packet]:
        """Give what is left."""


class FrameFeeder:
    """Wrap arrays into frames for PyAV: duplicates mono to stereo, counts timestamps."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._count = 0

    def frame(self, pcm: Pcm) -> av.AudioFrame:
        """Give a planar float frame whose pts is the number of samples before it."""
        planes = np.ascontiguousarray(np.broadcast_to(pcm, (self._channels, len(pcm))))
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="mono" if self._channels == 1 else "stereo")
        frame.sample_rate = SONG_RATE_HZ
        frame.pts = self._count
        frame.time_base = Fraction(1, SONG_RATE_HZ)
        self._count += len(pcm)
        return frame


class PacketEncoder:
    """Encoder for formats whose packets can be sent as they are: MP3 frames, raw AAC frames.

    Args:
        codec: "mp3", "mp3-stereo" or "aac".
        bitrate_kbps: constant bit rate.
        begin: station position of the first sample that will be given.
    """

    head = b""

    def __init__(self, codec: str, bitrate_kbps: int, begin: int) -> None:
        chosen = CODECS[codec]
        context = av.CodecContext.create(chosen.name, "w")
        if not isinstance(context, av.AudioCodecContext):
            raise TypeError(f"{chosen.name} is not an audio encoder.")
        context.sample_rate = chosen.rate_hz
        context.layout = "mono" if chosen.channels == 1 else "stereo"
        context.format = "fltp"
        context.bit_rate = bitrate_kbps * 1000
        context.time_base = Fraction(1, chosen.rate_hz)
        context.options = dict(chosen.options)
        context.open()
        self._context: av.AudioCodecContext = context
        self._feeder = FrameFeeder(chosen.channels)
        self._begin = begin

    @property
    def audio_specific_config(self) -> bytes:
        """The AAC encoder's configuration record (ISO 14496-3, 1.6.2.1), empty for MP3."""
        return bytes(self._context.extradata or b"")

    def encode(self, pcm: Pcm) -> list[Packet]:
        """Encode the next samples."""
        return [self._packet(p) for p in self._context.encode(self._feeder.frame(pcm))]

    def finish(self) -> list[Packet]:
        """Give what the encoder still held."""
        return [self._packet(p) for p in self._context.encode(None)]

    def _packet(self, packet: av.Packet[Any]) -> Packet:
        return Packet(self._begin + (packet.pts or 0), bytes(packet))


class AdtsEncoder:
    """AAC in ADTS frames (ISO 13818-7, 6.2), as web radio sends it."""

    head = b""

    def __init__(self, bitrate_kbps: int, begin: int) -> None:
        self._encoder = PacketEncoder("aac", bitrate_kbps, begin)

    def encode(self, pcm: Pcm) -> list[Packet]:
        """Encode the next samples."""
        return [Packet(p.position, adts_header(len(p.data)) + p.data) for p in self._encoder.encode(pcm)]

    def finish(self) -> list[Packet]:
        """Give what the encoder still held."""
        return [Packet(p.position, adts_header(len(p.data)) + p.data) for p in self._encoder.finish()]


def adts_header(payload_bytes: int) -> bytes:
    """Make the 7-byte header of an ADTS frame: AAC-LC, 44.1 kHz, mono, no checksum."""
    profile, rate_index, channels = 1, 4, 1
    length = payload_bytes + 7
    return bytes(
        (
            0xFF,
            0xF1,
            profile << 6 | rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | length >> 11,
            length >> 3 & 0xFF,
            (length & 7) << 5 | 0x1F,
            0xFC,
        )
    )
