"""The task that deletes evidence when its time is over."""

from airledger.listening.evidence import delete_old_clips
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result

CLEANUP = "evidence.cleanup"


def declare(registry: Registry, database: Database, storage: Storage, clock: Clock, *, days: int) -> None:
    """Make the task known."""

    def clean_up(context: Context) -> Result:
        return {"deleted": delete_old_clips(database, storage, clock.now(), days=days, stopping=context.stopping)}

    registry.declare(CLEANUP, "default", clean_up)
