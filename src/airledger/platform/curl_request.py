"""One outgoing HTTP request, set up so that a stranger's URL cannot lead it astray.

What holds for every request: http and https only, redirects included; no proxy from the environment; the guard judges
the address that is really dialled; response headers are bounded; `ICY 200 OK` counts as an answer.
"""

import errno
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import certifi
import pycurl

from airledger.platform.fetch_error import AddressRefusedError, FetchCause, FetchError
from airledger.platform.guard import AddressGuard

URL_LIMIT_CHARS = 8192
HEADER_LIMIT_BYTES = 64 * 1024
HEADERS_LIMIT = 200
MAX_REDIRECTS = 5
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Everything RFC 3986 lets stand in a URL, and the percent sign of what is encoded already.
URL_SAFE = "%!#$&'()*+,/:;=?@[]~"
_PLAIN_PATH = re.compile(rf"[A-Za-z0-9_.\-{re.escape(URL_SAFE)}]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")

_CAUSES = {
    pycurl.E_UNSUPPORTED_PROTOCOL: FetchCause.BAD_URL,
    pycurl.E_URL_MALFORMAT: FetchCause.BAD_URL,
    pycurl.E_COULDNT_RESOLVE_HOST: FetchCause.UNKNOWN_HOST,
    pycurl.E_COULDNT_CONNECT: FetchCause.UNREACHABLE,
    pycurl.E_OPERATION_TIMEDOUT: FetchCause.TIMEOUT,
    pycurl.E_TOO_MANY_REDIRECTS: FetchCause.REDIRECT_LOOP,
    pycurl.E_FILESIZE_EXCEEDED: FetchCause.TOO_LARGE,
    pycurl.E_PARTIAL_FILE: FetchCause.CUT,
    pycurl.E_GOT_NOTHING: FetchCause.CUT,
    pycurl.E_SEND_ERROR: FetchCause.CUT,
    pycurl.E_RECV_ERROR: FetchCause.CUT,
    pycurl.E_SSL_CONNECT_ERROR: FetchCause.TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: FetchCause.TLS,
    pycurl.E_SSL_CERTPROBLEM: FetchCause.TLS,
    pycurl.E_SSL_CIPHER: FetchCause.TLS,
    pycurl.E_SSL_CACERT_BADFILE: FetchCause.TLS,
    pycurl.E_SSL_ISSUER_ERROR: FetchCause.TLS,
    pycurl.E_SSL_INVALIDCERTSTATUS: FetchCause.TLS,
}
_CONNECT_CAUSES = {
    errno.ECONNREFUSED: FetchCause.REFUSED,
    errno.ETIMEDOUT: FetchCause.TIMEOUT,
    errno.ENETUNREACH: FetchCause.UNREACHABLE,
    errno.EHOSTUNREACH: FetchCause.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask for. `headers` go to every hop of a redirect, so nothing secret belongs in them.

    With a `body` it is a POST, which follows no redirect: what was meant for one address is no other's business.
    `interface` is the local address, or network interface, to dial from.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = "Airledger"
    connect_timeout_s: float = 10.0
    max_redirects: int = MAX_REDIRECTS
    max_bytes: int | None = None
    body: bytes | None = None
    interface: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """The status line and headers of the answer that counted (behind redirects).

    `icy` tells that the status line was `ICY 200 OK`. `response_time_ms` runs from the request to this answer's first
    byte, redirects included. `redirects` counts the hops.
    """

    status: int
    headers: Mapping[str, str]
    icy: bool
    response_time_ms: float
    redirects: int

    @property
    def content_type(self) -> str:
        """The media type without parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class HeadTaker(Protocol):
    """Takes header lines, and knows the head once it is complete."""

    head: ResponseHead | None
    overflow: bool

    def line(self, raw: bytes) -> int | None:
        """Take one line; a return value other than None makes libcurl give up."""


def read_head(lines: list[bytes], response_time_ms: float, redirects: int) -> ResponseHead | None:
    """Read the head of the answer that counts from the header lines of all answers; None where it is not complete."""
    begins = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith((b"HTTP/", b"ICY "))), None)
    if begins is None or lines[-1].strip():
        return None
    first = _decode(lines[begins])
    headers: dict[str, str] = {}
    for line in _decode(b"".join(lines[begins + 1 :])).split("\n"):
        name, separator, value = line.partition(":")
        if separator:
            key, told = name.strip().lower(), value.strip()
            headers[key] = f"{headers[key]}, {told}" if key in headers else told
    status = _status(first)
    if _leads_on(status, headers):
        return None
    return ResponseHead(status, headers, first.startswith("ICY "), response_time_ms, redirects)


class HeadReader:
    """Collects header lines as libcurl hands them over; knows when the answer that counts is complete."""

    def __init__(self, *, follows: bool = True) -> None:
        self.head: ResponseHead | None = None
        self.overflow = False
        self._follows = follows
        self._started_at = time.monotonic()
        self._first_byte_at = 0.0
        self._bytes = 0
        self._hops = 0
        self._status = 0
        self._icy = False
        self._headers: dict[str, str] = {}

    def line(self, raw: bytes) -> int | None:
        """Take one line; a return value other than None makes libcurl give up."""
        self._bytes += len(raw)
        if self._bytes > HEADER_LIMIT_BYTES or len(self._headers) > HEADERS_LIMIT:
            self.overflow = True
            return -1
        if self.head is not None:  # trailers after the body say nothing that we use
            return None
        text = _decode(raw).strip()
        if text.startswith(("HTTP/", "ICY ")):
            self._begin(text)
        elif text:
            name, _, value = text.partition(":")
            self._keep(name.strip().lower(), value.strip())
        elif self._status and not self._leads_on():
            elapsed_ms = (self._first_byte_at - self._started_at) * 1000.0
            self.head = ResponseHead(self._status, self._headers, self._icy, elapsed_ms, self._hops)
        else:
            self._hops += self._status >= 300  # noqa: PLR2004 - 1xx answers are no hops
        return None

    def _begin(self, text: str) -> None:
        self._first_byte_at = time.monotonic()
        self._icy = text.startswith("ICY ")
        self._status = _status(text)
        self._headers = {}

    def _keep(self, name: str, value: str) -> None:
        known = self._headers.get(name)
        self._headers[name] = value if known is None else f"{known}, {value}"

    def _leads_on(self) -> bool:
        return _leads_on(self._status, self._headers, follows=self._follows)


class _Handover:
    """A new socket on its way to libcurl, which duplicates the descriptor and owns the duplicate.

    Ours is closed as soon as the hand-over is done: a second descriptor would keep closed connections open.
    """

    def __init__(self, new: socket.socket) -> None:
        self._descriptor = new.detach()

    def fileno(self) -> int:
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


class Dialler:
    """Opens the sockets of one request, each address judged first.

    Remembers a refusal, and whether we ran out of sockets, which is no fault of the server's.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self.refusal: AddressRefusedError | None = None
        self.exhausted = False
        self._guard = guard

    def __call__(self, _purpose: int, address: Any) -> Any:
        """Answer libcurl's wish for a socket to `address` (family, type, protocol, (ip, port, ...))."""
        family, kind, protocol, target = address
        try:
            self._guard.check(target[0] if isinstance(target, tuple) else str(target))
        except AddressRefusedError as error:
            self.refusal = error
            return pycurl.SOCKET_BAD
        try:
            return _Handover(socket.socket(family, kind, protocol))
        except OSError as error:  # such as a machine without IPv6: libcurl tries the host's next address
            self.exhausted = self.exhausted or error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS}
            return pycurl.SOCKET_BAD


