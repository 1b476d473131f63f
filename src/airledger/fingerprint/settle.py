"""Where exactly, and how fast: from a proposal to the alignment that explains most of the query."""

from airledger.fingerprint.align import Alignment, align
from airledger.fingerprint.arrays import F32
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.evidence import Evidence, weigh
from airledger.fingerprint.peaks import Peaks

_ROUNDS = 5
_FAR = 0.002  # a speed or pitch this far from what was proposed is worth another look
_GAIN = 1.03
_WORTH_NATS = 12.0
_EQUAL = 0.8


def better(one: Evidence, other: Evidence) -> bool:
    """Whether one alignment of a track explains the query better than another.

    Where a song repeats itself, several places explain about as many peaks; then the closer fit decides.
    """
    low, high = sorted((one.raw, other.raw))
    if low >= _EQUAL * high:
        return one.closeness > other.closeness
    return one.raw > other.raw


def settle(
    query: Peaks, reference: tuple[F32, F32], duration_s: float, offset_s: float, warp: Warp
) -> tuple[Alignment, Evidence]:
    """Align, and correct speed and pitch from what was matched as long as more of the query is explained by it.

    A proposal may stem from a neighbouring warp, under which only a few seconds lie within tolerance.

    Args:
        query: peaks of "query" density.
        reference: times (s) and frequencies (Hz) of the track's peaks.
        duration_s: the track's length.
        offset_s: proposed place in the track of the query's first sample.
        warp: proposed speed and pitch.
    """
    best = align(query, reference, duration_s, offset_s, warp)
    evidence = weigh(best, query, reference[0])
    proposed = warp
    for _ in range(_ROUNDS):
        if evidence.raw < _WORTH_NATS:
            break
        improved = False
        for other in _others(best.warp, proposed):
            middle_s = float(query.times_s[(evidence.first + evidence.last) // 2])
            start_s = best.offset_s + middle_s * (best.warp.speed - other.speed)
            laid = align(query, reference, duration_s, start_s, other)
            weighed = weigh(laid, query, reference[0])
            if weighed.raw > _GAIN * evidence.raw:
                best, evidence, proposed, improved = laid, weighed, other, True
        if not improved:
            break
    return best, evidence


def repeats(evidence: Evidence) -> bool:
    """Whether another place of the track explains about as much, as in a song that repeats itself."""
    return evidence.raw >= _WORTH_NATS and evidence.again >= _EQUAL * evidence.raw


def best_repeat(
    query: Peaks, reference: tuple[F32, F32], duration_s: float, found: tuple[Alignment, Evidence]
) -> tuple[Alignment, Evidence]:
    """Of the places where a repetitive song explains the query about as well as at the one found, the best."""
    best, evidence = found
    for rival_s in found[0].rival_offsets_s.tolist():
        laid = align(query, reference, duration_s, rival_s, best.warp)
        weighed = weigh(laid, query, reference[0])
        if better(weighed, evidence):
            best, evidence = laid, weighed
    return best, evidence


def _others(fitted: Warp, proposed: Warp) -> list[Warp]:
    """Warps to try next: the fitted one again, and playing faster as such if pitch and speed disagree."""
    others = []
    if abs(fitted.speed - proposed.speed) > _FAR or abs(fitted.pitch - proposed.pitch) > _FAR:
        others.append(fitted)
    if abs(fitted.speed - fitted.pitch) > _FAR and abs(fitted.pitch - 1) > _FAR:
        others.append(Warp(fitted.pitch, fitted.pitch))
    return others
