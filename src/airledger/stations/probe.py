"""Proving streams: listen for a while through the tuner, then judge. Many at once on one waiting thread."""

import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from airledger.audio.features import level_dbfs
from airledger.audio.stream_format import SOUND_RATE_HZ, StreamFormat
from airledger.stations.levels import STRANGE_ORIGIN
from airledger.stations.proof import LOOP_JUDGED_FROM_S, MIN_SOUND_S, Observation, Proof, judge
from airledger.stations.proof_job import ProofJob, is_loopback
from airledger.stations.tuner.listening import Connected, Listening, PlaylistRead, TuneEnded

PER_HOST = 4
MAX_SOUND_S = 180.0
OVERTIME_S = 10.0
HLS_OVERTIME_S = 20.0
STUCK_TARGETS = 2.5  # a live playlist goes on once in a target duration, and packagers are late
STUCK_LEAST_S = 12.0
START_PATIENCE_S = 75.0
TURN_S = 0.5
MIN_LOOP_S, MAX_LOOP_S = 2.0, 30.0


class Tuned(Protocol):
    """A stream being heard."""

    def close(self) -> None:
        """Stop hearing it."""


class Tunes(Protocol):
    """What a proof needs of the tuner."""

    def tune(self, url: str, listener: Listening, *, headers: Mapping[str, str] | None = None) -> Tuned:
        """Begin to hear an address."""
        ...


def prove(
    url: str,
    tuner: Tunes,
    *,
    seconds: float = 12,
    headers: Mapping[str, str] | None = None,
    claimed_kbps: int | None = None,
) -> Proof:
    """Prove one stream.

    Args:
        url: An http(s) address.
        tuner: A running tuner.
        seconds: How long sound is listened to; the proof ends earlier where a failure is certain.
        headers: Sent along, as directories ask for.
        claimed_kbps: What a directory claims.
    """
    return next(prove_all(tuner, [ProofJob(0, url, seconds, headers or {}, claimed_kbps)]))[1]


def prove_all(
    tuner: Tunes,
    jobs: Iterable[ProofJob],
    *,
    concurrency: int = 16,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[ProofJob, Proof]]:
    """Prove streams, some at the same time, at most four of one host unless it is this machine.

    Args:
        tuner: A running tuner.
        jobs: What to prove.
        concurrency: How many at the same time.
        stopping: Asked all the time; True ends what is under way without a proof.

    Yields:
        Each job with its proof, in the order in which they are done.
    """
    proving = _Proving(tuner, deque(jobs), concurrency)
    try:
        while proving.has_work and not stopping():
            proving.start_some()
            yield from proving.take_done()
    finally:
        proving.abandon()


class _Proving:
    """A batch of proofs under way."""

    def __init__(self, tuner: Tunes, waiting: deque[ProofJob], concurrency: int) -> None:
        self._tuner = tuner
        self._waiting = waiting
        self._concurrency = concurrency
        self._running: dict[_Hearing, Tuned] = {}
        self._hosts: Counter[str] = Counter()
        self._done: queue.SimpleQueue[_Hearing] = queue.SimpleQueue()

    @property
    def has_work(self) -> bool:
        return bool(self._waiting or self._running)

    def start_some(self) -> None:
        """Start what fits, passing over hosts that are busy with us."""
        for _ in range(len(self._waiting)):
            if len(self._running) >= self._concurrency:
                return
            job = self._waiting.popleft()
            if self._hosts[job.host] >= PER_HOST and not is_loopback(job.host):
                self._waiting.append(job)
                continue
            self._hosts[job.host] += 1
            hearing = _Hearing(job, self._done.put)
            headers = {"Origin": STRANGE_ORIGIN, **job.headers}
            self._running[hearing] = self._tuner.tune(job.url, hearing, headers=headers)

    def take_done(self) -> Iterator[tuple[ProofJob, Proof]]:
        """Wait a little for proofs that are done."""
        try:
            first = [self._done.get(timeout=TURN_S)]
        except queue.Empty:
            first = []
        late = [hearing for hearing in self._running if hearing.is_overdue()]
        for hearing in dict.fromkeys([*first, *late]):
            tuned = self._running.pop(hearing, None)
            if tuned is not None:
                tuned.close()
                self._hosts[hearing.job.host] -= 1
                yield hearing.job, judge(hearing.observation())

    def abandon(self) -> None:
        """Stop listening to everything."""
        for tuned in self._running.values():
            tuned.close()
        self._running.clear()


