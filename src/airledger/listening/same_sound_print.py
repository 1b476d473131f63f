"""A print of what a stream sounded like: the strongest peaks of a few minutes, the same minutes for all streams.

Every quarter of an hour there is a look of three minutes. When it begins is drawn from its number, so that listeners
agree without asking each other, and looks do not always fall on the news.
"""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.peaks import Peaks, strongest
from airledger.fingerprint.same_sound import PEAKS_PER_S
from airledger.listening.heard import HeardWindow
from airledger.listening.unknown_stretch import EDGE_S, joined
from airledger.listening.windows import RATE_HZ
from airledger.platform.errors import InputError
from airledger.recognition.peaks_cut import cut_peaks

LEAST_S = 60.0
VERSION = 1
_TIME_HZ = 256
_FREQ_PER_HZ = 8
_LEVEL_PER_DB = 4
_MIX = 2_654_435_761


@dataclass(frozen=True)
class LookPlan:
    """When looks are taken: one in every `every_s`, `length_s` long, anywhere within."""

    every_s: float = 900.0
    length_s: float = 180.0

    def span(self, look: int) -> tuple[float, float]:
        """When a look begins and ends, in seconds since 1970."""
        share = (look * _MIX % 2**32) / 2**32
        begin_s = look * self.every_s + share * (self.every_s - self.length_s)
        return begin_s, begin_s + self.length_s

    def looks_of(self, start_s: float, end_s: float) -> Sequence[int]:
        """The looks that a stretch of time touches."""
        numbers = range(int(start_s // self.every_s), int(end_s // self.every_s) + 1)
        return [one for one in numbers if self.span(one)[0] < end_s and start_s < self.span(one)[1]]


@dataclass(frozen=True, eq=False)
class SoundPrint:
    """What a stream sounded like in a look: an unbroken stretch of it.

    Attributes:
        look: Number of the look.
        stream_id: Which stream.
        start_s: When the stretch began, in seconds since 1970.
        peaks: Times count from `start_s`.
    """

    look: int
    stream_id: int
    start_s: float
    peaks: Peaks


@dataclass
class PrintBuilder:
    """Builds the prints of one session; give it the windows in order."""

    stream_id: int
    plan: LookPlan
    _look: int | None = None
    _run: "_Run | None" = None
    _best: "_Run | None" = None

    @property
    def look(self) -> int | None:
        """The look that is being taken."""
        return self._look

    def add(self, heard: HeardWindow) -> list[SoundPrint]:
        """Take a window into account; return the prints that are complete."""
        done = []
        looks = self.plan.looks_of(heard.start_s, heard.end_s)
        if self._look is not None and self._look not in looks:
            done += self.close()
        for look in looks:
            if self._look != look:
                done += self.close()
                self._look = look
            self._take(heard, look)
        return done

    def close(self) -> list[SoundPrint]:
        """End the look that is going on; return what it gave, if that is long enough."""
        self._end_run()
        best, look = self._best, self._look
        self._best, self._look = None, None
        if best is None or look is None or best.length_s < min(LEAST_S, self.plan.length_s / 2):
            return []
        return [SoundPrint(look, self.stream_id, best.air_s + best.from_s, best.peaks())]

    def _take(self, heard: HeardWindow, look: int) -> None:
        if self._run is None or not self._run.continues(heard):
            self._end_run()
            self._run = _Run(heard.connection, heard.start_s - heard.position / RATE_HZ)
        begin_s, end_s = self.plan.span(look)
        self._run.take(heard, begin_s, end_s)

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is not None and (
            self._best is None or run.until_s - run.from_s > self._best.until_s - self._best.from_s
        ):
            self._best = run


@dataclass
class _Run:
    """Windows that continue each other; times are those of the connection, which no clock shifts."""

    connection: int
    air_s: float
    from_s: float = 0.0
    until_s: float = 0.0
    pieces: list[tuple[float, Peaks]] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        return self.until_s - self.from_s

    def continues(self, heard: HeardWindow) -> bool:
        return heard.connection == self.connection and heard.position / RATE_HZ <= self.until_s + EDGE_S

    def take(self, heard: HeardWindow, begin_s: float, end_s: float) -> None:
        zero_s = heard.position / RATE_HZ
        from_s = max(zero_s, begin_s - self.air_s, self.until_s)
        to_s = min(zero_s + heard.end_s - heard.start_s - EDGE_S, end_s - self.air_s)
        if to_s <= from_s:
            return
        if not self.pieces:
            self.from_s = from_s
        found = heard.answer.peaks or Peaks.empty(heard.end_s - heard.start_s)
        part = cut_peaks(strongest(found, PEAKS_PER_S), from_s - zero_s, to_s - zero_s)
        self.pieces.append((from_s, part))
        self.until_s = to_s

    def peaks(self) -> Peaks:
        return joined([(at_s - self.from_s, part) for at_s, part in self.pieces], self.until_s - self.from_s)


def to_bytes(prints: Sequence[SoundPrint]) -> bytes:
    """Write prints of one look: five bytes a peak (4 ms, an eighth of a hertz, a quarter of a decibel)."""
    buffer = io.BytesIO()

    def column(name: str, per_unit: float, kind: type, most: int) -> NDArray[Any]:
        every = [np.rint(getattr(one.peaks, name) * np.float32(per_unit)) for one in prints]
        whole: NDArray[Any] = np.clip(np.concatenate([*every, np.empty(0, np.float32)]), 0, most).astype(kind)
        return whole

    np.savez(
        buffer,
        version=np.int32(VERSION),
        looks=np.array([one.look for one in prints], np.int64),
        streams=np.array([one.stream_id for one in prints], np.int64),
        starts_s=np.array([one.start_s for one in prints], np.float64),
        durations_s=np.array([one.peaks.duration_s for one in prints], np.float64),
        counts=np.array([len(one.peaks) for one in prints], np.int64),
        times=column("times_s", _TIME_HZ, np.uint16, 65_535),
        freqs=column("freqs_hz", _FREQ_PER_HZ, np.uint16, 32_000),
        levels=column("levels", _LEVEL_PER_DB, np.uint8, 255),
    )
    return buffer.getvalue()


def from_bytes(content: bytes) -> list[SoundPrint]:
    """Read what `to_bytes` wrote.

    Raises:
        InputError: It is damaged, or from another version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if int(arrays["version"]) != VERSION:
                raise InputError(f"these prints are of version {int(arrays['version'])}; this program reads {VERSION}")
            return _prints({name: arrays[name] for name in arrays.files})
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"the stored prints are damaged: {error}") from error


def _prints(arrays: Mapping[str, NDArray[Any]]) -> list[SoundPrint]:
    times_s = (arrays["times"] / np.float32(_TIME_HZ)).astype(np.float32)
    freqs_hz = (arrays["freqs"] / np.float32(_FREQ_PER_HZ)).astype(np.float32)
    levels = (arrays["levels"] / np.float32(_LEVEL_PER_DB)).astype(np.float32)
    ends = np.cumsum(arrays["counts"]).tolist()
    prints = []
    for at, (count, end) in enumerate(zip(arrays["counts"].tolist(), ends, strict=True)):
        part = slice(end - count, end)
        peaks = Peaks(times_s[part], freqs_hz[part], levels[part], float(arrays["durations_s"][at]))
        where = int(arrays["looks"][at]), int(arrays["streams"][at]), float(arrays["starts_s"][at])
        prints.append(SoundPrint(*where, peaks))
    return prints
