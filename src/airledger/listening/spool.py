"""A file for what could not be stored, so that a listener that dies while the database is away loses nothing."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from airledger.listening.outbox import Batch, from_json, to_json
from airledger.platform.logging import logger

log = logger(__name__)


class Spool:
    """One file per listener, replaced as a whole."""

    def __init__(self, folder: Path, listener: str) -> None:
        self._folder = folder
        self._file = folder / f"{listener}.json"

    def keep(self, batch: Batch) -> None:
        """Write what is waiting; it replaces what was kept before, of which it is the newer state."""
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._file.with_suffix(".part")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(to_json(batch), file, default=str)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._file)

    def clear(self) -> None:
        """Forget what was kept: it is stored now."""
        self._file.unlink(missing_ok=True)

    def left_by_others(self) -> Iterator[tuple[Path, Batch]]:
        """Read what dead listeners of this machine left; what cannot be read is set aside and logged."""
        for path in sorted(self._folder.glob("*.json")):
            if path == self._file or _is_alive(path.stem):
                continue
            try:
                yield path, from_json(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError) as error:
                path.rename(path.with_suffix(".unreadable"))
                log.warning("spool_unreadable", file=str(path), error=str(error))


def _is_alive(listener: str) -> bool:
    """Tell whether a listener's process runs on this machine; its name ends in -PID-RANDOM."""
    pid = listener.rsplit("-", 2)[-2]
    return pid.isdigit() and Path(f"/proc/{pid}").exists()
