"""The reader behind the live events: nothing lost, nothing twice, whoever is slow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from airledger.api.hub import CLIENTS_PER_CALLER, QUEUE, Audience, EventHub
from airledger.api.threads import Threads
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.errors import TooManyRequestsError, UnavailableError
from airledger.platform.events import Dispatcher, Told, publish
from airledger.platform.migrate import upgrade
from airledger.stations.events import StreamStateChanged

PATIENCE_S = 120


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = Database(f"sqlite:///{tmp_path}/hub.db")
    upgrade(found)
    return found


def tell(database: Database, numbers: range) -> None:
    clock = SystemClock()
    with database.unit() as unit:
        for number in numbers:
            event = StreamStateChanged(stream_id=number, from_state="unproven", to_state="playing", cause=None)
            publish(unit, event, at=clock.now())
    while Dispatcher(database, clock, "test").turn():
        pass


def on_loop(database: Database, scene: Callable[[EventHub], Awaitable[None]]) -> None:
    async def run() -> None:
        hub = EventHub(Threads(database))
        reading = asyncio.create_task(hub.run())
        try:
            await asyncio.wait_for(scene(hub), PATIENCE_S)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    asyncio.run(run())


async def take(events: AsyncIterator[Told | None], count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        event = await anext(events)
        if event is not None:
            found.append(event.payload["stream_id"])
    return found


def test_a_client_that_falls_behind_goes_back_to_the_table_and_misses_nothing(database: Database) -> None:
    many = QUEUE + 700

    async def scene(hub: EventHub) -> None:
        slow, fast = (hub.follow(hub.open(Audience(), name), None) for name in ("slow", "fast"))
        assert await anext(slow) is None
        assert await anext(fast) is None
        await asyncio.to_thread(tell, database, range(1))
        assert await take(slow, 1) == [0]
        assert await take(fast, 1) == [0]
        await asyncio.to_thread(tell, database, range(1, many))
        assert await take(fast, many - 1) == list(range(1, many))
        assert await take(slow, many - 1) == list(range(1, many))
        await asyncio.to_thread(tell, database, range(many, many + 3))
        assert await take(slow, 3) == list(range(many, many + 3))

    on_loop(database, scene)


def test_clients_that_come_during_a_storm_get_each_event_once(database: Database) -> None:
    async def scene(hub: EventHub) -> None:
        def rage() -> None:
            for number in range(60):
                tell(database, range(number, number + 1))

        storm = asyncio.create_task(asyncio.to_thread(rage))
        lines = [hub.follow(hub.open(Audience(), f"caller {n}"), 0) for n in range(20)]
        heard = await asyncio.gather(*(take(line, 60) for line in lines))
        await storm
        assert all(found == list(range(60)) for found in heard)

    on_loop(database, scene)


def test_nobody_opens_more_than_their_share(database: Database) -> None:
    async def scene(hub: EventHub) -> None:
        lines = [hub.open(Audience(), "one") for _ in range(CLIENTS_PER_CALLER)]
        with pytest.raises(TooManyRequestsError):
            hub.open(Audience(), "one")
        hub.open(Audience(), "another")
        hub.hang_up(lines[0])
        hub.open(Audience(), "one")

    on_loop(database, scene)


def test_at_the_end_everybody_is_told_and_nobody_comes_in(database: Database) -> None:
    async def scene(hub: EventHub) -> None:
        events = hub.follow(hub.open(Audience(), "one"), None)
        assert await anext(events) is None
        waiting = asyncio.create_task(anext(events, "over"))
        await asyncio.sleep(0)
        hub.end_all()
        assert await waiting == "over"
        with pytest.raises(UnavailableError):
            hub.open(Audience(), "two")

    on_loop(database, scene)
