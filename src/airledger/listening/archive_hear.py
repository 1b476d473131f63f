"""Hearing recorded sound as a station is heard: the same windows, recognition, tracker and coverage, in air time.

Everything is decided by the sound and its place on the time line alone: ids too. So hearing the same files again, in
one go or with interruptions, gives the same rows.
"""

import concurrent.futures
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from airledger.listening.archive_place import Placed
from airledger.listening.coverage import HEARD, SILENT, Stretch, extend
from airledger.listening.heard import HeardWindow, Observer
from airledger.listening.outbox import HeardPlay, Target
from airledger.listening.tracker import CLOSED, Step, TrackerParams, TrackerState, Window, close_all, track
from airledger.listening.windows import RATE_HZ, Cut, WindowCutter
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.identify import identify
from airledger.recognition.library_index import LibraryIndex

NAMESPACE = UUID("5b0c8f0e-6d3c-5f0a-9a53-2f6f1d1b7a10")
FULL_SCALE = np.float32(32_768)
CHUNK = 24
LEAST_S = 3.0
NO_FILE = "no_file"


@dataclass(frozen=True)
class Progress:
    """Where hearing stands, between two chunks of windows.

    Attributes:
        tracker: Open plays.
        coverage: The stretch that goes on.
        last_speed: Speed at which the station was last heard to play.
        origin_s: Air time of the run's sample 0; None before anything was heard. A run is sound without a gap.
        taken: Samples of the run that were taken so far.
        held: So many of them belong to the next window already.
    """

    tracker: TrackerState = field(default_factory=TrackerState)
    coverage: Stretch | None = None
    last_speed: float | None = None
    origin_s: float | None = None
    taken: int = 0
    held: int = 0

    @property
    def heard_until_s(self) -> float | None:
        """Air time of the first sample not taken yet."""
        return None if self.origin_s is None else self.origin_s + self.taken / RATE_HZ


@dataclass
class Heard:
    """What is to be stored since the last time: plays that ended, and stretches."""

    plays: dict[UUID, HeardPlay] = field(default_factory=dict)
    coverage: dict[UUID, Stretch] = field(default_factory=dict)
    windows: int = 0
    matched: int = 0
    cpu_s: float = 0.0


