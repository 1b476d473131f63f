"""How far a stream can be relied upon, and how good it sounds: numbers from observations, nothing else.

Reliability is the mean of a Beta posterior over "the next check succeeds". Its prior is three successes and no failure,
so a stream that nobody has checked shows the mission's 1.0, and one success among few keeps it above 0.7. Old checks
fade with a half-life of 14 days. The lower bound leans on evidence alone (Clopper-Pearson, 5 %): 0 without a success.
"""

import math
from typing import NamedTuple

HALF_LIFE_DAYS = 14.0
PRIOR_SUCCESSES = 3.0
LOWER_QUANTILE = 0.05
SURE_SIGMAS = 1.645  # of the normal distribution's 5 % quantile
DAY_S = 86_400.0

# What a listener calls good, per codec, in kbit/s; beyond it nothing is gained.
GOOD_KBPS = {"mp3": 192, "aac": 128, "aac+": 64, "vorbis": 128, "opus": 96, "mp2": 256}
DEFAULT_GOOD_KBPS = 160
LOSSLESS = frozenset({"flac", "alac", "wav", "pcm_s16le"})
GOOD_RATE_HZ = 44_100
WARNING_COST = 0.1


class Evidence(NamedTuple):
    """Faded counts of checks that succeeded and failed."""

    successes: float = 0.0
    failures: float = 0.0


def faded(evidence: Evidence, elapsed_s: float) -> Evidence:
    """Let evidence fade with time."""
    factor = 0.5 ** (max(elapsed_s, 0.0) / (HALF_LIFE_DAYS * DAY_S))
    return Evidence(evidence.successes * factor, evidence.failures * factor)


def observed(evidence: Evidence, *, is_healthy: bool) -> Evidence:
    """Add one check."""
    return Evidence(evidence.successes + is_healthy, evidence.failures + (not is_healthy))


def reliability(evidence: Evidence) -> float:
    """Return the posterior mean, 0 to 1."""
    good = PRIOR_SUCCESSES + evidence.successes
    return good / (good + evidence.failures)


def lower_bound(evidence: Evidence) -> float:
    """Return what the probability of success exceeds with 95 % confidence, without any prior belief."""
    if evidence.successes < 1e-9:  # noqa: PLR2004  faded to nothing
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(evidence.successes, evidence.failures + 1.0, LOWER_QUANTILE))


def sure_share(evidence: Evidence) -> float:
    """Return about what `lower_bound` does, by the normal approximation: cheap enough to decide every pause by."""
    good, bad = evidence.successes, evidence.failures + 1.0
    total = good + bad
    return max((good - SURE_SIGMAS * math.sqrt(good * bad / (total + 1.0))) / total, 0.0)


def quality(codec: str | None, kbps: int | None, sample_rate_hz: int | None, warnings: int) -> float:
    """Rate the sound from 0 to 1 by codec, measured bitrate and sample rate; every warning costs a tenth.

    Unknown values count as middling, so that a stream is not punished for what we could not see.
    """
    name = (codec or "").lower()
    if name in LOSSLESS:
        by_rate = 1.0
    elif kbps is None or kbps <= 0:
        by_rate = 0.5
    else:
        by_rate = min(kbps / GOOD_KBPS.get(name, DEFAULT_GOOD_KBPS), 1.0)
    by_width = min(sample_rate_hz / GOOD_RATE_HZ, 1.0) if sample_rate_hz else 0.5
    return round(min(max(0.7 * by_rate + 0.3 * by_width - WARNING_COST * warnings, 0.0), 1.0), 4)
