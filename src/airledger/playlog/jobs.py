"""Tasks of the play log."""

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.playlog.plays import rebuild

REBUILD = "playlog.rebuild"


def declare(registry: Registry, database: Database, clock: Clock) -> None:
    """Make the tasks of this room known."""

    def rebuild_plays(context: Context) -> Result:
        total = 0
        while not context.stopping():
            with database.unit() as unit:
                changed = rebuild(unit, clock.now())
            total += changed
            if not changed:
                break
        return {"changed": total}

    registry.declare(REBUILD, "default", rebuild_plays)
