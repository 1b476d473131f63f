"""The tasks of this room: crawl a source, plan checks, prove a batch, clean up."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import NotFoundError
from airledger.platform.fetch import Fetcher
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings
from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.tasks.rows import PENDING, TaskRow
from airledger.platform.tasks.run import HandedBackError
from airledger.stations.announcing.announce import expire
from airledger.stations.cleanup import CHUNK, CLEANER, retire_dead
from airledger.stations.polite import PoliteDoor
from airledger.stations.probing.agents import views_of
from airledger.stations.probing.elsewhere import fenced
from airledger.stations.reading import CrawlTarget
from airledger.stations.record import record_proofs
from airledger.stations.standing import Pace
from airledger.stations.submit import PROBE_TASK
from airledger.stations.takedown import retire_blocked
from airledger.stations.watch import BATCH, check_jobs, claim_due, find_due

if TYPE_CHECKING:  # av and numpy load only in processes that prove
    from airledger.stations.probing.check import Checker
    from airledger.stations.proof import Proof

CRAWL = "stations.crawl"
PLAN_CHECKS = "stations.plan_checks"
PROBE = PROBE_TASK
EXPIRE_ANNOUNCEMENTS = "stations.expire_announcements"
CLEANUP = "stations.cleanup"
TRY_HTTPS = "stations.try_https"
WAITING_BATCHES = 8
WRITTEN_AT_ONCE = 32
WRITTEN_WITHIN_S = 1.0
HOUR_S = 3_600
CRAWL_AGAIN_S = 5


@dataclass(frozen=True)
class Deps:
    """What the tasks of this room need.

    Attributes:
        checker: Makes a checker for one batch; asked only by the task that proves.
        registry: Where follow-up tasks are enqueued.
        counts: Counters of this process.
    """

    database: Database
    settings: Settings
    clock: Clock
    fetcher: Fetcher
    checker: Callable[[], "Checker"]
    registry: Registry
    counts: Counts


def declare(registry: Registry, deps: Deps) -> None:
    """Make the tasks known."""
    door = PoliteDoor(deps.fetcher)  # one for all crawls of this process: hosts are asked by it in turn

    def crawl_source(context: Context, source: str, attempt: int = 0) -> Result:
        return _crawl(deps, door, context, source, attempt)

    def plan_checks(context: Context) -> Result:
        del context
        return {"streams": plan(deps)}

    def probe_batch(context: Context, stream_ids: list[int], planned_at: str | None = None) -> Result:
        return _probe(deps, context, stream_ids, planned_at)

    def clean_up(context: Context) -> Result:
        return _clean_up(deps, context)

    def expire_announcements(context: Context) -> Result:
        del context
        with deps.database.unit() as unit:
            return {"ended": expire(unit, deps.clock.now())}

    registry.declare(CRAWL, "default", crawl_source)
    registry.declare(EXPIRE_ANNOUNCEMENTS, "default", expire_announcements)
    registry.declare(PLAN_CHECKS, "default", plan_checks)
    registry.declare(PROBE, "probe", probe_batch, max_attempts=5)

    def try_https(context: Context) -> Result:
        return _try_https(deps, context)

    registry.declare(CLEANUP, "default", clean_up)
    registry.declare(TRY_HTTPS, "probe", try_https)


def plan(deps: Deps) -> int:
    """Enqueue batches of streams that are due, as long as few are waiting; return how many streams."""
    now = deps.clock.now()
    with deps.database.read() as session:
        waiting = session.scalar(
            select(func.count()).where(TaskRow.name == PROBE, TaskRow.status == PENDING, TaskRow.priority == 0)
        )
        room = WAITING_BATCHES - (waiting or 0)
        due = find_due(session, now, limit=room * BATCH, deep_every_s=_deep_every_s(deps)) if room > 0 else []
    if not due:
        return 0
    with deps.database.unit() as unit:
        batches = claim_due(unit, due, now, deep_every_s=_deep_every_s(deps))
        for batch in batches:
            deps.registry.enqueue(
                unit.session,
                PROBE,
                {"stream_ids": batch.stream_ids, "planned_at": now.isoformat()},
                now=now,
                unique_key=f"probe:{batch.stream_ids[0]}-{batch.stream_ids[-1]}:{now.timestamp()}",
            )
    return sum(len(batch.stream_ids) for batch in batches)


def _crawl(deps: Deps, door: PoliteDoor, context: Context, source: str, attempt: int) -> Result:
    from airledger.stations.crawl import crawl

    known = {each.name: each for each in deps.settings.sources}
    if source not in known:
        raise NotFoundError(f"airledger.toml names no source {source!r} any more")
    found = known[source]
    report = crawl(
        deps.database,
        deps.clock,
        deps.fetcher,
        CrawlTarget.of_source(found, deps.settings.data),
        check_frequency_s=round(deps.settings.health_check_hours * HOUR_S),
        stopping=context.stopping,
        door=door,
    )
    if context.stopping():
        raise HandedBackError
    deps.counts.add("crawls")
    if report.error is not None and not report.found:
        _crawl_again(deps, source, attempt, found.every_hours)
    plan(deps)
    return report.to_json()


def _crawl_again(deps: Deps, source: str, attempt: int, every_hours: float) -> None:
    """Try a directory that gave nothing again soon, at growing distance, until its schedule comes round anyway."""
    wait_s = CRAWL_AGAIN_S * 2**attempt
    if wait_s > every_hours * HOUR_S:
        return
    now = deps.clock.now()
    with deps.database.unit() as unit:
        deps.registry.enqueue(
            unit.session,
            CRAWL,
            {"source": source, "attempt": attempt + 1},
            now=now,
            run_at=now + timedelta(seconds=wait_s),
            unique_key=f"crawl-again:{source}:{attempt}",
        )


def _probe(deps: Deps, context: Context, stream_ids: list[int], planned_at: str | None) -> Result:
    """Check some streams at the same time, writing down what was found some at a time."""
    settings, now = deps.settings, deps.clock.now()
    since = datetime.fromisoformat(planned_at) if planned_at else None
    with deps.database.read() as session:
        jobs = check_jobs(
            session,
            stream_ids,
            seconds=settings.probe_seconds,
            now=now,
            deep_every_s=_deep_every_s(deps),
            not_since=since,
        )
    if not jobs:
        return {"proven": 0, "healthy": 0}
    book = _Book(deps, total=len(jobs), progress=context.progress)
    with deps.checker() as checker:
        for stream_id, proof in checker.check_all(jobs, now, context.stopping):
            book.note(stream_id, proof)
    book.write()
    if book.written < len(jobs):
        raise HandedBackError
    return {"proven": book.written, "healthy": book.healthy}


def _deep_every_s(deps: Deps) -> float:
    return deps.settings.verification_hours * HOUR_S


@dataclass
class _Book:
    """Gathers proofs and writes them some at a time: one unit for each would cost more than the proof."""

    deps: Deps
    total: int
    progress: Callable[[float], None]
    written: int = 0
    healthy: int = 0
    _waiting: "list[tuple[int, Proof]]" = field(default_factory=list)
    _since_s: float = 0.0

    def note(self, stream_id: int, proof: "Proof") -> None:
        """Take one; write when there are many, or the first has waited for a second."""
        if not self._waiting:
            self._since_s = time.monotonic()
        self._waiting.append((stream_id, proof))
        if len(self._waiting) >= WRITTEN_AT_ONCE or time.monotonic() - self._since_s > WRITTEN_WITHIN_S:
            self.write()

    def write(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        settings = self.deps.settings
        pace = Pace(settings.health_check_hours * HOUR_S, settings.verification_hours * HOUR_S)
        now = self.deps.clock.now()
        with self.deps.database.unit() as unit:
            views = views_of(unit.session, [stream_id for stream_id, proof in self._waiting if not proof.is_healthy])
            proofs = [(stream_id, fenced(proof, views.get(stream_id, ()), now)) for stream_id, proof in self._waiting]
            record_proofs(unit, proofs, now=now, pace=pace)
        for _, proof in self._waiting:
            self.healthy += proof.is_healthy
            self.deps.counts.add("probes")
            self.deps.counts.add(f"probes_{proof.cause.value if proof.cause else 'healthy'}")
        self.written += len(self._waiting)
        self._waiting = []
        self.progress(self.written / self.total)


def _try_https(deps: Deps, context: Context) -> Result:
    """Look for the https addresses of some streams that are listed by http only."""
    from airledger.stations.probing.https_twin import find_twins, find_untried, record_twin

    with deps.database.read() as session:
        streams = find_untried(session, deps.clock.now())
    found = 0
    if streams:
        with deps.checker() as checker:
            for stream_id, url in find_twins(streams, checker.knocker, checker.tuner, stopping=context.stopping):
                with deps.database.unit() as unit:
                    record_twin(unit, stream_id, url, deps.clock.now())
                found += url is not None
    return {"tried": len(streams), "found": found}


def _clean_up(deps: Deps, context: Context) -> Result:
    return {
        "retired": _in_chunks(deps, context, lambda unit: retire_dead(unit, deps.clock.now())),
        "blocked": _in_chunks(deps, context, lambda unit: retire_blocked(unit, CLEANER, deps.clock.now(), CHUNK)),
    }


def _in_chunks(deps: Deps, context: Context, retire_some: Callable[[Unit], int]) -> int:
    """Retire chunk after chunk, each in a unit of its own."""
    retired = 0
    while not context.stopping():
        with deps.database.unit() as unit:
            some = retire_some(unit)
        retired += some
        if some < CHUNK:
            break
    return retired
