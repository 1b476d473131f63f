"""Thousands of short GETs at once on one thread: the answer's headers and its first bytes, then we hang up.

libcurl's multi interface with an epoll of our own; handles are set up once and used again. Everything that holds for
the guarded door (`curl_request.py`) holds here: the guard judges the address that is really dialled, only http and
https, no proxies, headers are bounded. Bodies are not decompressed, so there is no bomb to go off.
"""

import select
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pycurl

from airledger.platform.curl_request import (
    HEADER_LIMIT_BYTES,
    HEADERS_LIMIT,
    Dialler,
    Request,
    ResponseHead,
    checked_url,
    fetch_error,
    prepare,
    read_head,
)
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.guard import AddressGuard

TURN_S = 0.25
EVENTS_AT_ONCE = 1_024
STARTS_PER_TURN = 256


@dataclass(frozen=True, slots=True)
class Ask:
    """One address to ask.

    Attributes:
        key: The caller's own, given back.
        url: http or https.
        headers: Sent along, to every hop of a redirect.
        wanted_bytes: How much of the body is wanted; None for what the fetcher wants of all.
    """

    key: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    wanted_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class FirstBytes:
    """What came of an address.

    Attributes:
        ask: What was asked.
        head: The answer's head; None where there was none.
        body: The first bytes, at most as many as were wanted.
        error: Why it ended before the wanted bytes; a body that ends by itself is no error.
        url_effective: The address behind the redirects.
        remote_address: The IP address that was dialled; empty where none was.
        total_ms: From the request to the end.
    """

    ask: Ask
    head: ResponseHead | None
    body: bytes
    error: FetchError | None
    url_effective: str
    remote_address: str
    total_ms: float


class Asks(Protocol):
    """Where addresses come from, one by one, as somebody polite lets them go."""

    def take(self) -> Ask | None:
        """Give the next address that may be asked now; None when there is none now."""

    def done(self, ask: Ask) -> None:
        """An address has been asked."""

    @property
    def is_empty(self) -> bool:
        """Whether none will come any more."""