class ArchiveHearer:
    """Hears one station's recorded sound, file after file. Windows are recognised in parallel and tracked in order."""

    def __init__(
        self,
        library: LibraryIndex,
        target: Target,
        pool: concurrent.futures.Executor,
        *,
        params: TrackerParams,
        window_s: float,
        hop_s: float,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._library = library
        self._target = target
        self._pool = pool
        self._params = params
        self._observers = tuple(observers)
        self._cutter = WindowCutter(window_s, hop_s)
        self._again = round((window_s - hop_s) * RATE_HZ)
        self._progress = Progress()
        self._waiting: list[Cut] = []
        self._out = Heard()
        self._lost_by: str | None = None

    @property
    def heard_until_s(self) -> float | None:
        """Air time of the first sample not taken yet."""
        return self._progress.heard_until_s

    def resume(self, progress: Progress, tail: NDArray[np.int16] | None) -> None:
        """Go on where an earlier hearing stood.

        Args:
            progress: What `progress` returned then.
            tail: int16[progress.held], the sound before that place; None if it is gone, which costs the windows
                that reach across.
        """
        held = progress.held if tail is not None and len(tail) == progress.held else 0
        self._progress = progress
        self._waiting.clear()
        self._cutter.restart(progress.taken - held)
        if held and tail is not None:
            list(self._cutter.add(tail, progress.taken - held))

    def begin(self, placed: Placed, lost_by: str = NO_FILE) -> int:
        """Begin a file; return how many of its samples are to be left out because they were heard before.

        Args:
            placed: Its place on the time line.
            lost_by: The cause of the gap before it, if there is one.
        """
        skip = round(placed.skip_s * RATE_HZ)
        begin_s = placed.begin_s + skip / RATE_HZ
        if placed.is_joined and self._progress.origin_s is not None:
            origin_s = begin_s - self._progress.taken / RATE_HZ
            if abs(origin_s - self._progress.origin_s) > 1 / RATE_HZ:
                self._change(origin_s=origin_s)
            return 0
        self.flush()
        self._lost_by = lost_by
        self._cutter.restart(0)
        self._change(origin_s=begin_s, taken=0, held=0)
        return skip

    def take(self, pcm: NDArray[np.int16]) -> bool:
        """Take the next sound; True where all of it was recognised, so that `progress` may be kept."""
        if not len(pcm):
            return not self._waiting
        self._waiting += self._cutter.add(pcm, self._progress.taken)
        self._change(taken=self._progress.taken + len(pcm))
        if len(self._waiting) >= CHUNK:
            self.settle()
        return not self._waiting

    def settle(self) -> None:
        """Recognise and track the windows that wait."""
        waiting, self._waiting = self._waiting, []
        answers = list(self._pool.map(self._identify, waiting))
        for cut, answer in zip(waiting, answers, strict=True):
            self._track(cut, answer)
        matched = [answer.found[0].speed for answer in answers if answer.found]
        if matched:
            self._change(last_speed=matched[-1])

    def flush(self) -> None:
        """Hear the end of a run too: what is shorter than a window."""
        self.settle()
        rest = self._cutter.rest()
        is_fresh = len(rest.pcm) > self._again or (rest.position == 0 and len(rest.pcm) >= LEAST_S * RATE_HZ)
        if is_fresh:
            self._waiting = [rest]
            self.settle()

    def finish(self) -> None:
        """End every play, as nothing follows. `progress` of before still lets a later file continue them."""
        self.flush()
        self._keep(close_all(self._progress.tracker, self._params), 0.0)
        self._change(tracker=TrackerState((), self._progress.tracker.heard_until_s))

    def progress(self) -> Progress:
        """Return where hearing stands.

        Raises:
            RuntimeError: Windows still wait to be recognised.
        """
        if self._waiting:
            raise RuntimeError("windows wait to be recognised: settle first")
        held = len(self._cutter.rest().pcm)
        self._change(held=held)
        return self._progress

    def give_out(self) -> Heard:
        """Hand over what is to be stored."""
        out, self._out = self._out, Heard()
        return out

    def _identify(self, cut: Cut) -> Answer:
        return identify(
            self._library,
            cut.pcm.astype(np.float32) / FULL_SCALE,
            organisations=(self._target.organisation_id,),
            last_speed=self._progress.last_speed,
        )

    def _track(self, cut: Cut, answer: Answer) -> None:
        origin_s = self._progress.origin_s or 0.0
        start_s = origin_s + cut.position / RATE_HZ
        end_s = start_s + len(cut.pcm) / RATE_HZ
        kind = SILENT if answer.is_silent else HEARD
        covered = extend(self._progress.coverage, kind, start_s, end_s, lost_by=self._lost_by, new_id=self._stretch_id)
        step = track(self._progress.tracker, Window(start_s, end_s, answer.found), self._params, new_id=self._play_id)
        self._change(tracker=step.state, coverage=covered.current)
        self._out.coverage.update({one.id: one for one in covered.changed})
        self._out.windows += 1
        self._out.matched += bool(answer.found)
        self._out.cpu_s += answer.cpu_ms / 1000
        self._keep(step, answer.cpu_ms)
        heard = HeardWindow(self._target, start_s, end_s, cut.pcm, answer)
        for observer in self._observers:
            observer(heard, step)

    def _keep(self, step: Step, cpu_ms: float) -> None:
        for one in step.changed:
            if one.state == CLOSED:
                started_s, ended_s = one.started_s(self._params), one.ended_s(self._params)
                self._out.plays[one.id] = HeardPlay(self._target, one, started_s, max(started_s, ended_s), cpu_ms)

    def _play_id(self, window: Window, match: Identified) -> UUID:
        return uuid5(NAMESPACE, f"play/{self._target.stream_id}/{match.recording_id}/{_ticks(window.start_s)}")

    def _stretch_id(self, kind: str, start_s: float) -> UUID:
        return stretch_id(self._target.stream_id, kind, start_s)

    def _change(self, **values: Any) -> None:
        self._progress = replace(self._progress, **values)


def stretch_id(stream_id: int, kind: str, start_s: float) -> UUID:
    """Name a stretch of an archive's coverage."""
    return uuid5(NAMESPACE, f"coverage/{stream_id}/{kind}/{_ticks(start_s)}")


def _ticks(air_s: float) -> int:
    """Count samples since 1970: windows begin at whole ones, so rounding never falls between two."""
    return round(air_s * RATE_HZ)
