"""An index: a folder of immutable segments and a manifest. Many processes read it while one writes."""

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from airledger.fingerprint.arrays import Flags
from airledger.fingerprint.errors import IndexBusyError, IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.manifest import (
    MANIFEST_NAME,
    Listed,
    Manifest,
    flush_folder,
    read_manifest,
    write_manifest,
)
from airledger.fingerprint.params import Params, params_hash
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.segment import MAX_SEGMENT_POSTINGS, Segment, open_segment, write_segment

_LOCK_NAME = "lock"
_LOCK_WAIT_S = 30.0
_LOCK_STEP_S = 0.02
_MOST_SEGMENTS = 12  # a query looks into each one, so small ones are merged beyond this
_OPEN_TRIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class LiveSegment:
    """An open segment and which of its tracks are still wanted."""

    name: str
    segment: Segment
    removed: frozenset[int]
    alive: Flags

    @classmethod
    def of(cls, listed: Listed, segment: Segment) -> "LiveSegment":
        """The segment with its tombstones applied."""
        alive = ~np.isin(segment.numbers, np.fromiter(listed.removed, np.int64, len(listed.removed)))
        return cls(listed.name, segment, listed.removed, alive)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One state of the index; never changes, so that a match sees one state from beginning to end."""

    manifest: Manifest
    segments: tuple[LiveSegment, ...]
    stamp: tuple[int, int, int]


class Index:
    """A library's fingerprints, kept in a folder.

    Use `create` or `open`. `add` and `remove` are safe against other writing processes (a lock file) and against
    crashes (a new segment is flushed before the manifest names it). A reader keeps its view until `refresh`.
    An object may be shared by threads.
    """

    def __init__(self, folder: Path, snapshot: Snapshot) -> None:
        self.folder = folder
        self._snapshot = snapshot

    @classmethod
    def create(cls, folder: Path, params: Params) -> Self:
        """Make an empty index in `folder`, which is made if need be.

        Raises:
            FileExistsError: there is an index already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with _write_lock(folder):
            if (folder / MANIFEST_NAME).exists():
                raise FileExistsError(f"{folder} holds an index already; open it, or name another folder.")
            write_manifest(folder, Manifest(params))
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, params: Params | None = None) -> Self:
        """Open the index in `folder` and check every byte of it.

        Args:
            folder: where the index is.
            params: if given, what the index must have been made with.

        Raises:
            FileNotFoundError: there is no index.
            IndexDamagedError: a file is missing, cut, altered or not ours.
            ParamsMismatchError: it was made with other parameters.
        """
        snapshot = _load(folder, ())
        made_with = snapshot.manifest.params
        if params is not None and params_hash(params) != params_hash(made_with):
            raise ParamsMismatchError(f"{folder} was made with other engine parameters; enrol its recordings again.")
        return cls(folder, snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the segments; the maps are released once no match uses them any more."""
        self._snapshot = replace(self._snapshot, segments=(), stamp=(0, 0, 0))

    @property
    def params(self) -> Params:
        """What its tracks were extracted with; extract queries with the same."""
        return self._snapshot.manifest.params

    @property
    def generation(self) -> int:
        """Rises with each change that this object has seen."""
        return self._snapshot.manifest.generation

    @property
    def snapshot(self) -> Snapshot:
        """The present view, for one match."""
        return self._snapshot

    @property
    def postings(self) -> int:
        """How many pairs are stored, those of removed tracks included until they are compacted away."""
        return sum(len(live.segment.places) for live in self._snapshot.segments)

    def __len__(self) -> int:
        """Number of tracks."""
        return sum(int(live.alive.sum()) for live in self._snapshot.segments)

    def __contains__(self, track_number: object) -> bool:
        return any(_holds(live, track_number) for live in self._snapshot.segments)

    def track_numbers(self) -> list[int]:
        """All track numbers, rising."""
        return sorted(int(n) for live in self._snapshot.segments for n in live.segment.numbers[live.alive])

    def peaks_of(self, track_number: int) -> Peaks:
        """The peaks a track was enrolled with.

        Raises:
            KeyError: there is no such track.
        """
        for live in self._snapshot.segments:
            if _holds(live, track_number):
                return live.segment.peaks(int(np.searchsorted(live.segment.numbers, track_number)))
        raise KeyError(track_number)

    def add(self, tracks: Mapping[int, Peaks]) -> None:
        """Enrol tracks, in one step seen by all or not at all; a number that exists is replaced.

        Args:
            tracks: peaks of "reference" density by track number (0 or more).

        Raises:
            ValueError: a number is negative or a track longer than a day.
            IndexBusyError: another writer is at work for longer than 30 s.
        """
        if not tracks:
            return
        with self._writing() as manifest:
            kept = _without(self._snapshot, manifest, tracks.keys())
            write = _Writer(self.folder, manifest)
            written = write.segments(tracks)
            if len(kept) + len(written) > _MOST_SEGMENTS:
                kept, merged = self._merge_small(kept, write)
                written = merged + written
            self._publish(write.manifest, kept + written)

    def remove(self, track_numbers: Collection[int]) -> None:
        """Forget tracks; numbers that are not there are ignored. Their bytes go with the next `compact`.

        Raises:
            IndexBusyError: another writer is at work for longer than 30 s.
        """
        with self._writing() as manifest:
            kept = _without(self._snapshot, manifest, track_numbers)
            if kept != manifest.segments:
                self._publish(manifest, kept)

    def refresh(self) -> bool:
        """See what other processes have changed since; costs one stat when nothing has.

        Returns:
            Whether anything had changed.

        Raises:
            IndexDamagedError: a file is missing, cut, altered or not ours.
        """
        if _stamp(self.folder) == self._snapshot.stamp:
            return False
        self._snapshot = _load(self.folder, self._snapshot.segments)
        return True

    def compact(self) -> None:
        """Write all tracks into as few segments as possible, without the removed ones, and delete the old files.

        Raises:
            IndexBusyError: another writer is at work for longer than 30 s.
        """
        with self._writing() as manifest:
            write = _Writer(self.folder, manifest)
            tracks = {number: self.peaks_of(number) for number in self.track_numbers()}
            self._publish(write.manifest, write.segments(tracks))

    def _merge_small(self, kept: tuple[Listed, ...], write: "_Writer") -> tuple[tuple[Listed, ...], tuple[Listed, ...]]:
        """Merge the smaller half of the segments into one, so that many small additions stay quick to ask."""
        size = {live.name: len(live.segment.places) for live in self._snapshot.segments}
        small = {one.name for one in sorted(kept, key=lambda one: size[one.name])[: _MOST_SEGMENTS // 2 + 1]}
        tracks: dict[int, Peaks] = {}
        for listed in kept:
            if listed.name in small:
                segment = next(live.segment for live in self._snapshot.segments if live.name == listed.name)
                live = LiveSegment.of(listed, segment)
                tracks |= {int(segment.numbers[i]): segment.peaks(int(i)) for i in np.flatnonzero(live.alive)}
        return tuple(one for one in kept if one.name not in small), write.segments(tracks)

    @contextmanager
    def _writing(self) -> Iterator[Manifest]:
        """Hold the write lock, with the newest state loaded."""
        with _write_lock(self.folder):
            self.refresh()
            yield self._snapshot.manifest

    def _publish(self, manifest: Manifest, segments: tuple[Listed, ...]) -> None:
        """Name these segments as the index, look at them, and delete the files that are no longer named."""
        write_manifest(self.folder, replace(manifest, generation=manifest.generation + 1, segments=segments))
        self.refresh()
        named = {one.name for one in segments}
        for path in self.folder.glob("segment-*.fp"):
            if path.name not in named:
                path.unlink(missing_ok=True)


class _Writer:
    """Writes new segments under numbers that were never used."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def segments(self, tracks: Mapping[int, Peaks]) -> tuple[Listed, ...]:
        """Write `tracks` into one segment, or several if they are very many."""
        return tuple(self._segment(batch) for batch in _batches(tracks, self.manifest.params))

    def _segment(self, tracks: Mapping[int, Peaks]) -> Listed:
        name = f"segment-{self.manifest.next_segment:08d}.fp"
        self.manifest = replace(self.manifest, next_segment=self.manifest.next_segment + 1)
        # A crash may have left a file of this number that no manifest ever named.
        (self.folder / name).unlink(missing_ok=True)
        write_segment(self.folder / name, tracks, self.manifest.params)
        flush_folder(self.folder)
        return Listed(name)


def _batches(tracks: Mapping[int, Peaks], params: Params) -> Iterator[dict[int, Peaks]]:
    batch: dict[int, Peaks] = {}
    postings = 0
    for number, peaks in tracks.items():
        expected = len(peaks) * params.reference_fan
        if batch and postings + expected > MAX_SEGMENT_POSTINGS:
            yield batch
            batch, postings = {}, 0
        batch[number] = peaks
        postings += expected
    if batch:
        yield batch


def _holds(live: LiveSegment, track_number: object) -> bool:
    if not isinstance(track_number, int):
        return False
    at = int(np.searchsorted(live.segment.numbers, track_number))
    return at < len(live.alive) and bool(live.segment.numbers[at] == track_number) and bool(live.alive[at])


def _without(snapshot: Snapshot, manifest: Manifest, numbers: Collection[int]) -> tuple[Listed, ...]:
    """The listed segments with tombstones for `numbers`; segments that hold nothing else any more are left out."""
    kept = []
    for listed, live in zip(manifest.segments, snapshot.segments, strict=True):
        gone = frozenset(number for number in numbers if _holds(live, number))
        removed = listed.removed | gone
        if len(removed) < len(live.segment.numbers):
            kept.append(replace(listed, removed=removed))
    return tuple(kept)


def _stamp(folder: Path) -> tuple[int, int, int]:
    found = (folder / MANIFEST_NAME).stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _load(folder: Path, known: tuple[LiveSegment, ...]) -> Snapshot:
    """The newest state; segments that are open already are taken over.

    A writer may delete files between our reading of the manifest and our opening them; then there is a newer one.
    """
    for _ in range(_OPEN_TRIES):
        stamp = _stamp(folder)
        manifest = read_manifest(folder)
        try:
            return Snapshot(manifest, _open_all(folder, manifest, known), stamp)
        except FileNotFoundError as error:
            if _stamp(folder) == stamp:
                raise IndexDamagedError(
                    f"A segment is missing: {error.filename}; enrol its recordings again."
                ) from error
    raise IndexBusyError(f"{folder} changed {_OPEN_TRIES} times while it was being opened; try again.")


def _open_all(folder: Path, manifest: Manifest, known: tuple[LiveSegment, ...]) -> tuple[LiveSegment, ...]:
    opened = {live.name: live for live in known}
    segments = []
    for listed in manifest.segments:
        live = opened.get(listed.name)
        if live is None:
            live = LiveSegment.of(listed, open_segment(folder / listed.name, manifest.params))
        elif live.removed != listed.removed:
            live = LiveSegment.of(listed, live.segment)
        segments.append(live)
    return tuple(segments)


@contextmanager
def _write_lock(folder: Path) -> Iterator[None]:
    """Be the only writer among all threads and processes; the system lets go when the process dies."""
    handle = os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline_s = time.monotonic() + _LOCK_WAIT_S
        while not _try_lock(handle):
            if time.monotonic() > deadline_s:
                raise IndexBusyError(f"{folder} is being written by another process; try again.")
            time.sleep(_LOCK_STEP_S)
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
