"""A listener that keeps what a tuner tells it, and the waiting for a stream's end."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.audio.stream_format import StreamFormat
from airledger.stations.cause import Cause
from airledger.stations.tuner import Connected, TuneEnded, Tuner

WAIT_S = 20.0


@dataclass
class Recorder:
    """A listener that keeps what it is told."""

    info: Connected | None = None
    formats: list[StreamFormat] = field(default_factory=list)
    titles: list[tuple[str, float]] = field(default_factory=list)
    pieces: list[NDArray[np.int16]] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    air_times: list[float | None] = field(default_factory=list)
    received: int = 0
    breaks: list[str] = field(default_factory=list)
    end: TuneEnded | None = None
    threads: set[str] = field(default_factory=set)
    order: list[str] = field(default_factory=list)
    sounding: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def _note(self, what: str) -> None:
        self.threads.add(threading.current_thread().name)
        if self.order[-1:] != [what]:
            self.order.append(what)

    def connected(self, info: Connected) -> None:
        self._note("connected")
        self.info = info

    def format(self, found: StreamFormat) -> None:
        self._note("format")
        self.formats.append(found)

    def title(self, text: str, at_s: float) -> None:
        self._note("title")
        self.titles.append((text, at_s))

    def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
        self._note("sound")
        assert abs(at - time.time()) < 60
        self.pieces.append(pcm)
        self.positions.append(position)
        self.air_times.append(air_time)
        self.sounding.set()

    def bytes_received(self, count: int, at: float) -> None:
        self._note("bytes")
        assert abs(at - time.time()) < 60
        self.received += count

    def discontinuity(self, reason: str) -> None:
        self._note("discontinuity")
        self.breaks.append(reason)

    def ended(self, end: TuneEnded) -> None:
        self._note("ended")
        self.end = end
        self.over.set()

    @property
    def seconds(self) -> float:
        return sum(len(piece) for piece in self.pieces) / 8000


def hear(tuner: Tuner, url: str, **options: Any) -> Recorder:
    """Hear a stream to its end."""
    heard = Recorder()
    tuned = tuner.tune(url, heard, **options)
    assert heard.over.wait(WAIT_S), "the stream did not end"
    assert tuned.wait(WAIT_S)
    assert tuned.over
    return heard


def cause(tuner: Tuner, url: str) -> Cause:
    end = hear(tuner, url).end
    assert end is not None
    assert end.permanent == end.cause.permanent
    assert end.detail
    return end.cause
