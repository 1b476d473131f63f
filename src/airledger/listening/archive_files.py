"""The files of an archive's folder, dated and in order of time; what cannot be dated is named with its reason."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from statistics import median

from airledger.listening.archive_names import Dated, date_by_name, date_by_tags
from airledger.listening.archive_sound import FileSound
from airledger.platform.errors import InputError, LimitError

MAX_FILES = 200_000
HEAD_BYTES = 64 * 1024
LEAST_LAGS = 3
AGREEING_LAGS_S = 300.0
BELIEVABLE_LAG_S = 900.0
SOUNDS = frozenset(
    {
        *(".mp3", ".mp2", ".mpa", ".aac", ".m4a", ".mp4", ".ogg", ".oga", ".opus", ".flac", ".wav", ".bwf", ".rf64"),
        *(".w64", ".aif", ".aiff", ".caf", ".ts", ".mkv", ".mka", ".webm", ".wma", ".asf", ".amr", ".flv"),
    }
)


@dataclass(frozen=True)
class ArchivedFile:
    """A file and when it was aired."""

    path: Path
    name: str
    size_bytes: int
    modified_ns: int
    dated: Dated


@dataclass(frozen=True)
class Undated:
    """A file that does not say when it was aired."""

    name: str
    reason: str


def find_files(
    folder: Path, zone: tzinfo, pattern: re.Pattern[str] | None = None
) -> tuple[list[ArchivedFile], list[Undated]]:
    """List the sound files below a folder in order of time.

    A name that tells no moment sends us into the file's tags, which costs a decoder's start for each such file.

    Raises:
        InputError: It is no folder.
        LimitError: It holds more than 200,000 sound files.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: name the one that the logger writes to")
    found: list[ArchivedFile] = []
    undated: list[Undated] = []
    for number, path in enumerate(_sounds(folder)):
        if number >= MAX_FILES:
            raise LimitError(f"{folder} holds more than {MAX_FILES:,} sound files: hear it folder by folder")
        name = path.relative_to(folder).as_posix()
        dated = date_by_name(name, zone, pattern) or (_by_tags(path, zone) if pattern is None else None)
        if dated is None:
            what = "the pattern does not fit its name" if pattern else "neither its name nor its tags tell a moment"
            undated.append(Undated(name, what))
            continue
        try:
            status = path.stat()
        except OSError:  # taken away since it was listed
            continue
        found.append(ArchivedFile(path, name, status.st_size, status.st_mtime_ns, dated))
    return sorted(settle_doubts(found), key=lambda one: (one.dated.began, one.name)), undated


def settle_doubts(files: list[ArchivedFile]) -> list[ArchivedFile]:
    """Choose the reading of ambiguous names by when their files were last written, where that says anything.

    A logger ends each file about as long after its beginning; where the undoubted files agree on how long, the
    ambiguous ones are read so that they do too. They stay marked. Copies that have lost their times agree on nothing.
    """
    lags_s = [one.modified_ns / 1e9 - one.dated.began.timestamp() for one in files if one.dated.doubt is None]
    if len(lags_s) < LEAST_LAGS:
        return files
    usual_s = median(lags_s)
    if median(abs(lag_s - usual_s) for lag_s in lags_s) > AGREEING_LAGS_S:
        return files
    return [_settled(one, usual_s) for one in files]


def _settled(file: ArchivedFile, usual_s: float) -> ArchivedFile:
    if file.dated.otherwise is None:
        return file
    written_s = file.modified_ns / 1e9
    readings = (file.dated.began, file.dated.otherwise)
    best = min(readings, key=lambda moment: abs(written_s - moment.timestamp() - usual_s))
    if abs(written_s - best.timestamp() - usual_s) > BELIEVABLE_LAG_S:
        return file
    return replace(file, dated=replace(file.dated, began=best, otherwise=None))


def head_hash(path: Path) -> str:
    """Return the SHA-256 of a file's first 64 KiB, empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    except OSError:
        return ""


def is_unchanged(file: ArchivedFile) -> bool:
    """Tell whether a file is as it was when it was listed; one that grows is still being written."""
    try:
        status = file.path.stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size_bytes, file.modified_ns)


def _sounds(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            # A pipe or a device may never end, whatever its name promises.
            if not name.startswith(".") and path.suffix.lower() in SOUNDS and path.is_file():
                yield path


def _by_tags(path: Path, zone: tzinfo) -> Dated | None:
    sound = FileSound(path)
    try:
        about = sound.about()
    finally:
        sound.close()
    return date_by_tags(about.tags, about.sample_rate_hz, zone)
