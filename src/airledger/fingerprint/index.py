"""An index: a folder of immutable segments and a manifest. Many processes read it while one writes."""

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from airledger.fingerprint.arrays import Flags
from airledger.fingerprint.draft import flush, write_tracks
from airledger.fingerprint.errors import IndexBusyError, IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.manifest import (
    MANIFEST_NAME,
    Listed,
    Manifest,
    flush_folder,
    read_manifest,
    write_manifest,
)
from airledger.fingerprint.merge import merge_segments
from airledger.fingerprint.params import Params, params_hash
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.segment import MAX_SPAN, Segment, open_segment
from airledger.fingerprint.segment_v1 import convert, is_format_1

_LOCK_NAME = "lock"
_LOCK_WAIT_S = 30.0
_LOCK_STEP_S = 0.02
_MERGE_LOCK_NAME = "merge.lock"
_MERGE_FILE = "merge.tmp"
_MOST_SEGMENTS = 12  # a query looks into each one, so small ones are merged at once beyond this ...
_SMALL_MERGE = 1 << 21  # ... as long as they have no more postings than this together
_MOST_AT_ONCE = 1 << 24  # postings that are held in memory while tracks are added
_TIER = 8  # segments of a tier have this many times the postings of the tier below ...
_TIER_FULL = 4  # ... and are merged when there are so many of them
_LEAST_TIER = 1 << 16
_MOST_DEAD = 0.3
_OPEN_TRIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class LiveSegment:
    """An open segment and which of its tracks are still wanted."""

    name: str
    segment: Segment
    removed: frozenset[int]
    alive: Flags
    count: int
    is_old: bool

    @classmethod
    def of(cls, listed: Listed, segment: Segment, *, is_old: bool = False) -> "LiveSegment":
        """The segment with its tombstones applied."""
        alive = ~np.isin(segment.numbers, np.fromiter(listed.removed, np.int64, len(listed.removed)))
        return cls(listed.name, segment, listed.removed, alive, int(alive.sum()), is_old)

    @property
    def share_dead(self) -> float:
        """Share of its axis that is taken by removed tracks."""
        used = np.diff(self.segment.starts)
        return float(used[~self.alive].sum() / max(1, used.sum()))


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
        self._params: Params | None = None

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
        """Open the index in `folder`. Headers and tables are checked now, all else when it is first looked at.

        Args:
            folder: where the index is.
            params: if given, what the index must have been made with; those that only shape queries may differ, and
                these are then used.

        Raises:
            FileNotFoundError: there is no index.
            IndexDamagedError: a file is missing, cut, altered or not ours.
            ParamsMismatchError: it was made with other parameters.
        """
        snapshot = _load(folder, ())
        made_with = snapshot.manifest.params
        if params is not None and params_hash(params) != params_hash(made_with):
            raise ParamsMismatchError(f"{folder} was made with other engine parameters; enrol its recordings again.")
        made = cls(folder, snapshot)
        if params is not None:
            made._params = params
            made._snapshot = made._asked_with(snapshot)
        return made

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
        return sum(live.segment.postings.count for live in self._snapshot.segments)

    def __len__(self) -> int:
        """Number of tracks."""
        return sum(live.count for live in self._snapshot.segments)

    def __contains__(self, track_number: object) -> bool:
        return any(_holds(live, track_number) for live in self._snapshot.segments)

    def track_numbers(self) -> list[int]:
        """All track numbers, rising."""
        return sorted(int(n) for live in self._snapshot.segments for n in live.segment.numbers[live.alive])

    def peaks_of(self, track_number: int) -> Peaks:
        """The peaks a track was enrolled with, to 2 ms and 1 Hz; how loud they were is not kept, all levels are 0.

        Raises:
            KeyError: there is no such track.
            IndexDamagedError: what was read is not what was written.
        """
        for live in self._snapshot.segments:
            at = _place_of(live, track_number)
            if at is not None:
                times_s, freqs_hz = live.segment.reference(at)
                return Peaks(times_s, freqs_hz, np.zeros_like(times_s), live.segment.duration_s(at))
        raise KeyError(track_number)

    def verify(self) -> None:
        """Read every byte of the index, as `open` does not.

        Raises:
            IndexDamagedError: something is not what was written.
        """
        for live in self._snapshot.segments:
            live.segment.verify()

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
            self._publish(write, kept + write.tracks(tracks))
            if len(self._snapshot.segments) > _MOST_SEGMENTS:
                self._merge_small()

    def remove(self, track_numbers: Collection[int]) -> None:
        """Forget tracks; numbers that are not there are ignored. Their bytes go with a merge.

        Raises:
            IndexBusyError: another writer is at work for longer than 30 s.
        """
        with self._writing() as manifest:
            kept = _without(self._snapshot, manifest, track_numbers)
            if kept != manifest.segments:
                self._publish(_Writer(self.folder, manifest), kept)

    def refresh(self) -> bool:
        """See what other processes have changed since; costs one stat when nothing has.

        Returns:
            Whether anything had changed.

        Raises:
            IndexDamagedError: a file is missing, cut, altered or not ours.
        """
        if _stamp(self.folder) == self._snapshot.stamp:
            return False
        self._snapshot = self._asked_with(_load(self.folder, self._snapshot.segments))
        return True

    def merge_due(self) -> tuple[str, ...]:
        """Names of the segments that should be merged next, if any: `merge` does it, best from a background job.

        Segments of like size are merged when there are several, so that each posting is copied once for each eightfold
        growth; one that is for a third of removed tracks, or of an old format, is written anew.
        """
        segments = self._snapshot.segments
        for live in segments:
            if live.is_old or live.share_dead > _MOST_DEAD:
                return (live.name,)
        tiers: dict[int, list[LiveSegment]] = {}
        for live in segments:
            tiers.setdefault(_tier(live), []).append(live)
        for tier in sorted(tiers):
            group = _fitting(tiers[tier])
            if len(group) >= _TIER_FULL:
                return tuple(live.name for live in group)
        return ()

    def merge(self, names: Collection[str] | None = None) -> bool:
        """Merge segments into one, without the tracks that were removed, while others read and write.

        Args:
            names: which; by default those of `merge_due`.

        Returns:
            Whether anything was merged: not if nothing is due, nor if another process is merging.

        Raises:
            IndexBusyError: another writer is at work for longer than 30 s.
            IndexDamagedError: what was read is not what was written.
        """
        with _lock(self.folder / _MERGE_LOCK_NAME, wait_s=0) as held:
            return held and self._merge(names)

    def compact(self) -> None:
        """Merge all segments into as few as possible, without the removed tracks.

        Raises:
            IndexBusyError: another writer or merger is at work for longer than 30 s.
            IndexDamagedError: what was read is not what was written.
        """
        with _lock(self.folder / _MERGE_LOCK_NAME, _LOCK_WAIT_S) as held:
            if not held:
                raise IndexBusyError(f"{self.folder} is being merged by another process; try again.")
            self.refresh()
            left = list(self._snapshot.segments)
            while left:
                group = _fitting(left)
                left = [live for live in left if live not in group]
                self._merge([live.name for live in group])

    def _merge(self, names: Collection[str] | None) -> bool:
        """Merge while the merge lock is held."""
        self.refresh()
        wanted = frozenset(self.merge_due() if names is None else names)
        merged = [live for live in self._snapshot.segments if live.name in wanted]
        if not merged:
            return False
        draft = self.folder / _MERGE_FILE
        draft.unlink(missing_ok=True)  # what a killed merger left
        with draft.open("x+b") as file:
            merge_segments(file, [(live.segment, live.alive) for live in merged], self.params)
            flush(file)
        with self._writing() as manifest:
            gone = _gone_since(merged, manifest)
            kept = tuple(one for one in manifest.segments if one.name not in wanted)
            write = _Writer(self.folder, manifest)
            fresh = write.adopted(draft, gone) if len(gone) < sum(live.count for live in merged) else ()
            self._publish(write, fresh + kept)
        draft.unlink(missing_ok=True)
        return True

    def _merge_small(self) -> None:
        """Merge the smaller half of the segments into one, so that many small additions stay quick to ask.

        Held under the write lock, so only where little is to be copied; the rest waits for `merge`.
        """
        by_size = sorted(self._snapshot.segments, key=lambda live: live.segment.postings.count)
        small = by_size[: _MOST_SEGMENTS // 2 + 1]
        if sum(live.segment.postings.count for live in small) > _SMALL_MERGE:
            return
        names = {live.name for live in small}
        manifest = self._snapshot.manifest
        write = _Writer(self.folder, manifest)
        fresh = write.merged(small)
        self._publish(write, fresh + tuple(one for one in manifest.segments if one.name not in names))

    def _asked_with(self, snapshot: Snapshot) -> Snapshot:
        """The same state, for queries as the caller wants them."""
        if self._params is None or params_hash(self._params) != params_hash(snapshot.manifest.params):
            return snapshot
        return replace(snapshot, manifest=replace(snapshot.manifest, params=self._params))

    @contextmanager
    def _writing(self) -> Iterator[Manifest]:
        """Hold the write lock, with the newest state loaded."""
        with _write_lock(self.folder):
            self.refresh()
            yield self._snapshot.manifest

    def _publish(self, write: "_Writer", segments: tuple[Listed, ...]) -> None:
        """Name these segments as the index, look at them, and delete the files that are no longer named."""
        manifest = write.manifest
        write_manifest(self.folder, replace(manifest, generation=manifest.generation + 1, segments=segments))
        self.refresh()
        named = {one.name for one in segments}
        for path in self.folder.glob("segment-*.fp"):
            if path.name not in named:
                path.unlink(missing_ok=True)


class _Writer:
    """Makes new segments under numbers that were never used."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    def tracks(self, tracks: Mapping[int, Peaks]) -> tuple[Listed, ...]:
        """Write `tracks` into one segment, or several if they are very many."""
        params = self.manifest.params
        return tuple(
            self._written(lambda file, batch=batch: write_tracks(file, batch, params))  # type: ignore[misc]
            for batch in _batches(tracks, params)
        )

    def merged(self, segments: Collection[LiveSegment]) -> tuple[Listed, ...]:
        """Write the living tracks of some segments into one."""
        sources = [(live.segment, live.alive) for live in segments]
        return (self._written(lambda file: merge_segments(file, sources, self.manifest.params)),)

    def adopted(self, draft: Path, removed: frozenset[int]) -> tuple[Listed, ...]:
        """Give a finished and flushed segment its name."""
        name = self._fresh_name()
        draft.replace(self.folder / name)
        flush_folder(self.folder)
        return (Listed(name, removed),)

    def _written(self, write: Callable[[BinaryIO], None]) -> Listed:
        name = self._fresh_name()
        with (self.folder / name).open("x+b") as file:
            write(file)
            flush(file)
        flush_folder(self.folder)
        return Listed(name)

    def _fresh_name(self) -> str:
        name = f"segment-{self.manifest.next_segment:08d}.fp"
        self.manifest = replace(self.manifest, next_segment=self.manifest.next_segment + 1)
        # A crash may have left a file of this number that no manifest ever named.
        (self.folder / name).unlink(missing_ok=True)
        return name


def _batches(tracks: Mapping[int, Peaks], params: Params) -> Iterator[dict[int, Peaks]]:
    batch: dict[int, Peaks] = {}
    postings = 0
    for number, peaks in tracks.items():
        expected = len(peaks) * params.reference_fan
        if batch and postings + expected > _MOST_AT_ONCE:
            yield batch
            batch, postings = {}, 0
        batch[number] = peaks
        postings += expected
    if batch:
        yield batch


def _place_of(live: LiveSegment, track_number: object) -> int | None:
    """Index of a living track in its segment."""
    if not isinstance(track_number, int):
        return None
    at = live.segment.index_of(track_number)
    return at if at is not None and live.alive[at] else None


def _holds(live: LiveSegment, track_number: object) -> bool:
    return _place_of(live, track_number) is not None


def _tier(live: LiveSegment) -> int:
    tier, most = 0, _LEAST_TIER
    while live.segment.postings.count > most:
        tier, most = tier + 1, most * _TIER
    return tier


def _fitting(segments: Collection[LiveSegment]) -> list[LiveSegment]:
    """The smallest segments that together fit one; at least the smallest."""
    chosen: list[LiveSegment] = []
    span = 0
    for live in sorted(segments, key=lambda live: live.segment.postings.span):
        span += live.segment.postings.span
        if chosen and span >= MAX_SPAN:
            break
        chosen.append(live)
    return chosen


def _gone_since(merged: Collection[LiveSegment], manifest: Manifest) -> frozenset[int]:
    """The tracks that lived when merging began and were removed or replaced meanwhile."""
    now = {one.name: one for one in manifest.segments}
    gone: set[int] = set()
    for live in merged:
        listed = now.get(live.name)
        lived = live.segment.numbers[live.alive].tolist()
        gone.update(lived if listed is None else listed.removed.intersection(lived))
    return frozenset(gone)


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
            live = _open_one(folder / listed.name, listed, manifest.params)
        elif live.removed != listed.removed:
            live = LiveSegment.of(listed, live.segment, is_old=live.is_old)
        segments.append(live)
    return tuple(segments)


def _open_one(path: Path, listed: Listed, params: Params) -> LiveSegment:
    if is_format_1(path):
        return LiveSegment.of(listed, convert(path, params), is_old=True)
    return LiveSegment.of(listed, open_segment(path, params))


@contextmanager
def _write_lock(folder: Path) -> Iterator[None]:
    """Be the only writer among all threads and processes; the system lets go when the process dies."""
    with _lock(folder / _LOCK_NAME, _LOCK_WAIT_S) as held:
        if not held:
            raise IndexBusyError(f"{folder} is being written by another process; try again.")
        yield


@contextmanager
def _lock(path: Path, wait_s: float) -> Iterator[bool]:
    """Whether the lock was got within `wait_s`; it is held until the end of the block."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline_s = time.monotonic() + wait_s
        held = _try_lock(handle)
        while not held and time.monotonic() < deadline_s:
            time.sleep(_LOCK_STEP_S)
            held = _try_lock(handle)
        yield held
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
