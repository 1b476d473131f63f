"""Live events over real connections to a real API process, and how it ends."""

import base64
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from airledger.api.hub import PUBLIC_PREFIXES
from airledger.app import Airledger
from airledger.listening.record import DetectionOpened
from airledger.platform.audit import SYSTEM
from airledger.platform.auth.accounts import NewUser, create_organisation, create_user
from airledger.platform.auth.bootstrap import Bootstrap, bootstrap
from airledger.platform.auth.keys import make_key
from airledger.platform.auth.scopes import ROLES
from airledger.platform.events import Dispatcher, latest_position, publish
from airledger.platform.settings import Settings
from airledger.stations.events import StreamStateChanged

PATIENCE_S = 120.0
SERVE = """
from airledger.api.serve import serve
from airledger.platform.settings import load_settings

serve(load_settings())
"""


def until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        threading.Event().wait(0.02)


@dataclass
class Process:
    """A running API process over an installation of its own."""

    app: Airledger
    port: int
    process: subprocess.Popen[bytes]
    home_id: UUID
    keys: dict[str, str] = field(default_factory=dict)

    def tell(self, number: int, organisation_id: UUID | None = None) -> int:
        """Publish an event and have it placed; return its position."""
        with self.app.unit() as unit:
            if organisation_id is None:
                changed = StreamStateChanged(stream_id=number, from_state="unproven", to_state="playing", cause=None)
                publish(unit, changed, at=self.app.clock.now())
            else:
                opened = DetectionOpened(detection_id=uuid4(), stream_id=number)
                publish(unit, opened, at=self.app.clock.now(), organisation_id=organisation_id)
        Dispatcher(self.app.database, self.app.clock, "test").turn()
        with self.app.read() as session:
            return latest_position(session)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with started(tmp_path_factory.mktemp("live") / "data") as found:
        yield found


@contextlib.contextmanager
def started(data: Path) -> Iterator[Process]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Airledger.open(Settings(data=data)) as app:
        begun: Bootstrap = bootstrap(app.database, app.clock)
        env = {**os.environ, "AIRLEDGER_DATA": str(data), "AIRLEDGER_PORT": str(port)}
        log = (data / "api.log").open("wb")
        running = subprocess.Popen([sys.executable, "-c", SERVE], env=env, stdout=log, stderr=log)
        try:
            found = Process(app, port, running, begun.organisation_id)
            _make_keys(found)
            until(lambda: _answers(port), f"the API to answer: {(data / 'api.log').read_text()}")
            yield found
        finally:
            running.kill()
            running.wait()
            log.close()


def _make_keys(process: Process) -> None:
    now = process.app.clock.now()
    with process.app.unit() as unit:
        other = create_organisation(unit, SYSTEM, "other", "Other", now=now)
        for name, organisation_id in (("home", process.home_id), ("other", other.id)):
            user = create_user(unit, SYSTEM, organisation_id, NewUser(f"v@{name}.test", "V", "viewer"), now=now)
            process.keys[name] = make_key(unit, SYSTEM, user, "test", ROLES["viewer"], now=now)[1]


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Reader:
    """Reads server-sent events in a thread."""

    def __init__(self, port: int, path: str = "/api/v1/events", **headers: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        self.events: list[dict[str, Any]] = []
        self.ids: list[int] = []
        self.is_in = self.is_ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := self.answer.readline():
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))
                elif line.startswith(b"id: "):
                    self.ids.append(int(line[4:]))
                elif line == b":\n":
                    self.is_in = True
            self.is_ended = True

    def numbers(self) -> list[int]:
        return [event["payload"]["stream_id"] for event in self.events]

    def close(self) -> None:
        # The answer keeps the socket in use until it is closed as well.
        if self.connection.sock is not None:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self.answer.close()
        self.connection.close()


@contextlib.contextmanager
def reading(port: int, path: str = "/api/v1/events", **headers: str) -> Iterator[Reader]:
    reader = Reader(port, path, **headers)
    try:
        yield reader
    finally:
        reader.close()


def joined(process: Process) -> int:
    """Return how many clients the hub counts, as /metrics tells."""
    connection = HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return sum(
        int(float(line.rsplit(" ", 1)[1])) for line in text.splitlines() if line.startswith("airledger_live_clients{")
    )


def test_a_reader_hears_what_happens_in_order_and_resumes_without_loss_or_repeat(process: Process) -> None:
    first = process.tell(1)
    with reading(process.port, f"/api/v1/events?since={first - 1}") as reader:
        until(lambda: reader.numbers() == [1], "the event from before")
        process.tell(2)
        last = process.tell(3)
        until(lambda: reader.numbers() == [1, 2, 3], "the live events")
        assert reader.ids == sorted(reader.ids)
        assert reader.events[0].keys() == {"position", "type", "at", "payload"}
        assert reader.answer.headers["content-type"].startswith("text/event-stream")
    process.tell(4)
    with reading(process.port, **{"Last-Event-ID": str(last)}) as again:
        until(lambda: again.numbers() == [4], "what was missed")
        process.tell(5)
        until(lambda: again.numbers() == [4, 5], "what came after")


def test_a_reader_without_a_position_begins_at_the_present(process: Process) -> None:
    process.tell(10)
    with reading(process.port) as reader:
        until(lambda: reader.is_in, "the reader to be in")
        process.tell(11)
        until(lambda: 11 in reader.numbers(), "the live event")
        assert 10 not in reader.numbers()


