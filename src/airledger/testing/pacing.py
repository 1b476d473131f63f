"""One wall clock paces all stations."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Pace:
    """Says how far the live edge is.

    At wall time t it is at sample ``(t - epoch_s) * rate_hz * speed``: computed anew each time, so it cannot drift and
    catches up after a stall. It never goes back, even when the wall clock is set back.
    """

    epoch_s: float
    rate_hz: int
    speed: float = 1.0
    clock: Callable[[], float] = time.time
    _furthest: int = field(default=0, init=False)

    def edge(self) -> int:
        """Give the position of the sample that is due now."""
        due = int((self.clock() - self.epoch_s) * self.rate_hz * self.speed)
        self._furthest = max(self._furthest, due)
        return self._furthest
