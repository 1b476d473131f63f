"""Writing a segment: first its tracks, then its postings in order of their keys, in one pass and little memory."""

import os
import zlib
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from airledger.fingerprint.arrays import U32, U64
from airledger.fingerprint.checksums import BLOCK_BYTES, sums_of
from airledger.fingerprint.hashes import NO_KEY, keys, pairs
from airledger.fingerprint.params import Params
from airledger.fingerprint.peak_words import TICKS_PER_S
from airledger.fingerprint.peak_words import pack as pack_peaks
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.postings import STEP_PLACES, bucket_count, by_key, key_bits_for, pack
from airledger.fingerprint.segment import (
    GAP_PLACES,
    HEADER_BYTES,
    MAX_SPAN,
    MAX_TRACK_S,
    PLACES_PER_S,
    Head,
    directory_bytes,
)

_TICKS_PER_STEP = TICKS_PER_S * STEP_PLACES // PLACES_PER_S
_MOST_WORDS = 1 << 32


class Draft:
    """A segment in the making, in a file that is open for writing and empty.

    Call `track` for each track, `begin` once, `buckets` until all buckets are written, and `finish`.
    """

    def __init__(self, file: BinaryIO, params: Params) -> None:
        self.params = params
        self.axis = GAP_PLACES // STEP_PLACES
        self.key_bits = 0
        self._file = file
        self._numbers: list[int] = []
        self._starts = [self.axis]
        self._lengths: list[int] = []
        self._peak_starts = [0]
        self._ends: list[U32] = []
        self._peaks = self._postings = self._posting_words = self._buckets = 0
        self._sums: list[int] = []
        self._rest = b""
        self._bytes = 0
        file.write(bytes(HEADER_BYTES))

    def track(self, number: int, length_ticks: int, words: U64, peaks: int) -> int:
        """Append a track, and return the step of its first sample.

        Raises:
            ValueError: the segment would become too long.
        """
        start = self.axis
        self.axis += length_ticks // _TICKS_PER_STEP + 2
        if self.axis >= MAX_SPAN:
            raise ValueError("These tracks are too long for one segment.")
        self._numbers.append(number)
        self._starts.append(self.axis)
        self._lengths.append(length_ticks)
        self._peak_starts.append(self._peak_starts[-1] + len(words))
        self._peaks += peaks
        self._write(words.astype("<u8", copy=False).tobytes())
        return start

    def begin(self, expected_postings: int) -> int:
        """No more tracks; say how many postings may come. Returns how many buckets have to be written."""
        self.key_bits = key_bits_for(expected_postings, self.params.key_count, self.axis)
        self._buckets = bucket_count(self.params.key_count, self.key_bits)
        return self._buckets

    def buckets(self, made: U32, steps: U32, first_bucket: int, last_bucket: int) -> None:
        """Append all postings of some buckets, in order of key and step."""
        sizes, words = pack(made, steps, first_bucket, last_bucket, self.key_bits, self.axis)
        ends = self._posting_words + np.cumsum(sizes)
        self._posting_words += len(words)
        if self._posting_words >= _MOST_WORDS:
            raise ValueError("These tracks have too many postings for one segment.")
        self._ends.append(ends.astype(np.uint32))
        self._postings += len(made)
        self._write(words.astype("<u8", copy=False).tobytes())

    def finish(self) -> None:
        """Write what is left, the header last, and flush it to the disk if it is a file of one."""
        self._write(directory_bytes(self._ends).tobytes())
        self._sums += sums_of(self._rest)
        self._file.write(self._rest)
        tables = b"".join([
            np.array(self._numbers, "<i8").tobytes(),
            np.array(self._starts, "<u4").tobytes(),
            np.array(self._lengths, "<u4").tobytes(),
            np.array(self._peak_starts, "<u4").tobytes(),
            np.array(self._sums, "<u4").tobytes(),
        ])  # fmt: skip
        self._file.write(tables)
        head = Head(
            tracks=len(self._numbers),
            peaks=self._peaks,
            postings=self._postings,
            payload_bytes=self._bytes,
            peak_words=self._peak_starts[-1],
            posting_words=self._posting_words,
            buckets=self._buckets,
            span=self.axis,
            key_bits=self.key_bits,
            tables_crc=zlib.crc32(tables),
        )
        self._file.seek(0)
        self._file.write(head.packed(self.params))
        self._file.flush()

    def _write(self, data: bytes) -> None:
        self._bytes += len(data)
        whole = self._rest + data
        cut = len(whole) - len(whole) % BLOCK_BYTES
        self._sums += sums_of(memoryview(whole)[:cut])
        self._file.write(memoryview(whole)[:cut])
        self._rest = whole[cut:]


def write_tracks(file: BinaryIO, tracks: Mapping[int, Peaks], params: Params) -> None:
    """Write a segment with these tracks.

    Args:
        file: open for writing, empty.
        tracks: peaks by track number (0 or more), extracted with "reference" density.
        params: what they were extracted with.

    Raises:
        ValueError: a number is negative, a track is too long, or together they exceed one segment.
    """
    numbers = sorted(tracks)
    if numbers and numbers[0] < 0:
        raise ValueError("Track numbers must be 0 or more.")
    draft = Draft(file, params)
    parts = [(np.empty(0, np.uint32), np.empty(0, np.uint32))]
    for number in numbers:
        peaks = tracks[number]
        length = length_ticks(peaks)
        start = draft.track(number, length, pack_peaks(peaks.times_s, peaks.freqs_hz, length), len(peaks))
        parts.append(_postings(peaks, start, params))
    made, steps = (np.concatenate(column) for column in zip(*parts, strict=True))
    made, steps = by_key(made, steps, 0, params.key_count)
    draft.buckets(made, steps, 0, draft.begin(len(made)))
    draft.finish()


def flush(file: BinaryIO) -> None:
    """Wait until a file lies on the disk."""
    file.flush()
    os.fsync(file.fileno())


def length_ticks(peaks: Peaks) -> int:
    """A track's length as it is stored.

    Raises:
        ValueError: it is longer than a day.
    """
    last_s = float(peaks.times_s[-1]) if len(peaks) else 0.0
    length_s = max(peaks.duration_s, last_s)
    if length_s > MAX_TRACK_S:
        raise ValueError(f"A track may last {MAX_TRACK_S / 3600:.0f} hours at most; cut it into parts.")
    return int(np.ceil(round(length_s * TICKS_PER_S, 3)))


def _postings(peaks: Peaks, start: int, params: Params) -> tuple[U32, U32]:
    """Key and step of each pair, in order of steps."""
    first, second = pairs(peaks, params, params.reference_fan)
    made = keys(peaks, first, second, params)
    inside = made != NO_KEY
    steps = np.rint(peaks.times_s * np.float32(PLACES_PER_S / STEP_PLACES)).astype(np.uint32) + np.uint32(start)
    return made[inside], steps[first[inside]]
