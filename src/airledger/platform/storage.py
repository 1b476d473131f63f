"""Where objects lie: four verbs behind one port, a folder for now."""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from airledger.platform.errors import ConfigurationError, InputError, NotFoundError

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}")
_KEY_LIMIT = 512


class Storage(Protocol):
    """Objects by key. Keys are made by us, never by a stranger."""

    def put(self, key: str, content: BinaryIO | bytes) -> int:
        """Store an object whole or not at all; return its size in bytes."""

    def open(self, key: str) -> BinaryIO:
        """Open an object for reading."""

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Name the objects below a prefix, in order."""


class Folder:
    """Objects as files of one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, content: BinaryIO | bytes) -> int:
        """Write beside the target, sync, rename: a reader never sees half an object."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".put-", delete=False) as file:
            try:
                _copy(content, file)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                Path(file.name).unlink()
                raise
        Path(file.name).replace(target)
        return target.stat().st_size

    def open(self, key: str) -> BinaryIO:
        """Open an object for reading.

        Raises:
            NotFoundError: There is no such object.
        """
        try:
            return self._path(key).open("rb")
        except FileNotFoundError:
            raise NotFoundError(f"there is no object {key!r} in storage") from None

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._path(key).unlink()

    def list(self, prefix: str = "") -> Iterator[str]:
        """Name the objects below a prefix, in order."""
        above, _, _ = prefix.rpartition("/")
        yield from _below(self.root / above, self.root, prefix)

    def _path(self, key: str) -> Path:
        if len(key) > _KEY_LIMIT or not _KEY.fullmatch(key):
            raise InputError(f"{key[:80]!r} is not an object key: use letters, digits, '.', '_', '-' and '/'")
        return self.root / key


def _below(folder: Path, root: Path, prefix: str) -> Iterator[str]:
    """Name the files below a folder, in order of their keys, without holding more than one folder's in memory."""
    try:
        with os.scandir(folder) as found:
            # As a key, a folder's name ends in "/", which decides its place among names like "a" and "a-b".
            entries = sorted((entry.name + "/" * entry.is_dir(), entry.path) for entry in found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, path in entries:
        key = Path(path).relative_to(root).as_posix()
        if name.endswith("/"):
            if (key + "/").startswith(prefix) or prefix.startswith(key + "/"):
                yield from _below(Path(path), root, prefix)
        elif key.startswith(prefix) and not name.startswith(".put-"):
            yield key


def _copy(content: BinaryIO | bytes, file: IO[bytes]) -> None:
    if isinstance(content, bytes):
        file.write(content)
        return
    while block := content.read(1 << 20):
        file.write(block)


def open_storage(url: str) -> Storage:
    """Open the storage that `storage_url` names.

    Raises:
        ConfigurationError: The scheme is not one we speak.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise ConfigurationError(
            f"storage_url {url!r} must begin with file:// (object stores come with the media room)"
        )
    return Folder(Path(unquote(parts.netloc + parts.path)))
