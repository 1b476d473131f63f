"""One immutable file of an index: its tracks, their peaks, and the postings that lead from keys to places.

docs/formats/fingerprint-index.md describes the bytes. All tracks of a segment lie behind one another on a single axis
of places, in steps of 10 ms, each after a gap longer than any query. So one number names a track and a place in it, and
votes on "where does the query begin" never run from one track into the next.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.arrays import F32, I64, U8, U16, U32
from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import KEY_BITS, Params, params_hash
from airledger.fingerprint.peaks import Peaks

FORMAT_VERSION = 1
PLACES_PER_S = 100
GAP_PLACES = 128 * PLACES_PER_S
MAX_TRACK_S = 24 * 3600.0
MAX_SEGMENT_POSTINGS = 1 << 25

_MAGIC = b"ALFPSEG\x00"
_ALIGN = 64
_LEAST_BUCKET_BITS = 16  # with 24-bit keys the remainder then fits one byte
_MOST_BUCKET_BITS = 22
_TICKS_PER_S = 10_000
_STEPS_PER_HZ = 16
_STEPS_PER_DB = 4
_HEADER = struct.Struct("<8sIIII32sQQQQ10I")  # the last of the ten is the checksum of all before it
_SECTIONS = (
    "numbers",
    "starts",
    "lengths",
    "peak_starts",
    "buckets",
    "remainders",
    "places",
    "times",
    "freqs",
    "levels",
)
_HASHED_SECTIONS = len(_SECTIONS)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """An open segment; its arrays are views of the mapped file.

    Attributes:
        numbers: int64[tracks], the caller's track numbers, rising.
        starts: uint32[tracks], place of each track's first sample.
        lengths: uint32[tracks], length of each track in places, rounded up.
        peak_starts: int64[tracks + 1], where each track's peaks begin in the three arrays of peaks.
        buckets: uint32[2**bucket_bits + 1], where the postings of each bucket (the key's upper bits) begin.
        remainders: uint8[postings], the key's lower bits, rising within a bucket.
        places: uint32[postings], where on the axis the pair's first peak lies.
        times: uint32[peaks], in 0.1 ms after the track's first sample.
        freqs: uint16[peaks], in 1/16 Hz.
        levels: uint8[peaks], in 1/4 dB.
    """

    numbers: I64
    starts: U32
    lengths: U32
    peak_starts: I64
    buckets: U32
    remainders: U8
    places: U32
    times: U32
    freqs: U16
    levels: U8

    @property
    def remainder_bits(self) -> int:
        """How many lower bits of a key are in `remainders`."""
        return KEY_BITS - (len(self.buckets) - 1).bit_length() + 1

    @property
    def places_in_use(self) -> int:
        """Length of all tracks together, in places."""
        return int(self.lengths.sum(dtype=np.int64))

    def track_at(self, place: int) -> int | None:
        """Index of the track in which (or shortly before which) a query starts at `place`, if any."""
        ends = self.starts.astype(np.int64) + self.lengths
        index = int(np.searchsorted(ends, place))
        if index == len(self.numbers) or place < int(self.starts[index]) - GAP_PLACES:
            return None
        return index

    def reference(self, index: int) -> tuple[F32, F32]:
        """Times (s after the track's first sample) and frequencies (Hz) of a track's peaks, float32 each."""
        part = slice(int(self.peak_starts[index]), int(self.peak_starts[index + 1]))
        times_s = (self.times[part] / np.float64(_TICKS_PER_S)).astype(np.float32)
        return times_s, self.freqs[part].astype(np.float32) / np.float32(_STEPS_PER_HZ)

    def peaks(self, index: int) -> Peaks:
        """A track's peaks as they were enrolled (to the precision that is stored)."""
        part = slice(int(self.peak_starts[index]), int(self.peak_starts[index + 1]))
        times_s, freqs_hz = self.reference(index)
        levels = self.levels[part].astype(np.float32) / np.float32(_STEPS_PER_DB)
        return Peaks(times_s, freqs_hz, levels, int(self.lengths[index]) / PLACES_PER_S)


def write_segment(path: Path, tracks: Mapping[int, Peaks], params: Params) -> None:
    """Write a new segment with these tracks, checksummed and flushed to the disk.

    Args:
        path: a file that does not exist yet.
        tracks: peaks by track number (0 or more), extracted with "reference" density.
        params: what they were extracted with.

    Raises:
        ValueError: a number is negative, a track is too long, or together they exceed one segment.
        FileExistsError: `path` exists.
    """
    sections = _sections(tracks, params)
    payload = [_padded(sections[name]) for name in _SECTIONS]
    checksum = 0
    for part in payload:
        checksum = zlib.crc32(part, checksum)
    header = _header(sections, params, sum(map(len, payload)), checksum)
    with path.open("xb") as file:
        file.write(header)
        for part in payload:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def _header(sections: dict[str, NDArray[Any]], params: Params, payload_bytes: int, checksum: int) -> bytes:
    bucket_bits = (len(sections["buckets"]) - 1).bit_length() - 1
    fields = [
        _MAGIC, FORMAT_VERSION, KEY_BITS, bucket_bits, PLACES_PER_S, bytes.fromhex(params_hash(params)),
        len(sections["numbers"]), len(sections["times"]), len(sections["places"]), payload_bytes,
        GAP_PLACES, _TICKS_PER_S, _STEPS_PER_HZ, _STEPS_PER_DB, checksum, 0, 0, 0, 0,
    ]  # fmt: skip
    body = _HEADER.pack(*fields, 0)[:-4]
    return body + struct.pack("<I", zlib.crc32(body)) + bytes(-_HEADER.size % _ALIGN)


def _padded(array: NDArray[Any]) -> bytes:
    data = array.tobytes()
    return data + bytes(-len(data) % _ALIGN)


def _sections(tracks: Mapping[int, Peaks], params: Params) -> dict[str, NDArray[Any]]:
    """All arrays of a segment, in the types of the file."""
    numbers = sorted(tracks)
    if numbers and numbers[0] < 0:
        raise ValueError("Track numbers must be 0 or more.")
    rounded = [_rounded(tracks[number]) for number in numbers]
    lengths = np.array([_length_places(peaks) for peaks in rounded], np.int64)
    starts = np.cumsum(np.concatenate([[GAP_PLACES], lengths + GAP_PLACES]))
    if starts[-1] >= 1 << 32:
        raise ValueError("These tracks are too long for one segment.")
    postings = [_postings(peaks, int(start), params) for peaks, start in zip(rounded, starts, strict=False)]
    buckets, remainders, places = _sorted_postings(np.sort(np.concatenate([np.empty(0, np.uint64), *postings])))
    return {
        "numbers": np.array(numbers, "<i8"),
        "starts": starts[:-1].astype("<u4"),
        "lengths": lengths.astype("<u4"),
        "peak_starts": np.cumsum([0, *map(len, rounded)]).astype("<i8"),
        "buckets": buckets,
        "remainders": remainders,
        "places": places,
        "times": _joined([np.rint(p.times_s.astype(np.float64) * _TICKS_PER_S) for p in rounded], "<u4"),
        "freqs": _joined([np.rint(p.freqs_hz * _STEPS_PER_HZ) for p in rounded], "<u2"),
        "levels": _joined([np.rint(p.levels * _STEPS_PER_DB) for p in rounded], "u1"),
    }


def _joined(parts: list[NDArray[Any]], kind: str) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *(part.astype(kind) for part in parts)])


