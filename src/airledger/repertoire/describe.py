"""What a recording is called: from the tags of its file, a row of a CSV, or its file name."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from airledger.platform.errors import InputError, LimitError
from airledger.repertoire.models import CLASSES, MUSIC

TEXT_LIMIT = 500
CSV_ROWS_LIMIT = 1_000_000
CSV_BYTES_LIMIT = 256 * 1024 * 1024
CSV_LINE_LIMIT = 256 * 1024
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_ISRC_NOISE = re.compile(r"[\s-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Description:
    """How a recording is named on statements."""

    title: str
    artist: str = ""
    album: str | None = None
    label: str | None = None
    isrc: str | None = None
    recording_class: str = MUSIC


def normal_isrc(text: str) -> str | None:
    """Return an ISRC in its stored form, None when the text is none.

    ISO 3901: two letters, three letters or digits, two digits of the year, five digits. Hyphens, spaces, lower case and
    a leading `ISRC` are presentation.
    """
    compact = _ISRC_NOISE.sub("", text.upper()).removeprefix("ISRC").lstrip(":")
    return compact if _ISRC.fullmatch(compact) else None


def from_tags(tags: Mapping[str, str], file: Path) -> Description:
    """Describe a file by its tags; what they do not tell, its name does (`Artist - Title.mp3`)."""
    lower = {key.lower(): _clean(value) for key, value in tags.items()}
    named_artist, _, named_title = file.stem.rpartition(" - ")
    isrc = normal_isrc(lower.get("isrc") or lower.get("tsrc") or "")
    return Description(
        title=lower.get("title") or _clean(named_title) or _clean(file.stem) or "untitled",
        artist=lower.get("artist") or lower.get("album_artist") or _clean(named_artist),
        album=lower.get("album") or None,
        label=lower.get("publisher") or lower.get("label") or lower.get("organization") or None,
        isrc=isrc,
    )


def with_row(described: Description, row: Mapping[str, str]) -> Description:
    """Let a CSV row's filled columns win over the tags.

    Raises:
        InputError: The row's ISRC or class is none.
    """
    filled = {key: _clean(value) for key, value in row.items() if value and value.strip()}
    isrc = checked_isrc(filled["isrc"]) if "isrc" in filled else described.isrc
    recording_class = checked_class(filled.get("class", described.recording_class))
    return replace(
        described,
        title=filled.get("title", described.title),
        artist=filled.get("artist", described.artist),
        album=filled.get("album", described.album),
        label=filled.get("label", described.label),
        isrc=isrc,
        recording_class=recording_class,
    )


def checked_class(text: str) -> str:
    """Return a class of recordings in its stored form.

    Raises:
        InputError: There is no such class.
    """
    if text.lower() not in CLASSES:
        raise InputError(f"{text[:40]!r} is not a class of recording: use one of {', '.join(CLASSES)}")
    return text.lower()


def checked_isrc(text: str) -> str:
    """Return an ISRC in its stored form.

    Raises:
        InputError: It is none.
    """
    isrc = normal_isrc(text)
    if isrc is None:
        raise InputError(f"{text[:40]!r} is not an ISRC: two letters, three letters or digits, seven digits")
    return isrc


def checked(changes: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return changes of a description as they are stored.

    Raises:
        InputError: A value cannot be used, or there is no such part of a description.
    """
    stored: dict[str, str | None] = {}
    for name, value in changes.items():
        text = _clean(value) if value is not None else ""
        if name == "recording_class":
            stored[name] = checked_class(text)
        elif name == "isrc":
            stored[name] = checked_isrc(text) if text else None
        elif name in {"album", "label"}:
            stored[name] = text or None
        elif name == "artist" or (name == "title" and text):
            stored[name] = text
        else:
            raise InputError(f"a recording needs a {name}" if name == "title" else f"a recording has no {name[:40]!r}")
    return stored


def read_rows(path: Path) -> dict[str, dict[str, str]]:
    """Read a CSV with a column `file` and any of title, artist, album, label, isrc, class; keyed by file name.

    Raises:
        InputError: It is no CSV in UTF-8, or has no column `file`.
        LimitError: It has more than a million rows or 256 MiB, or a line of more than 256 Ki characters.
    """
    rows: dict[str, dict[str, str]] = {}
    try:
        if path.stat().st_size > CSV_BYTES_LIMIT:
            raise LimitError(f"{path} is larger than {CSV_BYTES_LIMIT >> 20} MiB: split it")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(_lines(path, file))
            if "file" not in (reader.fieldnames or ()):
                raise InputError(f"{path} needs a first line that names its columns, one of them 'file'")
            for row in reader:
                if len(rows) >= CSV_ROWS_LIMIT:
                    raise LimitError(f"{path} has more than {CSV_ROWS_LIMIT:,} rows: split it")
                rows[Path(row["file"]).name] = {key: value for key, value in row.items() if isinstance(value, str)}
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    return rows


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """Give lines; a file without any end of line would else be read into memory whole."""
    while line := file.readline(CSV_LINE_LIMIT + 1):
        if len(line) > CSV_LINE_LIMIT:
            raise LimitError(f"{path} has a line of more than {CSV_LINE_LIMIT >> 10} Ki characters: is it a CSV?")
        yield line


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()[:TEXT_LIMIT]
