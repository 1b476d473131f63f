"""The task that compares what streams sounded like."""

from dataclasses import asdict

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result

COMPARE = "listening.same_sound"


def declare(registry: Registry, database: Database, storage: Storage, clock: Clock) -> None:
    """Make the task known."""

    def compare(context: Context) -> Result:
        from airledger.listening.same_sound_compare import SameSoundSearch

        search = SameSoundSearch(database, storage, clock)
        total: dict[str, float] = {}
        while not context.stopping():
            done = asdict(search.turn(stopping=context.stopping))
            total = {name: total.get(name, 0) + value for name, value in done.items()}
            if not done["looks"]:
                break
        return total

    registry.declare(COMPARE, "recognise", compare)
