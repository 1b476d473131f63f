"""Remote listening over real sockets: what is cut off on the way is neither lost nor doubled."""

import http.server
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, select

from airledger.fingerprint.params import PROFILES, params_hash
from airledger.listening import remote_capture, remote_hear
from airledger.listening.claims import claim
from airledger.listening.models import AudioDetection, Coverage, ListeningSession, RemoteWindow
from airledger.listening.outbox import Target
from airledger.listening.remote_buffer import DiskBuffer
from airledger.listening.remote_capture import RemoteListener, Server
from airledger.listening.remote_hear import RemoteHearing
from airledger.listening.remote_rows import remote_key
from airledger.listening.remote_wire import SILENCE, SentWindow, encode_batch
from airledger.listening.tracker import TrackerParams
from airledger.platform.auth.scopes import Scope
from airledger.platform.presence import Counts
from airledger.recognition.outside.http_call import open_door
from airledger.stations.tuner import Listening
from api_house import House, first_start, house
from listening_house import RATE_HZ, enrol_song, made_song

__all__ = ["first_start", "house"]

URL = "http://far.test/live"
DEADLINE_S = 60.0
SESSIONS, WINDOWS = "/api/v1/listening/remote/sessions", "/api/v1/listening/remote/windows"
PARAMS_HASH = params_hash(PROFILES["balanced"])


@dataclass
class BadLine:
    """A loopback server before the API that cuts what it is told to cut.

    Each request asks `fate`: "pass", "refuse" (cut before the API sees it) or "swallow" (cut before the answer).
    """

    house: House
    fate: Callable[[int], str]
    port: int = 0
    requests: int = 0
    _server: http.server.ThreadingHTTPServer | None = None

    def __enter__(self) -> Self:
        line = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                line.requests += 1
                fate = line.fate(line.requests)
                if fate == "refuse":
                    self.close_connection = True
                    return
                headers = {name: self.headers[name] for name in ("Authorization", "Content-Type")}
                answer = line.house.client.post(self.path, content=body, headers=headers)
                if fate == "swallow":
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
                del format, args

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


@dataclass
class Sounding:
    """A tuner that gives one piece of sound at once, dated as if it had been aired in real time, and then is quiet."""

    piece: NDArray[np.float32] | None
    begin_s: float = field(default_factory=lambda: time.time() - 400)

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "Sounding":
        del url, headers
        piece, self.piece = self.piece, None
        if piece is not None:
            threading.Thread(target=self._send, args=(piece, listening), daemon=True).start()
        return self

    def _send(self, piece: NDArray[np.float32], listening: Listening) -> None:
        pcm = (piece * 32_000).astype(np.int16)
        for position in range(0, len(pcm), RATE_HZ):
            air_s = self.begin_s + position / RATE_HZ
            listening.sound(pcm[position : position + RATE_HZ], position, time.time(), air_s)

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture
def programme() -> NDArray[np.float32]:
    """Two songs of a minute with silence around them."""
    quiet = np.zeros(30 * RATE_HZ, np.float32)
    whole: NDArray[np.float32] = np.concatenate([quiet, made_song(0), made_song(1), quiet, quiet])
    return whole


@pytest.fixture
def recordings(house: House) -> list[UUID]:
    with house.app.unit() as unit:
        found = [
            enrol_song(unit.session, house.app.storage, house.home_id, number, made_song(number)) for number in range(2)
        ]
    house.app.library.sync()
    return found


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_capture, "KEEP_S", 0.3)
    monkeypatch.setattr(remote_capture, "IDLE_S", 0.05)
    monkeypatch.setattr(remote_capture, "LONGEST_WAIT_S", 0.1)


