"""When did the bytes arrive that a piece of sound was decoded from?"""

import time
from collections import deque

MOST_CHUNKS = 4_096


class Arrivals:
    """Remembers when bytes came, until sound decoded from later ones has come out of the decoder.

    Sound comes out in pieces, and is looked at in breaths; its bytes tell better when it was sent.
    """

    def __init__(self) -> None:
        """Begin a stream."""
        self._chunks: deque[tuple[int, float]] = deque(maxlen=MOST_CHUNKS)

    def note(self, end: int, at: float) -> None:
        """All bytes before `end` have arrived, the newest of them `at` (epoch seconds)."""
        self._chunks.append((end, at))

    def end_of(self, byte_position: int, seconds: float) -> float:
        """Tell when the last sample of a piece arrived.

        Args:
            byte_position: where the packet of its first sample begins; negative where the container does not tell.
            seconds: length of the piece.

        Returns:
            When its first byte had arrived, and its own length later, but not later than now; epoch seconds.
        """
        now = time.time()
        if byte_position < 0:
            return now
        while self._chunks and self._chunks[0][0] <= byte_position:
            self._chunks.popleft()
        return min(now, self._chunks[0][1] + seconds) if self._chunks else now
