"""A web service on loopback whose answers are scripted: real HTTP, with every way in which such a service fails."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

BODY_LIMIT = 5 * 1024 * 1024
TRICKLE_S = 0.02
SILENT_S = 10.0


@dataclass(frozen=True)
class Scripted:
    """One answer.

    Attributes:
        is_silent: The request is read and nothing ever comes back.
        is_trickled: The body comes byte by byte, far too slowly.
        is_cut: The connection is closed in the middle of the body.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_silent: bool = False
    is_trickled: bool = False
    is_cut: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it came. `files` are the file parts of a form, by name."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]
    files: Mapping[str, bytes]


def as_json(value: Any, status: int = 200) -> Scripted:
    """Script an answer of JSON."""
    return Scripted(status, json.dumps(value).encode())


class ScriptedService:
    """The server. Answers in the script come first, in order; then `answer` decides. Use as a context."""

    def __init__(self, answer: Callable[[Asked], Scripted]) -> None:
        self._answer = answer
        self._script: deque[Scripted] = deque()
        self._lock = threading.Lock()
        self.ending = threading.Event()
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self._at_once = 0
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="scripted", daemon=True)

    @property
    def url(self) -> str:
        """Address without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def then(self, *answers: Scripted) -> None:
        """Script the next answers."""
        with self._lock:
            self._script.extend(answers)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, asked: Asked) -> Scripted:
        """Give the answer to a request."""
        with self._lock:
            self.asked.append(asked)
            scripted = self._script.popleft() if self._script else None
        return scripted if scripted is not None else self._answer(asked)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count how many requests are served at once."""
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


class _Server(ThreadingHTTPServer):
    """A thread per connection, and the service they serve."""

    daemon_threads = True

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, answers as scripted."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        """Serve a connection; a client that leaves in the middle is none of our business."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve(b"")

    def do_POST(self) -> None:
        """Answer a POST."""
        length = min(int(self.headers.get("Content-Length", "0")), BODY_LIMIT)
        self._serve(self.rfile.read(length))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Say nothing: tests read `asked`."""

    def _serve(self, body: bytes) -> None:
        with self.server.service.counted():
            scripted = self.server.service.take(_read(self, body))
            if scripted.is_silent:
                self.close_connection = True
                self.server.service.ending.wait(SILENT_S)
            else:
                self._send(scripted)

    def _send(self, scripted: Scripted) -> None:
        self.send_response(scripted.status)
        self.send_header("Content-Type", scripted.content_type)
        self.send_header("Content-Length", str(len(scripted.body)))
        for name, value in scripted.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if scripted.is_cut:
            self.wfile.write(scripted.body[: len(scripted.body) // 2])
            self.close_connection = True
        elif scripted.is_trickled:
            for byte in scripted.body:
                self.wfile.write(bytes((byte,)))
                if self.server.service.ending.wait(TRICKLE_S):
                    return
        else:
            self.wfile.write(scripted.body)


def _read(handler: BaseHTTPRequestHandler, body: bytes) -> Asked:
    target = urlsplit(handler.path)
    query = {name: values[-1] for name, values in parse_qs(target.query, keep_blank_values=True).items()}
    headers = {name.lower(): value for name, value in handler.headers.items()}
    form, files = _form(headers.get("content-type", ""), body)
    return Asked(handler.command, target.path, query, headers, form, files)


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Read multipart/form-data with the standard library's MIME parser, independent of what the client writes with."""
    form: dict[str, str] = {}
    files: dict[str, bytes] = {}
    if not content_type.startswith("multipart/form-data"):
        return form, files
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):  # the whole form
            continue
        if part.get_filename() is None:
            form[str(name)] = content.decode()
        else:
            files[str(name)] = content
    return form, files
