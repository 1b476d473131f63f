"""One immutable file of an index: its tracks, their peaks, and the postings that lead from keys to places.

docs/formats/fingerprint-index.md describes the bytes. All tracks of a segment lie behind one another on a single axis
of places, in steps of 10 ms. So one number names a track and a place in it, and "where does the query begin" is a
difference of two places.
"""

import mmap
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.arrays import F32, I64, U8, U32, U64
from airledger.fingerprint.checksums import BLOCK_BYTES, Guard, guard, is_sound
from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.params import Params, params_hash
from airledger.fingerprint.peak_words import TICKS_PER_S, peaks_in, unpack
from airledger.fingerprint.postings import STEP_PLACES, Postings, bucket_count

FORMAT_VERSION = 2
PLACES_PER_S = 100
GAP_PLACES = 128 * PLACES_PER_S
MAX_TRACK_S = 24 * 3600.0
MAX_SPAN = (1 << 32) // STEP_PLACES - GAP_PLACES  # so that places and votes fit 32 bits: 11,900 hours

HEADER_BYTES = BLOCK_BYTES
HEADER = struct.Struct("<8sII32sQQQQQQQQ8I")
MAGIC = b"ALFPSEG\x00"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """An open segment; its arrays are views of the mapped file.

    Attributes:
        numbers: int64[tracks], the caller's track numbers, in the order in which the tracks lie on the axis.
        starts: int64[tracks + 1], step of each track's first sample, rising; last, where the axis ends.
        lengths: int64[tracks], length of each track in ticks of 2 ms.
        peak_starts: int64[tracks + 1], word of `peak_words` at which each track's peaks begin.
        peak_words: uint64[n], and the word that follows them.
        postings: from keys to steps.
        watched: the checksums of `peak_words` and `postings`.
        by_number: int64[tracks], the tracks in order of their numbers.
    """

    numbers: I64
    starts: I64
    lengths: I64
    peak_starts: I64
    peak_words: U64
    postings: Postings
    watched: Guard
    by_number: I64

    @property
    def places_in_use(self) -> int:
        """Length of the axis, in places."""
        return int(self.starts[-1]) * STEP_PLACES

    def index_of(self, number: int) -> int | None:
        """Index of the track with this number, if there is one."""
        at = int(np.searchsorted(self.numbers, number, sorter=self.by_number))
        if at == len(self.numbers) or int(self.numbers[self.by_number[at]]) != number:
            return None
        return int(self.by_number[at])

    def duration_s(self, index: int) -> float:
        """Length of a track."""
        return int(self.lengths[index]) / TICKS_PER_S

    def start_place(self, index: int) -> int:
        """Place of a track's first sample."""
        return int(self.starts[index]) * STEP_PLACES

    def words_of(self, index: int) -> U64:
        """The words of a track's peaks, and the one that follows.

        Raises:
            IndexDamagedError: they are not what was written.
        """
        first, end = int(self.peak_starts[index]), int(self.peak_starts[index + 1])
        sound = is_sound(self.watched, 8 * first, 8 * end)
        if not sound or peaks_in(self.peak_words, first, end, int(self.lengths[index])) < 0:
            raise damaged("The peaks of a track")
        return self.peak_words[first : end + 1]

    def reference(self, index: int) -> tuple[F32, F32]:
        """Times (s after the track's first sample) and frequencies (Hz) of a track's peaks, float32 each.

        Raises:
            IndexDamagedError: they are not what was written.
        """
        words = self.words_of(index)
        found = unpack(words, 0, len(words) - 1, int(self.lengths[index]))
        if found is None:
            raise damaged("The peaks of a track")
        return found

    def verify(self) -> None:
        """Read all of it.

        Raises:
            IndexDamagedError: something is not what was written.
        """
        if not is_sound(self.watched, 0, len(self.watched[0])):
            raise damaged("A segment")
        for index in range(len(self.numbers)):
            self.words_of(index)


def damaged(what: str) -> IndexDamagedError:
    """What is raised about contents that are not those that were written."""
    return IndexDamagedError(f"{what} is not what was written; enrol the recordings again.")


