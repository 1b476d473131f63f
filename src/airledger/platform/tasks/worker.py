"""The embedded worker: threads per queue that lease rows. A full queue never starves another."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import UnavailableError
from airledger.platform.logging import logger
from airledger.platform.tasks.queue import Claimed, claim, has_due
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.run import Runner

IDLE_S = 0.25
IDLE_LIMIT_S = 1.0
PATIENCE_S = 8.0

log = logger(__name__)


def work(
    database: Database,
    registry: Registry,
    clock: Clock,
    *,
    holder: str,
    concurrency: Mapping[str, int],
    stop: threading.Event,
) -> None:
    """Work until stopped; then finish or hand back what is in hand.

    Args:
        database: Where the tasks are.
        registry: The kinds of tasks known here; others are failed with a reason.
        clock: Tells when tasks are due.
        holder: Name of this worker on its leases.
        concurrency: Tasks at the same time, by queue.
        stop: Set to end.
    """
    runner = Runner(database, registry, clock, holder, stop)
    keeper = threading.Thread(target=runner.keep_leases, name="lease-keeper", daemon=True)
    keeper.start()
    pumps = [
        threading.Thread(target=_pump, args=(runner, queue, width), name=f"pump-{queue}", daemon=True)
        for queue, width in concurrency.items()
    ]
    for pump in pumps:
        pump.start()
    stop.wait()
    for pump in pumps:
        pump.join(PATIENCE_S)
    runner.hand_back_all()


def _pump(runner: Runner, queue: str, width: int) -> None:
    """Claim tasks of one queue while there are free hands."""
    hands = threading.Semaphore(width)
    with ThreadPoolExecutor(width, thread_name_prefix=queue) as pool:
        idle_s = IDLE_S
        while not runner.stop.is_set():
            free = _take(hands, width)
            claimed = _claim(runner, queue, free) if free else []
            for task in claimed:
                pool.submit(_run_then_release, runner, task, hands)
            for _ in range(free - len(claimed)):
                hands.release()
            idle_s = IDLE_S if claimed else min(idle_s * 1.5, IDLE_LIMIT_S)
            runner.stop.wait(0 if claimed and len(claimed) == free and free < width else idle_s)


def _take(hands: threading.Semaphore, width: int) -> int:
    free = 0
    while free < width and hands.acquire(blocking=False):
        free += 1
    return free


def _claim(runner: Runner, queue: str, limit: int) -> list[Claimed]:
    try:
        with runner.database.read() as session:
            if not has_due(session, queue, runner.clock.now()):
                return []
        with runner.database.unit() as unit:
            return claim(unit.session, [queue], runner.holder, runner.clock.now(), limit=limit)
    except UnavailableError as error:
        log.warning("claim_failed", queue=queue, error=str(error))
        return []


def _run_then_release(runner: Runner, task: Claimed, hands: threading.Semaphore) -> None:
    try:
        runner.run(task)
    finally:
        hands.release()
