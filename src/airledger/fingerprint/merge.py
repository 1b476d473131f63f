"""Merging segments: key by key, in little memory, without extracting anything again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from airledger.fingerprint.arrays import I64, U32, Flags, kernel
from airledger.fingerprint.draft import Draft
from airledger.fingerprint.params import Params
from airledger.fingerprint.peak_words import peaks_in
from airledger.fingerprint.postings import by_key, read_buckets
from airledger.fingerprint.segment import Segment, damaged

_AT_ONCE_WORDS = 1 << 19  # of 64 bits: some 1.5 million postings
_SMALL = 1 << 20  # a segment of fewer postings is read as a whole
_GUIDES = 1 << 16
_GONE = np.int64(-1)


def merge_segments(file: BinaryIO, sources: Sequence[tuple[Segment, Flags]], params: Params) -> None:
    """Write one segment with the living tracks of several.

    Args:
        file: open for writing, empty.
        sources: segments, and which of their tracks to keep.
        params: what they were all made with.

    Raises:
        IndexDamagedError: what is read is not what was written.
        ValueError: together they exceed one segment.
    """
    draft = Draft(file, params)
    moves = [_copy_tracks(draft, segment, alive) for segment, alive in sources]
    expected = sum(int(segment.postings.count * _share(segment, alive)) for segment, alive in sources)
    draft.begin(expected)
    readers = [_Reader(segment, move) for (segment, _), move in zip(sources, moves, strict=True)]
    for first, last in _ranges(readers, params.key_count, draft.key_bits):
        parts = [(np.empty(0, np.uint32), np.empty(0, np.uint32)), *(reader.read(first, last) for reader in readers)]
        made, steps = (np.concatenate(column) for column in zip(*parts, strict=True))
        # The tracks of each source lie behind those of the source before, so the steps of a key are in order already.
        made, steps = by_key(made, steps, first, last)
        draft.buckets(made, steps, first >> draft.key_bits, -(-last >> draft.key_bits))
    draft.finish()


def _share(segment: Segment, alive: Flags) -> float:
    """How much of a segment's axis is kept."""
    used = np.diff(segment.starts)
    return float(used[alive].sum() / max(1, used.sum()))


def _copy_tracks(draft: Draft, segment: Segment, alive: Flags) -> I64:
    """Append the living tracks; return by how many steps each moves, _GONE for those that do not."""
    moved = np.full(len(segment.numbers), _GONE, np.int64)
    for index in np.flatnonzero(alive).tolist():
        words, length = segment.words_of(index), int(segment.lengths[index])
        count = peaks_in(words, 0, len(words) - 1, length)
        moved[index] = draft.track(int(segment.numbers[index]), length, words[:-1], count)
    return moved


@dataclass(eq=False)
class _Reader:
    """Reads a source's postings of a range of keys, with their places in the new segment."""

    segment: Segment
    moved: I64

    def __post_init__(self) -> None:
        self.key_bits = self.segment.postings.key_bits
        fine = max(1, -(-self.segment.postings.span // _GUIDES))
        guide = np.searchsorted(self.segment.starts, np.arange(_GUIDES + 1, dtype=np.int64) * fine, side="right") - 1
        self._guide = (np.clip(guide, 0, None), fine)
        self._whole = self._moved(0, len(self.segment.postings.directory) - 1) if self.is_small else None

    @property
    def is_small(self) -> bool:
        return self.segment.postings.count <= _SMALL

    def words_before(self, key: int) -> int:
        """How many words of buckets lie before the one with this key."""
        directory = self.segment.postings.directory
        return int(directory[min(key >> self.key_bits, len(directory) - 1)])

    def read(self, first: int, last: int) -> tuple[U32, U32]:
        """Keys and steps of the postings of the keys first to last (not included), in order."""
        if self._whole is not None:
            made, steps = self._whole
            part = slice(*np.searchsorted(made, np.array([first, last], np.uint32)).tolist())
            return made[part], steps[part]
        return self._moved(first >> self.key_bits, -(-last >> self.key_bits))

    def _moved(self, first_bucket: int, last_bucket: int) -> tuple[U32, U32]:
        last_bucket = min(last_bucket, len(self.segment.postings.directory) - 1)
        count, made, steps = read_buckets(self.segment.postings.source, first_bucket, last_bucket)
        if count < 0:
            raise damaged("A segment's postings")
        guide, fine = self._guide
        moved: tuple[U32, U32] = _move(made, steps, self.segment.starts, self.moved, guide, fine)
        return moved


def _ranges(readers: list[_Reader], key_count: int, key_bits: int) -> Iterator[tuple[int, int]]:
    """Ranges of keys that are about equally much work, and whole buckets of all that are not read as a whole."""
    unit = 1 << max([key_bits, *(reader.key_bits for reader in readers if not reader.is_small)])
    first = 0
    while first < key_count:
        before = sum(reader.words_before(first) for reader in readers)
        units, most = 1, -(-(key_count - first) // unit)
        while units < most:
            last = first + 2 * units * unit
            if sum(reader.words_before(last) for reader in readers) - before > _AT_ONCE_WORDS:
                break
            units *= 2
        last = min(key_count, first + units * unit)
        yield first, last
        first = last


@kernel
def _move(made: U32, steps: U32, starts: I64, moved: I64, guide: I64, fine: int) -> tuple[U32, U32]:
    """Keys and steps, in the new segment, of the postings whose tracks are kept."""
    kept_keys, kept_steps = np.empty(len(made), np.uint32), np.empty(len(made), np.uint32)
    count = 0
    tracks = len(moved)
    for i in range(len(made)):
        step = np.int64(steps[i])
        track = guide[min(int(step // fine), len(guide) - 1)]
        while track + 1 < tracks and starts[track + 1] <= step:
            track += 1
        if track < tracks and starts[track] <= step and moved[track] >= 0:
            kept_keys[count] = made[i]
            kept_steps[count] = np.uint32(step - starts[track] + moved[track])
            count += 1
    return kept_keys[:count], kept_steps[:count]
