"""The tasks of verdicts: plan looks, take them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.guard import AddressGuard
from airledger.platform.logging import logger
from airledger.platform.settings import Settings
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.tasks.rows import PENDING, TaskRow
from airledger.platform.tasks.run import HandedBackError
from airledger.stations.models import Stream
from airledger.stations.verdict.record import claim, find_due, record_verdict

if TYPE_CHECKING:  # av, NumPy and the models load only in processes that look
    from airledger.learning.fraud_detector import Signs
    from airledger.stations.verdict.collect import Collected
    from airledger.stations.verdict.eyes import Eyes
    from airledger.stations.verdict.trained import Models
    from airledger.stations.verdict.weigh import Weighed

log = logger(__name__)

PLAN_LOOKS = "stations.plan_looks"
JUDGE_SOUND = "stations.judge_sound"
PLAN_EVERY_S = 60
BATCH = 16
WAITING_BATCHES = 2
DAY_S = 86_400


@dataclass(frozen=True)
class Deps:
    """What these tasks need."""

    database: Database
    clock: Clock
    settings: Settings
    guard: AddressGuard
    registry: Registry


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks known."""

    def plan_looks(context: Context) -> Result:
        del context
        return {"streams": plan(deps)}

    def judge_sound(context: Context, stream_ids: list[int]) -> Result:
        return {"judged": judge(deps, stream_ids, context.stopping)}

    registry.declare(PLAN_LOOKS, "default", plan_looks)
    registry.declare(JUDGE_SOUND, "analyse", judge_sound)


def plan(deps: Deps) -> int:
    """Enqueue a batch of streams that are due for a look, as long as few are waiting; return how many streams."""
    now = deps.clock.now()
    with deps.database.read() as session:
        waiting = session.scalar(select(func.count()).where(TaskRow.name == JUDGE_SOUND, TaskRow.status == PENDING))
        due = find_due(session, now, limit=BATCH) if (waiting or 0) < WAITING_BATCHES else []
    if due:
        with deps.database.unit() as unit:
            claim(unit, due, now)
            key = f"look:{due[0]}-{due[-1]}"
            deps.registry.enqueue(unit.session, JUDGE_SOUND, {"stream_ids": due}, now=now, unique_key=key)
    return len(due)


def judge(deps: Deps, stream_ids: list[int], stopping: Callable[[], bool]) -> int:
    """Take a look at streams at the same time, and write each verdict; return how many were judged.

    Raises:
        HandedBackError: The worker stops; the batch comes again.
    """
    from airledger.stations.verdict.collect import Wanted, collect_all
    from airledger.stations.verdict.eyes import Eyes
    from airledger.stations.verdict.trained import Models

    with deps.database.read() as session:
        rows = session.execute(select(Stream.id, Stream.url, Stream.request_headers).where(Stream.id.in_(stream_ids)))
        wanted: list[Wanted] = [Wanted(row.id, row.url, row.request_headers or {}) for row in rows]
    settings = deps.settings
    collected = collect_all(deps.guard, settings.user_agent, wanted, seconds=settings.look_seconds, stopping=stopping)
    models = Models.open(settings.data)
    judged = 0
    with Eyes() as eyes:
        for one in collected:
            if stopping():
                raise HandedBackError
            judged += _judge_one(deps, eyes, one, models)
    return judged


def _judge_one(deps: Deps, eyes: "Eyes", one: "Collected", models: "Models") -> bool:
    from airledger.stations.verdict.signs import signs_of

    now = deps.clock.now()
    with deps.database.read() as session:
        stream = session.get(Stream, one.wanted.id)
        if stream is None:
            return False
        signs = signs_of(session, stream, now)
    found = _look(eyes, one, signs, models)
    with deps.database.unit() as unit:
        record_verdict(unit, one.wanted.id, found, now=now, every_s=deps.settings.look_days * DAY_S)
    return found.confidence is not None


def _look(eyes: "Eyes", one: "Collected", signs: "Signs", models: "Models") -> "Weighed":
    from airledger.stations.verdict.take import take_look
    from airledger.stations.verdict.weigh import Weighed

    try:
        return take_look(eyes, one, signs, models)
    except Exception as error:
        log.exception("look_failed", stream_id=one.wanted.id)
        return Weighed(error=f"judging it failed: {type(error).__name__}")
