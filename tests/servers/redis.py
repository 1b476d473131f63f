"""A private Redis: one server per test worker, emptied before every test."""

import secrets

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from servers.debian import binary
from servers.process import HOST, LocalServer, unprivileged_user


class RedisServer(LocalServer):
    """Redis without persistence: after `kill` and `start` every message is lost, the worst that a broker can do."""

    def __init__(self) -> None:
        """Find or fetch the program; nothing runs yet."""
        self._redis = binary("redis-server", "redis-server")
        # A stranger's Redis on the same port must not pass for ours.
        self._password = secrets.token_hex(8)
        super().__init__("redis", unprivileged_user("redis"))

    @property
    def url(self) -> str:
        """The server's address, database 0."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def command(self) -> list[str]:
        """Return the command line."""
        settings = {
            "--bind": HOST,
            "--port": str(self.port),
            "--requirepass": self._password,
            "--dir": str(self.folder),
            "--save": "",
            "--appendonly": "no",
            "--maxmemory": "256mb",
            "--maxmemory-policy": "noeviction",
        }
        return [str(self._redis), *(part for pair in settings.items() for part in pair)]

    def answers(self) -> bool:
        """Tell whether it answers a ping."""
        # The client's own retries would hide a dead server for seconds.
        with Redis.from_url(self.url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def empty(self) -> None:
        """Remove every key of every database."""
        with Redis.from_url(self.url, socket_timeout=10) as client:
            client.flushall()
