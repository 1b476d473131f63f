import json
from pathlib import Path
from typing import ClassVar

import pytest
import redis

from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.errors import ConfigurationError, UnavailableError
from airledger.platform.event_feed import STREAM, RedisFeed
from airledger.platform.events import Dispatcher, Event, publish
from airledger.platform.migrate import upgrade
from servers.redis import RedisServer


class Noted(Event):
    name: ClassVar[str] = "test.noted"
    number: int


def test_every_event_is_fed_once_in_order_over_restarts_of_both(
    redis_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    database, clock = Database(f"sqlite:///{tmp_path}/a.db"), SystemClock()
    upgrade(database)
    dispatcher = Dispatcher(database, clock, "me")

    def tell(numbers: range) -> None:
        with database.unit() as unit:
            for number in numbers:
                publish(unit, Noted(number=number), at=clock.now())
        dispatcher.turn()

    tell(range(3))
    feed = RedisFeed(redis_url, database)
    assert feed.turn() == 3
    assert feed.turn() == 0
    tell(range(3, 5))
    redis_server.kill()
    with pytest.raises(UnavailableError):
        feed.turn()
    redis_server.start()
    feed.turn()
    RedisFeed(redis_url, database).turn()
    with redis.Redis.from_url(redis_url) as client:
        entries = client.xrange(STREAM)
    numbers = [json.loads(fields[b"payload"])["number"] for _, fields in entries]
    assert numbers == [0, 1, 2, 3, 4]
    assert [int(identity.split(b"-")[0]) for identity, _ in entries] == [1, 2, 3, 4, 5]
    database.close()


def test_only_redis_is_spoken(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(ConfigurationError, match="redis://"):
        RedisFeed("nats://somewhere", database)
    database.close()
