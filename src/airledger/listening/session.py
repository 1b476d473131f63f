"""One live session: a stream's sound through clock, windows, recognition and tracker, for as long as it is wanted.

Sound arrives on the tuner's thread and is only cut there; windows are recognised and tracked on one recogniser
thread per session, in order. So neither side needs a lock for its own state; only what is shown of it has one.
"""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from airledger.audio.stream_format import StreamFormat
from airledger.listening.air_clock import AirClock
from airledger.listening.capture import SAMPLED, Capture
from airledger.listening.coverage import HEARD, LOOPED, SILENT, Stretch, extend
from airledger.listening.heard import HeardWindow, Observer
from airledger.listening.outbox import HeardPlay, Outbox, SessionState, Target
from airledger.listening.stuck import StuckSound
from airledger.listening.tracker import Step, TrackerParams, TrackerState, Window, close_all, track
from airledger.listening.windows import RATE_HZ, Cut, WindowCutter
from airledger.platform.clock import epoch_now, from_epoch
from airledger.platform.logging import logger
from airledger.recognition.answer import Answer
from airledger.stations.tuner import Connected, Listening, TuneEnded

STALL_S = 20.0
GOOD_S = 30.0
LEAST_REST_S = 1.0
BACKOFF_LIMIT_S = 60.0

log = logger(__name__)


class Tunes(Protocol):
    """What a session needs of a tuner."""

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "Closes":
        """Begin to hear a stream."""


class Closes(Protocol):
    """A stream that is being heard."""

    def close(self) -> None:
        """Stop hearing it."""


class Recognises(Protocol):
    """What a session needs of the recognisers."""

    @property
    def ahead_samples(self) -> int:
        """How much sound behind a window they want to see."""

    def submit(self, session: "LiveSession", window: "AiredCut") -> bool:
        """Have `session.recognised` called with the answer; False when too far behind to take it."""


@dataclass(frozen=True, eq=False)
class AiredCut:
    """A window of sound and when it was aired.

    Attributes:
        start_s: air time of the first sample.
        pcm: int16[n], mono, 8 kHz.
        sound: the same, and some of what follows.
        position: of the first sample in the connection.
        connection: which connection of the session it is from, counted from 1.
        lost_by: why the sound before this window may be missing.
    """

    start_s: float
    pcm: NDArray[np.int16]
    sound: NDArray[np.int16]
    position: int
    connection: int
    lost_by: str | None

    @property
    def end_s(self) -> float:
        """Air time of the last sample."""
        return self.start_s + len(self.pcm) / RATE_HZ


@dataclass(frozen=True)
class Resumed:
    """Where an earlier listener of the same stream stopped."""

    tracker: TrackerState = field(default_factory=TrackerState)
    coverage: Stretch | None = None


