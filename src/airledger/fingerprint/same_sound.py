"""Do two streams carry the same sound? Peaks or samples of both in; how long they agree, and how late one is, out.

**Delay.** Every peak of one is held against every peak of the other that has its frequency; by how much they are late
is counted in steps of 40 ms. A programme that is sent twice agrees in one step; everything else spreads.

**Cells.** At the few delays that stand out, time is cut into cells of 4 s. In each, peaks that meet at this very delay
(within 60 ms, along a line: clocks of encoders drift apart by some 100 ppm) are held against those that meet at other
delays near by, which is what chance and held tones do. A cell agrees, contradicts, or tells nothing (silence, a tone).

**Verdict.** A song that two stations play at the same time agrees too, as long as it lasts; so do news and jingles of a
network. What is one programme agrees *throughout*: the share of cells that agree among those that tell counts, and how
long they are together. Where a good part agrees and a good part contradicts, the two are related, not the same. One
look of a few minutes within one song cannot tell more than that; `listening` asks for several looks.

docs/decisions/0033-the-same-sound.md says why so; `python -m bench.same_sound` measures how often it is right.
"""

from dataclasses import dataclass
from math import exp, gcd

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from airledger.fingerprint.arrays import F32, F64, I64
from airledger.fingerprint.lay_together import cells_at, lags
from airledger.fingerprint.params import PROFILES, SAMPLE_RATE_HZ
from airledger.fingerprint.peaks import Peaks, extract, strongest

CELL_S = 4.0
LEAST_OVERLAP_S = 20.0
RELATED_S = 24.0
PEAKS_PER_S = 30
"""Of this density should peaks be that are kept for comparing."""

_STRONG_PER_S = 15
_LAG_STEP_S = 0.04
_DELAYS = 6
_APART_S = 0.5
_NEAR_STEP_S = 0.02
_NEAR_STEPS = 100  # to each side: 2 s
_CENTRE_STEPS = 8
_SLOPES = np.arange(-10, 11) * 5e-5  # encoders' clocks: up to 500 ppm
_LEAST_TRIALS = 16
_AGREES_SHARE = 0.15
_AGREES_NATS = 5.0
_CROWDED = 0.6  # so many peaks meet at any delay: a held tone, or noise, tells nothing
_LEAST_EXPECTED = 0.5
_TURN_SHARE = 0.82
_STEEP_SHARE = 28.0
_TURN_S = 18.0
_STEEP_S = 7.0


@dataclass(frozen=True, slots=True)
class Sameness:
    """How far two sounds are one.

    Attributes:
        probability: That both carry the same programme, judged by these stretches alone; 0 where nothing can be told.
        delay_s: How much later the other has it (negative: earlier); None where no delay stands out.
        overlap_s: How much of both lies together at this delay, silence included.
        agreed_s: How much of that agrees.
        contradicted_s: How much of that does not.
    """

    probability: float
    delay_s: float | None
    overlap_s: float
    agreed_s: float
    contradicted_s: float

    @property
    def is_related(self) -> bool:
        """Whether a good part agrees, but not the whole: a song at the same time, or a network with its own adverts."""
        told_s = self.agreed_s + self.contradicted_s
        return self.probability < 0.5 and self.agreed_s >= max(RELATED_S, 0.2 * told_s)  # noqa: PLR2004  rather than not


NOTHING = Sameness(0.0, None, 0.0, 0.0, 0.0)


def sounds_same(
    one: NDArray[np.float32] | NDArray[np.int16],
    other: NDArray[np.float32] | NDArray[np.int16],
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    max_delay_s: float = 90.0,
) -> Sameness:
    """Judge whether two sounds are one programme, whatever codec, level, bandwidth and delay they came with.

    Args:
        one: float32[n] (full scale is 1) or int16[n], mono.
        other: likewise, of any other length; both should begin at about the same time.
        rate_hz: of both.
        max_delay_s: how much later or earlier the other may be.

    Returns:
        What `peaks_same` says of their peaks. Less than some 30 s together convince of nothing.

    Raises:
        ValueError: The sounds are not one-dimensional, of another type, or hold NaN or infinity.
    """
    return peaks_same(_peaks_of(one, rate_hz), _peaks_of(other, rate_hz), max_delay_s=max_delay_s)


