"""A remote listener's memory on disk: what was heard and not yet acknowledged, in numbered files.

A file is written whole and renamed, so a crash leaves no half one; it is deleted once the server has acknowledged its
number. When the folder is full the oldest batches give way to a note of the time that is lost with them.
"""

import os
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from airledger.listening.remote_wire import LOST, SentWindow, WireError, decode_batch, encode_batch, lost

FULL = "remote_buffer_full"
DAMAGED = "remote_buffer_damaged"
SUFFIX = ".windows"


@dataclass(frozen=True)
class Kept:
    """One batch that waits."""

    sequence: int
    path: Path


class DiskBuffer:
    """The batches of one client; one thread may keep while another sends."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Open a folder; made when it is missing.

        Args:
            folder: Of this client alone.
            limit_bytes: How much may wait.
        """
        self._lock = threading.RLock()
        self._folder = folder
        self._limit = limit_bytes
        folder.mkdir(parents=True, exist_ok=True)
        for partial in folder.glob("*.part"):
            partial.unlink()
        self.client_id = _identity(folder / "client")
        self._sizes = {_sequence(path): path.stat().st_size for path in sorted(folder.glob(f"*{SUFFIX}"))}
        self._last = max(self._sizes, default=0)
        self._last = max(self._last, _number(folder / "last"))

    def __len__(self) -> int:
        """How many batches wait."""
        return len(self._sizes)

    @property
    def size_bytes(self) -> int:
        """How many bytes wait."""
        with self._lock:
            return sum(self._sizes.values())

    def keep(self, windows: list[SentWindow]) -> int:
        """Write a batch; return its number. Numbers rise and are never used twice, restarts included."""
        with self._lock:
            self._last += 1
            self._write(self._last, encode_batch(windows))
            _replace(self._folder / "last", str(self._last).encode())
            self._make_room()
            return self._last

    def oldest(self) -> Kept | None:
        """Return the batch that is to be sent next."""
        with self._lock:
            if not self._sizes:
                return None
            sequence = min(self._sizes)
            return Kept(sequence, self._path(sequence))

    def acknowledged(self, sequence: int) -> None:
        """Forget what the server has: all batches up to a number."""
        with self._lock:
            for number in [one for one in self._sizes if one <= sequence]:
                self._path(number).unlink(missing_ok=True)
                del self._sizes[number]

    def begin_after(self, sequence: int) -> None:
        """Number on behind what the server knows of this client, should the folder know less."""
        self._last = max(self._last, sequence)

    def refused(self, kept: Kept) -> None:
        """The server will never take it: let a note of the lost time stand for it, or drop it if it is one."""
        with self._lock:
            notes = _lost_of(kept.path, DAMAGED)
            if not notes or kept.path.read_bytes() == encode_batch(notes):
                self.acknowledged_only(kept.sequence)
            else:
                self._write(kept.sequence, encode_batch(notes))

    def acknowledged_only(self, sequence: int) -> None:
        """Forget one batch."""
        self._path(sequence).unlink(missing_ok=True)
        self._sizes.pop(sequence, None)

    def _make_room(self) -> None:
        """Turn the oldest batches into notes until the rest fits; half a per cent of notes is what remains of them."""
        for number in sorted(self._sizes)[:-1]:
            if self.size_bytes <= self._limit:
                return
            notes = _lost_of(self._path(number), FULL)
            if notes:
                self._write(number, encode_batch(notes))
            else:
                self.acknowledged_only(number)

    def _write(self, sequence: int, data: bytes) -> None:
        _replace(self._path(sequence), data)
        self._sizes[sequence] = len(data)

    def _path(self, sequence: int) -> Path:
        return self._folder / f"{sequence:015}{SUFFIX}"


def _lost_of(path: Path, cause: str) -> list[SentWindow]:
    """Say what time is lost with a batch, per session."""
    try:
        windows = decode_batch(path.read_bytes())
    except (WireError, OSError):
        return []
    spans: dict[UUID, list[SentWindow]] = defaultdict(list)
    for one in windows:
        spans[one.session_id].append(one)
    return [
        lost(
            session_id,
            min(one.start_s for one in ones),
            max(one.start_s + one.length_s for one in ones) - min(one.start_s for one in ones),
            next((one.cause for one in ones if one.kind == LOST), cause),
        )
        for session_id, ones in spans.items()
    ]


def _identity(path: Path) -> UUID:
    if path.exists():
        return UUID(path.read_text(encoding="ascii").strip())
    made = uuid4()
    _replace(path, str(made).encode())
    return made


def _number(path: Path) -> int:
    text = path.read_text(encoding="ascii").strip() if path.exists() else ""
    return int(text) if text.isdecimal() else 0


def _sequence(path: Path) -> int:
    return int(path.stem)


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
