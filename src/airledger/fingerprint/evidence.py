"""From coincidences to a probability: the null model.

Each query peak k that lies within the track is a trial: it has a partner there, or not. Where the query does not
belong, it has one with probability c_k, measured at the decoy places of the same track (`align`). Where it belongs, it has one
with probability p_k = c_k + (1 - c_k) * r, where r is the share of peaks that the radio chain left in place. The logarithm of the
likelihood ratio, summed over the stretch of the query where the sum is greatest (the song may begin or end within it) and over
the best of a few r, is the *evidence* S.

Without a true match, e^S exceeds e^s at one given place with probability of about e^-s if peaks were independent. They are not
(a chord is several peaks at once), so S is divided by how much larger than expected it is at the decoys, `inflation`. A search
looks at as many places as the library has steps of 80 ms, for each warp of the bank, `trials`; by Bonferroni, the chance that
the best of all these reaches S is at most trials * exp(-S / inflation). The score is the probability of a true match that
follows, with a true match as likely beforehand as a chance one is at e^-MARGIN: score = 1 / (1 + exp(-(S / inflation - ln(trials) - MARGIN) * STEEPNESS)).
"""

from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.align import Alignment
from airledger.fingerprint.arrays import F64, Flags, kernel

MARGIN = 3.0
STEEPNESS = 1.0
_SHARES = (0.08, 0.16, 0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alignment says.

    Attributes:
        raw: logarithm of the likelihood ratio, in nats.
        inflation: by what factor chance exceeds the model of independent peaks on this material, at least 1.
        first: index of the first query peak of the matched stretch.
        last: index of its last.
        hits: peaks with a partner in it.
        peaks: peaks in it.
    """

    raw: float
    inflation: float
    first: int
    last: int
    hits: int
    peaks: int

    @property
    def nats(self) -> float:
        """Evidence after the correction for dependent peaks."""
        return self.raw / self.inflation


def weigh(alignment: Alignment) -> Evidence:
    """The evidence of an alignment, and the stretch of the query it comes from."""
    inside = np.flatnonzero(alignment.inside)
    if len(inside) == 0:
        return Evidence(0.0, 1.0, 0, 0, 0, 0)
    chance = alignment.chance[inside]
    shares = np.array(_SHARES)
    raw, first, last = _best_stretch(alignment.hits[inside], chance, shares)
    elsewhere = _all_stretches(np.ascontiguousarray(alignment.decoy_hits[:, inside]), chance, shares)
    stretch = slice(inside[first], inside[last] + 1)
    hits = int(alignment.hits[stretch].sum())
    return Evidence(raw, _inflation(elsewhere), int(inside[first]), int(inside[last]), hits, last - first + 1)


def probability(nats: float, trials: float) -> float:
    """The score of the best of `trials` places with this evidence."""
    surplus = (nats - float(np.log(max(trials, 1.0))) - MARGIN) * STEEPNESS
    return float(1 / (1 + np.exp(-np.clip(surplus, -60, 60))))


def _inflation(elsewhere: F64) -> float:
    """How much larger evidence is at the decoys than independent peaks would make it.

    The upper quarter is compared with the upper quarter of an exponential distribution of mean 1 (mean 1 + ln 4), its very
    top left out: music repeats, and a decoy may by accident lie exactly one bar away from the truth.
    """
    ordered = np.sort(elsewhere)
    upper = ordered[len(ordered) * 3 // 4 : len(ordered) - 2]
    return max(1.0, float(upper.mean()) / (1 + float(np.log(4))))


@kernel
def _best_stretch(hits: Flags, chance: F64, shares: F64) -> tuple[float, int, int]:
    """Greatest sum of log likelihood ratios over a stretch, and over the shares: (sum, first, last)."""
    best, best_first, best_last = 0.0, 0, 0
    for share in shares:
        total, first = 0.0, 0
        for k in range(len(hits)):
            p = chance[k] + (1 - chance[k]) * share
            total += np.log(p / chance[k]) if hits[k] else np.log((1 - p) / (1 - chance[k]))
            if total > best:
                best, best_first, best_last = total, first, k
            if total <= 0:
                total, first = 0.0, k + 1
    return best, best_first, best_last


@kernel
def _all_stretches(rows: Flags, chance: F64, shares: F64) -> F64:
    sums = np.empty(len(rows), np.float64)
    for d in range(len(rows)):
        sums[d] = _best_stretch(rows[d], chance, shares)[0]
    return sums
