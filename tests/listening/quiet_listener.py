"""A listener process whose stations send nothing: `python quiet_listener.py DATABASE FOLDER MAX_SESSIONS`."""

import os
import socket
import sys
import threading
from pathlib import Path

import airledger.app  # noqa: F401  every table must be known
from airledger.listening.listener import Listener, ListenerSettings
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.recognition.library_index import LibraryIndex
from airledger.stations.tuner import Listening


class QuietTuner:
    """Connects, and hears nothing."""

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "QuietTuner":
        del url, listening, headers
        return self

    def close(self) -> None:
        """Nothing to give back."""


def main() -> None:
    database, folder = Database(sys.argv[1]), Path(sys.argv[2])
    library = LibraryIndex(folder / "index", database, Folder(folder / "objects"))
    name = f"listener-{socket.gethostname()}-{os.getpid()}-test"
    limits = ListenerSettings(threads=1, max_sessions=int(sys.argv[3]))
    Listener(name, database, SystemClock(), library, QuietTuner(), Counts(), folder / "spool", limits).run(
        threading.Event()
    )


if __name__ == "__main__":
    main()
