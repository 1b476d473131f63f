"""Segments fetched from storage: checked, kept on disk, the longest unused thrown away when there is no more room."""

import hashlib
import os
import tempfile
from pathlib import Path

from airledger.platform.errors import UnavailableError
from airledger.platform.storage import Storage

COPY_BYTES = 1 << 20


class SegmentCache:
    """A folder of segments by the hash of their bytes, shared by the processes of a machine.

    A view links to the files that it uses; what nothing links to any more may go.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self._limit_bytes = limit_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def link(self, storage: Storage, key: str, sha256: str, target: Path) -> bool:
        """Make `target` the segment of this hash, fetched if need be; tell whether it was.

        Raises:
            UnavailableError: What storage holds is not what its name says, as when it is being replaced.
            NotFoundError: It is not in storage.
        """
        kept = self.folder / f"{sha256}.fp"
        is_fetched = not kept.is_file()
        if is_fetched:
            self._fetch(storage, key, sha256, kept)
        os.utime(kept)
        target.unlink(missing_ok=True)
        os.link(kept, target)
        return is_fetched

    def keep(self, source: Path, sha256: str) -> None:
        """Take over a segment that was built on this machine, so that it need not be fetched."""
        kept = self.folder / f"{sha256}.fp"
        if not kept.exists():
            os.link(source, kept)

    def forget_damaged(self, sha256: str) -> bool:
        """Remove a segment if it is not what its name says; tell whether it was."""
        kept = self.folder / f"{sha256}.fp"
        if not kept.is_file() or sha256_of_file(kept) == sha256:
            return False
        kept.unlink()
        return True

    def make_room(self) -> int:
        """Remove the longest unused of what no view links to until the rest fits; return how many bytes went."""
        found = [(path, path.stat()) for path in self.folder.glob("*.fp")]
        unused = sorted((one for one in found if one[1].st_nlink == 1), key=lambda one: one[1].st_mtime_ns)
        total = sum(info.st_size for _, info in found)
        gone = 0
        for path, info in unused:
            if total - gone <= self._limit_bytes:
                break
            path.unlink(missing_ok=True)
            gone += info.st_size
        return gone

    def _fetch(self, storage: Storage, key: str, sha256: str, kept: Path) -> None:
        digest = hashlib.sha256()
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".fetch-", delete=False) as fresh:
            try:
                with storage.open(key) as source:
                    while block := source.read(COPY_BYTES):
                        digest.update(block)
                        fresh.write(block)
                _check(digest.hexdigest(), sha256, key)
            except BaseException:
                Path(fresh.name).unlink()
                raise
        Path(fresh.name).replace(kept)


def _check(found: str, wanted: str, key: str) -> None:
    if found != wanted:
        raise UnavailableError(f"the object {key} does not hold what its name says; build the shard again")


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