def checked_url(url: str) -> str:
    """Give the URL in the ASCII spelling that is sent, or refuse it.

    Raises:
        FetchError: `BAD_URL` for other schemes, a missing host, control characters or more than 8 KiB.
    """
    if len(url) > URL_LIMIT_CHARS:
        raise FetchError(f"The URL is longer than {URL_LIMIT_CHARS} characters.", cause=FetchCause.BAD_URL)
    if _CONTROLS.search(url):
        raise FetchError("The URL contains control characters.", cause=FetchCause.BAD_URL)
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        raise FetchError("Only http:// and https:// URLs can be fetched.", cause=FetchCause.BAD_URL)
    host, slash, path = rest.partition("/")
    if not host:
        raise FetchError("The URL names no host.", cause=FetchCause.BAD_URL)
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
        ascii_path = path if _PLAIN_PATH.fullmatch(path) else quote(path, safe=URL_SAFE)
        return f"{scheme.lower()}://{ascii_host}{slash}{ascii_path}"
    except UnicodeError:
        raise FetchError("The URL's host name cannot be written in ASCII.", cause=FetchCause.BAD_URL) from None


def prepare(curl: Any, request: Request, *, head: HeadTaker, dial: Dialler) -> None:
    """Set every option of a fresh (or reset) easy handle but the one that takes the body.

    Raises:
        FetchError: the URL is not one that we fetch.
    """
    curl.setopt(pycurl.URL, checked_url(request.url))
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.REDIR_PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.NOPROXY, "*")
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.FOLLOWLOCATION, 1 if request.body is None else 0)
    curl.setopt(pycurl.MAXREDIRS, request.max_redirects)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(request.connect_timeout_s * 1000))
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    # libcurl compares prefixes: this lets `ICY 401 Service Unavailable` through too, which HeadReader then reads.
    curl.setopt(pycurl.HTTP200ALIASES, ["ICY "])
    curl.setopt(pycurl.USERAGENT, request.user_agent)
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {_one_line(value)}" for name, value in request.headers.items()])
    # Some networks of stations redirect in a circle until a cookie comes back; it lives no longer than the request.
    curl.setopt(pycurl.COOKIEFILE, "")
    curl.setopt(pycurl.COOKIELIST, "ALL")
    curl.setopt(pycurl.OPENSOCKETFUNCTION, dial)
    curl.setopt(pycurl.HEADERFUNCTION, head.line)
    curl.setopt(pycurl.CAINFO, certificates())
    if request.interface is not None:
        curl.setopt(pycurl.INTERFACE, request.interface)
    if request.body is not None:
        curl.setopt(pycurl.POST, 1)
        curl.setopt(pycurl.POSTFIELDS, request.body)
    if request.max_bytes is not None:
        curl.setopt(pycurl.MAXFILESIZE_LARGE, request.max_bytes)