class LiveSession:
    """Listens to one stream; drive it with `tend` a few times a second."""

    def __init__(
        self,
        target: Target,
        resumed: Resumed,
        *,
        tuner: Tunes,
        recognisers: Recognises,
        outbox: Outbox,
        params: TrackerParams,
        window_s: float,
        hop_s: float,
        capture: Capture | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """Prepare a session.

        Args:
            target: what to hear, and for whom.
            resumed: where an earlier listener stopped.
            tuner: gives sound.
            recognisers: say what it is.
            outbox: takes what is to be stored.
            params: of the tracker.
            window_s: length of a window, as the installation has it.
            hop_s: distance between windows, likewise.
            capture: the session's own settings; all is heard without them.
            observers: are shown every window.
        """
        self.target = target
        self._observers = tuple(observers)
        self._tuner = tuner
        self._recognisers = recognisers
        self._outbox = outbox
        self._capture = capture or Capture()
        self._params = replace(params, max_gap_s=self._capture.gap_s(params.max_gap_s))
        window_s, hop_s = self._capture.windows(window_s, hop_s)
        self._cutter = WindowCutter(window_s, hop_s, recognisers.ahead_samples)
        self._fresh_from = round((window_s - hop_s) * RATE_HZ)  # what a cut-off window must exceed to hold anything new
        self._connections = 0
        self._air = AirClock()
        self._tuned: Closes | None = None
        self._tracker = resumed.tracker
        self._coverage = resumed.coverage
        self._lost_by = "listener_down" if resumed.coverage else None
        self._state = SessionState("waiting", last_speed=target.last_speed)
        self._state_lock = threading.Lock()
        self._next_try_s = 0.0
        self._backoff_s = 1.0
        self._connected_s = 0.0
        self._last_sound_s = 0.0
        self._end: TuneEnded | None = None
        self._heard_s = 0.0
        self._title: str | None = None
        self._stuck = StuckSound()
        self.is_stopped = False

    # Driven by the listener's loop

    def tend(self, now_s: float) -> None:
        """Connect when it is time, and notice a connection that has gone quiet."""
        if self._end is not None:
            self._lose(self._end.cause.value, self._end.detail, now_s)
        elif self._tuned is not None and now_s - max(self._connected_s, self._last_sound_s) > STALL_S:
            self._lose("stalled", f"no sound for {STALL_S:.0f} s", now_s)
        elif self._tuned is not None and self._capture.is_enough(self._heard_s):
            self._pause()
        if self._tuned is None and not self.is_stopped and now_s >= self._next_try_s:
            self._connect(now_s)

    def stop(self) -> None:
        """Stop hearing; plays stay open, so that whoever resumes can continue them."""
        self.is_stopped = True
        if self._tuned is not None:
            self._tuned.close()
            self._tuned = None
            self._hand_on_rest()

    def end(self) -> None:
        """Stop for good: what plays is closed where it was last heard. Call once the recogniser is idle."""
        self.stop()
        self._tell(close_all(self._tracker, self._params), 0.0)
        self._tracker = TrackerState()

    def _connect(self, now_s: float) -> None:
        self._end = None
        self._air = AirClock()
        self._cutter.restart(0)
        self._connections += 1
        self._connected_s, self._heard_s = now_s, 0.0
        if self._lost_by != SAMPLED:
            self._change(status="connecting")
        self._tuned = self._tuner.tune(self.target.url, self, headers=self.target.request_headers)

    def _pause(self) -> None:
        """End a capture that is complete, until the next one is due."""
        if self._tuned is not None:
            self._tuned.close()
        self._hand_on_rest()
        self._tuned, self._end = None, None
        self._lost_by, self._backoff_s = SAMPLED, 1.0
        self._next_try_s = self._connected_s + (self._capture.interval_s or 0.0)

    def _lose(self, cause: str, detail: str, now_s: float) -> None:
        if self._tuned is not None:
            self._tuned.close()
        self._hand_on_rest()
        self._tuned, self._end = None, None
        self._lost_by = cause
        if self._last_sound_s - self._connected_s > GOOD_S:
            self._backoff_s = 1.0
        self._next_try_s = now_s + self._backoff_s * random.uniform(0.8, 1.2)  # noqa: S311  spreads reconnects
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_LIMIT_S)
        self._change(status="reconnecting", error=f"{cause}: {detail}", reconnects=self._state.reconnects + 1)
        log.info("session_lost", stream=self.target.stream_id, cause=cause, detail=detail)

    # Called on the tuner's thread

    def connected(self, info: Connected) -> None:
        """The server answered."""
        del info

    def format(self, found: StreamFormat) -> None:
        """The decoder knows the codec."""
        del found

    def title(self, text: str, at_s: float) -> None:
        """The station says what it plays."""
        if text == self._title:  # a new connection begins with the title that is on
            return
        self._title = text
        shown_s = self._air.air_time(round(at_s * RATE_HZ)) if self._heard_s else epoch_now()
        self._outbox.title(self.target, text, shown_s)

    def bytes_received(self, count: int, at: float) -> None:
        """Bytes arrived; sound tells us more."""

    def discontinuity(self, reason: str) -> None:
        """The next sound does not continue the last one: no window spans both, and its clock starts anew."""
        self._hand_on_rest()
        self._lost_by = reason
        self._air = AirClock()
        self._connections += 1

    def ended(self, end: TuneEnded) -> None:
        """The connection is over; `tend` takes it from here."""
        self._end = end

    def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
        """Sound arrived: keep the clock, cut windows, hand them on."""
        if self._last_sound_s < self._connected_s:
            self._change(status="listening", error=None)
        self._last_sound_s = max(at, self._connected_s)
        self._heard_s = (position + len(pcm)) / RATE_HZ
        self._air.heard(position + len(pcm), at)
        if air_time is not None:
            self._air.told(position, air_time, at)
        for cut in self._cutter.add(pcm, position):
            self._hand_on(cut)

    def _hand_on(self, cut: Cut) -> None:
        start_s = self._air.air_time(cut.position)
        window = AiredCut(start_s, cut.pcm, cut.sound, cut.position, self._connections, self._lost_by)
        if not self._recognisers.submit(self, window):
            self._lost_by = "overload"

    def _hand_on_rest(self) -> None:
        """Have the last sound of a connection heard too, though it fills no window."""
        rest = self._cutter.rest()
        begun = self._last_sound_s >= self._connected_s > 0
        if begun and len(rest.pcm) >= max(self._fresh_from, 0) + LEAST_REST_S * RATE_HZ:
            self._hand_on(rest)
        self._cutter.restart(0)

    # Called on this session's recogniser thread

    def recognised(self, window: AiredCut, answer: Answer) -> None:
        """A window has its answer: extend coverage and let the tracker decide."""
        self._cover(window, self._kind(window, answer))
        step = track(self._tracker, Window(window.start_s, window.end_s, answer.found), self._params)
        self._tracker = step.state
        self._tell(step, answer.cpu_ms)
        self._count(window, answer)
        heard = HeardWindow(
            self.target, window.start_s, window.end_s, window.pcm, answer, window.position, window.connection
        )
        for observer in self._observers:
            observer(heard, step)

    def _kind(self, window: AiredCut, answer: Answer) -> str:
        """What kind of sound it is; a station that begins to be stuck, or gets going again, says so."""
        before = self._stuck.stuck
        stuck = self._stuck.take(window.start_s, window.pcm, answer.peaks)
        if stuck != before:
            self._change(error=f"stuck: {stuck}" if stuck is not None else None)
            log.info("session_stuck", stream=self.target.stream_id, how=stuck)
        if answer.is_silent:
            return SILENT
        return LOOPED if stuck is not None else HEARD

    def _cover(self, window: AiredCut, kind: str) -> None:
        step = extend(self._coverage, kind, window.start_s, window.end_s, lost_by=window.lost_by)
        self._coverage = step.current
        for stretch in step.changed:
            self._outbox.cover(self.target, stretch)

    def _tell(self, step: Step, cpu_ms: float) -> None:
        for hypothesis in step.changed:
            started_s, ended_s = hypothesis.started_s(self._params), hypothesis.ended_s(self._params)
            self._outbox.play(HeardPlay(self.target, hypothesis, started_s, max(started_s, ended_s), cpu_ms))

    def _count(self, window: AiredCut, answer: Answer) -> None:
        self._change(
            windows=self._state.windows + 1,
            matched=self._state.matched + any(one.score >= self._capture.confidence for one in answer.found),
            last_sound_at=from_epoch(window.end_s),
            last_speed=answer.usual_speed if answer.usual_speed is not None else self._state.last_speed,
        )

    def _change(self, **values: Any) -> None:
        with self._state_lock:
            self._state = replace(self._state, **values)
            self._outbox.session(self.target, self._state)

    @property
    def status(self) -> str:
        """`waiting`, `connecting`, `listening`, `reconnecting` or `stopped`."""
        return self._state.status
