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

from airledger.fingerprint.align import TOLERANCE_S, Alignment
from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.params import SAMPLE_RATE_HZ
from airledger.fingerprint.peaks import Peaks

MARGIN = 7.5
STEEPNESS = 1.0
_SLOT_S = 0.05
_TONE_HZ = 16.0
_TONE_S = 3.0
_MOST_NATS_PER_S = 6.0
_MOST_CLOSE = 12.0
_SHORT_S = 3.0
_RICH_NATS_PER_S = 11.0
_RICHEST_NATS_PER_S = 16.0
_HEARD_MUCH = 0.8
_HEARD_WHOLE = 0.9
_SHARES = (0.08, 0.16, 0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alignment says.

    Attributes:
        raw: logarithm of the likelihood ratio, in nats.
        rival: the same at the strongest rival.
        heard: share of the track's peaks in the matched stretch that the query has.
        closeness: sum over the hits; of repeats of one bar, the true one is closest.
        first: index of the first query peak of the matched stretch.
        last: index of its last.
        hits: peaks with a partner in it.
        stretch_s: its length.
    """

    raw: float
    rival: float
    heard: float
    closeness: float
    first: int
    last: int
    hits: int
    stretch_s: float

    @property
    def nats(self) -> float:
        """Evidence beyond what accident does on this material; the rival is excused where the track is heard whole."""
        whole = (self.heard - _HEARD_MUCH) / (_HEARD_WHOLE - _HEARD_MUCH)
        rich = (self.raw / max(self.stretch_s, _SHORT_S) - _RICH_NATS_PER_S) / (_RICHEST_NATS_PER_S - _RICH_NATS_PER_S)
        beyond = self.raw - (1 - min(1.0, max(0.0, whole, rich))) * self.rival
        return min(beyond, _MOST_NATS_PER_S * self.stretch_s)


NOTHING = Evidence(raw=0.0, rival=0.0, heard=0.0, closeness=0.0, first=0, last=0, hits=0, stretch_s=0.0)


def weigh(alignment: Alignment, query: Peaks, reference_s: F32, counted: Flags | None = None) -> Evidence:
    """The evidence of an alignment, and the stretch of the query it comes from.

    Args:
        alignment: the query laid over a track.
        query: its peaks.
        reference_s: times of the track's peaks.
        counted: bool[query peaks], those that have not been explained by another track; all of them by default.
    """
    inside = np.flatnonzero(alignment.inside if counted is None else alignment.inside & counted)
    hits = alignment.hits
    if not hits[inside].any():
        return NOTHING
    chance, times_s, freqs_hz = alignment.chance[inside], query.times_s[inside], query.freqs_hz[inside]
    raw, a, b = _stretch(alignment.closeness[inside], times_s, freqs_hz, chance)
    rival = max((_stretch(row[inside], times_s, freqs_hz, chance)[0] for row in alignment.rivals), default=0.0)
    first, last = int(inside[a]), int(inside[b])
    matched = inside[a : b + 1][hits[inside[a : b + 1]]]
    count = len(matched)
    from_s, to_s = alignment.offset_s + query.times_s[[first, last]] * np.float32(alignment.warp.speed)
    there = np.searchsorted(reference_s, to_s + TOLERANCE_S) - np.searchsorted(reference_s, from_s - TOLERANCE_S)
    return Evidence(
        raw=raw,
        rival=rival,
        heard=count / max(int(there), 1),
        closeness=float(alignment.closeness[matched].sum()),
        first=first,
        last=last,
        hits=count,
        stretch_s=float(query.times_s[last] - query.times_s[first]),
    )


def probability(nats: float, trials: float) -> float:
    """The score of the best of `trials` places with this evidence."""
    surplus = (nats - float(np.log(max(trials, 1.0))) - MARGIN) * STEEPNESS
    return float(1 / (1 + np.exp(-np.clip(surplus, -60, 60))))


def _stretch(closeness: F32, times_s: F32, freqs_hz: F32, chance: F64) -> tuple[float, int, int]:
    return _best_stretch(_odds(closeness, chance), _weights(closeness, times_s, freqs_hz), np.array(_SHARES))


@kernel
def _odds(closeness: F32, chance: F64) -> F64:
    """How much likelier each hit is if the query belongs there than by chance; 0 for a miss."""
    odds = np.zeros(len(closeness), np.float64)
    for k in range(len(closeness)):
        if closeness[k] > 0:
            near = min(float(closeness[k]), 0.99)
            odds[k] = min(_MOST_CLOSE, 3 * near * near / -np.log(near)) / chance[k]
    return odds


@kernel
def _weights(closeness: F32, times_s: F32, freqs_hz: F32) -> F64:
    """How much each hit counts: less, the more there were at the same time or lately at the same frequency."""
    weights = np.zeros(len(closeness), np.float64)
    lately = np.zeros(int(SAMPLE_RATE_HZ / 2 / _TONE_HZ) + 3, np.float64)
    seen_s = np.zeros(len(lately), np.float64)
    slot_s, slot_hits = -1.0, 0
    for k in range(len(closeness)):
        if closeness[k] <= 0:
            continue
        if times_s[k] - slot_s > _SLOT_S:
            slot_s, slot_hits = times_s[k], 0
        slot_hits += 1
        tone = min(len(lately) - 2, int(freqs_hz[k] / _TONE_HZ) + 1)
        before = 0.0
        for near in range(tone - 1, tone + 2):
            before += lately[near] * np.exp((seen_s[near] - times_s[k]) / _TONE_S)
        lately[tone] = lately[tone] * np.exp((seen_s[tone] - times_s[k]) / _TONE_S) + 1
        seen_s[tone] = times_s[k]
        weights[k] = 1 / (slot_hits * (1 + before / 2))
    return weights


@kernel
def _best_stretch(odds: F64, weights: F64, shares: F64) -> tuple[float, int, int]:
    """Greatest sum of log likelihood ratios over a stretch, and over the shares: (sum, first, last)."""
    best, best_first, best_last = 0.0, 0, 0
    for share in shares:
        loss = np.log(1 - share)
        total, first = 0.0, 0
        for k in range(len(odds)):
            gain = loss
            if odds[k] > 0:
                gain = np.log(share * odds[k] + 1 - share)
                if gain > 0:
                    gain *= weights[k]
            total += gain
            if total > best:
                best, best_first, best_last = total, first, k
            if total <= 0:
                total, first = 0.0, k + 1
    return best, best_first, best_last