def _rounded(peaks: Peaks) -> Peaks:
    """The peaks to the precision that is stored: keys made before writing and after reading are the same."""
    if peaks.duration_s > MAX_TRACK_S:
        raise ValueError(f"A track may last {MAX_TRACK_S / 3600:.0f} hours at most; cut it into parts.")
    ticks = np.rint(np.clip(peaks.times_s.astype(np.float64), 0, MAX_TRACK_S) * _TICKS_PER_S)
    steps = np.clip(np.rint(peaks.freqs_hz * _STEPS_PER_HZ), 0, 65535)
    levels = np.clip(np.rint(peaks.levels * _STEPS_PER_DB), 0, 255)
    return Peaks(
        (ticks / _TICKS_PER_S).astype(np.float32),
        (steps / _STEPS_PER_HZ).astype(np.float32),
        (levels / _STEPS_PER_DB).astype(np.float32),
        peaks.duration_s,
    )


def _length_places(peaks: Peaks) -> int:
    last_s = float(peaks.times_s[-1]) if len(peaks) else 0.0
    return int(np.ceil(round(max(peaks.duration_s, last_s) * PLACES_PER_S, 3)))


def _postings(peaks: Peaks, start: int, params: Params) -> NDArray[np.uint64]:
    """One uint64 per pair: the key in the upper half, the place in the lower."""
    first, second = pairs(peaks, params, params.reference_fan)
    made = keys(peaks, first, second, params)
    places = start + np.rint(peaks.times_s[first].astype(np.float64) * PLACES_PER_S).astype(np.uint64)
    inside = made != NO_KEY
    return np.unique((made[inside].astype(np.uint64) << np.uint64(32)) | places[inside])


