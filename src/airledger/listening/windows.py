"""Cutting a stream's sound into overlapping windows."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 8_000


@dataclass(frozen=True)
class Cut:
    """One window of sound; `position` is that of its first sample in the connection.

    `sound` begins with the window and goes on for as long as the cutter was asked to look ahead.
    """

    position: int
    pcm: NDArray[np.int16]
    sound: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))


class WindowCutter:
    """Collects blocks of int16 sound and gives out windows of fixed length and distance."""

    def __init__(self, window_s: float, hop_s: float, ahead: int = 0) -> None:
        """Begin to cut.

        Args:
            window_s: length of a window.
            hop_s: distance between windows.
            ahead: samples behind a window that are given out with it; it is complete only when they are there.
        """
        self._window = round(window_s * RATE_HZ)
        self._hop = round(hop_s * RATE_HZ)
        self._whole = self._window + ahead
        self._blocks: list[NDArray[np.int16]] = []
        self._start = 0
        self._held = 0

    def add(self, pcm: NDArray[np.int16], position: int) -> Iterator[Cut]:
        """Add a block; yield the windows that are complete now. A block out of sequence starts anew."""
        if position != self._start + self._held:
            self.restart(position)
        self._blocks.append(pcm)
        self._held += len(pcm)
        while self._held >= self._whole:
            joined = np.concatenate(self._blocks)
            sound = joined[: self._whole].copy()
            yield Cut(self._start, sound[: self._window], sound)
            rest = joined[self._hop :]
            self._blocks, self._start, self._held = [rest], self._start + self._hop, len(rest)

    def rest(self) -> Cut:
        """Return the sound that is held: from where the next window begins to the newest sample."""
        held = np.concatenate(self._blocks) if self._blocks else np.empty(0, np.int16)
        return Cut(self._start, held, held)

    def restart(self, position: int) -> None:
        """Forget what is held: sound before and after does not belong together."""
        self._blocks, self._start, self._held = [], position, 0
