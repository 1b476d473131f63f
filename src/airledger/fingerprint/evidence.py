"""From coincidences to a probability: the null model.

**Raw evidence.** Each peak of the query that lies within the track is a trial: it has a partner there (a hit) or not
(a miss). By chance it has one with probability c: how many of the track's peaks have its frequency, times the
tolerance, over the track's length; and such a partner lies anywhere within the tolerance.
If the query belongs there, a share r of its peaks has survived the radio chain, and their partners lie close. So a miss
multiplies the odds by q = 1 - r, and a hit at closeness s (`align`) by q + r * f1(s) / (c * f0(s)), with f0(s) = -ln s,
the density of a product of two uniform numbers, and f1(s) = 3 s^2. The logarithm, summed over the stretch of the query
where it is greatest (a song may begin or end within it) and for the best of a few r, is the raw evidence, in nats. The
query's weaker peaks have an r of their own, down to 0: in noise most of them are noise, under speech they are the song.

**Dependence.** Hits at one moment are one drum; hits at one frequency are one tone. The n-th hit within 50 ms counts
1/n, and hits count less after others of their frequency in the seconds before.

**Rivals.** Songs of one tempo and key, made with the same instruments and drums, agree at hundreds of places. What
accident does on this material is measured: the *rival* is the greatest evidence at another place of the same track,
and counts against. A song of loops has such rivals by right, so one is excused where the track itself is the same at
both places (half of its peaks or fewer: not at all; three quarters: wholly). Accidents also differ among themselves
the more, the greater they are: unless the greater part of the track's peaks is heard, what exceeds a rival of more
than 15 nats is divided by the root of rival / 15. And since sounds are sold and used again, a second says no more
than 6 nats.

**Fit.** A record that is played faster has speed and pitch raised alike; a changed tempo leaves the pitch, a changed
pitch the speed, as they are. An accident fits any speed and pitch within some percent. So the more exactly one of these
relations holds, given how well the hits determine speed and pitch, the likelier it is no accident: `fit`, in nats.

**Probability.** Two things can be mistaken for a match.
*Accident*: among the `trials` tracks times warps of a search, the best by chance. What is left of the raw evidence,
`nats` (it accounts for all places of one track), and the fit must outweigh ln(trials) (Bonferroni).
*Kinship*: another recording of the same loops, samples and instruments, of which every library holds a few. Their
number does not grow with the library, but what they have in common with the query does not look like accident. They are
told apart by how much exceeds what other places of the track have beyond the track's own repetition (`strange`), how
close the hits are, and the fit: `kin`, a logistic regression on 640 places in windows of 5 and 10 s that belong
(drowned in noise or speech) and 1,240 that do not (held-out music, much of it by the same makers as what was enrolled,
and tunes made by one synthesiser on one beat).
The score is 1 / (1 + e^-(kin - a) + e^-(nats + fit - ln(trials) - b)), the margins a and b being the odds beforehand
that a window holds a track that is enrolled at all. docs/recognition.md shows how it was measured, and how reliable it
is.
"""

from dataclasses import dataclass
from math import exp, hypot, log, log1p, sqrt

import numpy as np

from airledger.fingerprint.align import TOLERANCE_S, Alignment
from airledger.fingerprint.arrays import F32, F64, Flags, kernel
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.params import SAMPLE_RATE_HZ
from airledger.fingerprint.peaks import Peaks

_ACCIDENT_MARGIN = 2.0
_KIN_MARGIN = 1.5
_KIN_WEIGHTS = (0.45, 0.2, -6.3, 0.4, -1.4)  # of excess, closeness, strangeness and fit; and the constant
_KIN_KNOWN = 4.0  # nats less are to be overcome where one track is expected, and no other looked for
_MOST_STRANGE = 1.2
_FIT_OF_ACCIDENTS = 0.03  # speeds and pitches that accidents fit lie within 1.5 % on both sides of what was proposed
_FIT_SHARE = 0.85
_LEAST_FIT_NATS = -2.3
_CHANGED_ALONE_NATS = -2.0  # tempo or pitch alone are changed more rarely than speed
_FARTHEST = 0.085  # no station plays faster or slower by more
_TOO_FAR_NATS = -9.0
_UNCHANGED_NATS = -0.9
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
_WEAK_SHARES = (1.0, 0.3, 0.0)  # of the share of the strong peaks
_STRONG_PER_S = 45.0


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
        strange: the greatest evidence at another place beyond what the track's own repetition explains: if half of the
            track's peaks are at both places, half of the evidence is due there.
        fit: how well speed and pitch agree with a way of playing, in nats.
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
    strange: float
    fit: float

    @property
    def nats(self) -> float:
        """Evidence beyond what accident does on this material."""
        return min((self.raw - self.rival) / self._inflation(self.rival), _MOST_NATS_PER_S * self.stretch_s)

    def _inflation(self, rival: float) -> float:
        """By how much accidents differ among themselves; what is heard for the greater part is no accident."""
        spread = sqrt(max(1.0, rival / _USUAL_RIVAL))
        return 1 + (spread - 1) * (1 - _ramp(self.heard, _HEARD_SOMEWHAT, _HEARD_MUCH))

    @property
    def kin(self) -> float:
        """Log odds that this is the recording, and not one that is akin to it."""
        excess = sqrt(max(self.raw - self.strange, 0.0) / self._inflation(self.strange))
        strangeness = min(_MOST_STRANGE, self.strange / max(self.raw, 1.0))
        of_excess, of_closeness, of_strangeness, of_fit, constant = _KIN_WEIGHTS
        told = of_excess * excess + of_closeness * log1p(self.closeness) + of_strangeness * strangeness
        return told + of_fit * self.fit + constant


