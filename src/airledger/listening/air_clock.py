"""When was this sample aired? The sample clock of a connection against the wall clock.

A server's burst delivers seconds of the past at once, a stall delivers the present late. Both only make
`arrival - position` larger than its true value or leave it there, never smaller: the burst's last sample arrives when
it is (about) aired, earlier ones arrive late. So the least difference of the last minute and a half is the clock.
"""

from collections import deque
from dataclasses import dataclass, field

RATE_HZ = 8_000
MEMORY_S = 90.0
BELIEVABLE_S = 600.0


@dataclass
class AirClock:
    """Maps sample positions of one connection to air times (seconds since 1970)."""

    _minima: deque[tuple[float, float]] = field(default_factory=deque)  # (arrival, difference), differences rising
    _told: float | None = None

    def heard(self, end_position: int, arrival_s: float) -> None:
        """Learn that all samples before `end_position` (8 kHz) had arrived at `arrival_s`."""
        difference = arrival_s - end_position / RATE_HZ
        while self._minima and self._minima[-1][1] >= difference:
            self._minima.pop()
        self._minima.append((arrival_s, difference))
        while self._minima[0][0] < arrival_s - MEMORY_S:
            self._minima.popleft()

    def told(self, position: int, air_time_s: float, arrival_s: float) -> None:
        """Learn an air time from the stream itself (EXT-X-PROGRAM-DATE-TIME), unless its clock is plainly wrong."""
        if abs(air_time_s - arrival_s) <= BELIEVABLE_S:
            self._told = air_time_s - position / RATE_HZ

    def air_time(self, position: int) -> float:
        """Return when the sample at `position` was aired.

        Raises:
            LookupError: Nothing has been heard yet.
        """
        if self._told is not None:
            return self._told + position / RATE_HZ
        if not self._minima:
            raise LookupError("no sound has arrived on this connection yet")
        return self._minima[0][1] + position / RATE_HZ
