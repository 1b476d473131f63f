"""How fast a station usually plays: many run everything a per cent or two faster, and most run true."""

from collections import OrderedDict
from statistics import median
from uuid import UUID

MEMORY = 9
LEAST_SCORE = 0.98
SAME_PITCH = 0.004
RANGE = (0.9, 1.1)


class UsualSpeed:
    """The median of the last nine recordings, so that a single song in another tempo changes nothing."""

    def __init__(self, known: float | None) -> None:
        """Begin with what was known of the station, which counts as one recording."""
        self._first = known
        self._speeds: OrderedDict[UUID, float] = OrderedDict()

    def learn(self, recording_id: UUID, speed: float, pitch: float, score: float) -> None:
        """Take what was heard; the newest window of a recording counts for it."""
        if score < LEAST_SCORE or abs(speed - pitch) > SAME_PITCH or not RANGE[0] <= speed <= RANGE[1]:
            return
        self._speeds[recording_id] = speed
        self._speeds.move_to_end(recording_id)
        if len(self._speeds) > MEMORY:
            self._speeds.popitem(last=False)

    @property
    def recordings(self) -> int:
        """How many recordings tell it, what was known before not counted."""
        return len(self._speeds)

    @property
    def speed(self) -> float | None:
        """The usual speed, None while nothing is known."""
        known = [*([self._first] if self._first is not None else []), *self._speeds.values()]
        return median(known[-MEMORY:]) if known else None