class FirstBytesFetcher:
    """Asks many addresses at once. Not thread-safe; close it."""

    def __init__(
        self,
        guard: AddressGuard,
        user_agent: str,
        *,
        at_once: int = 2_000,
        wanted_bytes: int = 16 * 1024,
        connect_timeout_s: float = 10.0,
        timeout_s: float = 15.0,
        headers: Mapping[str, str] | None = None,
        interface: str | None = None,
    ) -> None:
        """Prepare.

        Args:
            guard: Which addresses may be dialled.
            user_agent: What servers are told.
            at_once: Connections at the same time.
            wanted_bytes: How much of a body is read.
            connect_timeout_s: Until the connection stands.
            timeout_s: Of a whole exchange, so that a server that dribbles costs no more.
            headers: Sent to all.
            interface: Local address or network interface to dial from.
        """
        self._request = Request(
            url="http://localhost/",
            headers=headers or {},
            user_agent=user_agent,
            connect_timeout_s=connect_timeout_s,
            interface=interface,
        )
        self._guard = guard
        self._at_once = at_once
        self._wanted_bytes = wanted_bytes
        self._timeout_s = timeout_s
        self._free: list[_Slot] = []
        self._running: dict[Any, _Slot] = {}
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._timer_at: float | None = None
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def fetch(self, asks: Asks, stopping: Callable[[], bool] = lambda: False) -> Iterator[FirstBytes]:
        """Ask all addresses; give what came of each, in the order in which they are done.

        Args:
            asks: The addresses.
            stopping: True breaks off what is under way; nothing is given for it.
        """
        try:
            while (self._running or not asks.is_empty) and not stopping():
                yield from self._start(asks)
                self._turn()
                for slot, code, text in self._ended():
                    result = slot.result(code, text)
                    asks.done(slot.ask)
                    self._free.append(slot)
                    yield result
        finally:
            for curl, slot in self._running.items():
                self._multi.remove_handle(curl)
                asks.done(slot.ask)
                self._free.append(slot)
            self._running.clear()

    def close(self) -> None:
        """Free everything."""
        for slot in self._free:
            slot.curl.close()
        self._multi.close()
        self._epoll.close()

    def _start(self, asks: Asks) -> Iterator[FirstBytes]:
        for _ in range(STARTS_PER_TURN):
            if len(self._running) >= self._at_once or (ask := asks.take()) is None:
                return
            slot = self._free.pop() if self._free else self._new_slot()
            try:
                slot.begin(ask, ask.wanted_bytes or self._wanted_bytes)
            except FetchError as error:
                asks.done(ask)
                self._free.append(slot)
                yield FirstBytes(ask, None, b"", error, ask.url, "", 0.0)
                continue
            self._running[slot.curl] = slot
            self._multi.add_handle(slot.curl)

    def _new_slot(self) -> "_Slot":
        return _Slot(self._request, self._guard, self._timeout_s)

    def _turn(self) -> None:
        """Wait for something to happen, and let libcurl deal with it."""
        wait_s = TURN_S
        if self._timer_at is not None:
            wait_s = min(max(self._timer_at - time.monotonic(), 0.0), TURN_S)
        act = self._multi.socket_action
        for descriptor, mask in self._epoll.poll(wait_s, EVENTS_AT_ONCE):
            act(descriptor, _selected(mask))
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            act(pycurl.SOCKET_TIMEOUT, 0)

    def _ended(self) -> Iterator[tuple["_Slot", int, str]]:
        while True:
            waiting, well, badly = self._multi.info_read()
            for curl in well:
                self._multi.remove_handle(curl)
                yield self._running.pop(curl), 0, ""
            for curl, code, text in badly:
                self._multi.remove_handle(curl)
                yield self._running.pop(curl), code, text
            if not waiting:
                return

    def _watch(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            self._watched.discard(descriptor)
            try:
                self._epoll.unregister(descriptor)
            except OSError:  # closed already, which the kernel takes for unregistered
                return
            return
        mask = (select.EPOLLIN if event & pycurl.POLL_IN else 0) | (select.EPOLLOUT if event & pycurl.POLL_OUT else 0)
        if descriptor in self._watched:
            self._epoll.modify(descriptor, mask)
        else:
            self._watched.add(descriptor)
            self._epoll.register(descriptor, mask)

    def _set_timer(self, timeout_ms: int) -> None:
        self._timer_at = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000.0


class _Slot:
    """One handle, used for one address after the other."""

    def __init__(self, request: Request, guard: AddressGuard, timeout_s: float) -> None:
        self.head: ResponseHead | None = None
        self.overflow = False
        self.ask = Ask(0, "")
        self.curl = pycurl.Curl()
        self._standard = request
        self._dial = Dialler(guard)
        self._is_special = False
        self._lines: list[bytes] = []
        self._header_bytes = 0
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._wanted_bytes = 0
        self._timeout_s = timeout_s
        self._prepare(request)

    def _prepare(self, request: Request) -> None:
        prepare(self.curl, request, head=self, dial=self._dial)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._take)
        self.curl.setopt(pycurl.TIMEOUT_MS, int(self._timeout_s * 1000))
        self.curl.setopt(pycurl.FORBID_REUSE, 1)

    def begin(self, ask: Ask, wanted_bytes: int) -> None:
        """Set the handle up for an address.

        Raises:
            FetchError: It is not one that we fetch.
        """
        url = checked_url(ask.url)
        if ask.headers or self._is_special:
            self._is_special = bool(ask.headers)
            self._prepare(_with_headers(self._standard, ask.headers))
        self.curl.setopt(pycurl.URL, url)
        self.curl.setopt(pycurl.COOKIELIST, "ALL")
        self.ask = ask
        self._wanted_bytes = wanted_bytes
        self._dial.refusal, self._dial.exhausted = None, False
        self.head, self.overflow = None, False
        self._lines, self._header_bytes = [], 0
        self._pieces, self._body_bytes = [], 0

    def line(self, raw: bytes) -> int | None:
        """Take a header line; a return value makes libcurl give up."""
        self._header_bytes += len(raw)
        if self._header_bytes > HEADER_LIMIT_BYTES or len(self._lines) > HEADERS_LIMIT:
            self.overflow = True
            return -1
        self._lines.append(raw)
        return None

    def result(self, code: int, text: str) -> FirstBytes:
        """Sum up, and let go of the bytes."""
        curl = self.curl
        body = b"".join(self._pieces)[: self._wanted_bytes]
        response_ms = curl.getinfo(pycurl.STARTTRANSFER_TIME) * 1000.0
        self.head = read_head(self._lines, response_ms, curl.getinfo(pycurl.REDIRECT_COUNT))
        error = None
        if code and self._body_bytes < self._wanted_bytes:
            error = fetch_error(curl, code, text, head=self, dial=self._dial)
        elif self.head is None:
            error = FetchError("The server sent no answer.", cause=FetchCause.PROTOCOL)
        self._lines, self._pieces = [], []
        return FirstBytes(
            ask=self.ask,
            head=self.head,
            body=body,
            error=error,
            url_effective=curl.getinfo(pycurl.EFFECTIVE_URL),
            remote_address=curl.getinfo(pycurl.PRIMARY_IP) or "",
            total_ms=curl.getinfo(pycurl.TOTAL_TIME) * 1000.0,
        )

    def _take(self, data: bytes) -> int | None:
        self._pieces.append(data)
        self._body_bytes += len(data)
        return -1 if self._body_bytes >= self._wanted_bytes else None


def _with_headers(standard: Request, headers: Mapping[str, str]) -> Request:
    agent = next((value for name, value in headers.items() if name.lower() == "user-agent"), standard.user_agent)
    return Request(
        url=standard.url,
        headers={**standard.headers, **headers},
        user_agent=agent,
        connect_timeout_s=standard.connect_timeout_s,
        interface=standard.interface,
    )


def _selected(mask: int) -> int:
    found = pycurl.CSELECT_IN if mask & select.EPOLLIN else 0
    if mask & select.EPOLLOUT:
        found |= pycurl.CSELECT_OUT
    if mask & (select.EPOLLERR | select.EPOLLHUP):
        found |= pycurl.CSELECT_ERR
    return found
