"""Reading segments of format 1, which Airledger 0.1 wrote; they become format 2 when they are merged.

Its keys were wider, so only the tracks and their peaks are taken from it.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.draft import write_tracks
from airledger.fingerprint.errors import IndexDamagedError
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.segment import MAGIC, Segment, segment_from

_HEADER = struct.Struct("<8sIIII32sQQQQ10I")  # the last of the ten is the checksum of all before it
_ALIGN = 64
_PLACES_PER_S = 100
_TICKS_PER_S = 10_000
_STEPS_PER_HZ = 16
_STEPS_PER_DB = 4
_MOST_BUCKET_BITS = 22
_MAX_BYTES = 1 << 30


def is_format_1(path: Path) -> bool:
    """Whether the file says that it is a segment of format 1."""
    with path.open("rb") as file:
        return file.read(12) == MAGIC + struct.pack("<I", 1)


def convert(path: Path, params: Params) -> Segment:
    """The same tracks as a segment of today's format, in memory.

    Raises:
        IndexDamagedError: the file is not a segment of format 1, or is cut or altered.
        FileNotFoundError: there is no such file.
    """
    made = io.BytesIO()
    write_tracks(made, read_tracks(path), params)
    return segment_from(memoryview(made.getvalue()), params, path.name)


def read_tracks(path: Path) -> dict[int, Peaks]:
    """Peaks by track number.

    Raises:
        IndexDamagedError: the file is not a segment of format 1, or is cut or altered.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    bad = IndexDamagedError(f"{path.name} is damaged; enrol its recordings again.")
    start = _HEADER.size + (-_HEADER.size % _ALIGN)
    if not start <= len(data) <= _MAX_BYTES:
        raise bad
    head = data[: _HEADER.size]
    magic, version, _key_bits, bucket_bits, per_s, _made_with, tracks, peaks, postings, size, *rest = _HEADER.unpack(
        head
    )
    units = (_TICKS_PER_S, _STEPS_PER_HZ, _STEPS_PER_DB)
    sound = (
        (magic, version) == (MAGIC, 1)
        and zlib.crc32(head[:-4]) == rest[-1]
        and (per_s, *rest[1:4]) == (_PLACES_PER_S, *units)
        and bucket_bits <= _MOST_BUCKET_BITS
        and len(data) == start + size
        and zlib.crc32(data[start:]) == rest[4]
    )
    if not sound:
        raise bad
    numbers, _starts, lengths, bounds, *_postings, times, freqs, levels = _sections(
        data[start:], (tracks, peaks, postings), bucket_bits, bad
    )
    if tracks and (bounds[0] != 0 or bounds[-1] != peaks or np.any(np.diff(bounds) < 0)):
        raise bad
    found = {}
    for index in range(tracks):
        part = slice(int(bounds[index]), int(bounds[index + 1]))
        try:
            found[int(numbers[index])] = Peaks(
                (times[part] / np.float64(_TICKS_PER_S)).astype(np.float32),
                freqs[part].astype(np.float32) / np.float32(_STEPS_PER_HZ),
                levels[part].astype(np.float32) / np.float32(_STEPS_PER_DB),
                int(lengths[index]) / _PLACES_PER_S,
            )
        except ValueError as error:
            raise bad from error
    return found


def _sections(
    payload: bytes, counts: tuple[int, int, int], bucket_bits: int, bad: IndexDamagedError
) -> list[NDArray[Any]]:
    tracks, peaks, postings = counts
    shapes = [
        ("<i8", tracks), ("<u4", tracks), ("<u4", tracks), ("<i8", tracks + 1), ("<u4", (1 << bucket_bits) + 1),
        ("u1", postings), ("<u4", postings), ("<u4", peaks), ("<u2", peaks), ("u1", peaks),
    ]  # fmt: skip
    arrays: list[NDArray[Any]] = []
    at = 0
    for kind, count in shapes:
        size = np.dtype(kind).itemsize * count
        if at + size > len(payload):
            raise bad
        arrays.append(np.frombuffer(payload, kind, count, at))
        at += size + (-size % _ALIGN)
    return arrays
