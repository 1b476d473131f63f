"""What a body is, judged by its first bytes. Content types of strangers are claims: HTML comes as audio/mpeg."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

ENOUGH_BYTES = 16 * 1024
"""With this many bytes, no verdict means that none will come."""
FRAMES_IN_ROW = 3
TEXT_SAMPLE_BYTES = 1024
TS_PACKET_BYTES = 188
_TS_SYNC = b"\x47"
ID3_HEADER_BYTES = 10
CONTROL_SHARE = 0.02
FOREIGN_SHARE = 0.25


class Kind(StrEnum):
    """Whether the body is sound, a list that leads to sound, or something else."""

    MEDIA = "media"
    PLAYLIST = "playlist"
    TEXT = "text"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A verdict. `name` is FFmpeg's name of the container, or `m3u`, `pls`, `asx`, `xspf`, or empty."""

    kind: Kind
    name: str = ""


_MAGICS = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"caff", "caf"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"#!AMR", "amr"),
)
_RIFF_KINDS = ((b"RIFF", b"WAVE", "wav"), (b"RF64", b"WAVE", "wav"), (b"FORM", b"AIF", "aiff"))
_MP4_BOXES = frozenset(
    {b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"emsg", b"prft", b"mdat", b"free", b"skip", b"wide"}
)
_PLAYLISTS = (
    ((b"#extm3u", b"#extinf", b"http://", b"https://"), "m3u"),
    ((b"[playlist]", b"[reference]"), "pls"),
    ((b"<asx",), "asx"),
)
# kbit/s by index; rows: MPEG 1 layers I, II, III, then MPEG 2 and 2.5 layer I, layers II and III.
_BITRATES_KBPS = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
_MPEG1_RATES_HZ = (44100, 48000, 32000)
_ADTS_RATES = 13


def sniff(head: bytes, *, whole: bool = False) -> Sniffed | None:
    """Judge the first bytes of a body.

    Args:
        head: the body from its beginning.
        whole: that this is all there is (or all that we care to wait for).

    Returns:
        The verdict; None while more bytes could bring one.
    """
    certain = whole or len(head) >= ENOUGH_BYTES
    body = head[id3_length(head) :]
    found = _container_by_magic(body) or _mpegts(body, certain=certain)
    if found:
        return Sniffed(Kind.MEDIA, found)
    text = _text(head, certain=certain)
    if text is not None:
        return text
    found = _framed(body, certain=certain)
    if found:
        return Sniffed(Kind.MEDIA, found)
    if certain:
        return Sniffed(Kind.MEDIA, "mp3") if head.startswith(b"ID3") else Sniffed(Kind.UNKNOWN)
    return None


