"""Noticing live that a station is stuck: the same piece of sound again and again, or one tone held for ever.

Most stations never are, so looking costs little: peaks that are known already tell whether a sound resembles itself
after one and the same time. Only where it does is its waveform collected, and compared (`audio.loop`).
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airledger.audio.loop import find_loop
from airledger.fingerprint.peaks import Peaks, strongest
from airledger.fingerprint.selfsame import self_similarity
from airledger.listening.windows import RATE_HZ

LOOK_EVERY_S = 120.0
HISTORY_S = 90.0
PEAKS_PER_S = 12
SUSPICIOUS = 0.6
SHORTEST_S, LONGEST_S = 1.0, 30.0
TONE_S = 30.0
TONE_PEAKS_PER_S = 0.5


@dataclass
class StuckSound:
    """What is known of one connection's sound; windows come in order. Not thread-safe."""

    stuck: str | None = None  # how, for people to read; None while the sound goes on
    _peaks: deque[tuple[float, Peaks]] = field(default_factory=deque)
    _sound: list[NDArray[np.int16]] | None = None
    _until_s: float = 0.0
    _look_s: float = 0.0
    _tone_since_s: float | None = None

    def take(self, start_s: float, pcm: NDArray[np.int16], peaks: Peaks | None) -> str | None:
        """Take a window; say how the station is stuck, None while it is not.

        Args:
            start_s: when it begins; windows that begin elsewhere than expected start anew.
            pcm: int16[n], mono, 8 kHz.
            peaks: its peaks; None for silence, which is another matter.
        """
        end_s = start_s + len(pcm) / RATE_HZ
        if peaks is None or start_s > self._until_s + 1 or end_s < self._until_s - HISTORY_S:
            self._forget(end_s)
        if peaks is not None:
            fresh_s = max(0.0, self._until_s - start_s) if self._peaks else 0.0
            self._take_tone(start_s, end_s, peaks)
            self._take_loop(start_s, pcm, peaks, fresh_s)
        self._until_s = end_s
        return self.stuck

    def _forget(self, now_s: float) -> None:
        self._peaks.clear()
        self._sound, self.stuck, self._tone_since_s = None, None, None
        self._look_s = now_s + HISTORY_S

    def _take_tone(self, start_s: float, end_s: float, peaks: Peaks) -> None:
        """Sound without any beginnings in it is a tone or a hum."""
        if len(peaks) >= TONE_PEAKS_PER_S * peaks.duration_s:
            if self._tone_since_s is not None and self.stuck == "tone":
                self.stuck = None
            self._tone_since_s = None
            return
        self._tone_since_s = start_s if self._tone_since_s is None else self._tone_since_s
        if end_s - self._tone_since_s >= TONE_S:
            self.stuck = "tone"

    def _take_loop(self, start_s: float, pcm: NDArray[np.int16], peaks: Peaks, fresh_s: float) -> None:
        if fresh_s < peaks.duration_s:
            self._peaks.append((start_s, _since(peaks, fresh_s)))
        while self._peaks and self._peaks[0][0] < start_s - HISTORY_S:
            self._peaks.popleft()
        if self._sound is not None:
            self._sound.append(pcm[round(fresh_s * RATE_HZ) :])
            if sum(map(len, self._sound)) >= HISTORY_S * RATE_HZ:
                self._compare(start_s)
        elif start_s >= self._look_s:
            self._look_s = start_s + LOOK_EVERY_S
            if self_similarity(self._history()) >= SUSPICIOUS:
                self._sound = []
            elif self.stuck != "tone":
                self.stuck = None

    def _compare(self, now_s: float) -> None:
        """Compare the waveform of a suspect with itself."""
        sound = np.concatenate(self._sound) if self._sound else np.empty(0, np.int16)
        period_s = find_loop(sound, SHORTEST_S, LONGEST_S)
        self.stuck = None if period_s is None else f"the same {period_s:.1f} s again and again"
        self._sound, self._look_s = None, now_s + LOOK_EVERY_S

    def _history(self) -> Peaks:
        """All that is remembered, as one sound of few peaks."""
        begin_s = self._peaks[0][0]
        times_s = [peaks.times_s + np.float32(start_s - begin_s) for start_s, peaks in self._peaks]
        whole = Peaks(
            np.maximum.accumulate(np.concatenate(times_s)),
            np.concatenate([peaks.freqs_hz for _, peaks in self._peaks]),
            np.concatenate([peaks.levels for _, peaks in self._peaks]),
            self._peaks[-1][0] - begin_s + self._peaks[-1][1].duration_s,
        )
        return strongest(whole, PEAKS_PER_S)


def _since(peaks: Peaks, from_s: float) -> Peaks:
    """The part of a window that was not in the one before; its times stay those of the window."""
    first = int(np.searchsorted(peaks.times_s, from_s))
    return Peaks(peaks.times_s[first:], peaks.freqs_hz[first:], peaks.levels[first:], peaks.duration_s)
