"""Listening for a server that is elsewhere: streams are captured here, and sent there as peaks of windows.

No database and no index: a folder keeps what the server has not acknowledged. One thread finds peaks, one sends, and
the caller's keeps the connections.
"""

import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from airledger.fingerprint.params import Params, params_hash
from airledger.fingerprint.unbroken import PeakStream, ahead_samples
from airledger.listening.outbox import Outbox, Target
from airledger.listening.remote_buffer import DiskBuffer
from airledger.listening.remote_peaks import pack
from airledger.listening.remote_rows import remote_key
from airledger.listening.remote_wire import SILENCE, SOUND, SentWindow, lost
from airledger.listening.session import AiredCut, LiveSession, Resumed, Tunes
from airledger.listening.tracker import TrackerParams
from airledger.platform.logging import logger
from airledger.recognition.identify import SILENCE_DBFS, level_dbfs
from airledger.recognition.outside.http_call import HttpDoor, Reply

KEEP_S = 5.0
TEND_S = 0.25
IDLE_S = 0.5
LAST_TRY_S = 10.0
LONGEST_WAIT_S = 60.0
BEHIND_LIMIT = 2_000
GAP_S = 1.0
FULL_SCALE = np.float32(32_768)
OVERLOAD = "overload"
_REFUSED = frozenset({400, 409, 413, 415, 422})
_NOT_FOUND, _OK, _CREATED = 404, 200, 201

log = logger(__name__)


@dataclass(frozen=True)
class Server:
    """Where to send: the address of an Airledger API, and how to reach it."""

    url: str
    token: str
    door: HttpDoor

    def post_json(self, path: str, body: dict[str, object]) -> Reply:
        """Send JSON."""
        return self._post(path, json.dumps(body).encode(), "application/json")

    def post_bytes(self, path: str, body: bytes) -> Reply:
        """Send a batch."""
        return self._post(path, body, "application/octet-stream")

    def _post(self, path: str, body: bytes, kind: str) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        return self.door.send("POST", self.url.rstrip("/") + path, content=body, headers=headers)


class PeakFinder:
    """Turns windows into what is sent, on one thread; sessions hand their windows to it as to recognisers."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._queue: queue.Queue[tuple[UUID, AiredCut] | None] = queue.Queue(BEHIND_LIMIT)
        self._streams: dict[UUID, tuple[int, PeakStream]] = {}
        self._ended_s: dict[UUID, float] = {}
        self._found: list[SentWindow] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="peaks", daemon=True)
        self._thread.start()

    @property
    def ahead_samples(self) -> int:
        """How much sound behind a window is looked at."""
        return ahead_samples(self._params)

    def submit(self, session: LiveSession, window: AiredCut) -> bool:
        """Queue a window; False when 2,000 wait."""
        try:
            self._queue.put_nowait((session.target.session_id, window))
        except queue.Full:
            return False
        return True

    def take(self) -> list[SentWindow]:
        """Hand over what was found since."""
        with self._lock:
            found, self._found = self._found, []
            return found

    def close(self) -> None:
        """Finish what waits."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            windows = self._windows(*item)
            with self._lock:
                self._found += windows

    def _windows(self, key: UUID, window: AiredCut) -> list[SentWindow]:
        found = []
        before_s = self._ended_s.get(key)
        if before_s is not None and window.start_s > before_s + GAP_S:
            found.append(lost(key, before_s, window.start_s - before_s, window.lost_by or "unknown"))
        self._ended_s[key] = window.end_s
        length_s = len(window.pcm) / 8_000
        sound = window.sound.astype(np.float32) / FULL_SCALE
        if level_dbfs(sound[: len(window.pcm)]) < SILENCE_DBFS:
            return [*found, SentWindow(key, SILENCE, window.start_s, length_s)]
        peaks = self._stream(key, window.connection).window(
            sound, window.position, len(window.pcm), self._params.query_peaks_per_s
        )
        return [*found, SentWindow(key, SOUND, window.start_s, length_s, pack(peaks))]

    def _stream(self, key: UUID, connection: int) -> PeakStream:
        known = self._streams.get(key)
        if known is None or known[0] != connection:
            known = self._streams[key] = (connection, PeakStream(self._params))
        return known[1]


