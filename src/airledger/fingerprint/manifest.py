"""The list of an index's segments: a small JSON file, replaced as a whole, so that readers see all or nothing."""

import json
import os
import re
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from airledger.fingerprint.errors import IndexDamagedError, ParamsMismatchError
from airledger.fingerprint.params import Params, params_from_json, params_hash

MANIFEST_NAME = "manifest.json"
_MAGIC = "airledger-fingerprint-index"
_VERSION = 2
_MAX_BYTES = 64 << 20
_SEGMENT_NAME = re.compile(r"segment-[0-9]{1,12}\.fp")


@dataclass(frozen=True, slots=True)
class Listed:
    """One segment of the list: its file, and the tracks in it that were removed since."""

    name: str
    removed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index consists of.

    Attributes:
        params: what its tracks were extracted with.
        generation: rises with each change.
        next_segment: number of the next segment file; never used twice.
        segments: in the order they were written.
    """

    params: Params
    generation: int = 0
    next_segment: int = 1
    segments: tuple[Listed, ...] = field(default=())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest of `folder` by this one; after a crash there is the old one or the new one."""
    body = _encoded(manifest)
    text = json.dumps({"checksum": zlib.crc32(_canonical(body)), **body}, indent=1)
    fresh = folder / (MANIFEST_NAME + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / MANIFEST_NAME)
    flush_folder(folder)


def flush_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as the contents of its files."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of `folder`.

    Raises:
        FileNotFoundError: there is none.
        IndexDamagedError: it is not one, is altered, or of an unknown format.
        ParamsMismatchError: it was written by an engine that makes other keys of equal parameters.
    """
    path = folder / MANIFEST_NAME
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise IndexDamagedError(f"{path} is larger than any manifest.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IndexDamagedError(f"{path} is not JSON; enrol its recordings again.") from error
    if not isinstance(body, dict) or body.get("magic") != _MAGIC:
        raise IndexDamagedError(f"{path} is not the manifest of a fingerprint index.")
    if body.get("format") not in (1, _VERSION):
        raise IndexDamagedError(f"{path} has format {body.get('format')!r}; this engine reads 1 and {_VERSION}.")
    if body.pop("checksum", None) != zlib.crc32(_canonical(body)):
        raise IndexDamagedError(f"{path} was altered since it was written; enrol its recordings again.")
    try:
        return _decoded(body)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise IndexDamagedError(f"{path} is not complete: {error}") from error


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def _encoded(manifest: Manifest) -> dict[str, Any]:
    return {
        "magic": _MAGIC,
        "format": _VERSION,
        "params_hash": params_hash(manifest.params),
        "params": asdict(manifest.params),
        "generation": manifest.generation,
        "next_segment": manifest.next_segment,
        "segments": [{"name": one.name, "removed": sorted(one.removed)} for one in manifest.segments],
    }


def _decoded(body: dict[str, Any]) -> Manifest:
    if body["format"] == 1:
        params = _params_of_format_1(body["params"])
    else:
        params = params_from_json(body["params"])
        if params_hash(params) != body["params_hash"]:
            raise ParamsMismatchError(
                "The index was made by another version of the engine; enrol its recordings again."
            )
    segments = []
    for one in body["segments"]:
        if not _SEGMENT_NAME.fullmatch(one["name"]):
            raise ValueError(f"{one['name']!r} is not the name of a segment.")
        segments.append(Listed(one["name"], frozenset(int(number) for number in one["removed"])))
    return Manifest(params, int(body["generation"]), int(body["next_segment"]), tuple(segments))


def _params_of_format_1(values: dict[str, Any]) -> Params:
    """Today's parameters with the densities of an index of format 1; its keys are made again from its peaks."""
    kept = ("reference_peaks_per_s", "reference_fan")
    return replace(Params(), **{name: int(values[name]) for name in kept})
