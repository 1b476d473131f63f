"""Feeding a Redis stream from the events table, for consumers that want to be woken.

The table stays the truth: the feed follows a cursor. An entry's id is its event's position, and Redis refuses an id
that is not above the last one, so feeding an event twice has no effect.
"""

import json

import redis

from airledger.platform.db import Database
from airledger.platform.errors import ConfigurationError, UnavailableError
from airledger.platform.events import Told, events_after
from airledger.platform.logging import logger

STREAM = "airledger:events"
KEPT = 100_000
TIMEOUT_S = 5
TOO_SMALL = "ID specified in XADD is equal or smaller"

log = logger(__name__)


class RedisFeed:
    """Adds events to the Redis stream `airledger:events`, fields `type`, `at`, `organisation_id`, `payload` (JSON)."""

    def __init__(self, url: str, database: Database) -> None:
        if not url.startswith(("redis://", "rediss://")):
            raise ConfigurationError(f"events_url {url!r} must begin with redis:// (or be empty)")
        self._redis = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._database = database
        self._position: int | None = None

    def turn(self) -> int:
        """Feed what is new; return how many.

        Raises:
            UnavailableError: Redis or the database is away; the next turn goes on where this one stopped.
        """
        try:
            if self._position is None:
                self._position = self._last_fed()
            with self._database.read() as session:
                fresh = events_after(session, self._position)
            for event in fresh:
                self._add(event)
                self._position = event.position
        except redis.RedisError as error:
            self._position = None  # another Redis, or one that lost its data, may answer next
            raise UnavailableError(f"the events feed cannot reach Redis: {error}") from error
        return len(fresh)

    def _last_fed(self) -> int:
        last = self._redis.xrevrange(STREAM, count=1)
        return int(bytes(last[0][0]).split(b"-")[0]) if last else 0  # type: ignore[arg-type]

    def _add(self, event: Told) -> None:
        fields: dict[str, str] = {
            "type": event.type,
            "at": event.at.isoformat(),
            "organisation_id": str(event.organisation_id or ""),
            "payload": json.dumps(event.payload),
        }
        try:
            self._redis.xadd(STREAM, fields, id=f"{event.position}-0", maxlen=KEPT, approximate=True)  # type: ignore[arg-type]
        except redis.ResponseError as error:
            if TOO_SMALL not in str(error):
                raise
