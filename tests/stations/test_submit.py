import pytest
from sqlalchemy import select

from airledger.platform.audit import SYSTEM, AuditEntry
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import ConflictError, NotFoundError
from airledger.platform.tasks.registry import Registry
from airledger.platform.tasks.rows import TaskRow
from airledger.stations.models import RETIRED, UNPROVEN, Listing, Stream
from airledger.stations.submit import OPTED_OUT, PROBE_TASK, Submitted, request_probe, retire, submit
from airledger.stations.urls import UrlRefusedError


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.declare(PROBE_TASK, "probe", lambda *_: None)
    return registry


def hand_in(database: Database, registry: Registry, clock: SteppedClock, url: str) -> Submitted:
    with database.unit() as unit:
        return submit(unit, registry, url, SYSTEM, now=clock.now(), name="Mine")


def test_a_submitted_stream_is_listed_logged_and_proven_next(
    either_database: Database, registry: Registry, clock: SteppedClock
) -> None:
    done = hand_in(either_database, registry, clock, "HTTP://Mine.example:80/live")
    assert done.is_new
    assert hand_in(either_database, registry, clock, "http://mine.example/live") == Submitted(done.stream_id, False)
    with either_database.read() as session:
        stream = session.get_one(Stream, done.stream_id)
        assert (stream.url, stream.name, stream.state) == ("http://mine.example/live", "Mine", UNPROVEN)
        assert session.scalars(select(Listing.source)).all() == ["user"]
        task = session.scalars(select(TaskRow)).one()  # the second wish found the first one waiting
        assert (task.name, task.args["stream_ids"]) == (PROBE_TASK, [done.stream_id])
        assert task.priority > 0
        assert session.scalars(select(AuditEntry.action)).all() == ["submitted", "submitted"]


def test_wrong_addresses_and_unknown_streams_are_told(
    database: Database, registry: Registry, clock: SteppedClock
) -> None:
    with pytest.raises(UrlRefusedError):
        hand_in(database, registry, clock, "rtmp://x.example/")
    with database.unit() as unit, pytest.raises(NotFoundError):
        request_probe(unit, registry, 99, now=clock.now())
    with database.unit() as unit, pytest.raises(NotFoundError):
        retire(unit, 99, SYSTEM, now=clock.now())


def test_retiring_is_logged_and_can_be_taken_back_by_submitting(
    database: Database, registry: Registry, clock: SteppedClock
) -> None:
    stream_id = hand_in(database, registry, clock, "http://mine.example/").stream_id
    with database.unit() as unit:
        retire(unit, stream_id, SYSTEM, now=clock.now())
        retire(unit, stream_id, SYSTEM, now=clock.now())
    with database.read() as session:
        stream = session.get_one(Stream, stream_id)
        assert (stream.state, stream.is_active, stream.retired_reason) == (RETIRED, False, "by_request")
        assert session.scalars(select(AuditEntry.action)).all() == ["submitted", "retired"]
    hand_in(database, registry, clock, "http://mine.example/")
    with database.read() as session:
        again = session.get_one(Stream, stream_id)
        assert (again.state, again.is_active, again.retired_reason) == (UNPROVEN, True, None)


def test_who_opted_out_stays_out(database: Database, registry: Registry, clock: SteppedClock) -> None:
    stream_id = hand_in(database, registry, clock, "http://mine.example/").stream_id
    with database.unit() as unit:
        retire(unit, stream_id, SYSTEM, now=clock.now(), reason=OPTED_OUT)
    with pytest.raises(ConflictError):
        hand_in(database, registry, clock, "http://mine.example/")
