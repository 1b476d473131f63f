"""The task that joins streams to stations as the catalogue changes."""

from dataclasses import asdict

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.tasks.registry import Context, Registry, Result

JOIN = "stations.join"


def declare(registry: Registry, database: Database, clock: Clock) -> None:
    """Make the task known."""

    def join(context: Context) -> Result:
        from airledger.stations.joining.find import turn

        total = {"streams": 0, "compared": 0, "merged": 0}
        while not context.stopping():
            done = asdict(turn(database, clock, stopping=context.stopping))
            total = {name: total[name] + done[name] for name in total}
            if not done["streams"]:
                break
        return total

    registry.declare(JOIN, "default", join)