class RemoteListener:
    """Captures some streams for a server. `run` blocks until stopped."""

    def __init__(
        self,
        server: Server,
        urls: Sequence[str],
        buffer: DiskBuffer,
        tuner: Tunes,
        params: Params,
        *,
        window_s: float = 10.0,
        hop_s: float = 5.0,
        tell: Callable[[str, str], None] = lambda kind, text: None,  # noqa: ARG005
    ) -> None:
        """Prepare.

        Args:
            server: Where to send.
            urls: What to hear.
            buffer: Keeps what was not acknowledged.
            tuner: Gives sound.
            params: The engine's, as the server has them.
            window_s: Length of a window.
            hop_s: Distance between windows.
            tell: Is told what happens: a kind (`registered`, `refused`, `session`, `sent`, `waiting`) and a sentence.
        """
        self._server = server
        self._buffer = buffer
        self._params = params
        self._tell = tell
        self._finder = PeakFinder(params)
        self._outbox = Outbox()
        self._stopping = threading.Event()
        self._unregistered = list(dict.fromkeys(urls))
        self._urls = tuple(self._unregistered)
        self._wait_s = 0.0
        self._status: dict[UUID, str] = {}
        self._sessions = [self._session(url, tuner, window_s, hop_s) for url in self._unregistered]

    def run(self, stop: threading.Event) -> None:
        """Listen until stopped; what could not be sent by then waits on disk for the next time."""
        sender = threading.Thread(target=self._send, name="sender", daemon=True)
        sender.start()
        kept_at = time.monotonic()
        while not stop.wait(TEND_S):
            for session in self._sessions:
                session.tend(time.time())
            self._show()
            if time.monotonic() - kept_at >= KEEP_S:
                kept_at = time.monotonic()
                self._keep()
        for session in self._sessions:
            session.stop()
        self._finder.close()
        self._keep()
        self._stopping.set()
        sender.join(LAST_TRY_S + self._server.door.timeout_s)

    def _session(self, url: str, tuner: Tunes, window_s: float, hop_s: float) -> LiveSession:
        key = remote_key(self._buffer.client_id, url)
        return LiveSession(
            Target(key, self._buffer.client_id, 0, None, url, url),
            Resumed(),
            tuner=tuner,
            recognisers=self._finder,
            outbox=self._outbox,
            params=TrackerParams(),
            window_s=window_s,
            hop_s=hop_s,
        )

    def _show(self) -> None:
        for session_id, state in self._outbox.take().sessions.items():
            if self._status.get(session_id) != state.status:
                self._status[session_id] = state.status
                name = next(one.target.name for one in self._sessions if one.target.session_id == session_id)
                self._tell("session", f"{state.status}  {name}  {state.error or ''}".rstrip())

    def _keep(self) -> None:
        windows = self._finder.take()
        if windows:
            self._buffer.keep(windows)

    # On the sender's thread

    def _send(self) -> None:
        deadline: float | None = None
        while True:
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + LAST_TRY_S
                if self._buffer.oldest() is None or time.monotonic() > deadline or self._wait_s > 1:
                    return
            if not self._turn():
                rest = self._stopping if not self._stopping.is_set() else threading.Event()
                rest.wait(min(self._wait_s or IDLE_S, LONGEST_WAIT_S))

    def _turn(self) -> bool:
        """Register, or send one batch; False when there is nothing to do or no getting through."""
        if self._unregistered:
            return self._register(self._unregistered[0])
        kept = self._buffer.oldest()
        if kept is None:
            return False
        path = f"/api/v1/listening/remote/windows?client_id={self._buffer.client_id}&sequence={kept.sequence}"
        reply = self._server.post_bytes(path, kept.path.read_bytes())
        if reply.status == _OK:
            told = json.loads(reply.body)
            self._buffer.acknowledged(int(told["acknowledged"]))
            if told["ignored"]:
                self._tell("refused", f"the server wants {told['ignored']} windows no more: their streams were stopped")
            self._reached()
            return True
        if reply.status == _NOT_FOUND:  # it has forgotten us: a backup was restored
            self._unregistered = list(self._urls)
        elif reply.status in _REFUSED:
            self._tell("refused", f"the server refuses batch {kept.sequence}: {_reason(reply)}")
            self._buffer.refused(kept)
            return True
        self._failed(reply)
        return False

    def _register(self, url: str) -> bool:
        body: dict[str, object] = {
            "client_id": str(self._buffer.client_id),
            "url": url,
            "params_hash": params_hash(self._params),
        }
        reply = self._server.post_json("/api/v1/listening/remote/sessions", body)
        if reply.status in (_OK, _CREATED):
            told = json.loads(reply.body)
            self._buffer.begin_after(int(told["acknowledged"]))
            self._tell("registered", f"{url} is stream {told['stream_id']}")
        elif reply.status in _REFUSED:
            self._tell("refused", f"{url}: {_reason(reply)}")
            for session in [one for one in self._sessions if one.target.url == url]:
                session.stop()
        else:
            self._failed(reply)
            return False
        self._unregistered = self._unregistered[1:]
        self._reached()
        return True

    def _reached(self) -> None:
        if self._wait_s:
            self._tell("sent", f"the server is back, {len(self._buffer)} batches wait")
        self._wait_s = 0.0

    def _failed(self, reply: Reply) -> None:
        if not self._wait_s:
            self._tell("waiting", f"the server cannot be reached ({_reason(reply)}); what is heard is kept on disk")
        self._wait_s = reply.retry_after_s or min(LONGEST_WAIT_S, max(0.5, self._wait_s * 2))


def _reason(reply: Reply) -> str:
    if not reply.status:
        return reply.fault
    try:
        told = json.loads(reply.body)
        return f"{reply.status}: {str(told.get('detail') or told.get('title'))[:300]}"
    except (ValueError, AttributeError):
        return str(reply.status)