def fetch_error(curl: Any, code: int, text: str, *, head: HeadTaker, dial: Dialler) -> FetchError:
    """Read libcurl's failure as ours."""
    if dial.refusal is not None and head.head is None:
        return FetchError(dial.refusal.message, cause=FetchCause.ADDRESS_REFUSED)
    if head.overflow:
        return FetchError("The server's headers do not end.", cause=FetchCause.TOO_LARGE)
    if dial.exhausted:
        return FetchError("No socket could be opened: raise the limit of open files.", cause=FetchCause.PROTOCOL)
    cause = _CAUSES.get(code, FetchCause.PROTOCOL)
    if "HTTP/0.9" in text:  # libcurl files bytes that are no HTTP at all under unsupported protocols
        cause = FetchCause.PROTOCOL
    if code == pycurl.E_COULDNT_CONNECT:
        cause = _CONNECT_CAUSES.get(curl.getinfo(pycurl.OS_ERRNO), FetchCause.UNREACHABLE)
    return FetchError(f"{text or 'The transfer failed'} ({code}).", cause=cause)


def status_error(head: ResponseHead) -> FetchError:
    """Make the error for an answer that is no success."""
    return FetchError(
        f"The server answered with status {head.status}.", cause=FetchCause.HTTP_STATUS, http_status=head.status
    )


@cache
def certificates() -> str:
    """Path of the certificate bundle: the system's, which carries the operator's own authorities, else certifi's."""
    return str(SYSTEM_CERTIFICATES) if SYSTEM_CERTIFICATES.is_file() else certifi.where()


def _leads_on(status: int, headers: Mapping[str, str], *, follows: bool = True) -> bool:
    """Whether another answer follows: behind a 1xx, or where a redirect leads."""
    if status < 200:  # noqa: PLR2004 - 1xx
        return True
    return follows and 300 <= status < 400 and "location" in headers  # noqa: PLR2004 - redirects


def _status(line: str) -> int:
    code = line.split(maxsplit=2)[1:2]
    return int(code[0]) if code and code[0].isascii() and code[0].isdigit() else 0


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _one_line(value: str) -> str:
    return " ".join(value.split())
