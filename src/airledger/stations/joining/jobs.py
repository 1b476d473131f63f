"""The task that joins streams to stations as the catalogue changes."""

from dataclasses import asdict

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.tasks.registry import Context, Registry, Result

JOIN = "stations.join"


def declare(registry: Registry, database: Database, clock: Clock) -> None:
    """Make the task known."""

    def join(context: Context) -> Result:
        from airledger.stations.joining.find import join_all

        return asdict(join_all(database, clock, stopping=context.stopping))

    registry.declare(JOIN, "default", join)
