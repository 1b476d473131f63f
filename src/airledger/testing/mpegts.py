"""Write MPEG transport stream segments (ISO 13818-1): ADTS sound, and H.264 pictures where there are some.

Continuity counters run on from segment to segment, so a receiver that joins them sees one unbroken stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PACKET = 188
PAT_PID, PMT_PID, VIDEO_PID, AUDIO_PID = 0, 0x1000, 0x100, 0x101
AUDIO_STREAM_ID, VIDEO_STREAM_ID = 0xC0, 0xE0
ADTS_TYPE, H264_TYPE = 0x0F, 0x1B
CLOCK_HZ = 90_000
START_TICKS = 126_000  # 1.4 s, so that no clock reference is negative
LEAD_TICKS = 9_000  # the clock reference runs 0.1 s before the presentation
WRAP = 1 << 33
ADTS_FRAMES_PER_PES = 8


@dataclass(frozen=True)
class Unit:
    """An elementary stream's piece: presentation time in 90 kHz ticks, bytes, whether one can start there."""

    ticks: int
    data: bytes
    key: bool = True


@dataclass
class TsMuxer:
    """Muxes segments of one programme. ``picture`` says whether it has a video stream."""

    picture: bool
    _counters: dict[int, int] = field(default_factory=dict)

    def segment(self, audio: list[Unit], video: list[Unit]) -> bytes:
        """Make one segment: tables first, then sound and picture in order of their time.

        Args:
            audio: one ADTS frame each.
            video: one access unit (Annex B) each, in order, no reordering; the first one a key frame.
        """
        out = bytearray(self._section(PAT_PID, _pat()) + self._section(PMT_PID, _pmt(picture=self.picture)))
        pieces = [(unit, VIDEO_PID) for unit in video] + [(unit, AUDIO_PID) for unit in _grouped(audio)]
        clock_pid = VIDEO_PID if self.picture else AUDIO_PID
        for unit, pid in sorted(pieces, key=lambda piece: piece[0].ticks):
            stream_id = VIDEO_STREAM_ID if pid == VIDEO_PID else AUDIO_STREAM_ID
            clock = (unit.ticks - LEAD_TICKS) % WRAP if pid == clock_pid else None
            out += self._packets(pid, _pes(stream_id, unit), clock, key=unit.key)
        return bytes(out)

    def _count(self, pid: int) -> int:
        count = self._counters.get(pid, 0)
        self._counters[pid] = (count + 1) & 15
        return count

    def _section(self, pid: int, section: bytes) -> bytes:
        head = bytes((0x47, 0x40 | pid >> 8, pid & 0xFF, 0x10 | self._count(pid), 0))
        return (head + section).ljust(PACKET, b"\xff")

    def _packets(self, pid: int, pes: bytes, clock: int | None, *, key: bool) -> bytes:
        out, at, first = bytearray(), 0, True
        while at < len(pes):
            field_bytes = _adaptation(clock, key=key) if first and (clock is not None or key) else b""
            room = PACKET - 4 - (len(field_bytes) + 1 if field_bytes else 0)
            missing = room - (len(pes) - at)
            if missing > 0:
                field_bytes, room = _stuffed(field_bytes, missing), room - missing
            control = 0x30 if field_bytes or missing > 0 else 0x10
            out += bytes((0x47, (0x40 if first else 0) | pid >> 8, pid & 0xFF, control | self._count(pid)))
            if control == 0x30:  # noqa: PLR2004 - adaptation field and payload
                out += bytes((len(field_bytes),)) + field_bytes
            out += pes[at : at + room]
            at, first = at + room, False
        return bytes(out)


def _adaptation(clock: int | None, *, key: bool) -> bytes:
    flags = (0x40 if key else 0) | (0x10 if clock is not None else 0)
    reference = b"" if clock is None else (clock << 15 | 0x3F << 9).to_bytes(6, "big")
    return bytes((flags,)) + reference


def _stuffed(field_bytes: bytes, missing: int) -> bytes:
    """Lengthen an adaptation field by ``missing`` bytes in the packet; its length byte counts if it is new."""
    if field_bytes:
        return field_bytes + b"\xff" * missing
    return b"" if missing == 1 else b"\x00" + b"\xff" * (missing - 2)


def _grouped(audio: list[Unit]) -> list[Unit]:
    groups = (audio[i : i + ADTS_FRAMES_PER_PES] for i in range(0, len(audio), ADTS_FRAMES_PER_PES))
    return [Unit(group[0].ticks, b"".join(unit.data for unit in group)) for group in groups]


def _pes(stream_id: int, unit: Unit) -> bytes:
    stamp = unit.ticks % WRAP
    pts = bytes(
        (
            0x21 | stamp >> 29 & 0x0E,
            stamp >> 22 & 0xFF,
            0x01 | stamp >> 14 & 0xFE,
            stamp >> 7 & 0xFF,
            0x01 | stamp << 1 & 0xFE,
        )
    )
    length = 3 + len(pts) + len(unit.data)
    if length > 0xFFFF:  # noqa: PLR2004 - 16 bits; 0 means "until the next one", which video may say
        length = 0
    return b"\x00\x00\x01" + bytes((stream_id,)) + length.to_bytes(2, "big") + b"\x80\x80\x05" + pts + unit.data


def _pat() -> bytes:
    body = bytes((0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | PMT_PID >> 8, PMT_PID & 0xFF))
    return _table(0x00, body)


def _pmt(*, picture: bool) -> bytes:
    streams = [(H264_TYPE, VIDEO_PID)] if picture else []
    streams.append((ADTS_TYPE, AUDIO_PID))
    clock_pid = streams[0][1]
    body = bytes((0, 1, 0xC1, 0, 0, 0xE0 | clock_pid >> 8, clock_pid & 0xFF, 0xF0, 0))
    body += b"".join(bytes((kind, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0)) for kind, pid in streams)
    return _table(0x02, body)


def _table(table_id: int, body: bytes) -> bytes:
    length = len(body) + 4
    section = bytes((table_id, 0xB0 | length >> 8, length & 0xFF)) + body
    return section + crc32_mpeg(section).to_bytes(4, "big")


def crc32_mpeg(data: bytes) -> int:
    """Compute the CRC-32 of MPEG sections: polynomial 0x04C11DB7, start 0xFFFFFFFF, not reflected, not inverted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc
