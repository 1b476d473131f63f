"""The bank: by what speeds, tempi and pitches a broadcast may differ from the recording."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Warp:
    """How a broadcast differs from its reference.

    Attributes:
        speed: how much faster time runs: 1.02 plays 1.02 s of the reference in a second.
        pitch: by what factor frequencies are higher. A record played faster has both equal.
    """

    speed: float = 1.0
    pitch: float = 1.0


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