def peaks_same(one: Peaks, other: Peaks, *, shift_s: float = 0.0, max_delay_s: float = 90.0) -> Sameness:
    """Judge whether two sounds are one programme by their peaks.

    Args:
        one: peaks of an unbroken sound, some 30 a second (`PEAKS_PER_S`) or more.
        other: likewise.
        shift_s: when the other sound begins, counted from the beginning of the one.
        max_delay_s: how much later or earlier the other may be, after that.
    """
    one, other = strongest(one, PEAKS_PER_S), strongest(other, PEAKS_PER_S)
    if len(one) < _LEAST_TRIALS or len(other) < _LEAST_TRIALS:
        return NOTHING
    pair = _Pair(one, other, strongest(one, _STRONG_PER_S), strongest(other, _STRONG_PER_S))
    delays = _delays(pair, shift_s, max_delay_s)
    found = [_judged(pair, lag_s, shift_s) for lag_s in delays]
    return max(found, key=lambda each: (each.agreed_s - each.contradicted_s, each.probability), default=NOTHING)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sounds: all their peaks, sought among; and the strong ones, which are asked about."""

    one: Peaks
    other: Peaks
    strong_one: Peaks
    strong_other: Peaks

    def overlap_s(self, lag_s: NDArray[np.floating]) -> F64:
        """How much of both lies together when the other is so late (counted from the beginnings of both)."""
        until = np.minimum(self.one.duration_s, self.other.duration_s - lag_s)
        return np.asarray(np.maximum(0.0, until - np.maximum(0.0, -lag_s)), np.float64)


def _peaks_of(pcm: NDArray[np.float32] | NDArray[np.int16], rate_hz: int) -> Peaks:
    if pcm.dtype not in (np.float32, np.int16):
        raise ValueError("The sound must be float32 or int16.")
    sound: F32 = pcm.astype(np.float32)
    if pcm.dtype == np.int16:
        sound *= np.float32(1 / 32_768)
    if rate_hz != SAMPLE_RATE_HZ:
        common = gcd(rate_hz, SAMPLE_RATE_HZ)
        sound = scipy.signal.resample_poly(sound, SAMPLE_RATE_HZ // common, rate_hz // common).astype(np.float32)
    return extract(sound, PROFILES["balanced"], dense="query")


def _by_frequency(peaks: Peaks) -> tuple[F32, F32]:
    order = np.argsort(peaks.freqs_hz, kind="stable")
    return peaks.times_s[order], peaks.freqs_hz[order]


def _delays(pair: _Pair, shift_s: float, max_delay_s: float) -> list[float]:
    """The lags (other's time less one's, from the beginnings of both) at which more peaks meet than chance explains."""
    first_s = -shift_s - max_delay_s
    steps = int(2 * max_delay_s / _LAG_STEP_S) + 1
    counts = np.zeros(steps, np.int64)
    times_s, freqs_hz = _by_frequency(pair.other)
    lags(pair.strong_one.times_s, pair.strong_one.freqs_hz, times_s, freqs_hz, first_s, _LAG_STEP_S, counts)
    at_s = first_s + (np.arange(steps) + 0.5) * _LAG_STEP_S
    together_s = pair.overlap_s(at_s)
    summed = counts.astype(np.float64)
    summed[1:] += counts[:-1]
    summed[:-1] += counts[1:]
    expected = 3 * counts.sum() * together_s / max(1e-9, together_s.sum())
    surprise = np.where(together_s >= LEAST_OVERLAP_S, (summed - expected) / np.sqrt(expected + 1), -np.inf)
    chosen: list[float] = []
    apart = int(_APART_S / _LAG_STEP_S)
    for _ in range(_DELAYS):
        best = int(np.argmax(surprise))
        if surprise[best] <= 0:
            break
        chosen.append(float(at_s[best]))
        surprise[max(0, best - apart) : best + apart + 1] = -np.inf
    return chosen


def _judged(pair: _Pair, lag_s: float, shift_s: float) -> Sameness:
    """Look at the cells of one lag."""
    begin_s = max(0.0, -lag_s)
    overlap_s = float(pair.overlap_s(np.array([lag_s]))[0])
    near, trials = _near(pair, lag_s, begin_s, overlap_s)
    hits, drift_s = _along_a_line(near)
    agrees, contradicts = _told(hits, _expected(near), trials)
    agreed_s, contradicted_s = agrees * CELL_S, contradicts * CELL_S
    return Sameness(
        probability=_probability(agreed_s, contradicted_s),
        delay_s=lag_s + shift_s + drift_s,
        overlap_s=overlap_s,
        agreed_s=min(agreed_s, overlap_s),
        contradicted_s=min(contradicted_s, overlap_s),
    )


def _near(pair: _Pair, lag_s: float, begin_s: float, overlap_s: float) -> tuple[I64, I64]:
    """How many peaks meet in each cell at each delay near this one, and how many could: both asked of the other."""
    cells = max(1, int(overlap_s / CELL_S))
    near = np.zeros((cells, 2 * _NEAR_STEPS + 1), np.int64)
    trials = np.zeros(cells, np.int64)
    grid = (begin_s, CELL_S, _NEAR_STEP_S)
    asked = pair.strong_one
    cells_at(asked.times_s, asked.freqs_hz, *_by_frequency(pair.other), lag_s, 1.0, grid, near, trials)
    asked, grid = pair.strong_other, (begin_s + lag_s, CELL_S, _NEAR_STEP_S)
    cells_at(asked.times_s, asked.freqs_hz, *_by_frequency(pair.one), -lag_s, -1.0, grid, near, trials)
    return near, trials


def _along_a_line(near: I64) -> tuple[I64, float]:
    """The peaks of each cell that meet along the line (delay and drift) where most do, and the delay's correction."""
    wide = near.copy()
    wide[:, 1:] += near[:, :-1]
    wide[:, :-1] += near[:, 1:]
    cells = np.arange(len(near))
    middle = (len(near) - 1) / 2
    best, most, offset = np.zeros(len(near), np.int64), -1, 0
    for slope in _SLOPES:
        moved = np.rint(slope * CELL_S * (cells - middle) / _NEAR_STEP_S).astype(np.int64)
        for centre in range(-_CENTRE_STEPS, _CENTRE_STEPS + 1):
            places = np.clip(_NEAR_STEPS + centre + moved, 0, near.shape[1] - 1)
            along = wide[cells, places]
            if (total := int(along.sum())) > most:
                best, most, offset = along, total, centre
    return best, offset * _NEAR_STEP_S


