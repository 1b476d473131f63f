"""Following what plays: the next window of a recording that is known, without looking anything up.

Who has recognised a recording knows where in it the next window will lie. Laying that window over the neighbourhood of
this one place costs a hundredth of a search among all places of a library, and needs less evidence: it is one trial.
"""

from dataclasses import dataclass, replace

import numpy as np

from airledger.fingerprint.align import Alignment
from airledger.fingerprint.bank import Warp
from airledger.fingerprint.evidence import Evidence, probability, weigh
from airledger.fingerprint.match import Candidate
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.settle import settle

_AROUND_S = 30.0  # of the track, on each side: enough to see how much coincides by accident
_LEAST_PEAKS = 10
_CELL_S = 0.5
_TRIALS = 1.0
_EXPLAINS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Where a recording is expected.

    Attributes:
        track: its number.
        reference: its peaks.
        offset_s: place in it of the window's first sample.
        warp: how it is played.
    """

    track: int
    reference: Peaks
    offset_s: float
    warp: Warp

    @classmethod
    def of(cls, found: Candidate, reference: Peaks) -> "Course":
        """Begin to follow what a search has found."""
        return cls(found.track, reference, found.offset_s, Warp(found.speed, found.pitch))

    def after(self, seconds: float) -> "Course":
        """Where it is expected in a window that begins so much later."""
        return replace(self, offset_s=self.offset_s + seconds * self.warp.speed)

    @property
    def left_s(self) -> float:
        """How much of it is still to come from the window's first sample on, in seconds of the broadcast."""
        return (self.reference.duration_s - self.offset_s) / self.warp.speed


@dataclass(frozen=True, slots=True)
class Followed:
    """A window that goes on with a recording.

    Attributes:
        candidate: as a search would have found it.
        course: the same, to follow further.
        heard: share of the recording's peaks in the newest part of the window that the window has.
        laid: the window laid over the recording around there ...
        near: ... and the recording's peaks around there.
    """

    candidate: Candidate
    course: Course
    heard: float
    laid: Alignment
    near: Peaks


def follow(query: Peaks, course: Course, newest_s: float) -> Followed | None:
    """Lay a window over the place where a recording is expected.

    Args:
        query: peaks of "query" density; times from the window's first sample.
        course: where it is expected, right within 0.15 s.
        newest_s: length of the window's newest part, in seconds.

    Returns:
        What was found there, however little it says (see its score); None when there is nothing to compare.
    """
    near, base_s = _neighbourhood(course, query.duration_s)
    if len(query) < _LEAST_PEAKS or len(near) < _LEAST_PEAKS:
        return None
    laid, evidence = settle(
        query, (near.times_s, near.freqs_hz), near.duration_s, course.offset_s - base_s, course.warp
    )
    if not evidence.hits:
        return None
    offset_s = float(laid.offset_s) + base_s
    candidate = _candidate(query, course.track, offset_s, laid, evidence)
    onward = replace(course, offset_s=offset_s, warp=laid.warp)
    return Followed(candidate, onward, _heard(query, near, laid, query.duration_s - newest_s), laid, near)


def apart(query: Peaks, followed: list[Followed]) -> list[Followed]:
    """Of several that are followed, tell again how probable each is, once a peak is explained by one of them only.

    So a remix of what plays is not followed beside it, but the other song of a crossfade is.
    """
    unexplained = np.ones(len(query), np.bool_)
    told = []
    for one in sorted(followed, key=lambda one: -int(one.laid.hits.sum())):
        evidence = weigh(one.laid, query, one.near.times_s, unexplained)
        score = min(one.candidate.score, probability(evidence, _TRIALS))
        told.append(replace(one, candidate=replace(one.candidate, score=score)))
        if score >= _EXPLAINS:
            unexplained &= ~one.laid.hits
    return told


def look_back(query: Peaks, course: Course) -> Candidate | None:
    """The same for a longer query, to find since when a recording has been playing."""
    found = follow(query, course, query.duration_s)
    return found.candidate if found is not None else None


def _neighbourhood(course: Course, duration_s: float) -> tuple[Peaks, float]:
    """The track's peaks around the window, and where in the track this part begins."""
    reference = course.reference
    base_s = max(0.0, course.offset_s - _AROUND_S)
    end_s = min(reference.duration_s, course.offset_s + duration_s * course.warp.speed + _AROUND_S)
    first, last = np.searchsorted(reference.times_s, [base_s, end_s]).tolist()
    times_s = reference.times_s[first:last] - np.float32(base_s)
    length_s = max(0.0, end_s - base_s)
    return Peaks(times_s, reference.freqs_hz[first:last], reference.levels[first:last], length_s), base_s


def _heard(query: Peaks, near: Peaks, laid: Alignment, newest_from_s: float) -> float:
    """How much of the track is heard in the newest part; 1 where the track itself has nothing there."""
    span_s = laid.offset_s + np.array([newest_from_s, query.duration_s]) * laid.warp.speed
    first, last = np.searchsorted(near.times_s, span_s).tolist()
    hits = int((laid.hits & (query.times_s >= newest_from_s)).sum())
    return min(1.0, hits / (last - first)) if last > first else 1.0


def _candidate(query: Peaks, track: int, offset_s: float, laid: Alignment, evidence: Evidence) -> Candidate:
    part = slice(evidence.first, evidence.last + 1)
    hit_s = query.times_s[part][laid.hits[part]]
    return Candidate(
        track=track,
        offset_s=offset_s,
        speed=float(laid.warp.speed),
        pitch=float(laid.warp.pitch),
        votes=evidence.hits,
        score=probability(evidence, _TRIALS),
        matched_s=len(np.unique((hit_s / _CELL_S).astype(np.int64))) * _CELL_S,
        first_s=float(hit_s[0]),
        last_s=float(hit_s[-1]),
    )
