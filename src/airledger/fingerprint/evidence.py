"""From coincidences to a probability: the null model.

**Raw evidence.** Each peak of the query that lies within the track is a trial: it has a partner there (a hit) or not
(a miss). By chance it has one with probability c: how many of the track's peaks have its frequency, times the
tolerance, over the track's length; and such a partner lies anywhere within the tolerance.
If the query belongs there, a share r of its peaks has survived the radio chain, and their partners lie close. So a miss
multiplies the odds by q = 1 - r, and a hit at closeness s (`align`) by q + r * f1(s) / (c * f0(s)), with f0(s) = -ln s,
the density of a product of two uniform numbers, and f1(s) = 3 s^2. The logarithm, summed over the stretch of the query
where it is greatest (a song may begin or end within it) and for the best of a few r, is the raw evidence, in nats.

**Dependence.** Hits at one moment are one drum; hits at one frequency are one tone. The n-th hit within 50 ms counts
1/n, and hits count less after others of their frequency in the seconds before.

**Rivals.** Songs of one tempo and key, made with the same instruments and drums, agree at hundreds of places. What
accident does on this material is measured: the *rival* is the greatest evidence at another place of the same track,
and counts against. A song of loops has such rivals by right, so one is excused where the track itself is the same at
both places (half of its peaks or fewer: not at all; three quarters: wholly). Accidents also differ among themselves
the more, the greater they are: unless the greater part of the track's peaks is heard, what exceeds a rival of more
than 15 nats is divided by the root of rival / 15. And since sounds are sold and used again, a second says no more
than 6 nats.

**Probability.** What is left, `nats`, accounts for all places of one track. A search looks at `trials` tracks times
warps; the chance that the best of them reaches it by accident is at most trials * e^-nats (Bonferroni). The score is
the logistic function of nats - ln(trials) - MARGIN, e^-MARGIN being the odds beforehand that a window holds a track
that is enrolled at all. A change of speed has to be paid for with 1.5 nats, one of tempo or pitch alone with 5. Of
1,020 windows of 5 to 20 s without an answer among 260 tracks (held-out music, also through radio processing, speech,
noise, tones) the greatest nats - ln(trials) was 4.4, the third greatest -1.5.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from airledger.fingerprint.align import TOLERANCE_S, Alignment
from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.params import SAMPLE_RATE_HZ
from airledger.fingerprint.peaks import Peaks

MARGIN = 7.5
_SLOT_S = 0.05
_TONE_HZ = 16.0
_TONE_S = 3.0
_MOST_NATS_PER_S = 6.0
_MOST_CLOSE = 12.0
_ALIKE_SOMEWHAT = 0.5
_ALIKE_ENOUGH = 0.75
_HEARD_SOMEWHAT = 0.45
_HEARD_MUCH = 0.6
_USUAL_RIVAL = 15.0
_SHARES = (0.08, 0.16, 0.3, 0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alignment says.

    Attributes:
        raw: logarithm of the likelihood ratio, in nats.
        rival: the same at the strongest rival, as far as that is not a repeat of this place.
        again: the same at the strongest of all, repeats as well.
        heard: share of the track's peaks in the matched stretch that the query has.
        closeness: sum over the hits; of repeats of one bar, the true one is closest.
        first: index of the first query peak of the matched stretch.
        last: index of its last.
        hits: peaks with a partner in it.
        stretch_s: its length.
    """

    raw: float
    rival: float
    again: float
    heard: float
    closeness: float
    first: int
    last: int
    hits: int
    stretch_s: float

    @property
    def nats(self) -> float:
        """Evidence beyond what accident does on this material."""
        return min((self.raw - self.rival) / self.inflation, _MOST_NATS_PER_S * self.stretch_s)

    @property
    def inflation(self) -> float:
        """By how much accidents differ among themselves; what is heard for the greater part is no accident."""
        spread = sqrt(max(1.0, self.rival / _USUAL_RIVAL))
        return 1 + (spread - 1) * (1 - _ramp(self.heard, _HEARD_SOMEWHAT, _HEARD_MUCH))


NOTHING = Evidence(raw=0.0, rival=0.0, again=0.0, heard=0.0, closeness=0.0, first=0, last=0, hits=0, stretch_s=0.0)


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
    elsewhere = [_stretch(row[inside], times_s, freqs_hz, chance)[0] for row in alignment.rivals]
    strange = [1 - _ramp(alike, _ALIKE_SOMEWHAT, _ALIKE_ENOUGH) for alike in alignment.alike.tolist()]
    first, last = int(inside[a]), int(inside[b])
    matched = inside[a : b + 1][hits[inside[a : b + 1]]]
    count = len(matched)
    from_s, to_s = alignment.offset_s + query.times_s[[first, last]] * np.float32(alignment.warp.speed)
    there = np.searchsorted(reference_s, to_s + TOLERANCE_S) - np.searchsorted(reference_s, from_s - TOLERANCE_S)
    return Evidence(
        raw=raw,
        rival=max((one * share for one, share in zip(elsewhere, strange, strict=True)), default=0.0),
        again=max(elsewhere, default=0.0),
        heard=count / max(int(there), 1),
        closeness=float(alignment.closeness[matched].sum()),
        first=first,
        last=last,
        hits=count,
        stretch_s=float(query.times_s[last] - query.times_s[first]),
    )


def probability(nats: float, trials: float) -> float:
    """The score of what is best among `trials` tracks times warps, with this evidence."""
    surplus = nats - float(np.log(max(trials, 1.0))) - MARGIN
    return float(1 / (1 + np.exp(-np.clip(surplus, -60, 60))))


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


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
