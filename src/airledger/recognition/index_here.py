"""The index as one machine has it: whole and its own, or shards of the published one."""

import os
import socket
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from airledger.fingerprint.index import Index
from airledger.fingerprint.params import PROFILES, Params
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import ConfigurationError
from airledger.platform.settings import Settings
from airledger.platform.storage import Storage
from airledger.recognition.batches import Batches
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.segment_cache import SegmentCache
from airledger.recognition.shards import Sharding, read_manifest
from airledger.recognition.shards_build import ShardBuilder, needs_build
from airledger.recognition.shards_view import PublishedSegments

GIGABYTE = 1_000_000_000


class IndexHere:
    """Opens, builds and asks the index by the settings of this machine."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        storage: Storage,
        clock: Clock,
        library: Callable[[], LibraryIndex],
    ) -> None:
        self._settings = settings
        self._database = database
        self._storage = storage
        self._clock = clock
        self._library = library
        self._views: dict[tuple[int, ...], PublishedSegments] = {}
        self.sharding = Sharding(self.params, settings.index_shards)

    @property
    def is_published(self) -> bool:
        """Whether segments are built once and kept in storage."""
        return self._settings.is_index_published

    @property
    def params(self) -> Params:
        """The engine's parameters."""
        return PROFILES[self._settings.fingerprint_profile]

    @cached_property
    def cache(self) -> SegmentCache:
        """The fetched segments of this machine."""
        return SegmentCache(self._folder / "segments", round(self._settings.index_cache_gb * GIGABYTE))

    def published(self) -> PublishedSegments:
        """Give the segments that this machine's listeners hear with.

        Raises:
            ConfigurationError: A shard is named that there is not.
        """
        wanted = tuple(sorted(set(self._settings.listener_shards))) or tuple(range(self.sharding.shards))
        if wanted[0] < 0 or wanted[-1] >= self.sharding.shards:
            raise ConfigurationError(f"listener_shards names shards outside 0 to {self.sharding.shards - 1}")
        return self._view(wanted)

    def builder(self) -> ShardBuilder:
        """Make what builds shards on this machine."""
        return ShardBuilder(
            self._folder / "built", self._database, self._storage, self._clock, self.sharding, self.cache
        )

    def batches(self) -> Batches:
        """Make what answers many sounds at once."""
        return Batches(
            database=self._database,
            storage=self._storage,
            clock=self._clock,
            params=self.params,
            shards=self.sharding.shards,
            index_of=self.index_of,
            worker=f"{socket.gethostname()}-{os.getpid()}",
        )

    def index_of(self, shard: int) -> Index:
        """Give a shard's index, up to date; the only one where the index is not published."""
        if not self.is_published:
            self._library().sync()
            return self._library().index
        view = self._view((shard,))
        view.catch_up()
        return view.index

    def due(self, revision: int) -> list[int]:
        """List the shards that do not hold everything up to a revision of the library."""
        manifests = (read_manifest(self._storage, self.sharding, shard) for shard in range(self.sharding.shards))
        return [shard for shard, found in enumerate(manifests) if needs_build(found, revision)]

    def tend(self, stopping: Callable[[], bool]) -> tuple[int, bool]:
        """Bring this machine's own index up to date and merge its segments where that is due.

        Returns:
            How many tracks were added, and whether anything was merged.
        """
        if self.is_published:
            return 0, False
        library = self._library()
        return library.sync(), library.merge(stopping)

    @property
    def _folder(self) -> Path:
        return self._settings.data / "index-shards"

    def _view(self, shards: tuple[int, ...]) -> PublishedSegments:
        if shards not in self._views:
            self._views[shards] = PublishedSegments(
                self._folder / "views", self._storage, self.sharding, shards, self.cache
            )
        return self._views[shards]
