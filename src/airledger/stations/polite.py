"""Asking directories politely: no faster than each host bears, and only for what its robots.txt leaves open."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from airledger.platform.errors import InputError, LimitError
from airledger.platform.fetch import FIRST_ERROR_STATUS, Fetched, Fetcher
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.stations.discovery import servers_by_srv
from airledger.stations.sources.base import Ask

ROBOTS_BYTES = 512 * 1024  # RFC 9309, 2.5: at least 500 KiB must be read
ROBOTS_KEPT_S = 24 * 3_600  # RFC 9309, 2.4: no longer than a day
ROBOTS_TIMEOUT_S = 20
MAX_HOSTS = 1_000
MAX_DISTANCE_S = 60.0
FETCH_TIMEOUT_S = 120
FORM_ANSWER_BYTES = 16 * 1024 * 1024
WAIT_STEP_S = 0.5

Sink = Callable[[bytes], object]


class RobotsError(InputError):
    """The host's robots.txt closes this address to programs like ours."""

    code = "robots_disallow"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a source wants to be asked.

    Attributes:
        distance_s: Least seconds between two requests to one host; robots.txt's crawl delay may make it more.
        obeys_robots: Whether robots.txt is asked first.
        stopping: Asked while we wait; True ends the wait.
    """

    distance_s: float = 1.0
    obeys_robots: bool = True
    stopping: Callable[[], bool] = lambda: False


class PoliteDoor:
    """Fetches from directories. One per process, so that all crawls of it share what a host was asked and when."""

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        tick: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        discover: Callable[[str], list[str]] = servers_by_srv,
    ) -> None:
        self.discover = discover
        self._fetcher = fetcher
        self._tick = tick
        self._wait = wait
        self._lock = threading.Lock()
        self._next_at: OrderedDict[str, float] = OrderedDict()
        self._robots: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    def get(
        self,
        url: str,
        manners: Manners,
        sink: Sink,
        *,
        max_bytes: int,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> Fetched:
        """GET an address of a directory.

        Raises:
            RobotsError: robots.txt says no.
            FetchError: It cannot be fetched.
            LimitError: We were told to stop while waiting for the host's turn.
        """
        self._take_turn(url, manners)
        return self._fetcher.get(
            url, max_bytes=max_bytes, timeout_s=FETCH_TIMEOUT_S, etag=etag, last_modified=last_modified, sink=sink
        )

    def post(self, ask: Ask, manners: Manners, sink: Sink) -> None:
        """POST a form to a directory; its answer goes to the sink.

        Raises:
            RobotsError: robots.txt says no.
            FetchError: There was no answer, or an error's.
            LimitError: The answer is larger than 16 MiB, or we were told to stop while waiting.
        """
        self._take_turn(ask.url, manners)
        answer = self._fetcher.post(
            ask.url,
            urlencode(dict(ask.form or {})).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
            timeout_s=FETCH_TIMEOUT_S,
            excerpt_bytes=FORM_ANSWER_BYTES,
        )
        if answer.status >= FIRST_ERROR_STATUS or answer.status < 200:  # noqa: PLR2004  informational ones end nothing
            message = f"The server answered with status {answer.status}."
            raise FetchError(message, cause=FetchCause.HTTP_STATUS, http_status=answer.status)
        if len(answer.body) >= FORM_ANSWER_BYTES:
            raise LimitError(f"The answer is larger than {FORM_ANSWER_BYTES // 2**20} MiB.")
        sink(answer.body)

    def _take_turn(self, url: str, manners: Manners) -> None:
        distance_s = manners.distance_s
        if manners.obeys_robots:
            rules = self._rules(url)
            if not rules.can_fetch(url, self._fetcher.user_agent):
                raise RobotsError(f"The robots.txt of {urlsplit(url).hostname} closes this address to programs.")
            distance_s = max(distance_s, min(float(rules.crawl_delay(self._fetcher.user_agent) or 0), MAX_DISTANCE_S))
        self._sleep_until(self._reserve(urlsplit(url).netloc.lower(), distance_s), manners)

    def _reserve(self, host: str, distance_s: float) -> float:
        """Take the host's next free moment, so that crawls at the same time queue up."""
        with self._lock:
            at = max(self._tick(), self._next_at.pop(host, 0.0))
            self._next_at[host] = at + distance_s
            while len(self._next_at) > MAX_HOSTS:
                self._next_at.popitem(last=False)
            return at

    def _sleep_until(self, at: float, manners: Manners) -> None:
        while (left_s := at - self._tick()) > 0:
            if manners.stopping():
                raise LimitError("The crawl was stopped while it waited for its turn.")
            self._wait(min(left_s, WAIT_STEP_S))

    def _rules(self, url: str) -> Any:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}".lower()
        with self._lock:
            known = self._robots.get(site)
        if known is not None and known[0] > self._tick():
            return known[1]
        rules = self._ask_robots(site)
        with self._lock:
            self._robots[site] = (self._tick() + ROBOTS_KEPT_S, rules)
            while len(self._robots) > MAX_HOSTS:
                self._robots.popitem(last=False)
        return rules

    def _ask_robots(self, site: str) -> Any:
        """Read robots.txt by RFC 9309, 2.3.1: 4xx means that all is open, no answer that nothing is."""
        from protego import Protego

        try:
            answer = self._fetcher.get(f"{site}/robots.txt", max_bytes=ROBOTS_BYTES, timeout_s=ROBOTS_TIMEOUT_S)
        except FetchError as error:
            if error.cause is FetchCause.TOO_LARGE or 400 <= (error.http_status or 0) < 500:  # noqa: PLR2004  RFC
                return Protego.parse("")
            raise
        return Protego.parse(answer.body.decode("utf-8", "replace"))
