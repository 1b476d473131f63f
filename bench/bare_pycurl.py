"""The peer of the probing bench: as little as a loop over pycurl can be, with the same callbacks and no thought."""

import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pycurl

EVENTS_AT_ONCE = 1_024
TURN_S = 0.25


class Slot:
    """One handle: counts headers and bytes, and opens sockets without looking where to."""

    def __init__(self, wanted_bytes: int) -> None:
        """Set the handle up once."""
        self.headers = self.received = 0
        self._wanted_bytes = wanted_bytes
        self.curl = curl = pycurl.Curl()
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.HTTP200ALIASES, ["ICY "])
        curl.setopt(pycurl.HTTPHEADER, ["Icy-MetaData: 1"])
        curl.setopt(pycurl.FORBID_REUSE, 1)
        curl.setopt(pycurl.TIMEOUT_MS, 15_000)
        curl.setopt(pycurl.HEADERFUNCTION, self._header)
        curl.setopt(pycurl.WRITEFUNCTION, self._body)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    @property
    def is_enough(self) -> bool:
        """Whether all the bytes came."""
        return self.received >= self._wanted_bytes

    def begin(self, url: str) -> None:
        """Point the handle at an address."""
        self.headers = self.received = 0
        self.curl.setopt(pycurl.URL, url)

    def _header(self, raw: bytes) -> None:
        self.headers += len(raw)

    def _body(self, data: bytes) -> int | None:
        self.received += len(data)
        return -1 if self.received >= self._wanted_bytes else None

    def _open(self, _purpose: int, address: Any) -> socket.socket:
        return socket.socket(*address[:3])


class BareLoop:
    """Asks addresses, many at once."""

    def __init__(self, at_once: int, wanted_bytes: int) -> None:
        """Make all handles."""
        self._free = [Slot(wanted_bytes) for _ in range(at_once)]
        self._running: dict[Any, Slot] = {}
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._timer_at: float | None = None
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def run(self, urls: Iterator[str]) -> int:
        """Ask all; return how many gave enough bytes."""
        enough = 0
        self._start(urls)
        while self._running:
            self._turn()
            enough += self._take_ended()
            self._start(urls)
        return enough

    def _start(self, urls: Iterator[str]) -> None:
        while self._free and (url := next(urls, None)) is not None:
            slot = self._free.pop()
            slot.begin(url)
            self._running[slot.curl] = slot
            self._multi.add_handle(slot.curl)

    def _turn(self) -> None:
        wait_s = TURN_S
        if self._timer_at is not None:
            wait_s = min(max(self._timer_at - time.monotonic(), 0.0), TURN_S)
        for descriptor, mask in self._epoll.poll(wait_s, EVENTS_AT_ONCE):
            act = pycurl.CSELECT_IN if mask & select.EPOLLIN else 0
            self._multi.socket_action(descriptor, act | (pycurl.CSELECT_OUT if mask & select.EPOLLOUT else 0))
        if self._timer_at is not None and time.monotonic() >= self._timer_at:
            self._timer_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _take_ended(self) -> int:
        enough, waiting = 0, 1
        while waiting:
            waiting, well, badly = self._multi.info_read()
            for curl in [*well, *(each[0] for each in badly)]:
                self._multi.remove_handle(curl)
                slot = self._running.pop(curl)
                enough += slot.is_enough
                self._free.append(slot)
        return enough

    def _watch(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            self._watched.discard(descriptor)
            try:
                self._epoll.unregister(descriptor)
            except OSError:
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
