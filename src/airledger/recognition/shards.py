"""The published index: cut into shards, each a list of immutable segments in storage (docs/formats/index-shards.md).

A shard's list is one small object, replaced as a whole; its segments are named by the hash of their bytes and never
change. So a reader sees one state or the next, and two builders at once can publish the same thing twice, not a broken
one.
"""

import json
import re
import zlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from airledger.fingerprint.params import Params, params_hash
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.storage import Storage

MAGIC = "airledger-index-shard"
FORMAT = 1
MANIFEST_LIMIT_BYTES = 64 << 20
KEPT_FOR_READERS = timedelta(hours=1)  # a reader may be fetching by the list before
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sharding:
    """Into how many shards an index of certain parameters is cut."""

    params: Params
    shards: int = 1

    def shard_of(self, track: int) -> int:
        """Tell which shard holds a track."""
        return track % self.shards

    def folder(self, shard: int) -> str:
        """Name the folder of a shard in storage; another cut or other parameters have other folders."""
        return f"index/{params_hash(self.params)[:16]}/{self.shards}/{shard}"

    def manifest_key(self, shard: int) -> str:
        """Name the object that lists a shard's segments."""
        return f"{self.folder(shard)}/manifest.json"

    def segment_key(self, shard: int, sha256: str) -> str:
        """Name the object of a segment."""
        return f"{self.folder(shard)}/{sha256}.fp"


@dataclass(frozen=True)
class PublishedSegment:
    """One segment: the hash and length of its bytes, and the tracks in it that were removed since."""

    sha256: str
    bytes: int
    removed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Retired:
    """A segment that is no longer listed, and since when."""

    sha256: str
    since: str


@dataclass(frozen=True)
class ShardManifest:
    """What a shard consists of.

    Attributes:
        shard: its number.
        shards: into how many the index is cut.
        params_hash: of the parameters that its tracks were extracted with.
        generation: rises with each publication.
        revision: number of the last change of the library that is in it.
        tracks: how many it holds.
        segments: in the order they were written.
        retired: segments that are kept a while for readers of the list before.
    """

    shard: int
    shards: int
    params_hash: str
    generation: int
    revision: int
    tracks: int
    segments: tuple[PublishedSegment, ...]
    retired: tuple[Retired, ...] = ()


def read_manifest(storage: Storage, sharding: Sharding, shard: int) -> ShardManifest | None:
    """Read what a shard consists of, None when it was never published.

    Raises:
        InputError: The object is damaged, or belongs to something else.
    """
    try:
        with storage.open(sharding.manifest_key(shard)) as file:
            data = file.read(MANIFEST_LIMIT_BYTES + 1)
    except NotFoundError:
        return None
    try:
        return _decoded(data, sharding, shard)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"the list of index shard {shard} is damaged ({error}); build it again") from error


def write_manifest(storage: Storage, sharding: Sharding, manifest: ShardManifest) -> None:
    """Replace a shard's list; its segments must be there already."""
    body = {"magic": MAGIC, "format": FORMAT, **asdict(manifest)}
    storage.put(
        sharding.manifest_key(manifest.shard), json.dumps({"checksum": _checksum(body), **body}, indent=1).encode()
    )


def retire(before: ShardManifest | None, after: ShardManifest, now: datetime) -> tuple[ShardManifest, list[str]]:
    """Note which segments are no longer listed, and tell which of them no reader can want any more."""
    if before is None:
        return after, []
    listed = {one.sha256 for one in after.segments}
    since = {one.sha256: one.since for one in before.retired}
    for one in before.segments:
        since.setdefault(one.sha256, now.isoformat())
    gone = {sha256: text for sha256, text in since.items() if sha256 not in listed}
    old = [sha256 for sha256, text in gone.items() if datetime.fromisoformat(text) < now - KEPT_FOR_READERS]
    kept = tuple(Retired(sha256, text) for sha256, text in sorted(gone.items()) if sha256 not in old)
    return replace(after, retired=kept), old


def _checksum(body: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(body, sort_keys=True, separators=(",", ":")).encode())


def _decoded(data: bytes, sharding: Sharding, shard: int) -> ShardManifest:
    if len(data) > MANIFEST_LIMIT_BYTES:
        raise ValueError("it is too large")
    body = json.loads(data)
    if body.pop("checksum") != _checksum(body):
        raise ValueError("it was altered")
    if body.pop("magic") != MAGIC or body.pop("format") != FORMAT:
        raise ValueError("it is of another format")
    manifest = manifest_of(body)
    expected = (shard, sharding.shards, params_hash(sharding.params))
    if (manifest.shard, manifest.shards, manifest.params_hash) != expected:
        raise ValueError("it belongs to another shard or other parameters")
    return manifest


def manifest_of(body: dict[str, Any]) -> ShardManifest:
    """Read a list of segments from plain values.

    Raises:
        ValueError, KeyError, TypeError: They are none.
    """
    segments = tuple(
        PublishedSegment(_sha256(one["sha256"]), int(one["bytes"]), tuple(int(track) for track in one["removed"]))
        for one in body["segments"]
    )
    retired = tuple(Retired(_sha256(one["sha256"]), str(one["since"])) for one in body["retired"])
    return ShardManifest(**{**body, "segments": segments, "retired": retired})


def _sha256(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no SHA-256")
    return text
