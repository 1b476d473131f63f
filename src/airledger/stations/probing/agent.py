"""The agent's side: take work from a server, prove it from here, send what was seen; keep it on disk in between.

Only outgoing connections. A server that is away costs nothing but time: what was seen waits in a folder, oldest first.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airledger.platform.clock import Clock
from airledger.recognition.outside.http_call import HttpDoor, Reply
from airledger.stations.probing.check import Checker
from airledger.stations.probing.stages import CheckJob, Stage
from airledger.stations.proof import Proof
from airledger.stations.proof_job import ProofJob

PER_CLAIM = 50
PER_BATCH = 50
IDLE_S = 30.0
LONGEST_WAIT_S = 60.0
MOST_KEPT = 2_000  # batches; the server takes nothing older than a week
SUFFIX = ".results"
_OK = 200
_REFUSED = frozenset({400, 404, 409, 413, 415, 422})


@dataclass(frozen=True)
class ProbeServer:
    """Where to ask for work: the address of an Airledger API, and how to reach it."""

    url: str
    token: str
    name: str
    door: HttpDoor

    def post(self, action: str, body: Mapping[str, Any]) -> Reply:
        """Send JSON to one of the agent's two paths."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        address = f"{self.url.rstrip('/')}/api/v1/probe-agents/{self.name}/{action}"
        return self.door.send("POST", address, content=json.dumps(body).encode(), headers=headers)


class ResultBuffer:
    """What was seen and not yet taken, in numbered files, each written whole and renamed."""

    def __init__(self, folder: Path, most: int = MOST_KEPT) -> None:
        """Open a folder of this agent alone; made when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for partial in folder.glob("*.part"):
            partial.unlink()
        self._folder = folder
        self._most = most
        self._last = max((int(path.stem) for path in self._kept()), default=0)

    def __len__(self) -> int:
        """How many batches wait."""
        return len(self._kept())

    def keep(self, results: list[dict[str, Any]]) -> None:
        """Write a batch; the oldest give way when there are too many."""
        self._last += 1
        path = self._folder / f"{self._last:012}{SUFFIX}"
        partial = path.with_suffix(".part")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(results, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        for old in self._kept()[: -self._most]:
            old.unlink()

    def oldest(self) -> tuple[Path, list[dict[str, Any]]] | None:
        """Return what is to be sent next; what cannot be read any more is dropped."""
        for path in self._kept():
            try:
                found = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                path.unlink()
                continue
            return path, found
        return None

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"))


class ProbeAgent:
    """Proves streams for a server from here. `run` blocks until stopped."""

    def __init__(
        self,
        server: ProbeServer,
        checker: Checker,
        buffer: ResultBuffer,
        clock: Clock,
        *,
        seconds: float = 12.0,
        tell: Callable[[str, str], None] = lambda kind, text: None,  # noqa: ARG005
    ) -> None:
        """Prepare.

        Args:
            server: Who gives work.
            checker: Proves.
            buffer: Keeps what was seen.
            clock: Dates it.
            seconds: How long a stream is listened to.
            tell: Gets what happens, a kind and a sentence.
        """
        self._server = server
        self._checker = checker
        self._buffer = buffer
        self._clock = clock
        self._seconds = seconds
        self._tell = tell
        self._wait_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until stopped."""
        while not stop.is_set():
            self.send(stop)
            jobs = self._claim() if not self._wait_s else []
            if jobs:
                self._work(jobs, stop)
            else:
                stop.wait(min(self._wait_s or IDLE_S, LONGEST_WAIT_S))
        self._wait_s = 0.0
        self.send(threading.Event())

    def send(self, stop: threading.Event) -> None:
        """Send what waits, as long as the server takes it."""
        while not stop.is_set() and (kept := self._buffer.oldest()) is not None:
            path, results = kept
            reply = self._server.post("results", {"results": results})
            if reply.status == _OK:
                told = json.loads(reply.body)
                self._tell("sent", f"{told['taken']} of {len(results)} results were taken")
            elif reply.status in _REFUSED:
                self._tell("refused", f"the server refuses {len(results)} results: {_reason(reply)}")
            else:
                self._failed(reply)
                return
            self._wait_s = 0.0
            path.unlink(missing_ok=True)

    def _claim(self) -> list[CheckJob]:
        reply = self._server.post("claim", {"limit": PER_CLAIM})
        if reply.status != _OK:
            self._failed(reply)
            return []
        self._wait_s = 0.0
        told = json.loads(reply.body)
        return [CheckJob(self._job(one), Stage.LOOK, was_playing=True) for one in told["streams"]]

    def _job(self, told: dict[str, Any]) -> ProofJob:
        return ProofJob(told["stream_id"], told["url"], self._seconds, told["headers"], told["claimed_kbps"])

    def _work(self, jobs: list[CheckJob], stop: threading.Event) -> None:
        self._tell("proving", f"{len(jobs)} streams")
        seen: list[dict[str, Any]] = []
        for stream_id, proof in self._checker.check_all(jobs, self._clock.now(), stop.is_set):
            if proof.cause is None or not proof.cause.is_ours:
                seen.append(told_of(stream_id, proof, self._clock.now().isoformat()))
            if len(seen) >= PER_BATCH:
                self._buffer.keep(seen)
                seen = []
        if seen:
            self._buffer.keep(seen)

    def _failed(self, reply: Reply) -> None:
        if not self._wait_s:
            self._tell("waiting", f"the server cannot be reached ({_reason(reply)}); what was seen is kept on disk")
        self._wait_s = reply.retry_after_s or min(LONGEST_WAIT_S, max(0.5, self._wait_s * 2))


def told_of(stream_id: int, proof: Proof, checked_at: str) -> dict[str, Any]:
    """Write a proof as the server reads it."""
    return {
        "stream_id": stream_id,
        "checked_at": checked_at,
        "level": proof.level,
        "is_healthy": proof.is_healthy,
        "cause": proof.cause.value if proof.cause else None,
        "cause_confidence": proof.cause_confidence,
        "detail": proof.detail,
        "http_status": proof.http_status,
        "response_time_ms": proof.response_time_ms,
        "bandwidth_kbps": proof.bandwidth_kbps,
        "codec": proof.codec,
        "sample_rate_hz": proof.sample_rate_hz,
        "channels": proof.channels,
        "sound_s": proof.sound_s,
    }


def _reason(reply: Reply) -> str:
    if not reply.status:
        return reply.fault
    try:
        told = json.loads(reply.body)
        return f"{reply.status}: {str(told.get('detail') or told.get('title'))[:300]}"
    except (ValueError, AttributeError):
        return str(reply.status)
