"""Tasks of the house itself."""

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.presence import forget_dead
from airledger.platform.retention import delete_expired
from airledger.platform.tasks.registry import Context, Registry, Result

RETENTION = "platform.retention"


def declare(registry: Registry, database: Database, clock: Clock) -> None:
    """Make the tasks of this room known."""

    def keep_retention(context: Context) -> Result:
        deleted = delete_expired(database, clock.now(), stopping=context.stopping)
        with database.unit() as unit:
            forget_dead(unit.session, clock.now())
        return {"deleted": deleted}

    registry.declare(RETENTION, "default", keep_retention)