def id3_length(head: bytes) -> int:
    """Length of an ID3v2 tag at the front, 0 where there is none."""
    if not head.startswith(b"ID3") or len(head) < ID3_HEADER_BYTES:
        return 0
    a, b, c, d = head[6:10]
    return ID3_HEADER_BYTES + ((a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | (d & 127))


def _container_by_magic(body: bytes) -> str | None:
    for magic, name in _MAGICS:
        if body.startswith(magic):
            return name
    for outer, inner, name in _RIFF_KINDS:
        if body.startswith(outer) and body[8:].startswith(inner):
            return name
    return "mp4" if body[4:8] in _MP4_BOXES else None


def _mpegts(body: bytes, *, certain: bool) -> str | None:
    """Find three sync bytes at the distance of a packet; a live stream may begin within one."""
    wanted = 2 if certain else FRAMES_IN_ROW
    start = body.find(_TS_SYNC, 0, TS_PACKET_BYTES)
    while start >= 0:
        syncs = body[start : start + TS_PACKET_BYTES * (FRAMES_IN_ROW + 1) : TS_PACKET_BYTES]
        if len(syncs) >= wanted and syncs.count(_TS_SYNC) == len(syncs):
            return "mpegts"
        start = body.find(_TS_SYNC, start + 1, TS_PACKET_BYTES)
    return None


def _text(head: bytes, *, certain: bool) -> Sniffed | None:
    sample = head[:TEXT_SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not sample or (len(sample) < TEXT_SAMPLE_BYTES // 2 and not certain and not sample.startswith((b"#", b"<"))):
        return None
    if not _printable(sample):
        return None
    start = sample.lower()
    playlist = _playlist(start)
    if playlist is not None:
        return Sniffed(Kind.PLAYLIST, playlist)
    return Sniffed(Kind.TEXT) if certain or start.startswith(b"<") else None


def _playlist(start: bytes) -> str | None:
    for magics, name in _PLAYLISTS:
        if start.startswith(magics):
            return name
    return "xspf" if b"<playlist" in start and b"xspf" in start else None


def _printable(sample: bytes) -> bool:
    if b"\x00" in sample:
        return False
    control = sum(byte < 0x20 and byte not in b"\t\r\n\f\x1b" for byte in sample)  # noqa: PLR2004 - ASCII controls
    try:
        sample.decode("utf-8")
        foreign = 0
    except UnicodeDecodeError as error:
        # Cut within a character is no offence; Latin-1 pages have few such bytes, sound has every second one.
        foreign = 0 if error.start > len(sample) - 4 else sum(byte > 0x7E for byte in sample)  # noqa: PLR2004 - ASCII
    return control <= len(sample) * CONTROL_SHARE and foreign <= len(sample) * FOREIGN_SHARE


def _framed(body: bytes, *, certain: bool) -> str | None:
    """Find frames that follow each other, of MPEG audio or AAC, from any place in a live stream."""
    at = body.find(b"\xff")
    while 0 <= at < len(body) - 6:
        for name, frame_length in (("mp3", _mpeg_frame_length), ("aac", _adts_frame_length)):
            if _in_row(body, at, frame_length, certain=certain):
                return name
        at = body.find(b"\xff", at + 1)
    return None


def _in_row(body: bytes, start: int, frame_length: Callable[[bytes, int], int | None], *, certain: bool) -> bool:
    at, frames = start, 0
    while frames < FRAMES_IN_ROW:
        if at + 6 > len(body):
            return certain and frames == FRAMES_IN_ROW - 1
        length = frame_length(body, at)
        if length is None or body[at + 1] & 0xFE != body[start + 1] & 0xFE:
            return False
        at, frames = at + length, frames + 1
    return True


def _mpeg_frame_length(body: bytes, at: int) -> int | None:
    second, third = body[at + 1], body[at + 2]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    index, rate_index = third >> 4, third >> 2 & 3
    if body[at] != 0xFF or second & 0xE0 != 0xE0 or version == 1 or layer == 4 or rate_index == 3:  # noqa: PLR2004
        return None
    if not 1 <= index <= 14:  # noqa: PLR2004 - 0 is free format, 15 is forbidden
        return None
    mpeg1 = version == 3  # noqa: PLR2004 - the header's code of MPEG 1
    kbps = _BITRATES_KBPS[layer - 1 if mpeg1 else 3 + (layer > 1)][index]
    rate_hz = _MPEG1_RATES_HZ[rate_index] >> (0 if mpeg1 else 1 if version == 2 else 2)  # noqa: PLR2004
    padding = third >> 1 & 1
    if layer == 1:
        return (12000 * kbps // rate_hz + padding) * 4
    samples = 1152 if layer == 2 or mpeg1 else 576  # noqa: PLR2004 - layer II
    return samples * 125 * kbps // rate_hz + padding


def _adts_frame_length(body: bytes, at: int) -> int | None:
    sync = body[at] == 0xFF and body[at + 1] & 0xF6 == 0xF0  # noqa: PLR2004 - twelve ones, layer 0
    if not sync or body[at + 2] >> 2 & 15 >= _ADTS_RATES:
        return None
    length = (body[at + 3] & 3) << 11 | body[at + 4] << 3 | body[at + 5] >> 5
    return length if length > 7 else None  # noqa: PLR2004 - the header alone
