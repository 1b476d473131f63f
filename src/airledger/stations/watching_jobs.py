"""The tasks beside the checks: roll up, analyse, archive, compact."""

from dataclasses import dataclass

from airledger.platform.clock import Clock
from airledger.platform.compact import compact
from airledger.platform.db import Database
from airledger.platform.storage import Storage
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.stations.watching.analyse import look_for_worse
from airledger.stations.watching.archive import archive_checks
from airledger.stations.watching.rollup import roll_up

ROLL_UP, ROLL_UP_EVERY_S = "stations.roll_up", 300
ANALYSE, ANALYSE_EVERY_S = "stations.analyse", 6 * 3_600
ARCHIVE = "stations.archive"
COMPACT = "platform.compact"


@dataclass(frozen=True)
class Deps:
    """What these tasks need."""

    database: Database
    storage: Storage
    clock: Clock


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks known."""

    def roll(context: Context) -> Result:
        return {"rows": roll_up(deps.database, deps.clock.now(), stopping=context.stopping)}

    def analyse(context: Context) -> Result:
        worse, told = look_for_worse(deps.database, deps.clock.now(), stopping=context.stopping)
        return {"worse": worse, "told": told}

    def archive(context: Context) -> Result:
        return {"archived": archive_checks(deps.database, deps.storage, deps.clock.now(), stopping=context.stopping)}

    def give_back(context: Context) -> Result:
        return {"pages": compact(deps.database, stopping=context.stopping)}

    registry.declare(ROLL_UP, "default", roll)
    registry.declare(ANALYSE, "default", analyse)
    registry.declare(ARCHIVE, "default", archive)
    registry.declare(COMPACT, "default", give_back)
