"""The task of this room: work out where streams are, a batch after the other."""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from airledger.learning.where_told import Told
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.geo.lookup import IpPlaces
from airledger.platform.geo.places import Databases
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.stations.places.work_out import BATCH, locate_due

if TYPE_CHECKING:  # numpy and ONNX Runtime load only in workers
    from airledger.learning.where_model import WhereModel

LOCATE = "stations.locate"
EVERY_S = 60
BATCHES = 30  # of one task, some ten seconds of work; the next one goes on

_loading = threading.Lock()


def declare(registry: Registry, database: Database, clock: Clock, databases: Databases) -> None:
    """Make the task known."""

    def locate(context: Context) -> Result:
        return locate_streams(database, clock, databases, context.stopping)

    registry.declare(LOCATE, "default", locate)


def locate_streams(
    database: Database, clock: Clock, databases: Databases, stopping: Callable[[], bool], *, batches: int = BATCHES
) -> Result:
    """Work out what is due; answer how many streams were looked at, and how many had new evidence."""
    from airledger.learning.where_model import is_shipped

    looked = changed = 0
    places = IpPlaces(databases)

    def predict(rows: Sequence[Told]) -> Iterator[list[tuple[str, float]]]:
        return _model(databases).predict(rows)

    try:
        for _ in range(batches):
            if stopping():
                break
            seen, fresh = locate_due(database, predict if is_shipped() else None, places.look_up, clock.now())
            looked, changed = looked + seen, changed + fresh
            if seen < BATCH:
                break
    finally:
        places.close()
    return {"looked_at": looked, "worked_out": changed}


def _model(databases: Databases) -> "WhereModel":
    with _loading:
        return _loaded(databases)


@lru_cache(maxsize=1)
def _loaded(databases: Databases) -> "WhereModel":
    from airledger.learning.where_model import WhereModel

    return WhereModel(ip_country=IpPlaces(databases).country_of)
