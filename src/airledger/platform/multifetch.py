"""Many long-lived transfers in one thread: libcurl's multi interface on an asyncio loop.

Each transfer is read like a file, by one task. What has arrived and was not read yet is bounded: a reader that falls
behind pauses its own transfer, and TCP slows the server down.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import pycurl

from airledger.platform.curl_request import Dialler, HeadReader, Request, ResponseHead, fetch_error, prepare
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.guard import AddressGuard

UNREAD_LIMIT_BYTES = 256 * 1024


class Chunk(NamedTuple):
    """Bytes of a body and the epoch second at which they arrived."""

    data: bytes
    at: float


class Transfer:
    """One GET under way. Not thread-safe: use it on the loop it was opened on, and close it."""

    def __init__(self, multi: Any, request: Request, guard: AddressGuard) -> None:
        self._multi = multi
        self._request = request
        self._head, self._dial = HeadReader(), Dialler(guard)
        self._chunks: deque[Chunk] = deque()
        self._unread_bytes = 0
        self._received_bytes = 0
        self._paused = False
        self._changed = asyncio.Event()
        self._curl = pycurl.Curl()
        self._done: asyncio.Future[Any] | None = None
        try:
            prepare(self._curl, request, head=self._head, dial=self._dial)
            self._curl.setopt(pycurl.HEADERFUNCTION, self._take_header)
            self._curl.setopt(pycurl.WRITEFUNCTION, self._take)
            self._done = multi.add_handle(self._curl)
        except BaseException:
            self._curl.close()
            raise
        self._done.add_done_callback(lambda _future: self._changed.set())

    @property
    def url_effective(self) -> str:
        """The address behind the redirects."""
        return str(self._curl.getinfo(pycurl.EFFECTIVE_URL))

    @property
    def remote_address(self) -> str:
        """The IP address that was dialled; empty before that."""
        return self._curl.getinfo(pycurl.PRIMARY_IP) or ""

    async def head(self, timeout_s: float) -> ResponseHead:
        """Wait for the status and headers of the answer that counts.

        Raises:
            FetchError: no answer, or none within `timeout_s`. A status of 400 and more is the caller's to judge.
        """
        deadline = time.monotonic() + timeout_s
        while self._head.head is None:
            if self._finished():
                raise self._failure() or FetchError("The server sent no answer.", cause=FetchCause.PROTOCOL)
            if not await self._wait_until(deadline):
                raise FetchError(f"No answer within {timeout_s:g} s.", cause=FetchCause.TIMEOUT)
        return self._head.head

    async def read(self, timeout_s: float) -> Chunk | None:
        """Wait for the next bytes; None at the end of the body.

        Raises:
            FetchError: the transfer broke, outgrew its limit, or nothing came for `timeout_s` (`STALLED`).
        """
        deadline = time.monotonic() + timeout_s
        while not self._chunks:
            if self._finished():
                failure = self._failure()
                if failure is not None:
                    raise failure
                return None
            if not await self._wait_until(deadline):
                raise FetchError(f"The server sent nothing for {timeout_s:g} s.", cause=FetchCause.STALLED)
        chunk = self._chunks.popleft()
        self._unread_bytes -= len(chunk.data)
        if self._paused and self._unread_bytes < UNREAD_LIMIT_BYTES // 2:
            self._paused = False
            self._curl.pause(pycurl.PAUSE_CONT)
        return chunk

    async def read_all(self, timeout_s: float) -> bytes:
        """Read the rest of the body, each piece within `timeout_s`; bounded by the request's `max_bytes`."""
        pieces = []
        while (chunk := await self.read(timeout_s)) is not None:
            pieces.append(chunk.data)
        return b"".join(pieces)

    def close(self) -> None:
        """Break the transfer off, if it still runs, and free its handle. May be called twice."""
        if self._done is None:
            return
        if not self._finished():
            self._multi.remove_handle(self._curl)
        elif not self._done.cancelled():
            self._done.exception()  # looked at, so that asyncio does not report it as forgotten
        self._done = None
        self._curl.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_header(self, raw: bytes) -> int | None:
        answer = self._head.line(raw)
        if self._head.head is not None:
            self._changed.set()
        return answer

    def _take(self, data: bytes) -> int | None:
        if self._unread_bytes >= UNREAD_LIMIT_BYTES:
            self._paused = True
            return int(pycurl.WRITEFUNC_PAUSE)
        self._received_bytes += len(data)
        if self._over_limit():
            return -1
        self._chunks.append(Chunk(data, time.time()))
        self._unread_bytes += len(data)
        self._changed.set()
        return None

    def _over_limit(self) -> bool:
        return self._request.max_bytes is not None and self._received_bytes > self._request.max_bytes

    def _finished(self) -> bool:
        return self._done is None or self._done.done()

    def _failure(self) -> FetchError | None:
        if self._done is None or self._done.cancelled():
            return FetchError("The transfer was closed.", cause=FetchCause.CUT)
        error = self._done.exception()
        if error is None:
            return None
        if not isinstance(error, pycurl.error):
            raise error
        code, text = error.args[0], str(error.args[1])
        if self._over_limit() or code == pycurl.E_FILESIZE_EXCEEDED:
            limit = self._request.max_bytes
            return FetchError(f"The answer is longer than {limit} bytes.", cause=FetchCause.TOO_LARGE)
        return fetch_error(self._curl, code, text, head=self._head, dial=self._dial)

    async def _wait_until(self, deadline: float) -> bool:
        self._changed.clear()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True


class MultiFetcher:
    """Opens transfers on the running loop. Used as `async with`; leaving it breaks off whatever still runs."""

    def __init__(self, guard: AddressGuard, user_agent: str, interface: str | None = None) -> None:
        self._guard = guard
        self._user_agent = user_agent
        self._interface = interface
        self._multi = pycurl.AsyncCurlMulti()

    def open(self, request: Request) -> Transfer:
        """Start a GET; the caller closes the transfer (`with fetcher.open(...) as transfer`).

        Raises:
            FetchError: the URL is not one that we fetch.
        """
        return Transfer(self._multi, request, self._guard)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connect_timeout_s: float = 10.0,
        max_bytes: int | None = None,
    ) -> Transfer:
        """Start a GET under this fetcher's own user agent; see `open`."""
        return self.open(
            Request(
                url=url,
                headers=headers or {},
                user_agent=self._user_agent,
                connect_timeout_s=connect_timeout_s,
                max_bytes=max_bytes,
                interface=self._interface,
            )
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._multi.aclose()
