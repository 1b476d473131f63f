"""The bank: by what speeds, tempi and pitches a broadcast may differ from the recording."""

from dataclasses import dataclass

_SAME = 0.004


@dataclass(frozen=True, slots=True, order=True)
class Warp:
    """How a broadcast differs from its reference.

    Attributes:
        speed: how much faster time runs: 1.02 plays 1.02 s of the reference in a second.
        pitch: by what factor frequencies are higher. A record played faster has both equal.
    """

    speed: float = 1.0
    pitch: float = 1.0

    @property
    def rarity_nats(self) -> float:
        """How much evidence it takes to believe in such a change: none on most stations, seldom more than a speed."""
        if abs(self.speed - self.pitch) > _SAME:
            return 5.0
        return 0.0 if abs(self.speed - 1) <= _SAME else 1.5


UNCHANGED = Warp()

SPEEDS = tuple(round(1 + step * 0.005, 3) for step in range(-12, 13) if step)
TEMPI = (0.92, 0.94, 0.955, 0.97, 0.985, 1.015, 1.03, 1.045, 1.06, 1.08)
SEMITONES = (-2, -1, 1, 2)

BANK: tuple[Warp, ...] = (
    *(Warp(speed, speed) for speed in SPEEDS),
    *(Warp(tempo, 1.0) for tempo in TEMPI),
    *(Warp(1.0, 2 ** (semitones / 12)) for semitones in SEMITONES),
)
"""Everything that is tried when the unchanged query finds nothing: ± 6 % speed, ± 8 % tempo, ± 2 semitones."""
