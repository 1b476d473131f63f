"""Write fragmented MP4 for HLS (ISO 14496-12, 23000-19): one AAC track, an initialisation segment and fragments."""

from __future__ import annotations

import struct

from airledger.testing.packets import AAC_FRAME
from airledger.testing.pcm import SONG_RATE_HZ

TRACK = 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def init_segment(audio_specific_config: bytes, bitrate_kbps: int) -> bytes:
    """Make the initialisation segment: mono AAC at 44.1 kHz.

    Args:
        audio_specific_config: the encoder's configuration record.
        bitrate_kbps: written into the decoder configuration.
    """
    ftyp = _box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"cmfc", b"mp41")
    mvhd = _full(b"mvhd", 0, 0, struct.pack(">4I", 0, 0, SONG_RATE_HZ, 0), struct.pack(">IHH", 0x10000, 0x100, 0),
                 bytes(8), _MATRIX, bytes(24), struct.pack(">I", TRACK + 1))  # fmt: skip
    tkhd = _full(b"tkhd", 0, 7, struct.pack(">5I", 0, 0, TRACK, 0, 0), bytes(8), struct.pack(">4H", 0, 0, 0x100, 0),
                 _MATRIX, bytes(8))  # fmt: skip
    mdhd = _full(b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, SONG_RATE_HZ, 0, 0x55C4, 0))
    hdlr = _full(b"hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"sound\x00")
    dref = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    stsd = _full(b"stsd", 0, 0, struct.pack(">I", 1), _mp4a(audio_specific_config, bitrate_kbps))
    empty = b"".join(_full(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco"))
    stbl = _box(b"stbl", stsd, empty, _full(b"stsz", 0, 0, bytes(8)))
    minf = _box(b"minf", _full(b"smhd", 0, 0, bytes(4)), _box(b"dinf", dref), stbl)
    trak = _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf))
    mvex = _box(b"mvex", _full(b"trex", 0, 0, struct.pack(">5I", TRACK, 1, AAC_FRAME, 0, 0)))
    return ftyp + _box(b"moov", mvhd, trak, mvex)


def fragment(sequence: int, decode_time: int, frames: list[bytes]) -> bytes:
    """Make one media segment.

    Args:
        sequence: its number, from 1 upwards.
        decode_time: first frame's time in samples of the track (44.1 kHz).
        frames: raw AAC frames.
    """
    moof = _moof(sequence, decode_time, frames, 0)
    return _moof(sequence, decode_time, frames, len(moof) + 8) + _box(b"mdat", *frames)


def _moof(sequence: int, decode_time: int, frames: list[bytes], data_offset: int) -> bytes:
    mfhd = _full(b"mfhd", 0, 0, struct.pack(">I", sequence))
    tfhd = _full(b"tfhd", 0, 0x020000, struct.pack(">I", TRACK))
    tfdt = _full(b"tfdt", 1, 0, struct.pack(">Q", decode_time))
    sizes = struct.pack(f">{len(frames)}I", *map(len, frames))
    trun = _full(b"trun", 0, 0x000201, struct.pack(">Ii", len(frames), data_offset), sizes)
    return _box(b"moof", mfhd, _box(b"traf", tfhd, tfdt, trun))


def _mp4a(config: bytes, bitrate_kbps: int) -> bytes:
    decoder = _descriptor(
        0x04, struct.pack(">BB3x2I", 0x40, 0x15, bitrate_kbps * 1000, bitrate_kbps * 1000), _descriptor(0x05, config)
    )
    esds = _full(b"esds", 0, 0, _descriptor(0x03, struct.pack(">HB", TRACK, 0), decoder, _descriptor(0x06, b"\x02")))
    return _box(b"mp4a", bytes(6), struct.pack(">H8x4HI", 1, 1, 16, 0, 0, SONG_RATE_HZ << 16), esds)


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body
