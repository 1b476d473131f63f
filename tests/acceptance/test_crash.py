"""`kill -9` of anything, under load: nothing committed is lost or doubled, hearing is back within 30 s."""

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from acceptance.installation import Installation, doubled, with_songs
from airledger.platform.tasks.queue import LEASE_S
from airledger.platform.tasks.rows import RUNNING, ScheduleRun, TaskRow
from servers.postgres import PostgresServer
from servers.process import wait_until
from servers.redis import RedisServer

pytestmark = pytest.mark.acceptance
CACHE = Path(os.environ.get("AIRLEDGER_SONGS_CACHE", tempfile.gettempdir())) / "airledger-demo-songs"
BACK_S = 30


@pytest.fixture(scope="module", params=["embedded", "grown"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = with_songs(tmp_path_factory.mktemp("crash"), CACHE)
    if request.param == "embedded":
        house = Installation(folder)
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        redis: RedisServer = request.getfixturevalue("redis_server")
        house = Installation(folder, postgres.url(postgres.create_database()), redis.url)
    house.up()
    try:
        house.wait_for_plays(5)
        yield house
    finally:
        house.stop()


def finished(house: Installation) -> dict[UUID, tuple[object, ...]]:
    """The plays that are final now: nothing may ever change or drop them."""
    return {
        one.id: (one.started_at, one.ended_at, one.recording_id) for one in house.plays() if one.status == "finished"
    }


def nothing_is_lost_or_doubled(house: Installation, before: dict[UUID, tuple[object, ...]]) -> None:
    after: dict[UUID, tuple[object, ...]] = {
        one.id: (one.started_at, one.ended_at, one.recording_id) for one in house.plays()
    }
    assert {identity: after.get(identity) for identity in before} == before
    assert doubled(house.plays()) == []


def hearing_goes_on(house: Installation, moment: datetime) -> None:
    """Wait until every stream that was heard at `moment` is heard again; each gap since is a row of at most 30 s."""
    streams = {one.stream_id for one in house.coverage("heard") if one.ended_at > moment - timedelta(seconds=15)}
    assert streams

    def heard_again() -> bool:
        fresh = {one.stream_id for one in house.coverage("heard") if one.ended_at > moment + timedelta(seconds=20)}
        return streams <= fresh

    wait_until(heard_again, "every stream is heard again", 90)
    gaps = [one for one in house.coverage("gap") if one.ended_at > moment]
    assert all((one.ended_at - one.started_at).total_seconds() <= BACK_S for one in gaps), [
        (one.stream_id, one.cause, (one.ended_at - one.started_at).total_seconds()) for one in gaps
    ]


def test_killing_the_worker_loses_no_task(house: Installation) -> None:
    before, moment = finished(house), datetime.now(UTC)
    house.kill("worker")
    wait_until(lambda: house.alive("worker", moment), "a new worker beats", 60)

    def no_task_hangs() -> bool:
        database = house.database
        with database.read() as session:
            hanging = session.scalar(
                select(func.count()).where(TaskRow.status == RUNNING, TaskRow.lease_until < datetime.now(UTC))
            )
            ran = session.scalar(select(func.max(ScheduleRun.due_at)))
        database.close()
        return hanging == 0 and ran is not None and ran > moment + timedelta(seconds=LEASE_S)

    wait_until(no_task_hangs, "tasks run again and none hangs", 3 * LEASE_S)
    nothing_is_lost_or_doubled(house, before)


def test_killing_the_listener_is_a_short_gap(house: Installation) -> None:
    before, moment = finished(house), datetime.now(UTC)
    house.kill("listener")
    hearing_goes_on(house, moment)
    assert any(one.cause == "listener_down" for one in house.coverage("gap") if one.ended_at > moment)
    nothing_is_lost_or_doubled(house, before)


def test_killing_everything_and_starting_again_continues(house: Installation) -> None:
    before, moment = finished(house), datetime.now(UTC)
    house.kill_everything()
    house.up()
    hearing_goes_on(house, moment)
    nothing_is_lost_or_doubled(house, before)


def test_killing_postgresql_loses_nothing_that_was_heard(house: Installation, request: pytest.FixtureRequest) -> None:
    if not house.database_url:
        return  # SQLite is no process that could be killed
    server: PostgresServer = request.getfixturevalue("postgres_server")
    before, moment = finished(house), datetime.now(UTC)
    server.kill()
    wait_until(lambda: datetime.now(UTC) > moment + timedelta(seconds=40), "forty seconds without a database", 60)
    server.start()
    hearing_goes_on(house, moment)
    lost = [one for one in house.coverage("gap") if one.ended_at > moment]
    assert lost == [], [(one.cause, one.started_at, one.ended_at) for one in lost]
    nothing_is_lost_or_doubled(house, before)


def test_killing_redis_delays_tasks_and_loses_none(house: Installation, request: pytest.FixtureRequest) -> None:
    if not house.broker_url:
        return  # there is no broker here
    server: RedisServer = request.getfixturevalue("redis_server")
    before, moment = finished(house), datetime.now(UTC)
    server.kill()
    wait_until(lambda: datetime.now(UTC) > moment + timedelta(seconds=20), "twenty seconds without a broker", 60)
    server.start()

    def tasks_run_again() -> bool:
        database = house.database
        with database.read() as session:
            done = session.scalar(
                select(func.count()).where(
                    TaskRow.finished_at > moment + timedelta(seconds=25), TaskRow.status == "done"
                )
            )
        database.close()
        return bool(done)

    wait_until(tasks_run_again, "tasks are done again", 120)
    nothing_is_lost_or_doubled(house, before)


def test_a_backup_made_while_running_restores_to_equal_totals(house: Installation, tmp_path: Path) -> None:
    archive, copy = tmp_path / "backup.tar.gz", Installation(tmp_path / "copy")
    copy.folder.mkdir()
    before = finished(house)
    house.run("backup", str(archive))
    copy.run("restore", str(archive))
    restored = finished(copy)
    assert {identity: restored.get(identity) for identity in before} == before
    assert copy.run("library", "list", "--json").count("\n") == house.run("library", "list", "--json").count("\n")
