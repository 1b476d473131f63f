"""How far each method is believed: where it started, and what people's corrections taught since (`accuracy_improver`).

A method's reliability is a Beta distribution: imagined right and wrong answers to start with, after the baselines
measured on real rows, and one more for each stream that a person placed. On one host its own record counts beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airledger.stations.places import fuse

# (right, wrong) to start with. Top-level domains and server addresses: as measured on 30,723 real rows.
START: dict[str, tuple[float, float]] = {
    fuse.SOURCE_POSITION: (19.0, 1.0),
    fuse.SOURCE_COUNTRY: (19.0, 1.0),
    fuse.CITY: (19.0, 1.0),
    fuse.STATE: (19.0, 1.0),
    fuse.ICY: (18.0, 2.0),
    fuse.HOMEPAGE_TLD: (49.0, 1.0),
    fuse.STREAM_TLD: (17.0, 3.0),
    fuse.PLACE_NAME: (16.0, 4.0),
    fuse.LANGUAGE: (14.0, 6.0),
    fuse.SERVER: (13.4, 6.6),
    fuse.TEXT: (20.0, 0.2),  # a factor on its own, calibrated, probabilities
}
HOST_WEIGHT = 4.0  # answers that the method's record anywhere is worth, beside its record on one host


@dataclass(frozen=True, slots=True)
class Trust:
    """Records of methods: (method, host) → (right, wrong); host "" is anywhere."""

    records: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def of(self, method: str, host: str) -> float:
        """Return the mean of what a method's reliability is believed to be on a host."""
        right, wrong = START.get(method, (1.0, 1.0))
        more, less = self.records.get((method, ""), (0, 0))
        anywhere = (right + more) / (right + wrong + more + less)
        here, astray = self.records.get((method, host), (0, 0)) if host else (0, 0)
        return (HOST_WEIGHT * anywhere + here) / (HOST_WEIGHT + here + astray)

    def scale(self, method: str, host: str) -> float:
        """Return by what a method's own probabilities are to be multiplied: 1 as long as nobody contradicted it."""
        start = START.get(method, (1.0, 1.0))
        return min(self.of(method, host) / (start[0] / sum(start)), 1.0)