def _sorted_postings(postings: NDArray[np.uint64]) -> tuple[U32, U8, U32]:
    """Buckets, remainders and places of postings that are in order of key and place."""
    wanted_bits = max(1, len(postings) // 4).bit_length()
    bucket_bits = min(_MOST_BUCKET_BITS, max(_LEAST_BUCKET_BITS, wanted_bits))
    made = (postings >> np.uint64(32)).astype(np.uint32)
    remainder_bits = KEY_BITS - bucket_bits
    edges = (np.arange((1 << bucket_bits) + 1, dtype=np.uint64) << np.uint64(remainder_bits)).astype(np.uint32)
    buckets = np.searchsorted(made, edges).astype("<u4")
    remainders = (made & np.uint32((1 << remainder_bits) - 1)).astype("u1")
    return buckets, remainders, (postings & np.uint64(0xFFFFFFFF)).astype("<u4")


def open_segment(path: Path, params: Params) -> Segment:
    """Map a segment and check every byte of it against its checksums.

    Raises:
        IndexDamagedError: the file is not a segment, is cut or altered, or of an unknown format.
        ParamsMismatchError: it was written with other parameters.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _HEADER.size:
            raise IndexDamagedError(f"{path.name} is too short for a segment; enrol its recordings again.")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    counts, bucket_bits, checksum = _read_header(data, path, params)
    payload = data[_HEADER.size + (-_HEADER.size % _ALIGN) :]
    if zlib.crc32(payload) != checksum:
        raise IndexDamagedError(
            f"{path.name} does not have the contents it was written with; enrol its recordings again."
        )
    segment = _map(payload, counts, bucket_bits, path)
    _check_order(segment, path)
    return segment


def _read_header(data: memoryview, path: Path, params: Params) -> tuple[tuple[int, int, int], int, int]:
    """Counts of tracks, peaks and postings, the bucket bits, and the checksum of the rest."""
    head = bytes(data[: _HEADER.size])
    magic, version, key_bits, bucket_bits, per_s, made_with, tracks, peaks, postings, payload, *rest = _HEADER.unpack(
        head
    )
    if magic != _MAGIC:
        raise IndexDamagedError(f"{path.name} is not a segment of a fingerprint index.")
    if zlib.crc32(head[:-4]) != rest[-1]:
        raise IndexDamagedError(f"The header of {path.name} is damaged; enrol its recordings again.")
    if version != FORMAT_VERSION:
        raise IndexDamagedError(f"{path.name} has format {version}; this engine reads format {FORMAT_VERSION}.")
    units = (KEY_BITS, PLACES_PER_S, GAP_PLACES, _TICKS_PER_S, _STEPS_PER_HZ, _STEPS_PER_DB)
    if (key_bits, per_s, *rest[:4]) != units or not _LEAST_BUCKET_BITS <= bucket_bits <= _MOST_BUCKET_BITS:
        raise IndexDamagedError(f"{path.name} is written in units that this engine does not know.")
    if made_with.hex() != params_hash(params):
        raise ParamsMismatchError(f"{path.name} was made with other engine parameters; enrol its recordings again.")
    if len(data) != _HEADER.size + (-_HEADER.size % _ALIGN) + payload:
        raise IndexDamagedError(f"{path.name} has been cut or has grown; enrol its recordings again.")
    return (tracks, peaks, postings), bucket_bits, rest[4]


def _map(payload: memoryview, counts: tuple[int, int, int], bucket_bits: int, path: Path) -> Segment:
    """Views of the sections, in the order of the file."""
    tracks, peaks, postings = counts
    shapes = [
        ("<i8", tracks), ("<u4", tracks), ("<u4", tracks), ("<i8", tracks + 1), ("<u4", (1 << bucket_bits) + 1),
        ("u1", postings), ("<u4", postings), ("<u4", peaks), ("<u2", peaks), ("u1", peaks),
    ]  # fmt: skip
    arrays: list[NDArray[Any]] = []
    position = 0
    for kind, count in shapes:
        size = np.dtype(kind).itemsize * count
        if position + size > len(payload):
            raise IndexDamagedError(f"The sections of {path.name} do not fit into it; enrol its recordings again.")
        arrays.append(np.frombuffer(payload, kind, count, position))
        position += size + (-size % _ALIGN)
    return Segment(*arrays)


def _times_rise(segment: Segment) -> bool:
    """Whether each track's peaks are in order of time; from one track to the next they may fall."""
    falls = np.flatnonzero(segment.times[1:] < segment.times[:-1]) + 1
    return bool(np.isin(falls, segment.peak_starts).all())


def _check_order(segment: Segment, path: Path) -> None:
    """The compiled kernels follow these numbers without looking: they must not lead out of the arrays."""
    peak_starts, buckets = segment.peak_starts, segment.buckets
    sound = (
        peak_starts[0] == 0
        and peak_starts[-1] == len(segment.times)
        and bool(np.all(peak_starts[1:] >= peak_starts[:-1]))
        and buckets[0] == 0
        and buckets[-1] == len(segment.places)
        and bool(np.all(buckets[1:] >= buckets[:-1]))
        and bool(np.all(segment.numbers[1:] > segment.numbers[:-1]))
        and bool(np.all(segment.starts[1:] > segment.starts[:-1]))
        and _times_rise(segment)
    )
    if not sound:
        raise IndexDamagedError(f"The tables of {path.name} contradict each other; enrol its recordings again.")
