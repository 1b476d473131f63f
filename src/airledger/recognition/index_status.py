"""How the index stands beside the library."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select

from airledger.fingerprint.params import params_hash
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.recognition.changes import current_revision
from airledger.recognition.index_here import IndexHere
from airledger.recognition.library_index import LibraryIndex
from airledger.recognition.models import Fingerprint
from airledger.recognition.profiles import profile_of
from airledger.recognition.renew import count_stale
from airledger.recognition.shards import read_manifest
from airledger.recognition.shards_build import needs_build


@dataclass(frozen=True)
class ShardStatus:
    """One shard."""

    shard: int
    generation: int
    tracks: int
    segments: int
    bytes: int
    is_up_to_date: bool


@dataclass(frozen=True)
class IndexStatus:
    """The whole index.

    Attributes:
        place: where it is.
        profile: its profile.
        fingerprints: that the library has.
        stale: of these, how many the index has to leave out.
        shards: each of its parts; one where it is not published.
    """

    place: str
    profile: str
    fingerprints: int
    stale: int
    shards: tuple[ShardStatus, ...]


def index_status(
    database: Database, storage: Storage, here: IndexHere, library: Callable[[], LibraryIndex]
) -> IndexStatus:
    """Look at the index without changing it."""
    with database.read() as session:
        revision = current_revision(session)
        fingerprints = session.scalar(select(func.count()).select_from(Fingerprint)) or 0
        stale = count_stale(session, here.params)
    if here.is_published:
        place = f"published in {here.sharding.shards} shards"
        shards = tuple(_published(storage, here, shard, revision) for shard in range(here.sharding.shards))
    else:
        place, shards = "of this machine", (_own(library(), fingerprints - stale),)
    profile = profile_of(params_hash(here.params)) or "balanced"
    return IndexStatus(place, profile, fingerprints, stale, shards)


def _published(storage: Storage, here: IndexHere, shard: int, revision: int) -> ShardStatus:
    found = read_manifest(storage, here.sharding, shard)
    if found is None:
        return ShardStatus(shard, 0, 0, 0, 0, is_up_to_date=False)
    size = sum(one.bytes for one in found.segments)
    is_up_to_date = not needs_build(found, revision)
    return ShardStatus(shard, found.generation, found.tracks, len(found.segments), size, is_up_to_date)


def _own(library: LibraryIndex, wanted: int) -> ShardStatus:
    index = library.index
    segments = index.snapshot.segments
    size = sum((index.folder / live.name).stat().st_size for live in segments)
    return ShardStatus(0, index.generation, len(index), len(segments), size, is_up_to_date=len(index) == wanted)
