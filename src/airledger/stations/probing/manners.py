"""How one process treats the hosts it asks: few connections at once, not too many in a row, and rests as asked for.

Kept from batch to batch. Other processes learn of a rest from the catalogue: whoever writes down a proof that carries
`retry_after_s` moves all streams of the host behind it (`record.py`).
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from airledger.platform.first_bytes import Ask
from airledger.stations.proof_job import is_loopback

AT_ONCE = 4
APART_S = 0.25
BUSY_S = 0.25
REMEMBERED_HOSTS = 50_000
KEEP_REACHED_S = 600.0
NEVER = float("-inf")


@dataclass(slots=True)
class _Host:
    running: int = 0
    free_at: float = NEVER
    rests_until: float = NEVER
    reached_at: float = NEVER


class Manners:
    """What is known of hosts, and whether they may be asked now. Thread-safe: all probes of a process share it."""

    def __init__(
        self, at_once: int = AT_ONCE, apart_s: float = APART_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            at_once: Connections to one host at the same time.
            apart_s: Between two beginnings at one host.
            now: Seconds of a clock that never goes back.
        """
        self._at_once = at_once
        self._apart_s = apart_s
        self.now = now
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def rest(self, host: str, seconds: float) -> None:
        """Leave a host alone for a while."""
        with self._lock:
            known = self._host(host)
            known.rests_until = max(known.rests_until, self.now() + seconds)

    def rests(self, host: str) -> bool:
        """Tell whether a host is to be left alone."""
        return self.rest_s(host) > 0

    def rest_s(self, host: str) -> float:
        """Return for how long a host is still to be left alone."""
        known = self._hosts.get(host)
        return max(known.rests_until - self.now(), 0.0) if known is not None else 0.0

    def begin(self, host: str) -> float | None:
        """Begin a request, if the host may be asked now.

        Returns:
            0 where the request may go; else how long to wait before asking again; None while too many are under way.
        """
        with self._lock:
            known = self._host(host)
            if known.running >= self._at_once:
                return None
            wait_s = known.free_at - self.now()
            if wait_s > 0:
                return wait_s
            known.running += 1
            known.free_at = self.now() + self._apart_s
            return 0.0

    def ended(self, host: str) -> None:
        """Note that a request is over."""
        with self._lock:
            self._host(host).running -= 1

    def reached(self, host: str) -> None:
        """Note that a host was reached: as long as some are, our network works."""
        with self._lock:
            self._host(host).reached_at = self.now()

    def reached_hosts(self, within_s: float) -> set[str]:
        """Return the hosts that were reached of late."""
        since = self.now() - within_s
        with self._lock:
            return {name for name, host in self._hosts.items() if host.reached_at >= since}

    def _host(self, host: str) -> _Host:
        known = self._hosts.get(host)
        if known is None:
            if len(self._hosts) >= REMEMBERED_HOSTS:
                self._forget()
            known = self._hosts[host] = _Host()
        return known

    def _forget(self) -> None:
        now = self.now()
        self._hosts = {
            name: host
            for name, host in self._hosts.items()
            if host.running or host.rests_until > now or host.free_at > now or host.reached_at > now - KEEP_REACHED_S
        }


class HostQueue:
    """Addresses that wait, let go one by one as their hosts allow. Those of hosts that rest are dropped."""

    def __init__(self, asks: Iterable[tuple[Ask, str]], manners: Manners) -> None:
        self._manners = manners
        self._waiting: dict[str, deque[Ask]] = {}
        self._host_of: dict[int, str] = {}
        for ask, host in asks:
            self._waiting.setdefault(host, deque()).append(ask)
            self._host_of[ask.key] = host
        self._ours = {host for host in self._waiting if is_loopback(host)}
        self._ready = deque(self._waiting)  # hosts that may perhaps be asked now
        self._queued = set(self._waiting)  # those that are in `_ready` or `_later`, each once
        self._later: list[tuple[float, str]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits any more."""
        return not self._waiting

    def take(self) -> Ask | None:
        """Give an address whose host may be asked now, host by host in turn."""
        while self._later and self._later[0][0] <= self._manners.now():
            self._ready.append(heapq.heappop(self._later)[1])
        while self._ready:
            host = self._ready.popleft()
            self._queued.discard(host)
            if self._manners.rests(host):
                del self._waiting[host]
            elif host in self._ours or self._may_ask(host):
                return self._taken(host)
        return None

    def done(self, ask: Ask) -> None:
        """Note that an address has been asked, so that its host has room for the next."""
        host = self._host_of.pop(ask.key)
        if host not in self._ours:
            self._manners.ended(host)
            self._queue(host)

    def _queue(self, host: str) -> None:
        if host in self._waiting and host not in self._queued:
            self._queued.add(host)
            self._ready.append(host)

    def _may_ask(self, host: str) -> bool:
        wait_s = self._manners.begin(host)
        if wait_s == 0:
            return True
        # Too many may be under way in another thread, too, which cannot call `done` here: look again soon.
        self._queued.add(host)
        heapq.heappush(self._later, (self._manners.now() + (BUSY_S if wait_s is None else wait_s), host))
        return False

    def _taken(self, host: str) -> Ask:
        waiting = self._waiting[host]
        ask = waiting.popleft()
        if waiting:
            self._queue(host)
        else:
            del self._waiting[host]
        return ask