NOTHING = Evidence(
    raw=0.0,
    rival=0.0,
    again=0.0,
    heard=0.0,
    closeness=0.0,
    first=0,
    last=0,
    hits=0,
    stretch_s=0.0,
    strange=0.0,
    fit=0.0,
)


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
    strong = _strong(query)[inside]
    raw, a, b = _stretch(alignment.closeness[inside], times_s, freqs_hz, chance, strong)
    elsewhere = [_stretch(row[inside], times_s, freqs_hz, chance, strong)[0] for row in alignment.rivals]
    repeated = alignment.alike.tolist()
    unlike = [1 - _ramp(alike, _ALIKE_SOMEWHAT, _ALIKE_ENOUGH) for alike in repeated]
    first, last = int(inside[a]), int(inside[b])
    matched = inside[a : b + 1][hits[inside[a : b + 1]]]
    count = len(matched)
    from_s, to_s = alignment.offset_s + query.times_s[[first, last]] * np.float32(alignment.warp.speed)
    stretch_s = float(query.times_s[last] - query.times_s[first])
    there = np.searchsorted(reference_s, to_s + TOLERANCE_S) - np.searchsorted(reference_s, from_s - TOLERANCE_S)
    return Evidence(
        raw=raw,
        rival=max((one * share for one, share in zip(elsewhere, unlike, strict=True)), default=0.0),
        again=max(elsewhere, default=0.0),
        heard=count / max(int(there), 1),
        closeness=float(alignment.closeness[matched].sum()),
        first=first,
        last=last,
        hits=count,
        stretch_s=stretch_s,
        strange=max((max(0.0, one - alike * raw) for one, alike in zip(elsewhere, repeated, strict=True)), default=0.0),
        fit=_fit(alignment.warp, count, stretch_s),
    )


def probability(evidence: Evidence, trials: float) -> float:
    """The score of what is best among `trials` tracks times warps, with this evidence; 1 for one that is expected."""
    accident = evidence.nats + _FIT_SHARE * evidence.fit - log(max(trials, 1.0)) - _ACCIDENT_MARGIN
    kin = evidence.kin - _KIN_MARGIN + (_KIN_KNOWN if trials <= 1 else 0.0)
    return 1 / (1 + exp(-min(max(kin, -60.0), 60.0)) + exp(-min(max(accident, -60.0), 60.0)))


def _fit(warp: Warp, hits: int, stretch_s: float) -> float:
    """How much likelier this speed and pitch are as a way of playing than as a fit to accidents, in nats."""
    root = sqrt(max(hits, 4))
    speed_error = hypot(0.001, 0.05 / (max(stretch_s, 0.3) * root))
    pitch_error = hypot(0.0002, 0.0016 / root)
    speed, pitch = warp.speed, warp.pitch
    if abs(speed - 1) > _FARTHEST:
        return _TOO_FAR_NATS
    as_it_is, same_pitch = _density(speed - 1, speed_error), _density(pitch - 1, pitch_error)
    spread = log(_FIT_OF_ACCIDENTS)
    best = max(
        _density(speed - pitch, hypot(speed_error, pitch_error)) + spread,
        as_it_is + same_pitch + 2 * spread + _UNCHANGED_NATS,
        same_pitch + spread + _CHANGED_ALONE_NATS,
        as_it_is + spread + _CHANGED_ALONE_NATS,
    )
    return max(best, _LEAST_FIT_NATS)


def _density(away: float, error: float) -> float:
    """Logarithm of the density of a normal distribution, but for a constant, its tail cut."""
    return -min((away / error) ** 2, 30.0) / 2 - log(error)


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _strong(query: Peaks) -> Flags:
    """Which peaks of a query are among its strongest; in noise, the others are mostly noise."""
    count = int(_STRONG_PER_S * query.duration_s)
    if len(query) <= count:
        return np.ones(len(query), np.bool_)
    strong: Flags = query.levels >= np.partition(query.levels, len(query) - count)[len(query) - count]
    return strong


def _stretch(closeness: F32, times_s: F32, freqs_hz: F32, chance: F64, strong: Flags) -> tuple[float, int, int]:
    odds, weights = _odds(closeness, chance), _weights(closeness, times_s, freqs_hz)
    return _best_stretch(odds, weights, strong, np.array(_SHARES), np.array(_WEAK_SHARES))


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
def _best_stretch(odds: F64, weights: F64, strong: Flags, shares: F64, weak_shares: F64) -> tuple[float, int, int]:
    """Greatest sum of log likelihood ratios over a stretch, and over the shares: (sum, first, last)."""
    best, best_first, best_last = 0.0, 0, 0
    for share in shares:
        for weaker in weak_shares:
            total, first = 0.0, 0
            for k in range(len(odds)):
                survived = share if strong[k] else share * weaker
                gain = np.log(survived * odds[k] + 1 - survived) if survived > 0 else 0.0
                if gain > 0:
                    gain *= weights[k]
                total += gain
                if total > best:
                    best, best_first, best_last = total, first, k
                if total <= 0:
                    total, first = 0.0, k + 1
    return best, best_first, best_last
