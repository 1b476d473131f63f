"""Who is it? From a query's peaks to the tracks it may be, each with its place, its speed and a probability."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.align import Alignment
from airledger.fingerprint.arrays import F32
from airledger.fingerprint.bank import BANK, UNCHANGED, Warp
from airledger.fingerprint.evidence import Evidence, probability, weigh
from airledger.fingerprint.index import Index, LiveSegment
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.segment import PLACES_PER_S
from airledger.fingerprint.settle import best_repeat, better, repeats, settle
from airledger.fingerprint.votes import WINDOW_PLACES, Question, tally

DEFAULT_THRESHOLD = 0.5
MAX_QUERY_S = 90.0
_CONVINCING = 0.98
_ENOUGH_NATS = 80.0
_ENOUGH_HEARD = 0.5
_EXPLAINS = 0.5
_AS_GOOD = 0.85
_FULL_BEST = 8
_BANK_BEST = 5
_PROMISING = 3
_LEAST_PEAKS = 10
_LEAST_HINT = 0.8
_MOST_HINT = 1.25
_CELL_S = 0.5
_WORTHWHILE = 0.15  # of the most votes; what has fewer is not worth a closer look


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
class _Proposal:
    """A window of votes: which track, where, under which warp."""

    live: LiveSegment
    index: int
    offset_s: float
    warp: Warp
    votes: int

    @property
    def track(self) -> int:
        """Its number."""
        return int(self.live.segment.numbers[self.index])

    @property
    def duration_s(self) -> float:
        """The track's length."""
        return int(self.live.segment.lengths[self.index]) / PLACES_PER_S

    def reference(self) -> tuple[F32, F32]:
        """Times and frequencies of the track's peaks."""
        return self.live.segment.reference(self.index)


@dataclass(frozen=True, slots=True)
class _Found:
    """The best place of a track so far."""

    proposal: _Proposal
    laid: Alignment
    evidence: Evidence


def match(index: Index, peaks: Peaks, *, speeds_hint: float | None = None, limit: int = 5) -> list[Candidate]:
    """The tracks that a query may be, the most probable first.

    The query is first looked up as it is, and at the speed that is expected; if that convinces, it is the answer.
    Otherwise a coarse version of it is looked up under all warps of the bank, and the most promising of them in full.

    Args:
        index: where to look; the present snapshot is used from beginning to end.
        peaks: of "query" density, 2 to 90 s.
        speeds_hint: the speed at which this station was last heard to play.
        limit: how many candidates to return at most, one per track.

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
    search = _Search(segments, peaks, snapshot.manifest.params)
    search.look(_expected(speeds_hint), _FULL_BEST)
    if not search.convinced():
        search.look(search.promising(), _BANK_BEST)
    return search.answers(limit)


def _expected(speeds_hint: float | None) -> tuple[Warp, ...]:
    if speeds_hint is None or abs(speeds_hint - 1) < 0.002:  # noqa: PLR2004
        return (UNCHANGED,)
    return (Warp(speeds_hint, speeds_hint), UNCHANGED)


class _Search:
    """One match while it lasts: what was found so far, and how many places were looked at."""

    def __init__(self, segments: tuple[LiveSegment, ...], peaks: Peaks, params: Params) -> None:
        self.segments = segments
        self.peaks = peaks
        self.params = params
        self.question = Question.full(peaks, params)
        self.tracks = sum(int(live.alive.sum()) for live in segments)
        self.warps = 0
        self.found: dict[int, _Found] = {}

    def look(self, warps: Iterable[Warp], best: int) -> None:
        """Ask in full under each warp, and weigh the `best` places that the votes propose."""
        for warp in warps:
            self.warps += 1
            proposals = sorted(self._proposals(warp), key=lambda one: -one.votes)[:best]
            for proposal in proposals:
                if proposal.votes >= _WORTHWHILE * proposals[0].votes:
                    self._weigh(proposal)
            if self.convinced():
                return

    def promising(self) -> list[Warp]:
        """The warps of the bank under which a coarse question finds the most surprising agreement."""
        coarse = Question.coarse(self.peaks, self.params)
        surprise = [(self._surprise(coarse, warp), warp) for warp in BANK]
        self.warps += len(BANK) - _PROMISING
        surprise.sort(key=lambda one: -one[0])
        return [warp for _, warp in surprise[:_PROMISING]]

    def convinced(self) -> bool:
        """Whether something was found that another warp will hardly explain better.

        A song that is played faster may agree with itself for a moment as it is; then much of it is not heard.
        """
        return any(self._is_convincing(one) for one in self.found.values())

    def _is_convincing(self, one: _Found) -> bool:
        enough = one.evidence.raw >= _ENOUGH_NATS or one.evidence.heard >= _ENOUGH_HEARD
        return enough and self._score(one.evidence, one.laid.warp) >= _CONVINCING

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
            score = self._score(evidence, best.laid.warp)
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

    def _score(self, evidence: Evidence, warp: Warp) -> float:
        return probability(evidence.nats - warp.rarity_nats, self._trials())

    def _trials(self) -> float:
        return self.tracks * max(1, self.warps)

    def _surprise(self, coarse: Question, warp: Warp) -> float:
        most = 0.0
        for live in self.segments:
            votes = tally(coarse, live.segment, self.params, warp, 1, self.params.vote_budget // 4)
            if len(votes.votes):
                expected = votes.cast * WINDOW_PLACES / (live.segment.places_in_use + 1)
                most = max(most, (int(votes.votes[0]) - expected) / (expected + 1) ** 0.5)
        return most

    def _proposals(self, warp: Warp) -> Iterator[_Proposal]:
        for live in self.segments:
            found = tally(self.question, live.segment, self.params, warp, _FULL_BEST, self.params.vote_budget)
            for place, votes in zip(found.places.tolist(), found.votes.tolist(), strict=True):
                index = live.segment.track_at(place)
                if index is not None and live.alive[index]:
                    offset_s = (place - int(live.segment.starts[index])) / PLACES_PER_S
                    yield _Proposal(live, index, offset_s, warp, votes)

    def _weigh(self, proposal: _Proposal) -> None:
        """Lay the query over the track where the proposal says; keep the best place per track."""
        known = self.found.get(proposal.track)
        if known is not None and self._is_convincing(known) and not repeats(known.evidence):
            return
        laid, evidence = settle(self.peaks, proposal.reference(), proposal.duration_s, proposal.offset_s, proposal.warp)
        if evidence.hits and (known is None or better(evidence, known.evidence)):
            self.found[proposal.track] = _Found(proposal, laid, evidence)
