"""HLS segments as MPEG transport streams: sound alone, or with a test card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airledger.testing.mpegts import CLOCK_HZ, START_TICKS, TsMuxer, Unit
from airledger.testing.packets import AAC_FRAME, PacketEncoder, adts_header
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.picture import CODECS_ATTRIBUTE, FRAMES_PER_S, HEIGHT, WIDTH, TestCard

if TYPE_CHECKING:
    from airledger.testing.packets import Packet

FRAMES_PER_SEGMENT = 216
PICTURE_SEGMENT_S = 4


class TsPacking:
    """Sound alone; 216 AAC frames, 5.02 s, to the segment."""

    suffix = ".ts"
    content_type = "video/mp2t"
    segment_samples = FRAMES_PER_SEGMENT * AAC_FRAME
    master_attributes = ""

    def __init__(self) -> None:
        self._muxer = TsMuxer(picture=False)

    def init(self, encoder: PacketEncoder) -> bytes:  # noqa: ARG002 - transport streams explain themselves
        """Nothing is needed."""
        return b""

    def segment(self, number: int, packets: list[Packet]) -> bytes:  # noqa: ARG002 - packets know their position
        """Mux sound."""
        return self._muxer.segment(sound_units(packets), [])


class PicturePacking:
    """Sound and a test card of 25 pictures a second; 4 s to the segment."""

    suffix = ".ts"
    content_type = "video/mp2t"
    segment_samples = PICTURE_SEGMENT_S * SONG_RATE_HZ
    master_attributes = f'RESOLUTION={WIDTH}x{HEIGHT},CODECS="{CODECS_ATTRIBUTE},mp4a.40.2"'

    def __init__(self, card: TestCard) -> None:
        self._muxer = TsMuxer(picture=True)
        self._card = card

    def init(self, encoder: PacketEncoder) -> bytes:  # noqa: ARG002 - transport streams explain themselves
        """Nothing is needed."""
        return b""

    def segment(self, number: int, packets: list[Packet]) -> bytes:
        """Mux sound and the pictures of the same time."""
        per_segment = PICTURE_SEGMENT_S * FRAMES_PER_S
        frames = range(number * per_segment, (number + 1) * per_segment)
        pictures = [
            Unit(frame * CLOCK_HZ // FRAMES_PER_S + START_TICKS, self._card.unit(frame), self._card.is_key(frame))
            for frame in frames
        ]
        return self._muxer.segment(sound_units(packets), pictures)


def sound_units(packets: list[Packet]) -> list[Unit]:
    """Put each raw AAC frame into an ADTS frame with its time."""
    return [
        Unit(p.position * CLOCK_HZ // SONG_RATE_HZ + START_TICKS, adts_header(len(p.data)) + p.data) for p in packets
    ]
