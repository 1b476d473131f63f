"""The task that finds duplicates among what was enrolled."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result

if TYPE_CHECKING:  # the engine loads only where the task runs
    from airledger.recognition.library_index import LibraryIndex

FIND = "library.find_duplicates"


def declare(
    registry: Registry, database: Database, storage: Storage, clock: Clock, library: "Callable[[], LibraryIndex]"
) -> None:
    """Make the task known."""

    def find_duplicates(context: Context) -> Result:
        from airledger.recognition.duplicates import DuplicateSearch

        search = DuplicateSearch(database, storage, clock, library())
        recordings = found = 0
        cpu_s = 0.0
        while not context.stopping():
            done = asdict(search.turn(stopping=context.stopping))
            recordings, found, cpu_s = recordings + done["recordings"], found + done["found"], cpu_s + done["cpu_s"]
            if not done["recordings"]:
                break
        return {"recordings": recordings, "found": found, "cpu_s": cpu_s}

    registry.declare(FIND, "recognise", find_duplicates)
