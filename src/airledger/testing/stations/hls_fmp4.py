"""HLS segments as fragmented MP4 (CMAF) with an initialisation segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airledger.testing.cmaf import fragment, init_segment
from airledger.testing.packets import AAC_FRAME

if TYPE_CHECKING:
    from airledger.testing.packets import Packet, PacketEncoder

FRAMES_PER_SEGMENT = 216


class Fmp4Packing:
    """216 AAC frames, 5.02 s, to the segment."""

    suffix = ".m4s"
    content_type = "video/mp4"
    segment_samples = FRAMES_PER_SEGMENT * AAC_FRAME
    master_attributes = 'CODECS="mp4a.40.2"'

    def __init__(self, bitrate_kbps: int) -> None:
        self._bitrate_kbps = bitrate_kbps

    def init(self, encoder: PacketEncoder) -> bytes:
        """Make the initialisation segment."""
        return init_segment(encoder.audio_specific_config, self._bitrate_kbps)

    def segment(self, number: int, packets: list[Packet]) -> bytes:
        """Make one fragment."""
        return fragment(number + 1, packets[0].position, [packet.data for packet in packets])
