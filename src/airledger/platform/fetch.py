"""The one outgoing door for addresses that strangers give us: blocking GET and POST with limits on everything."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pycurl

from airledger.platform.curl_request import (
    MAX_REDIRECTS,
    Dialler,
    HeadReader,
    Request,
    ResponseHead,
    fetch_error,
    prepare,
    status_error,
)
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.guard import AddressGuard

NOT_MODIFIED_STATUS = 304
FIRST_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        status: HTTP status; 304 where the given `etag` or `last_modified` still holds (the body is empty then).
        url_effective: the address behind the redirects.
        headers: names in lower case.
        body: empty where a sink took it.
        received_bytes: length of the body after decompression.
        response_time_ms: request to first header byte, redirects included.
        total_ms: request to the end.
        remote_address: the IP address that answered.
    """

    status: int
    url_effective: str
    headers: Mapping[str, str]
    body: bytes
    received_bytes: int
    response_time_ms: float
    total_ms: float
    remote_address: str

    @property
    def etag(self) -> str | None:
        """Send it along next time and an unchanged answer costs nothing."""
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        """Likewise."""
        return self.headers.get("last-modified")

    @property
    def not_modified(self) -> bool:
        """Whether the server said that what we have is still right."""
        return self.status == NOT_MODIFIED_STATUS


@dataclass(frozen=True, slots=True)
class Posted:
    """How an address answered what was posted to it, whatever the status.

    Attributes:
        status: HTTP status; a redirect is told, not followed.
        headers: names in lower case.
        body: the beginning of the answer, as much as was wanted.
        total_ms: request to the end of what was read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    total_ms: float


class _BoundedSink:
    """Hands the body on and stops the transfer at the limit."""

    def __init__(self, limit_bytes: int, take: Callable[[bytes], object], *, keeps_beginning: bool = False) -> None:
        self._keeps_beginning = keeps_beginning
        self.received_bytes = 0
        self.overflow = False
        self.failure: OSError | None = None
        self._limit_bytes = limit_bytes
        self._take = take

    @property
    def is_cut(self) -> bool:
        """Whether there was more than the beginning that was wanted."""
        return self.overflow and self._keeps_beginning

    def __call__(self, data: bytes) -> int | None:
        room = self._limit_bytes - self.received_bytes
        self.received_bytes += len(data)
        if self.received_bytes > self._limit_bytes:
            self.overflow = True
            if self._keeps_beginning:
                self._take(data[:room])
            return -1
        try:
            self._take(data)
        except OSError as error:  # an error that leaves a callback of libcurl would only be printed
            self.failure = error
            return -1
        return None


class Fetcher:
    """Fetches strangers' addresses. Thread-safe; each thread keeps its connections open between calls."""

    def __init__(self, guard: AddressGuard, user_agent: str) -> None:
        self._guard = guard
        self._user_agent = user_agent
        self._handles = threading.local()

    @property
    def user_agent(self) -> str:
        """How we introduce ourselves; robots.txt is asked under this name."""
        return self._user_agent

    def get(
        self,
        url: str,
        *,
        max_bytes: int,
        timeout_s: float,
        max_redirects: int = MAX_REDIRECTS,
        headers: Mapping[str, str] | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> Fetched:
        """GET an address.

        Args:
            url: http or https, at most 8 KiB.
            max_bytes: limit of the body, counted after decompression, so a gzip bomb ends here too.
            timeout_s: limit of the whole exchange.
            max_redirects: hops that are followed.
            headers: sent along, to every hop.
            etag: of what we have already.
            last_modified: of what we have already.
            sink: takes the body piece by piece (a file's `write`), for what should not lie in memory.

        Raises:
            FetchError: with its cause; statuses of 400 and more are errors as well.
            OSError: the sink could not write.
        """
        request = Request(
            url=url,
            headers={**(headers or {}), **_conditions(etag, last_modified)},
            user_agent=self._user_agent,
            connect_timeout_s=timeout_s,
            max_redirects=max_redirects,
            max_bytes=max_bytes,
        )
        pieces: list[bytes] = []
        bounded = _BoundedSink(max_bytes, sink or pieces.append)
        curl, head = self._perform(request, bounded, timeout_s)
        if head.status >= FIRST_ERROR_STATUS:
            raise status_error(head)
        return Fetched(
            status=head.status,
            url_effective=curl.getinfo(pycurl.EFFECTIVE_URL),
            headers=head.headers,
            body=b"".join(pieces),
            received_bytes=bounded.received_bytes,
            response_time_ms=head.response_time_ms,
            total_ms=curl.getinfo(pycurl.TOTAL_TIME) * 1000.0,
            remote_address=curl.getinfo(pycurl.PRIMARY_IP) or "",
        )

    def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float, excerpt_bytes: int = 1024
    ) -> Posted:
        """POST to an address; redirects are refused, for the body is meant for this address alone.

        Args:
            url: http or https, at most 8 KiB.
            body: sent as it is.
            headers: sent along, Content-Type among them.
            timeout_s: limit of the whole exchange.
            excerpt_bytes: how much of the answer's body is read; what follows is not waited for.

        Raises:
            FetchError: there was no answer. A status of 400 and more is an answer.
        """
        request = Request(
            url=url,
            headers={**headers, "Expect": ""},  # no round trip to ask whether the body may come
            user_agent=self._user_agent,
            connect_timeout_s=timeout_s,
            body=body,
        )
        pieces: list[bytes] = []
        began = time.monotonic()
        sink = _BoundedSink(excerpt_bytes, pieces.append, keeps_beginning=True)
        try:
            _, head = self._perform(request, sink, timeout_s)
        finally:
            self._handles.curl.reset()  # libcurl would keep the body
        total_ms = (time.monotonic() - began) * 1000.0
        return Posted(head.status, head.headers, b"".join(pieces), total_ms)

    def _perform(self, request: Request, sink: _BoundedSink, timeout_s: float) -> tuple[Any, ResponseHead]:
        curl = self._handle()
        head, dial = HeadReader(follows=request.body is None), Dialler(self._guard)
        prepare(curl, request, head=head, dial=dial)
        curl.setopt(pycurl.TIMEOUT_MS, int(timeout_s * 1000))
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
        curl.setopt(pycurl.WRITEFUNCTION, sink)
        started_at = time.monotonic()
        try:
            curl.perform()
        except pycurl.error as error:
            code, text = error.args[0], str(error.args[1])
            if sink.failure is not None:
                raise sink.failure from None
            if sink.is_cut and head.head is not None:
                return curl, head.head
            if sink.overflow or code == pycurl.E_FILESIZE_EXCEEDED:
                raise FetchError(
                    f"The answer is longer than {request.max_bytes} bytes.", cause=FetchCause.TOO_LARGE
                ) from None
            raise fetch_error(curl, code, text, head=head, dial=dial) from None
        if head.head is None:
            elapsed_s = time.monotonic() - started_at
            raise FetchError(f"No complete answer within {elapsed_s:.1f} s.", cause=FetchCause.PROTOCOL)
        return curl, head.head

    def _handle(self) -> Any:
        """Give this thread's handle, its options forgotten, its connections kept."""
        curl = getattr(self._handles, "curl", None)
        if curl is None:
            curl = self._handles.curl = pycurl.Curl()
        curl.reset()
        return curl


def _conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    wanted = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in wanted.items() if value}