def _expected(near: I64) -> F64:
    """How many peaks of each cell meet at some other delay near by."""
    reach = 2 * _CENTRE_STEPS
    outside = np.concatenate([near[:, : _NEAR_STEPS - reach], near[:, _NEAR_STEPS + reach + 1 :]], axis=1)
    return 3 * np.asarray(outside.mean(axis=1), np.float64)


def _told(hits: I64, expected: F64, trials: I64) -> tuple[int, int]:
    """How many cells agree, and how many contradict; the rest tells nothing."""
    chance = np.maximum(expected, _LEAST_EXPECTED)
    more = np.maximum(hits, chance)
    nats = more * np.log(more / chance) - (more - chance)
    share = (hits - expected) / np.maximum(trials - expected, 1)
    tells = (trials >= _LEAST_TRIALS) & (expected < _CROWDED * trials)
    agrees = tells & (share >= _AGREES_SHARE) & (nats >= _AGREES_NATS)
    return int(agrees.sum()), int((tells & ~agrees).sum())


def _probability(agreed_s: float, contradicted_s: float) -> float:
    """Both must hold: nearly all that tells agrees, and it is long enough."""
    told_s = agreed_s + contradicted_s
    if agreed_s <= 0:
        return 0.0
    throughout = 1 / (1 + exp(-_STEEP_SHARE * (agreed_s / told_s - _TURN_SHARE)))
    long_enough = 1 / (1 + exp(-(agreed_s - _TURN_S) / _STEEP_S))
    return throughout * long_enough
