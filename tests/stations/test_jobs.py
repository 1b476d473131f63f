from collections.abc import Iterator, Mapping
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import select

from airledger.audio.sniff import Kind, Sniffed
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import NotFoundError
from airledger.platform.fetch import Fetcher
from airledger.platform.first_bytes import Ask, FirstBytes
from airledger.platform.guard import AddressGuard
from airledger.platform.presence import Counts
from airledger.platform.settings import Settings, Source
from airledger.platform.tasks.registry import Context, Registry
from airledger.platform.tasks.rows import TaskRow
from airledger.platform.tasks.run import HandedBackError
from airledger.stations import jobs
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, PLAYING, Crawl, Stream
from airledger.stations.probing.check import Checker
from airledger.stations.probing.first_frames import FramesDecoder
from airledger.stations.probing.knock import Knock
from airledger.stations.probing.manners import Manners
from airledger.stations.proof_job import ProofJob
from airledger.stations.tuner import Listening, TuneEnded
from airledger.stations.watch import BATCH
from stations.rows import add_stream

HLS = Sniffed(Kind.MEDIA, "hls")


class Offline:
    """A knocker without a network: whatever it is asked comes to listening."""

    manners = Manners()

    def knock(self, jobs: list[ProofJob], **_how: Any) -> Iterator[Knock]:
        for job in jobs:
            yield Knock(job, FirstBytes(Ask(job.id, job.url), None, b"", None, job.url, "", 0.0), HLS, level=1)

    def close(self) -> None:
        pass


class DeadAir:
    """A tuner that finds nothing anywhere."""

    def tune(self, url: str, listener: Listening, *, headers: Mapping[str, str] | None = None) -> "DeadAir":
        del url, headers
        listener.ended(TuneEnded(Cause.NOT_FOUND, True, "The server answered with status 404.", 404))
        return self

    def close(self) -> None:
        pass


@pytest.fixture
def deps(database: Database, clock: SteppedClock) -> jobs.Deps:
    registry = Registry()
    deps = jobs.Deps(
        database=database,
        settings=Settings(sources=(Source(name="dead", type="m3u", url="http://127.0.0.1:1/x.m3u"),)),
        clock=clock,
        fetcher=Fetcher(AddressGuard(), "test"),
        checker=lambda: Checker(cast("Any", Offline()), FramesDecoder(), DeadAir),
        registry=registry,
        counts=Counts(),
    )
    jobs.declare(registry, deps)
    return deps


def run(deps: jobs.Deps, name: str, *, stopping: bool = False, **arguments: Any) -> Any:
    context = Context(uuid4(), 1, lambda _: None, lambda: stopping)
    return deps.registry.get(name).call(context, **arguments)


def waiting(deps: jobs.Deps) -> list[TaskRow]:
    with deps.database.read() as session:
        return list(session.scalars(select(TaskRow).order_by(TaskRow.created_at)))


def test_due_streams_become_batches_that_are_proven(deps: jobs.Deps, clock: SteppedClock) -> None:
    ids = [add_stream(deps.database, clock, f"http://h{n}.example/") for n in range(40)]
    assert run(deps, jobs.PLAN_CHECKS) == {"streams": 40}
    assert run(deps, jobs.PLAN_CHECKS) == {"streams": 0}
    tasks = waiting(deps)
    assert sorted(one for task in tasks for one in task.args["stream_ids"]) == ids
    clock.step(1)
    for task in tasks:
        assert run(deps, task.name, **task.args)["healthy"] == 0
        assert run(deps, task.name, **task.args)["proven"] == 0  # sent twice, done once
    with deps.database.read() as session:
        assert set(session.scalars(select(Stream.state))) == {FAILING}
        assert set(session.scalars(select(Stream.checks))) == {1}
    assert deps.counts.snapshot()["counts"]["probes_not_found"] == 40


def test_planning_waits_while_much_is_waiting(deps: jobs.Deps, clock: SteppedClock) -> None:
    for n in range(BATCH * jobs.WAITING_BATCHES + 20):
        add_stream(deps.database, clock, f"http://h{n}.example/", state=PLAYING)
    assert run(deps, jobs.PLAN_CHECKS)["streams"] == BATCH * jobs.WAITING_BATCHES
    assert run(deps, jobs.PLAN_CHECKS)["streams"] == 0


def test_a_stopping_worker_hands_its_batch_back(deps: jobs.Deps, clock: SteppedClock) -> None:
    stream_id = add_stream(deps.database, clock)
    with pytest.raises(HandedBackError):
        run(deps, jobs.PROBE, stopping=True, stream_ids=[stream_id])


def test_a_source_without_a_network_is_told_and_forgotten(deps: jobs.Deps) -> None:
    report = run(deps, jobs.CRAWL, source="dead")
    assert report["error"]
    with deps.database.read() as session:
        assert session.scalars(select(Crawl)).one().error == report["error"]
    with pytest.raises(NotFoundError):
        run(deps, jobs.CRAWL, source="gone from the settings")


def test_a_crawl_has_its_streams_proven_without_waiting(deps: jobs.Deps, clock: SteppedClock) -> None:
    add_stream(deps.database, clock)
    run(deps, jobs.CRAWL, source="dead")
    assert jobs.PROBE in [task.name for task in waiting(deps)]


def test_a_directory_that_is_away_is_asked_again_ever_later(deps: jobs.Deps, clock: SteppedClock) -> None:
    waits_s = []
    for attempt in range(20):
        run(deps, jobs.CRAWL, source="dead", attempt=attempt)
        again = [task for task in waiting(deps) if task.args.get("attempt") == attempt + 1]
        waits_s += [(task.run_at - clock.now()).total_seconds() for task in again]
    assert waits_s == sorted(set(waits_s))
    assert waits_s[0] < 10
    assert waits_s[-1] < 6 * 3_600  # then its own schedule comes round


def test_cleaning_up_an_empty_catalogue(deps: jobs.Deps) -> None:
    assert run(deps, jobs.CLEANUP) == {"retired": 0, "blocked": 0}
