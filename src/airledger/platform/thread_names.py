"""Names of threads that tools like top show: Python tells the system only from 3.14 on."""

import threading
from pathlib import Path

_MOST_BYTES = 15


def name_this_thread(name: str) -> None:
    """Tell the system what this thread is called; where it cannot be told, nothing happens."""
    comm = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
    if comm.exists():
        comm.write_bytes(name.encode()[:_MOST_BYTES])