def capture(
    house: House, line: BadLine, buffer: DiskBuffer, tuner: Sounding, done: Callable[[], bool]
) -> list[tuple[str, str]]:
    """Run a remote listener until something is true."""
    told: list[tuple[str, str]] = []
    door = open_door("test", timeout_s=10)
    server = Server(f"http://127.0.0.1:{line.port}", house.key(scopes=frozenset({Scope.SESSIONS_WRITE})), door)
    listener = RemoteListener(
        server, [URL], buffer, tuner, PROFILES["balanced"], tell=lambda kind, text: told.append((kind, text))
    )
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while not done() and time.monotonic() < deadline:
        stop.wait(0.05)
    stop.set()
    thread.join(DEADLINE_S)
    door.close()
    assert done(), told
    return told


def hearing(house: House, name: str) -> RemoteHearing:
    app = house.app
    return RemoteHearing(name, app.database, app.clock, app.library, Counts(), TrackerParams())


def claimed(house: House, name: str, *, later_s: float = 0) -> Target:
    with house.app.unit() as unit:
        (one,) = claim(unit.session, name, house.app.clock.now() + timedelta(seconds=later_s), 10)
    assert one.target.is_remote
    return one.target


def waiting(house: House) -> int:
    with house.app.read() as session:
        return session.scalar(select(func.count()).select_from(RemoteWindow)) or 0


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)


def assert_heard(house: House, recordings: list[UUID], begin_s: float) -> None:
    with house.app.read() as session:
        plays = session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)).all()
        stretches = session.scalars(select(Coverage).order_by(Coverage.started_at)).all()
        row = session.scalars(select(ListeningSession)).one()
    assert [one.recording_id for one in plays] == recordings
    assert [one.processing_status for one in plays] == ["closed", "closed"]
    for play, start_s in zip(plays, (30.0, 90.0), strict=True):
        assert abs(play.started_at.timestamp() - begin_s - start_s) < 0.3
        assert abs(play.ended_at.timestamp() - begin_s - start_s - 60.0) < 0.5
    assert {one.kind for one in stretches} == {"silent", "heard"}
    assert row.windows == 41  # one every 5 s of the 210 s, each once


def test_a_bad_line_loses_and_doubles_nothing(
    house: House, tmp_path: Path, programme: NDArray[np.float32], recordings: list[UUID]
) -> None:
    buffer, tuner = DiskBuffer(tmp_path / "buffer", 1 << 30), Sounding(programme)
    fates = {1: "refuse", 2: "swallow", 4: "refuse", 5: "swallow", 6: "swallow", 8: "refuse"}
    with BadLine(house, lambda number: fates.get(number, "pass")) as line:
        told = capture(house, line, buffer, tuner, lambda: waiting(house) == 41 and len(buffer) == 0)
    assert "waiting" in {kind for kind, _ in told}
    mine = hearing(house, "listener-x-1-a")
    mine.open(claimed(house, "listener-x-1-a"))
    wait_for(lambda: waiting(house) == 0)
    mine.close()
    assert_heard(house, recordings, tuner.begin_s)


def test_what_was_heard_without_network_is_sent_after_a_restart(
    house: House, tmp_path: Path, programme: NDArray[np.float32], recordings: list[UUID]
) -> None:
    tuner = Sounding(programme)
    buffer = DiskBuffer(tmp_path / "buffer", 1 << 30)
    with BadLine(house, lambda number: "refuse") as line:  # noqa: ARG005
        capture(house, line, buffer, tuner, lambda: len(buffer) > 0 and buffer.size_bytes > 40_000)
    again = DiskBuffer(tmp_path / "buffer", 1 << 30)
    assert again.client_id == buffer.client_id
    with BadLine(house, lambda number: "pass") as line:  # noqa: ARG005
        capture(house, line, again, Sounding(None), lambda: waiting(house) == 41 and len(again) == 0)
    mine = hearing(house, "listener-x-1-a")
    mine.open(claimed(house, "listener-x-1-a"))
    wait_for(lambda: waiting(house) == 0)
    mine.close()
    assert_heard(house, recordings, tuner.begin_s)


