"""The tasks of this room: clicks grow older by the hour, logos are fetched."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import update

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.fetch import Fetcher
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.stations.directory import logos
from airledger.stations.directory.clicks import ROLLED_AT_ONCE, find_stale
from airledger.stations.models import Stream

ROLL_CLICKS = "directory.roll_clicks"
FETCH_LOGOS = "directory.fetch_logos"
LOGOS_AT_ONCE = 400
HOSTS_AT_ONCE = 4
PAUSE_S = 1.0  # between two requests to one host


@dataclass(frozen=True)
class Deps:
    """What the tasks need."""

    database: Database
    clock: Clock
    storage: Storage
    fetcher: Fetcher


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks known."""
    database, clock = deps.database, deps.clock

    def roll(context: Context) -> Result:
        return {"changed": roll_clicks(database, clock, context)}

    def fetch(context: Context) -> Result:
        return fetch_logos(deps, context.stopping)

    registry.declare(ROLL_CLICKS, "default", roll)
    registry.declare(FETCH_LOGOS, "default", fetch)


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


def fetch_logos(
    deps: Deps, stopping: Callable[[], bool] = lambda: False, pause: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """Fetch the logos that are due, four hosts at a time and each host's one after the other; count them."""
    with deps.database.read() as session:
        hosts = logos.find_due(session, deps.clock.now(), limit=LOGOS_AT_ONCE)
    counts = {"fetched": 0, "refused": 0}

    def visit(wanted: Sequence[logos.Wanted]) -> list[logos.Looked]:
        found = []
        for number, one in enumerate(wanted):
            if stopping():
                break
            if number:
                pause(PAUSE_S)
            found.append(logos.look(deps.fetcher, one))
        return found

    with ThreadPoolExecutor(HOSTS_AT_ONCE, "logos") as hands:
        for looked in hands.map(visit, hosts):
            stored = [(one, logos.store_pictures(deps.storage, one)) for one in looked]
            with deps.database.unit() as unit:
                logos.record(unit, stored, deps.clock.now())
            for one in looked:
                counts["refused" if one.error else "fetched"] += 1
    return counts
