"""What a file's header claims about its length, to tell a cut or lying file from a whole one."""

import struct

from airledger.audio.sniff import id3_length

XING_SEARCH_BYTES = 256
# A WAV whose length was not known when it was begun (a pipe) says 0 or nearly 4 GiB.
UNKNOWN_WAV_SIZES_FROM = 0xFFFF0000
WAV_SLACK_BYTES = 4096


def wav_lie(head: bytes, file_bytes: int) -> str | None:
    """Tell what is wrong with a WAV header, None where it is consistent with the file.

    Args:
        head: the file's first bytes, as many as reach the `data` chunk.
        file_bytes: its size.
    """
    at = 12
    described = False
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        if name == b"fmt ":
            described = True
            reason = _fmt_lie(head[at + 8 : at + 24])
            if reason:
                return reason
        if name == b"data":
            return _data_lie(size, file_bytes - at - 8) if described else "its data come before their description"
        at += 8 + size + size % 2
    return "its header names no data" if at >= file_bytes else None


def _fmt_lie(fmt: bytes) -> str | None:
    if len(fmt) < 16:  # noqa: PLR2004 - the smallest description there is
        return "its format description is cut short"
    _kind, channels, rate_hz, _bytes_per_s, block_bytes, _bits = struct.unpack("<HHIIHH", fmt)
    if not 1 <= channels <= 64 or not 1000 <= rate_hz <= 768_000 or not block_bytes:  # noqa: PLR2004 - far beyond real
        return f"its header claims {channels} channels at {rate_hz} Hz in blocks of {block_bytes} bytes"
    return None


def _data_lie(claimed_bytes: int, there_bytes: int) -> str | None:
    if claimed_bytes >= UNKNOWN_WAV_SIZES_FROM or claimed_bytes <= there_bytes + WAV_SLACK_BYTES:
        return None
    return f"its header claims {claimed_bytes} bytes of sound, but only {there_bytes} are there"


def mp3_lie(head: bytes, file_bytes: int) -> str | None:
    """Tell whether an MP3 is shorter than its Xing or Info header says, None where there is no such header.

    Args:
        head: the file's first bytes, ID3 tag included.
        file_bytes: its size.
    """
    start = id3_length(head)
    for magic in (b"Xing", b"Info"):
        place = head.find(magic, start, start + XING_SEARCH_BYTES)
        if place < 0 or place + 16 > len(head):
            continue
        flags = struct.unpack_from(">I", head, place + 4)[0]
        if flags & 3 != 3:  # noqa: PLR2004 - frames and bytes both told
            return None
        claimed_bytes = struct.unpack_from(">I", head, place + 12)[0]
        there_bytes = file_bytes - start
        if claimed_bytes > there_bytes * 1.01 + WAV_SLACK_BYTES:
            return f"it is cut: its header claims {claimed_bytes} bytes of sound, but only {there_bytes} are there"
        return None
    return None