def test_another_listener_takes_a_session_over_in_the_middle_of_a_song(
    house: House,
    tmp_path: Path,
    programme: NDArray[np.float32],
    recordings: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_hear, "AT_ONCE", 10)
    buffer, tuner = DiskBuffer(tmp_path / "buffer", 1 << 30), Sounding(programme)
    with BadLine(house, lambda number: "pass") as line:  # noqa: ARG005
        capture(house, line, buffer, tuner, lambda: waiting(house) == 41)
    monkeypatch.setattr(remote_hear, "TURN_S", 3_600)  # their threads look on; the test drives them
    first = hearing(house, "listener-x-1-a")
    session = first.open(claimed(house, "listener-x-1-a"))
    assert first._hear(session) == 10
    second = hearing(house, "listener-x-2-b")
    taken_over = second.open(claimed(house, "listener-x-2-b", later_s=3_600))
    assert first._hear(session) == 0  # no longer its own
    while second._hear(taken_over):
        pass
    first.close()
    second.close()
    assert_heard(house, recordings, tuner.begin_s)


def registered(house: House, client_id: UUID, **changes: object) -> Any:
    body = {"client_id": str(client_id), "url": URL, "params_hash": PARAMS_HASH, **changes}
    return house.client.post(SESSIONS, json=body, headers=house.bearer())


def silent(client_id: UUID, start_s: float = 1_800_000_000.0) -> SentWindow:
    return SentWindow(remote_key(client_id, URL), SILENCE, start_s, 10.0)


def send(house: House, client_id: UUID, sequence: int, body: bytes, **headers: str) -> Any:
    return house.client.post(
        f"{WINDOWS}?client_id={client_id}&sequence={sequence}", content=body, headers=headers or house.bearer()
    )


def test_registering_twice_is_once(house: House) -> None:
    client_id = uuid4()
    first, second = registered(house, client_id).json(), registered(house, client_id).json()
    assert first == second
    assert first["acknowledged"] == 0


def test_who_may_not_register(house: House) -> None:
    client_id = uuid4()
    assert registered(house, client_id, params_hash="other").status_code == 409
    assert registered(house, client_id, url="ftp://x/").status_code == 422
    body = {"client_id": str(client_id), "url": URL, "params_hash": PARAMS_HASH}
    assert house.client.post(SESSIONS, json=body).status_code == 401
    assert house.client.post(SESSIONS, json=body, headers=house.bearer("viewer")).status_code == 403
    assert registered(house, client_id).status_code == 200
    assert registered(house, uuid4()).status_code == 409  # another sends for it
    other = house.client.post(SESSIONS, json=body, headers=house.bearer("admin", "other"))
    assert other.status_code == 409


def test_a_number_is_taken_once(house: House) -> None:
    client_id = uuid4()
    body = encode_batch([silent(client_id)])
    assert send(house, client_id, 1, body).status_code == 404  # not registered
    registered(house, client_id)
    assert send(house, client_id, 1, body).json() == {"acknowledged": 1, "ignored": 0}
    assert send(house, client_id, 1, body).json() == {"acknowledged": 1, "ignored": 0}
    assert waiting(house) == 1
    strange = encode_batch([SentWindow(uuid4(), SILENCE, 1_800_000_000.0, 10.0)])
    assert send(house, client_id, 7, strange).json() == {"acknowledged": 7, "ignored": 1}
    assert send(house, client_id, 8, body, **house.bearer("admin", "other")).status_code == 404
    assert waiting(house) == 1


@pytest.mark.parametrize("body", [b"", b"ALRW\x01short", b"ALRW\x02", b"x" * 2_000])
def test_what_is_no_batch_is_refused_whole(house: House, body: bytes) -> None:
    client_id = uuid4()
    registered(house, client_id)
    assert send(house, client_id, 1, body).status_code == 422
    assert send(house, client_id, 1, encode_batch([silent(client_id)])).json()["acknowledged"] == 1
