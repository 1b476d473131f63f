"""Building a shard of the index and publishing it, going on from what is published.

Any worker may do it: what it lacks it fetches. So a machine can be lost between two builds and nothing is.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.fingerprint.params import params_hash
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import ConflictError
from airledger.platform.logging import logger
from airledger.platform.storage import Storage
from airledger.recognition.changes import current_revision
from airledger.recognition.local_segments import complete, file_lock
from airledger.recognition.models import Fingerprint
from airledger.recognition.profiles import usable_hashes
from airledger.recognition.segment_cache import SegmentCache
from airledger.recognition.shards import (
    PublishedSegment,
    Sharding,
    ShardManifest,
    read_manifest,
    retire,
    write_manifest,
)
from airledger.recognition.shards_view import PublishedSegments

log = logger(__name__)


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes:
        shard: which.
        generation: that is published now.
        tracks: that it holds.
        added: that it did not hold before.
        removed: that it no longer holds.
        stored: segments that were put into storage.
    """

    shard: int
    generation: int
    tracks: int
    added: int
    removed: int
    stored: int


@dataclass(frozen=True)
class ShardBuilder:
    """Builds shards in a folder of this machine."""

    folder: Path
    database: Database
    storage: Storage
    clock: Clock
    sharding: Sharding
    cache: SegmentCache

    def build(self, shard: int) -> Built:
        """Bring a shard up to the rows and publish it; nothing is written when nothing changed.

        Raises:
            ConflictError: Another machine has published it meanwhile; do it again.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with file_lock(self.folder / f"building-{shard}-of-{self.sharding.shards}.lock", wait=True):
            before = read_manifest(self.storage, self.sharding, shard)
            view = PublishedSegments(self.folder, self.storage, self.sharding, (shard,), self.cache)
            view.catch_up()
            wanted, revision = self._wanted(shard)
            added, removed = complete(view.index, self.database, self.storage, wanted)
            while view.index.merge_due() and view.index.merge():
                pass
            segments = view.segments_here()
            now_there = ShardManifest(
                shard=shard,
                shards=self.sharding.shards,
                params_hash=params_hash(self.sharding.params),
                generation=(before.generation if before else 0) + 1,
                revision=revision,
                tracks=len(view.index),
                segments=tuple(one for one, _ in segments),
            )
            if before is not None and before.segments == now_there.segments:
                if before.revision < revision:  # what changed lies in other shards
                    write_manifest(self.storage, self.sharding, replace(before, revision=revision))
                return Built(shard, before.generation, before.tracks, added, removed, 0)
            stored = self._publish(before, now_there, segments)
            view.adopt(now_there, segments)
        return Built(shard, now_there.generation, now_there.tracks, added, removed, stored)

    def _wanted(self, shard: int) -> tuple[NDArray[np.int64], int]:
        """Read the numbers of all tracks of a shard, and the library's revision before that."""
        with self.database.read() as session:
            revision = current_revision(session)
            query = select(Fingerprint.track).where(
                Fingerprint.track % self.sharding.shards == shard,
                Fingerprint.params_hash.in_(usable_hashes(self.sharding.params)),
            )
            numbers = np.fromiter(session.scalars(query.order_by(Fingerprint.track)), np.int64)
        return numbers, revision

    def _publish(
        self, before: ShardManifest | None, after: ShardManifest, segments: list[tuple[PublishedSegment, Path]]
    ) -> int:
        known = {one.sha256 for one in before.segments} if before else set()
        stored = 0
        for one, path in segments:
            if one.sha256 not in known:
                with path.open("rb") as file:
                    self.storage.put(self.sharding.segment_key(after.shard, one.sha256), file)
                self.cache.keep(path, one.sha256)
                stored += 1
        meanwhile = read_manifest(self.storage, self.sharding, after.shard)
        if (meanwhile.generation if meanwhile else 0) != after.generation - 1:
            raise ConflictError(f"index shard {after.shard} was published by another machine meanwhile; build it again")
        after, old = retire(before, after, self.clock.now())
        write_manifest(self.storage, self.sharding, after)
        for sha256 in old:
            self.storage.delete(self.sharding.segment_key(after.shard, sha256))
        log.info("shard_published", shard=after.shard, generation=after.generation, tracks=after.tracks, stored=stored)
        return stored


def needs_build(manifest: ShardManifest | None, revision: int) -> bool:
    """Tell whether the library has changed since a shard was built."""
    return manifest is None or manifest.revision < revision