def open_segment(path: Path, params: Params) -> Segment:
    """Map a segment and check its header and tables; all else is checked when it is first looked at.

    Raises:
        IndexDamagedError: the file is not a segment, is cut or altered, or of an unknown format.
        ParamsMismatchError: it was written with other parameters.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < HEADER_BYTES:
            raise IndexDamagedError(f"{path.name} is too short for a segment; enrol its recordings again.")
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return segment_from(data, params, path.name)


def segment_from(data: memoryview, params: Params, name: str) -> Segment:
    """A segment from its bytes; see `open_segment`."""
    head = _read_header(data, params, name)
    payload = np.frombuffer(data, np.uint8, head.payload_bytes, HEADER_BYTES)
    numbers, starts, lengths, peak_starts, sums = _read_tables(data, head, name)
    watched = guard(payload, sums)
    peak_end, words_end = 8 * head.peak_words, 8 * (head.peak_words + head.posting_words)
    postings = Postings(
        directory=payload[words_end : words_end + 4 * (head.buckets + 1)].view(np.uint32),
        words=payload[peak_end : words_end + 8].view(np.uint64),
        key_bits=head.key_bits,
        span=head.span,
        count=head.postings,
        watched=watched,
        directory_at=words_end,
        words_at=peak_end,
    )
    return Segment(
        numbers, starts, lengths, peak_starts, payload[: peak_end + 8].view(np.uint64), postings, watched,
        np.argsort(numbers, kind="stable"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The numbers of a segment's header, in the order of the file."""

    tracks: int
    peaks: int
    postings: int
    payload_bytes: int
    peak_words: int
    posting_words: int
    buckets: int
    span: int
    key_bits: int
    tables_crc: int

    def packed(self, params: Params) -> bytes:
        """The header's bytes."""
        units = (PLACES_PER_S, STEP_PLACES, TICKS_PER_S, BLOCK_BYTES)
        body = HEADER.pack(
            MAGIC, FORMAT_VERSION, params.key_count, bytes.fromhex(params_hash(params)),
            self.tracks, self.peaks, self.postings, self.payload_bytes, self.peak_words, self.posting_words,
            self.buckets, self.span, self.key_bits, self.tables_crc, *units, 0, 0,
        )[:-4]  # fmt: skip
        return (body + struct.pack("<I", zlib.crc32(body))).ljust(HEADER_BYTES, b"\0")

    @property
    def table_bytes(self) -> list[int]:
        """Length of each table: numbers, starts, lengths, where peaks start, checksums."""
        blocks = (self.payload_bytes + BLOCK_BYTES - 1) // BLOCK_BYTES
        return [8 * self.tracks, 4 * (self.tracks + 1), 4 * self.tracks, 4 * (self.tracks + 1), 4 * blocks]


def _read_header(data: memoryview, params: Params, name: str) -> Head:
    if len(data) < HEADER_BYTES:
        raise IndexDamagedError(f"{name} is too short for a segment; enrol its recordings again.")
    raw = bytes(data[:HEADER_BYTES])
    magic, version, key_count, made_with, *rest = HEADER.unpack(raw[: HEADER.size])
    if magic != MAGIC:
        raise IndexDamagedError(f"{name} is not a segment of a fingerprint index.")
    if zlib.crc32(raw[: HEADER.size - 4]) != rest[-1] or any(raw[HEADER.size :]):
        raise IndexDamagedError(f"The header of {name} is damaged; enrol its recordings again.")
    if version != FORMAT_VERSION:
        raise IndexDamagedError(f"{name} has format {version}; this engine reads format {FORMAT_VERSION}.")
    if made_with.hex() != params_hash(params) or key_count != params.key_count:
        raise ParamsMismatchError(f"{name} was made with other engine parameters; enrol its recordings again.")
    if rest[10:14] != [PLACES_PER_S, STEP_PLACES, TICKS_PER_S, BLOCK_BYTES]:
        raise IndexDamagedError(f"{name} is written in units that this engine does not know.")
    head = Head(*rest[:10])
    sections = 8 * (head.peak_words + head.posting_words) + (4 * (head.buckets + 1) + 7) // 8 * 8
    if len(data) != HEADER_BYTES + head.payload_bytes + sum(head.table_bytes) or sections != head.payload_bytes:
        raise IndexDamagedError(f"{name} has been cut or has grown; enrol its recordings again.")
    if head.key_bits > 63 or head.span >= MAX_SPAN or head.buckets != bucket_count(key_count, head.key_bits):  # noqa: PLR2004
        raise IndexDamagedError(f"The header of {name} contradicts itself; enrol its recordings again.")
    return head


def _read_tables(data: memoryview, head: Head, name: str) -> tuple[I64, I64, I64, I64, U32]:
    tables = data[HEADER_BYTES + head.payload_bytes :]
    if zlib.crc32(tables) != head.tables_crc:
        raise IndexDamagedError(f"{name} does not have the tables it was written with; enrol its recordings again.")
    arrays: list[NDArray[Any]] = []
    at = 0
    for kind, size in zip(("<i8", "<u4", "<u4", "<u4", "<u4"), head.table_bytes, strict=True):
        arrays.append(np.frombuffer(tables, kind, size // np.dtype(kind).itemsize, at))
        at += size
    numbers, starts, lengths, peak_starts, sums = (
        arrays[0], *(one.astype(np.int64) for one in arrays[1:4]), arrays[4].astype(np.uint32, copy=False),
    )  # fmt: skip
    # The compiled kernels follow these numbers without looking: they must not lead out of the arrays.
    sound = (
        starts[0] >= 0
        and bool(np.all(starts[1:] > starts[:-1]))
        and starts[-1] <= head.span
        and peak_starts[0] == 0
        and peak_starts[-1] == head.peak_words
        and bool(np.all(peak_starts[1:] >= peak_starts[:-1]))
        and bool(np.all(lengths <= MAX_TRACK_S * TICKS_PER_S))
        and len(np.unique(numbers)) == len(numbers)
    )
    if not sound:
        raise IndexDamagedError(f"The tables of {name} contradict each other; enrol its recordings again.")
    return numbers, starts, lengths, peak_starts, sums


def directory_bytes(ends: list[U32]) -> U8:
    """The directory as it is written: a zero, where each bucket ends, and zeros to a multiple of 8 bytes."""
    whole = np.concatenate([np.zeros(1, np.uint32), *ends])
    if len(whole) % 2:
        whole = np.append(whole, np.uint32(0))
    return whole.astype("<u4").view(np.uint8)
