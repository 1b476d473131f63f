"""What two recordings share: the same sound, at another speed, an edit, or one contained in the other. Pure.

Both are cut into windows of 10 s, and each window of one is laid over the other where an alignment says it should be.
The shares of windows that are found there, seen from either side, tell what the one is of the other; so it does not
matter which of the two was enrolled first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from airledger.fingerprint.bank import Warp
from airledger.fingerprint.follow import Course, follow
from airledger.fingerprint.peaks import Peaks
from airledger.recognition.overlap_kinds import Kind, kind_of
from airledger.recognition.peaks_cut import cut_peaks

WINDOW_S = 10.0
LEAST_WINDOW_S = 3.0
LEAST_PEAKS = 10
FOUND_SCORE = 0.9
FOUND_PART = 0.4  # of a window, in seconds that agree
APART_S = 1.5


@dataclass(frozen=True)
class Alignment:
    """How one recording may lie over another: place there = lag + speed × place here."""

    lag_s: float
    speed: float
    pitch: float

    def there_s(self, here_s: float) -> float:
        """Place in the other of a place in this one."""
        return self.lag_s + self.speed * here_s

    def inverse(self) -> "Alignment":
        """The same, seen from the other."""
        return Alignment(-self.lag_s / self.speed, 1 / self.speed, 1 / self.pitch)


@dataclass(frozen=True)
class Shared:
    """What a recording shares with another.

    Attributes:
        kind: `contained`: it lies within the other; `contains`: the other lies within it.
        speed: How much faster it is than the other.
        share: How much of it the other has.
        share_of: How much of the other it has.
        spans: (from, to) in it and (from, to) in the other, in seconds.
        score: Probability of the best window.
    """

    kind: Kind
    speed: float
    share: float
    share_of: float
    spans: tuple[tuple[float, float, float, float], ...]
    score: float


@dataclass(frozen=True)
class _Side:
    """One recording laid over the other: which of its windows are found where."""

    windows: int
    found: tuple[tuple[float, float, Alignment, float], ...]  # from, to, under which alignment, score

    @property
    def share(self) -> float:
        """Share of its windows that are found."""
        return len(self.found) / self.windows if self.windows else 0.0


def compare(peaks: Peaks, other: Peaks, alignments: Sequence[Alignment]) -> Shared | None:
    """Tell what a recording shares with another.

    Args:
        peaks: Of the recording, of "reference" density.
        other: Of the other.
        alignments: How it may lie over the other, the likeliest first; an edit has several.

    Returns:
        None when they share less than three tenths.
    """
    here = _lay(peaks, other, alignments)
    there = _lay(other, peaks, [one.inverse() for one in alignments])
    if not here.found:
        return None
    used = {id(alignment) for _, _, alignment, _ in here.found}
    speed = here.found[0][2].speed
    kind = kind_of(here.share, there.share, speed, len(used))
    if kind is None:
        return None
    best = max(score for _, _, _, score in (*here.found, *there.found))
    return Shared(kind, speed, here.share, there.share, _spans(here), best)


def _lay(peaks: Peaks, other: Peaks, alignments: Sequence[Alignment]) -> _Side:
    """Look for each window of a recording where the alignments say; the first one that has it counts."""
    windows, found = 0, []
    start_s = 0.0
    while start_s + LEAST_WINDOW_S <= peaks.duration_s:
        window = cut_peaks(peaks, start_s, start_s + WINDOW_S)
        if len(window) >= LEAST_PEAKS:
            windows += 1
            for alignment in alignments:
                score = _score(window, other, alignment, start_s)
                if score >= FOUND_SCORE:
                    found.append((start_s, start_s + window.duration_s, alignment, score))
                    break
        start_s += WINDOW_S
    return _Side(windows, tuple(found))


def _score(window: Peaks, other: Peaks, alignment: Alignment, start_s: float) -> float:
    place_s = alignment.there_s(start_s)
    if not -window.duration_s < place_s < other.duration_s:
        return 0.0
    course = Course(0, other, place_s, Warp(alignment.speed, alignment.pitch))
    followed = follow(window, course, window.duration_s)
    if followed is None or followed.candidate.matched_s < FOUND_PART * window.duration_s:
        return 0.0
    return followed.candidate.score


def _spans(side: _Side) -> tuple[tuple[float, float, float, float], ...]:
    """Join neighbouring windows under one alignment."""
    spans: list[tuple[float, float, Alignment]] = []
    for from_s, to_s, alignment, _ in side.found:
        if spans and spans[-1][2] is alignment and from_s - spans[-1][1] <= WINDOW_S:
            spans[-1] = (spans[-1][0], to_s, alignment)
        else:
            spans.append((from_s, to_s, alignment))
    return tuple(
        (round(a, 2), round(b, 2), round(max(0.0, way.there_s(a)), 2), round(way.there_s(b), 2)) for a, b, way in spans
    )
