"""The task of this room: clicks grow older by the hour."""

from sqlalchemy import update

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.stations.directory.clicks import ROLLED_AT_ONCE, find_stale
from airledger.stations.models import Stream

ROLL_CLICKS = "directory.roll_clicks"


def declare(registry: Registry, database: Database, clock: Clock) -> None:
    """Make the task known."""

    def roll(context: Context) -> Result:
        return {"changed": roll_clicks(database, clock, context)}

    registry.declare(ROLL_CLICKS, "default", roll)


def roll_clicks(database: Database, clock: Clock, context: Context | None = None) -> int:
    """Bring the catalogue's click counts up to the hour, a few hundred streams a unit; return how many changed."""
    with database.read() as session:
        stale = find_stale(session, clock.now())
    done = 0
    for start in range(0, len(stale), ROLLED_AT_ONCE):
        if context is not None and context.stopping():
            break
        chunk = stale[start : start + ROLLED_AT_ONCE]
        with database.unit() as unit:
            unit.session.execute(update(Stream), chunk)
        done += len(chunk)
    return done