def test_what_an_organisation_owns_reaches_that_organisation_only(process: Process) -> None:
    since = process.tell(20)
    path = f"/api/v1/events?since={since}"
    with (
        reading(process.port, path) as stranger,
        reading(process.port, path, **{"X-API-Key": process.keys["home"]}) as ours,
        reading(process.port, path, **{"X-API-Key": process.keys["other"]}) as other,
    ):
        process.tell(21, process.home_id)
        process.tell(22)
        for reader in (stranger, ours, other):
            until(lambda reader=reader: 22 in reader.numbers(), "the public event")  # type: ignore[misc]
        assert (stranger.numbers(), ours.numbers(), other.numbers()) == ([22], [21, 22], [22])
    assert StreamStateChanged.name.startswith(PUBLIC_PREFIXES)


def test_types_narrow_what_is_heard(process: Process) -> None:
    since = process.tell(30)
    path = f"/api/v1/events?since={since}&types=detection.opened"
    with reading(process.port, path, **{"X-API-Key": process.keys["home"]}) as reader:
        process.tell(31)
        process.tell(32, process.home_id)
        until(lambda: reader.numbers() == [32], "the one that was asked for")


def test_a_position_that_was_never_given_begins_at_the_present(process: Process) -> None:
    with reading(process.port, "/api/v1/events?since=999999999") as reader:
        until(lambda: reader.is_in, "the reader to be in")
        process.tell(40)
        until(lambda: reader.numbers() == [40], "the live event")


@pytest.mark.parametrize("query", ["since=-1", "since=x", "types=" + ",".join(f"t{n}" for n in range(60))])
def test_nonsense_is_refused(process: Process, query: str) -> None:
    with reading(process.port, f"/api/v1/events?{query}") as reader:
        assert reader.answer.status == 422


class Socket:
    """A WebSocket client of a few lines: enough to read text messages and the close frame."""

    def __init__(self, port: int, path: str, **headers: str) -> None:
        self.raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]  # fmt: skip
        self.raw.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.stream = self.raw.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def frame(self) -> tuple[int, bytes]:
        head = self.stream.read(2)
        length = head[1] & 127
        if length == 126:
            length = struct.unpack(">H", self.stream.read(2))[0]
        return head[0] & 15, self.stream.read(length)

    def message(self) -> dict[str, Any]:
        while True:
            kind, body = self.frame()
            if kind == 1:
                found: dict[str, Any] = json.loads(body)
                return found

    def close_code(self) -> tuple[int, str]:
        while True:
            kind, body = self.frame()
            if kind == 8:
                return struct.unpack(">H", body[:2])[0], body[2:].decode()

    def close(self) -> None:
        self.stream.close()
        self.raw.close()


@contextlib.contextmanager
def talking(port: int, path: str, **headers: str) -> Iterator[Socket]:
    found = Socket(port, path, **headers)
    try:
        yield found
    finally:
        found.close()


def test_a_socket_tells_the_same_and_resumes(process: Process) -> None:
    since = process.tell(50)
    process.tell(51, process.home_id)
    path = f"/api/v1/events/ws?since={since}"
    with talking(process.port, path, **{"X-API-Key": process.keys["home"]}) as ours:
        assert ours.status == 101
        assert ours.message()["payload"]["stream_id"] == 51
        process.tell(52)
        assert ours.message()["payload"]["stream_id"] == 52
    with talking(process.port, path, **{"X-API-Key": process.keys["other"]}) as other:
        assert other.message()["payload"]["stream_id"] == 52


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": "alk_000000000000_" + "x" * 43}, {"Cookie": "airledger_session=x"}]
)
def test_a_stranger_gets_no_socket(process: Process, headers: dict[str, str]) -> None:
    with talking(process.port, "/api/v1/events/ws", **headers) as stranger:
        assert stranger.status == 403


def test_clients_that_leave_are_forgotten(process: Process) -> None:
    until(lambda: joined(process) == 0, "those of other tests to be gone")
    readers = [Reader(process.port) for _ in range(5)]
    until(lambda: joined(process) == 5, "all to be in")
    for reader in readers:
        reader.close()
    until(lambda: joined(process) == 0, "all to be gone")


def test_event_streams_end_and_the_process_leaves_when_told_to(tmp_path: Path) -> None:
    with started(tmp_path / "data") as found:
        position = found.tell(1)
        headers = {"X-API-Key": found.keys["home"]}
        with reading(found.port) as reader, talking(found.port, "/api/v1/events/ws?since=0", **headers) as talker:
            assert talker.message()["position"] == position
            until(lambda: joined(found) == 2, "both to be in")
            found.process.send_signal(signal.SIGTERM)
            assert talker.close_code() == (1001, f"resume with since={position}")
            until(lambda: reader.is_ended, "the stream to end")
            assert found.process.wait(PATIENCE_S) == 0
        log = (tmp_path / "data" / "api.log").read_text()
        assert "Traceback" not in log
        assert "stopped" in log


def test_requests_at_the_same_time_keep_their_own_ids(process: Process) -> None:
    def ask(number: int) -> bool:
        connection = HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE_S)
        matches = True
        for turn in range(10):
            given = f"request-{number}-{turn}"
            connection.request("GET", "/api/v1/streams/999", headers={"X-Request-ID": given})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            matches &= answer.headers["x-request-id"] == body["correlation_id"] == given
        connection.close()
        return matches

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_head_and_get_share_a_connection(process: Process) -> None:
    connection = HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE_S)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        connection.request(method, "/healthz")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"" if method == "HEAD" else b'{"status":"ok"}')
    connection.close()


def test_a_port_that_is_taken_is_said_so(process: Process, tmp_path: Path) -> None:
    env = {**os.environ, "AIRLEDGER_DATA": str(tmp_path), "AIRLEDGER_PORT": str(process.port)}
    second = subprocess.run(
        [sys.executable, "-c", SERVE], env=env, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert second.returncode != 0
    assert f"port {process.port} of 127.0.0.1 cannot be used" in second.stderr.decode()
