"""When the sound was aired, by the station's own clock."""

import math
from collections import deque
from dataclasses import dataclass


@dataclass
class AirClock:
    """Maps the decoder's time to the station's own clock (EXT-X-PROGRAM-DATE-TIME).

    A chapter is anchored where its first sample meets its first segment's time. Later segments only correct it when
    the two clocks have drifted apart by more than the precision with which a segment's first sample is known.
    """

    drift_limit_s: float = 0.5

    def __post_init__(self) -> None:
        self._chapters: deque[float | None] = deque()
        self._marks: deque[tuple[int, float]] = deque()
        self._offset_s: float | None = None
        self._chapter = -1

    def begin(self, aired_at: float | None) -> None:
        """A chapter begins with sound aired then."""
        self._chapters.append(aired_at)

    def mark(self, byte_position: int, aired_at: float) -> None:
        """The sound from this input byte on was aired then."""
        self._marks.append((byte_position, aired_at))

    def read(self, chapter: int, byte_position: int, time_s: float) -> float | None:
        """Tell when the sound decoded from here was aired; None where the station does not say."""
        if math.isnan(time_s):  # the container has no clock
            return None
        while self._chapter < chapter and self._chapters:
            aired_at = self._chapters.popleft()
            self._offset_s = None if aired_at is None else aired_at - time_s
            self._chapter += 1
        while self._marks and 0 <= self._marks[0][0] <= byte_position:
            offset_s = self._marks.popleft()[1] - time_s
            if self._offset_s is None or abs(offset_s - self._offset_s) > self.drift_limit_s:
                self._offset_s = offset_s
        return None if self._offset_s is None else self._offset_s + time_s
