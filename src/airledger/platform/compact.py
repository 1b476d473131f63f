"""Giving the disk back what deleted rows left behind, and keeping the planner's figures fresh. Little by little."""

import time
from collections.abc import Callable

from airledger.platform.db import Database

PAGES_AT_ONCE = 1_000
PAUSE_S = 0.01


def compact(
    database: Database,
    *,
    stopping: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Return free pages of an SQLite file to the disk and refresh its statistics; return how many pages.

    A file that was made before `auto_vacuum=INCREMENTAL` keeps its free pages and uses them again. PostgreSQL's own
    autovacuum does this, so there it only refreshes the statistics.
    """
    if not database.is_sqlite:
        with database.unit() as unit:
            unit.session.connection().exec_driver_sql("ANALYZE")
        return 0
    freed, left = 0, _free_pages(database)
    while left and not stopping():
        with database.unit() as unit:
            unit.session.connection().exec_driver_sql(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
        now_left = _free_pages(database)
        if now_left >= left:
            break
        freed, left = freed + left - now_left, now_left
        pause(PAUSE_S)
    with database.unit() as unit:
        unit.session.connection().exec_driver_sql("PRAGMA optimize").fetchall()
    return freed


def _free_pages(database: Database) -> int:
    with database.read() as session:
        return int(session.connection().exec_driver_sql("PRAGMA freelist_count").scalar_one())