class _Hearing:
    """Collects what the tuner tells of one stream, on the tuner's thread, until it is enough."""

    def __init__(self, job: ProofJob, tell: Callable[["_Hearing"], None]) -> None:
        self.job = job
        self._tell = tell
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._is_done = False
        self._connected: Connected | None = None
        self._ended: TuneEnded | None = None
        self._format: StreamFormat | None = None
        self._title: str | None = None
        self._pieces: list[NDArray[np.int16]] = []
        self._kept = 0
        self._samples = 0
        self._arrivals: list[tuple[float, int]] = []
        self._received_bytes = 0
        self._first_sound: float | None = None
        self._editions: list[tuple[float, PlaylistRead]] = []

    def connected(self, info: Connected) -> None:
        """Note who answered."""
        self._connected = info

    def format(self, found: StreamFormat) -> None:
        """Note the codec; of several the first, unless the picture comes later."""
        if self._format is None or (self._format.picture is None and found.picture is not None):
            self._format = found

    def title(self, text: str, at_s: float) -> None:
        """Note the title."""
        del at_s
        self._title = text

    def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
        """Note sound, and whether it is enough by now."""
        del position, at, air_time
        now = time.monotonic()
        with self._lock:
            if self._first_sound is None:
                self._first_sound = now
            self._samples += len(pcm)
            self._arrivals.append((now, self._samples))
            if self._kept < MAX_SOUND_S * SOUND_RATE_HZ:
                self._pieces.append(np.array(pcm, np.int16))
                self._kept += len(pcm)
            is_enough = self._is_enough(now)
        if is_enough:
            self._finish()

    def bytes_received(self, count: int, at: float) -> None:
        """Count media bytes."""
        del at
        with self._lock:
            self._received_bytes += count

    def playlist(self, read: PlaylistRead) -> None:
        """Note how an HLS playlist goes on: its first edition, the one that brought something new, the last."""
        now = time.monotonic()
        with self._lock:
            has_gone_on = self._has_gone_on()
            self._editions = [*self._editions[:1], (now, read)] if not has_gone_on else self._editions
            is_enough = not has_gone_on and self._is_enough(now)
        if is_enough:
            self._finish()

    def discontinuity(self, reason: str) -> None:
        """Nothing: a gap shows in the pace."""

    def ended(self, end: TuneEnded) -> None:
        """Note why it is over."""
        self._ended = end
        self._finish()

    def is_overdue(self) -> bool:
        """Tell whether waiting longer is pointless; what came by then is judged."""
        now = time.monotonic()
        with self._lock:
            if self._first_sound is None:
                return now - self._began > START_PATIENCE_S
            overtime_s = self._overtime_s()
            return self._is_enough(now) or now - self._first_sound > self.job.seconds + overtime_s

    def _overtime_s(self) -> float:
        if self._connected is None or self._connected.kind != "hls":
            return OVERTIME_S
        target_s = self._editions[-1][1].target_s if self._editions else 0.0
        return max(HLS_OVERTIME_S, (STUCK_TARGETS + 1) * min(target_s, HLS_OVERTIME_S))

    def observation(self) -> Observation:
        """Sum up. Only after the tuner has been told to stop."""
        now = time.monotonic()
        pcm = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        wall_s = self._arrivals[-1][0] - self._first_sound if self._first_sound is not None else 0.0
        if self._ended is None and self._first_sound is not None:
            wall_s = min(now - self._first_sound, self.job.seconds + HLS_OVERTIME_S)
        return Observation(
            connected=self._connected,
            ended=self._ended,
            format=self._format,
            title=self._title,
            is_complete=self._is_enough(now),
            sound_s=self._samples / SOUND_RATE_HZ,
            wall_s=wall_s,
            late_sound_s=self._sound_after(wall_s / 2),
            received_bytes=self._received_bytes,
            loudest_dbfs=_loudest_dbfs(pcm),
            loop_period_s=_loop_period_s(pcm),
            claimed_kbps=self.job.claimed_kbps,
            is_stuck=self._is_stuck(),
        )

    def _is_enough(self, now: float) -> bool:
        if self._first_sound is None or now - self._first_sound < self.job.seconds:
            return False
        if self._editions and not self._has_gone_on() and not self._is_stuck():
            return False
        # The decoder holds back a fraction of a second; real time is judged with more slack than that.
        return self._samples / SOUND_RATE_HZ >= max(self.job.seconds - 1.0, MIN_SOUND_S)

    def _has_gone_on(self) -> bool:
        """Tell whether the HLS playlist brought a segment since the first edition, or needs to bring none."""
        if not self._editions:
            return False
        first, last = self._editions[0][1], self._editions[-1][1]
        return last.has_ended or last.last_sequence != first.last_sequence

    def _is_stuck(self) -> bool:
        if not self._editions or self._has_gone_on():
            return False
        (began, _), (at, last) = self._editions[0], self._editions[-1]
        return at - began > max(STUCK_TARGETS * last.target_s, STUCK_LEAST_S)

    def _sound_after(self, elapsed_s: float) -> float:
        if self._first_sound is None:
            return 0.0
        before = [total for at, total in self._arrivals if at - self._first_sound <= elapsed_s]
        return (self._samples - (before[-1] if before else 0)) / SOUND_RATE_HZ

    def _finish(self) -> None:
        with self._lock:
            is_first, self._is_done = not self._is_done, True
        if is_first:
            self._tell(self)


def _loudest_dbfs(pcm: NDArray[np.int16]) -> float | None:
    levels = level_dbfs(pcm)
    return float(levels.max()) if len(levels) else None


def _loop_period_s(pcm: NDArray[np.int16]) -> float | None:
    if len(pcm) < LOOP_JUDGED_FROM_S * SOUND_RATE_HZ:
        return None
    from airledger.audio.loop import find_loop

    return find_loop(pcm, MIN_LOOP_S, MAX_LOOP_S)
