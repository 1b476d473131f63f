"""The engine's parameters, and the hash that ties an index to them."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields

ENGINE_VERSION = 2
"""Raised whenever equal parameters would give other peaks or keys; part of `params_hash`."""

SAMPLE_RATE_HZ = 8000
KEY_BITS = 24

_QUERY_ONLY = frozenset({"query_peaks_per_s", "query_fan", "coarse_peaks_per_s", "coarse_fan", "vote_budget"})


@dataclass(frozen=True, slots=True)
class Params:
    """How sound becomes peaks and peaks become keys. Frequencies in Hz, times in seconds, levels in dB.

    The fields that only shape a query (density, fan-out, budgets) may differ between index and query; all others
    are part of `params_hash`.
    """

    frame_samples: int = 1024
    hop_samples: int = 160
    lowest_hz: float = 120.0
    highest_hz: float = 3900.0
    maximum_frames: int = 4  # a peak is the loudest cell within this many frames on each side ...
    maximum_bins: int = 5  # ... and within this many bins
    floor_db: float = -80.0  # cells below are silence (0 dB is a sine at full scale)
    reference_peaks_per_s: int = 25
    reference_fan: int = 4
    pair_min_s: float = 0.06
    pair_max_s: float = 1.28
    pair_max_hz: float = 500.0
    key_step_hz: float = 12.0  # as wide as half a step between speeds of the bank shifts a middling frequency
    key_step_across_hz: float = 6.0  # differences of frequency and time hardly shift with speed
    key_step_s: float = 0.02
    query_peaks_per_s: int = 90
    query_fan: int = 10
    coarse_peaks_per_s: int = 25
    coarse_fan: int = 4
    vote_budget: int = 64_000

    def __post_init__(self) -> None:
        """Refuse parameters whose keys would not fit, or that cannot be computed.

        Raises:
            ValueError: a field is out of range.
        """
        if not 64 <= self.frame_samples <= 8192 or not 1 <= self.hop_samples <= self.frame_samples:  # noqa: PLR2004
            raise ValueError("frame_samples must be 64..8192 and hop_samples 1..frame_samples.")
        if not 0 < self.lowest_hz < self.highest_hz <= SAMPLE_RATE_HZ / 2:
            raise ValueError(f"lowest_hz and highest_hz must rise and end below {SAMPLE_RATE_HZ / 2} Hz.")
        if (
            min(self.key_step_hz, self.key_step_across_hz, self.key_step_s, self.pair_max_hz) <= 0
            or not 0 <= self.pair_min_s < self.pair_max_s
        ):
            raise ValueError("The steps and ranges of a pair must be positive.")
        counts = (self.reference_peaks_per_s, self.reference_fan, self.query_peaks_per_s, self.query_fan)
        if min(*counts, self.coarse_peaks_per_s, self.coarse_fan, self.vote_budget) < 1:
            raise ValueError("Densities, fans and budgets must be at least 1.")
        if self.key_count > 1 << KEY_BITS:
            raise ValueError(f"These steps make {self.key_count} keys; at most {1 << KEY_BITS} fit.")

    @property
    def key_shape(self) -> tuple[int, int, int]:
        """How many steps a key has along (frequency, frequency difference, time difference)."""
        return (
            int(self.highest_hz / self.key_step_hz) + 2,
            int(2 * self.pair_max_hz / self.key_step_across_hz) + 2,
            int(self.pair_max_s / self.key_step_s) + 2,
        )

    @property
    def key_count(self) -> int:
        """Number of different keys."""
        first, across, along = self.key_shape
        return first * across * along


PROFILES: dict[str, Params] = {
    "fast": Params(reference_peaks_per_s=12, reference_fan=3, query_peaks_per_s=60),
    "balanced": Params(),
    "high_quality": Params(reference_peaks_per_s=35, reference_fan=6, query_fan=12),
}


def params_hash(params: Params) -> str:
    """SHA-256 (64 hex digits) of the engine version and of every parameter that shapes what an index stores."""
    stored = {name: value for name, value in asdict(params).items() if name not in _QUERY_ONLY}
    text = json.dumps({"engine": ENGINE_VERSION, **stored}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def params_from_json(values: dict[str, object]) -> Params:
    """Params from the object that an index's manifest carries.

    Raises:
        ValueError: a field is unknown, missing or of the wrong type.
    """
    known = {field.name: field.type for field in fields(Params)}
    if set(values) != set(known):
        raise ValueError("The parameters of the index are not those of this engine.")
    for name, value in values.items():
        kinds = int if known[name] is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise ValueError(f"The parameter {name} of the index is not a number.")  # noqa: TRY004  # a file's fault, not a caller's
    return Params(**values)  # type: ignore[arg-type]  # checked just above
