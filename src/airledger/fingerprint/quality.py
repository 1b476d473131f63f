"""Whether a sound is fit to be recognised by."""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32
from airledger.fingerprint.params import SAMPLE_RATE_HZ, Params
from airledger.fingerprint.peaks import Peaks, extract
from airledger.fingerprint.selfsame import self_similarity

_LEAST_DURATION_S = 10.0
_LEAST_DBFS = -50.0
_LEAST_PEAKS_PER_S = 8.0
_MOST_SELF_SIMILARITY = 0.6


@dataclass(frozen=True, slots=True)
class FingerprintQuality:
    """How well a sound can be recognised.

    Attributes:
        duration_s: its length.
        energy_dbfs: its RMS level, 0 for a square wave at full scale.
        peaks_per_s: density of its peaks; sparse or steady sounds have few.
        self_similarity: 0..1, the largest share of its peaks that come again after one and the same time. A loop
            has nearly 1; then it can be recognised, but not where in it one is.
        score: 0..1, the product of how far each of these is from spoiling it.
        problems: a sentence for each of these that is outside of what works well.
    """

    duration_s: float
    energy_dbfs: float
    peaks_per_s: float
    self_similarity: float
    score: float
    problems: tuple[str, ...]


def assess(pcm: F32, params: Params, peaks: Peaks | None = None) -> FingerprintQuality:
    """Assess a sound that is to be enrolled.

    Args:
        pcm: float32[n], mono, 8 kHz.
        params: the engine's parameters.
        peaks: its peaks of "reference" density if they are known already.

    Raises:
        ValueError: as `extract`.
    """
    found = extract(pcm, params, dense="reference") if peaks is None else peaks
    duration_s = len(pcm) / SAMPLE_RATE_HZ
    power = float(np.mean(np.square(pcm, dtype=np.float64))) if len(pcm) else 0.0
    energy_dbfs = 10 * float(np.log10(max(power, 1e-10)))
    per_s = len(found) / duration_s if duration_s else 0.0
    alike = self_similarity(found)
    problems = []
    if duration_s < _LEAST_DURATION_S:
        problems.append(f"It lasts only {duration_s:.1f} s; {_LEAST_DURATION_S:.0f} s are recognised reliably.")
    if energy_dbfs < _LEAST_DBFS:
        problems.append(f"It is very quiet ({energy_dbfs:.0f} dBFS); raise its level.")
    if per_s < _LEAST_PEAKS_PER_S:
        problems.append(f"It has only {per_s:.1f} peaks a second; steady tones and silence cannot be told apart.")
    if alike > _MOST_SELF_SIMILARITY:
        problems.append(f"{100 * alike:.0f} % of it repeats itself exactly; the place within it may be ambiguous.")
    parts = (
        duration_s / _LEAST_DURATION_S,
        (energy_dbfs + 80) / (_LEAST_DBFS + 80),
        per_s / _LEAST_PEAKS_PER_S,
        (1 - alike) / (1 - _MOST_SELF_SIMILARITY),
    )
    score = float(np.prod(np.clip(parts, 0, 1)))
    return FingerprintQuality(duration_s, energy_dbfs, per_s, alike, score, tuple(problems))
