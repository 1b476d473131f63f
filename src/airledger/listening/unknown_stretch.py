"""Joining windows that nothing enrolled explains into stretches of unknown sound. No moment is stored twice.

A window may be explained in part: what lies before the first and after the last agreement is unknown. A stretch ends
where something is recognised, where silence or a gap begins, or at its longest length; then the next one continues it.
"""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from airledger.audio.features import pause_share
from airledger.fingerprint.peaks import Peaks
from airledger.listening.heard import HeardWindow
from airledger.listening.outbox import Target
from airledger.listening.windows import RATE_HZ
from airledger.recognition.peaks_cut import part_of

LONGEST_S = 300.0
LEAST_S = 5.0  # adverts and jingles begin here
GROWTH_S = 60.0  # a crash loses less than this
JUMP_S = 0.3  # the clock of one connection slides by less between two windows
EDGE_S = 0.25  # the end of a window has no peaks: they need what follows
EXPLAINED_EDGE_S = 0.5
LEAST_PEAKS_PER_S = 4.0  # below: hum, tones, carrier noise
CLIP_S = 12.0


@dataclass(frozen=True, eq=False)
class SoundClip:
    """Some seconds of a stretch, the least speech-like of it: int16, mono, 8 kHz."""

    start_s: float
    pcm: NDArray[np.int16]
    pauses: float


@dataclass(frozen=True, eq=False)
class UnknownStretch:
    """A stretch as it is now; a later one with the same id and a higher revision replaces it.

    Attributes:
        id: Made when it began.
        target: Where it was heard, and for whom.
        start_s: Air time at which it begins.
        end_s: Air time at which it ends.
        peaks: Of "query" density; times count from `start_s`.
        clip: For judging and asking; None when no whole window lies in the stretch.
        is_closed: Nothing will be added any more.
        revision: Rises.
    """

    id: UUID
    target: Target
    start_s: float
    end_s: float
    peaks: Peaks
    clip: SoundClip | None
    is_closed: bool
    revision: int


@dataclass
class StretchBuilder:
    """Builds the stretches of one session; give it the windows in order of air time."""

    target: Target
    _id: UUID = field(default_factory=uuid4)
    _start_s: float = 0.0
    _until_s: float = 0.0
    _told_s: float = 0.0
    _window_s: float = 0.0
    _revision: int = 0
    _pieces: list[tuple[float, Peaks]] = field(default_factory=list)
    _clip: SoundClip | None = None

    @property
    def is_open(self) -> bool:
        """Whether a stretch is going on."""
        return bool(self._pieces)

    def add(self, heard: HeardWindow) -> list[UnknownStretch]:
        """Take a window into account; return the stretches that have grown or ended."""
        done = []
        jumped = heard.start_s > self._until_s + JUMP_S or heard.start_s < self._window_s - JUMP_S
        if self.is_open and jumped:
            done += self.close()
        self._window_s = heard.start_s
        peaks = heard.answer.peaks
        if heard.answer.is_silent or peaks is None or len(peaks) < LEAST_PEAKS_PER_S * peaks.duration_s:
            return done + self.close()
        found = heard.answer.found
        if not found:
            self._take(heard, peaks, heard.start_s, heard.end_s - EDGE_S)
            self._choose_clip(heard)
        else:
            first_s = heard.start_s + min(one.first_s for one in found) - EXPLAINED_EDGE_S
            last_s = heard.start_s + max(one.last_s for one in found) + EXPLAINED_EDGE_S
            stored_s = self._until_s
            self._take(heard, peaks, heard.start_s, first_s)
            if self.is_open:
                self._take_back(first_s)
            done += self.close()
            self._until_s = max(self._until_s, stored_s, last_s)
            self._take(heard, peaks, last_s, heard.end_s - EDGE_S)
        return done + self._due()

    def close(self) -> list[UnknownStretch]:
        """End what is going on; return it, unless it is too short to be anything."""
        if not self.is_open:
            return []
        stretch = self._snapshot(is_closed=True)
        was_told = self._revision > 1
        self._pieces, self._clip, self._revision, self._id = [], None, 0, uuid4()
        return [stretch] if was_told or stretch.end_s - stretch.start_s >= LEAST_S else []

    def _take(self, heard: HeardWindow, peaks: Peaks, from_s: float, to_s: float) -> None:
        """Add the peaks of a part of the window, as far as it was not stored before."""
        from_s = max(from_s, self._until_s)
        if to_s <= from_s:
            return
        if not self.is_open:
            self._start_s = self._told_s = from_s
        self._pieces.append((heard.start_s, part_of(peaks, from_s - heard.start_s, to_s - heard.start_s)))
        self._until_s = to_s

    def _take_back(self, to_s: float) -> None:
        """Drop what was explained by a recording that was recognised some windows late."""
        if to_s >= self._until_s:
            return
        end_s = max(self._start_s, to_s)
        self._pieces = [(zero_s, part_of(one, 0.0, end_s - zero_s)) for zero_s, one in self._pieces]
        self._until_s = end_s
        if self._clip is not None and self._clip.start_s + len(self._clip.pcm) / RATE_HZ > end_s:
            self._clip = None

    def _choose_clip(self, heard: HeardWindow) -> None:
        pauses = pause_share(heard.pcm)
        if self._clip is None or pauses < self._clip.pauses:
            self._clip = SoundClip(heard.start_s, heard.pcm[: round(CLIP_S * RATE_HZ)].copy(), pauses)

    def _due(self) -> list[UnknownStretch]:
        if not self.is_open:
            return []
        if self._until_s - self._start_s >= LONGEST_S:
            return self.close()
        if self._until_s - self._told_s >= GROWTH_S:
            self._told_s = self._until_s
            return [self._snapshot(is_closed=False)]
        return []

    def _snapshot(self, *, is_closed: bool) -> UnknownStretch:
        self._revision += 1
        duration_s = self._until_s - self._start_s
        shifted = [(start_s - self._start_s, one) for start_s, one in self._pieces]
        peaks = joined(shifted, duration_s)
        self._pieces = [(self._start_s, peaks)]
        return UnknownStretch(
            self._id, self.target, self._start_s, self._until_s, peaks, self._clip, is_closed, self._revision
        )


def joined(pieces: list[tuple[float, Peaks]], duration_s: float) -> Peaks:
    """One sound of several pieces, each with the time of its own zero."""
    times_s = np.concatenate([one.times_s + np.float32(zero_s) for zero_s, one in pieces])
    freqs_hz = np.concatenate([one.freqs_hz for _, one in pieces])
    levels = np.concatenate([one.levels for _, one in pieces])
    order = np.argsort(times_s, kind="stable")
    return Peaks(np.clip(times_s[order], 0, duration_s), freqs_hz[order], levels[order], duration_s)
