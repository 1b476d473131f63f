"""Who is it? From a query's peaks to the tracks it may be, each with its place, its speed and a probability."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.align import Alignment
from airledger.fingerprint.evidence import Evidence, probability, weigh
from airledger.fingerprint.index import Index
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.search import Proposal, Search
from airledger.fingerprint.settle import best_repeat, better, repeats, settle

DEFAULT_THRESHOLD = 0.5
MAX_QUERY_S = 90.0
_CONVINCING = 0.98
_ENOUGH_NATS = 80.0
_ENOUGH_HEARD = 0.5
_EXPLAINS = 0.5
_GLANCE = 2
_HOPEFUL = 0.02
_AS_GOOD = 0.85
_LEAST_PEAKS = 10
_LEAST_HINT = 0.8
_MOST_HINT = 1.25
_CELL_S = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track that a query may be.

    Attributes:
        track: its number.
        offset_s: place in the track of the query's first sample; negative if the track begins within the query.
        speed: how much faster than the reference it is played, e.g. 1.02.
        pitch: by what factor it is higher than the reference; equal to `speed` for a record played faster.
        votes: pairs of peaks that agree on it.
        score: probability, 0..1, that this is a true match; the model is in `airledger.fingerprint.evidence`.
        matched_s: seconds of the query that agree.
        first_s: time within the query of the first agreement.
        last_s: of the last.
    """

    track: int
    offset_s: float
    speed: float
    pitch: float
    votes: int
    score: float
    matched_s: float
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class _Found:
    """The best place of a track so far."""

    proposal: Proposal
    laid: Alignment
    evidence: Evidence


def match(
    index: Index,
    peaks: Peaks,
    *,
    speeds_hint: float | None = None,
    limit: int = 5,
    exclude: Collection[int] = (),
    bank: bool = True,
    among: int | None = None,
) -> list[Candidate]:
    """The tracks that a query may be, the most probable first.

    The query is first looked up as it is, and at the speed that is expected; if that convinces, it is the answer.
    Otherwise a coarse version of it is looked up under all warps of the bank, and the most promising of them in full.

    Args:
        index: where to look; the present snapshot is used from beginning to end.
        peaks: of "query" density, 2 to 90 s.
        speeds_hint: the speed at which this station was last heard to play.
        limit: how many candidates to return at most, one per track.
        exclude: tracks that may not answer, as a recording that is compared with all others.
        bank: whether to try all warps, or only to glance: at the expected speed and at no change at all, and no further
            than at the first few places if there is nothing in these. That suits live sound, which is asked again soon.
        among: how many tracks are searched in all, where this index is one part of several; scores account for it.

    Returns:
        Candidates with falling scores; those of at least DEFAULT_THRESHOLD are answers, the others are guesses.

    Raises:
        ValueError: the query is longer than MAX_QUERY_S, or the expected speed absurd.
    """
    if peaks.duration_s > MAX_QUERY_S:
        raise ValueError(f"A query may last {MAX_QUERY_S:.0f} s at most; cut it into windows.")
    if speeds_hint is not None and not _LEAST_HINT <= speeds_hint <= _MOST_HINT:
        raise ValueError(f"The expected speed must lie between {_LEAST_HINT} and {_MOST_HINT}.")
    snapshot = index.snapshot
    segments = snapshot.segments
    if len(peaks) < _LEAST_PEAKS or not segments:
        return []
    search = Search(segments, peaks, snapshot.manifest.params, exclude)
    if among is not None:
        search.tracks = among
    weighing = _Weighing(search, peaks)
    for proposals in search.rounds(speeds_hint, bank=bank):
        for number, proposal in enumerate(proposals):
            if number == _GLANCE and not bank and not weighing.is_hopeful():
                break
            weighing.add(proposal)
        if weighing.convinced():
            break
    return weighing.answers(limit)


class _Weighing:
    """One match while it lasts: the best place of each track that was proposed so far."""

    def __init__(self, search: Search, peaks: Peaks) -> None:
        self.search = search
        self.peaks = peaks
        self.found: dict[int, _Found] = {}

    def is_hopeful(self) -> bool:
        """Whether anything that was found might be true."""
        return any(self._score(one.evidence) >= _HOPEFUL for one in self.found.values())

    def convinced(self) -> bool:
        """Whether something was found that another warp will hardly explain better.

        A song that is played faster may agree with itself for a moment as it is; then much of it is not heard.
        """
        return any(self._is_convincing(one) for one in self.found.values())

    def _is_convincing(self, one: _Found) -> bool:
        enough = one.evidence.raw >= _ENOUGH_NATS or one.evidence.heard >= _ENOUGH_HEARD
        return enough and self._score(one.evidence) >= _CONVINCING

    def answers(self, limit: int) -> list[Candidate]:
        """All that was found, with scores that account for the whole search and for each other.

        A peak of the query has one cause. What the best track explains is not counted again for the next, so that a
        remix of the same song is not reported beside it, but the second song of a crossfade is. A recording that is
        enrolled twice explains as much each time, and is reported each time.
        """
        unexplained = np.ones(len(self.peaks), np.bool_)
        answers: list[Candidate] = []
        ranked = sorted(self.found.values(), key=lambda found: -found.evidence.raw)
        for one in ranked:
            best = self._among_repeats(one) if not answers and repeats(one.evidence) else one
            evidence = best.evidence
            if evidence.raw < _AS_GOOD * ranked[0].evidence.raw:
                evidence = weigh(best.laid, self.peaks, best.proposal.reference()[0], unexplained)
            score = self._score(evidence)
            if score >= _EXPLAINS:
                unexplained[evidence.first : evidence.last + 1] &= ~best.laid.hits[evidence.first : evidence.last + 1]
            answers.append(self._candidate(best, score))
        return sorted(answers, key=lambda answer: -answer.score)[:limit]

    def _among_repeats(self, one: _Found) -> _Found:
        """The same track where it explains the query best; that may be a repeat no votes proposed."""
        track = one.proposal
        found = best_repeat(self.peaks, track.reference(), track.duration_s, (one.laid, one.evidence))
        return _Found(track, *found)

    def _candidate(self, one: _Found, score: float) -> Candidate:
        part = slice(one.evidence.first, one.evidence.last + 1)
        hit_s = self.peaks.times_s[part][one.laid.hits[part]]
        return Candidate(
            track=one.proposal.track,
            offset_s=float(one.laid.offset_s),
            speed=float(one.laid.warp.speed),
            pitch=float(one.laid.warp.pitch),
            votes=one.proposal.votes,
            score=score,
            matched_s=len(np.unique((hit_s / _CELL_S).astype(np.int64))) * _CELL_S,
            first_s=float(hit_s[0]),
            last_s=float(hit_s[-1]),
        )

    def _score(self, evidence: Evidence) -> float:
        return probability(evidence, self._trials())

    def _trials(self) -> float:
        return self.search.tracks * max(1, self.search.warps)

    def add(self, proposal: Proposal) -> None:
        """Lay the query over the track where the proposal says; keep the best place per track."""
        known = self.found.get(proposal.track)
        if known is not None and self._is_convincing(known) and not repeats(known.evidence):
            return
        laid, evidence = settle(self.peaks, proposal.reference(), proposal.duration_s, proposal.offset_s, proposal.warp)
        if evidence.hits and (known is None or better(evidence, known.evidence)):
            self.found[proposal.track] = _Found(proposal, laid, evidence)
