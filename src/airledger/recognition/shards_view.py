"""Reading the published index: a folder of links to cached segments, which the engine opens like any index."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.errors import IndexDamagedError
from airledger.fingerprint.index import Index
from airledger.fingerprint.manifest import Listed, Manifest, flush_folder, write_manifest
from airledger.fingerprint.manifest import read_manifest as read_folder
from airledger.platform.errors import NotFoundError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.local_segments import file_lock, open_or_make
from airledger.recognition.segment_cache import SegmentCache, sha256_of_file
from airledger.recognition.shards import PublishedSegment, Sharding, ShardManifest, manifest_of, read_manifest

STATE_NAME = "shards.json"
LOCK_NAME = "fetching.lock"

log = logger(__name__)


class PublishedSegments:
    """The segments of some shards, fetched as they are published.

    The folder is shared by all processes of a machine that hear with the same shards: whoever is first fetches.
    """

    def __init__(
        self, folder: Path, storage: Storage, sharding: Sharding, shards: tuple[int, ...], cache: SegmentCache
    ) -> None:
        self._storage = storage
        self._sharding = sharding
        self._shards = shards
        self._cache = cache
        named = "all" if len(shards) == sharding.shards else "-".join(map(str, shards))
        self._folder = folder / f"{sharding.folder(0).split('/')[1]}-{named}-of-{sharding.shards}"
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        self.index: Index = open_or_make(self._folder, sharding.params)

    def is_behind(self) -> bool:
        """Whether more may have been published: always, one has to look."""
        return True

    def follow(self, tracks: NDArray[np.int64], *, wait: bool) -> int:
        """Fetch what was published since; the tracks are whatever it holds.

        Returns:
            How many tracks there are more than before.
        """
        del tracks
        before = len(self.index)
        with self._fetching(wait=wait) as is_mine:
            if is_mine:
                self._update()
            try:
                self.index.refresh()
            except IndexDamagedError:
                self._forget_damaged()
                raise
        return max(0, len(self.index) - before)

    def catch_up(self) -> None:
        """Fetch what was published, waiting for another process that is at it."""
        self.follow(np.empty(0, np.int64), wait=True)

    def segments_here(self) -> list[tuple[PublishedSegment, Path]]:
        """List the segments of the folder's index, each with its file; for whoever builds in this folder."""
        names = {name: sha256 for sha256, name in _State.read(self._folder).names.items()}
        found = []
        for listed in self.index.snapshot.manifest.segments:
            path = self._folder / listed.name
            sha256 = names.get(listed.name) or sha256_of_file(path)
            found.append((PublishedSegment(sha256, path.stat().st_size, tuple(sorted(listed.removed))), path))
        return found

    def adopt(self, published: ShardManifest, segments: list[tuple[PublishedSegment, Path]]) -> None:
        """Note that what lies in the folder is what was published."""
        state = _State.read(self._folder)
        state.shards[published.shard] = published
        state.names = {one.sha256: path.name for one, path in segments}
        state.write(self._folder)

    def _update(self) -> None:
        state = _State.read(self._folder)
        changed = False
        for shard in self._shards:
            found = read_manifest(self._storage, self._sharding, shard)
            if found is None or found.generation <= state.generation(shard):
                continue
            try:
                self._fetch_shard(state, found)
            except NotFoundError as error:  # retired while we were away: the next list names what there is
                log.warning("segment_gone", shard=shard, error=str(error))
                continue
            changed = True
        if changed:
            self._show(state)

    def _forget_damaged(self) -> None:
        """Throw away what the disk has spoilt, so that the next call fetches it again."""
        for sha256, name in _State.read(self._folder).names.items():
            if self._cache.forget_damaged(sha256):
                (self._folder / name).unlink(missing_ok=True)
        (self._folder / STATE_NAME).unlink(missing_ok=True)

    def _fetch_shard(self, state: "_State", found: ShardManifest) -> None:
        fetched = 0
        for one in found.segments:
            if one.sha256 not in state.names or not (self._folder / state.names[one.sha256]).is_file():
                name = state.next_name()
                key = self._sharding.segment_key(found.shard, one.sha256)
                fetched += self._cache.link(self._storage, key, one.sha256, self._folder / name)
                state.names[one.sha256] = name
        state.shards[found.shard] = found
        log.info("shard_fetched", shard=found.shard, generation=found.generation, segments=fetched)

    def _show(self, state: "_State") -> None:
        """Make what was fetched the index of this folder, and let go of what is no longer listed."""
        listed = [one for shard in sorted(state.shards) for one in state.shards[shard].segments]
        segments = tuple(Listed(state.names[one.sha256], frozenset(one.removed)) for one in listed)
        flush_folder(self._folder)
        generation = self.index.generation + 1
        write_manifest(self._folder, Manifest(self._sharding.params, generation, state.next_number, segments))
        state.names = {one.sha256: state.names[one.sha256] for one in listed}
        state.write(self._folder)
        named = set(state.names.values())
        for path in self._folder.glob("segment-*.fp"):
            if path.name not in named:
                path.unlink(missing_ok=True)
        self._cache.make_room()

    @contextmanager
    def _fetching(self, *, wait: bool) -> Iterator[bool]:
        """Be the only process that fetches into the folder; the system lets go when the process dies."""
        with file_lock(self._folder / LOCK_NAME, wait=wait) as is_mine:
            yield is_mine


@dataclass
class _State:
    """What a view shows: its shards as they were published, and under which names their segments lie here."""

    shards: dict[int, ShardManifest]
    names: dict[str, str]
    next_number: int

    @classmethod
    def read(cls, folder: Path) -> "_State":
        try:
            body = json.loads((folder / STATE_NAME).read_bytes())
            shards = {int(shard): manifest_of(one) for shard, one in body["shards"].items()}
            return cls(shards, dict(body["names"]), max(int(body["next_number"]), _unused_number(folder)))
        except (OSError, ValueError, KeyError, TypeError):  # lost or cut: everything is linked anew
            return cls({}, {}, _unused_number(folder))

    def generation(self, shard: int) -> int:
        return self.shards[shard].generation if shard in self.shards else 0

    def next_name(self) -> str:
        self.next_number += 1
        return f"segment-{self.next_number - 1:08d}.fp"

    def write(self, folder: Path) -> None:
        shards = {str(shard): asdict(one) for shard, one in self.shards.items()}
        body = {"shards": shards, "names": self.names, "next_number": self.next_number}
        fresh = folder / f"{STATE_NAME}.new"
        fresh.write_text(json.dumps(body), encoding="utf-8")
        fresh.replace(folder / STATE_NAME)


def _unused_number(folder: Path) -> int:
    """Return a number above those of all segments that the folder's index has, or had before they were merged."""
    try:
        named = read_folder(folder).next_segment
    except FileNotFoundError:
        named = 1
    return max([named, *(int(path.stem.removeprefix("segment-")) + 1 for path in folder.glob("segment-*.fp"))])
