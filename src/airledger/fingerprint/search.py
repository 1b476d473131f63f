"""Where may it be? From a query's peaks to the places of the library that are worth a closer look, best first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from airledger.fingerprint.arrays import F32, Flags
from airledger.fingerprint.bank import BANK, UNCHANGED, Warp
from airledger.fingerprint.coincide import coincide
from airledger.fingerprint.index import LiveSegment
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks
from airledger.fingerprint.segment import PLACES_PER_S
from airledger.fingerprint.votes import Question, tally

_WINDOWS = 32
_BANK_WINDOWS = 3
_BANK_PAIRS = 800
_BANK_SHARE = 0.15
_FULL_PAIRS = 6000
_VOTES_PER_HOUR = 150
_LOOKED_AT = 48
_BEST = 5
_SAME_SPEED = 0.002
_LEAST_VOTES = 3
_SURPRISING_NATS = 12.0  # what is less surprising is not worth a closer look ...
_WORTHWHILE = 0.2  # ... nor what has less than this share of the greatest surprise


@dataclass(frozen=True, slots=True)
class Proposal:
    """A place where much of the query coincides: which track, where, under which warp."""

    live: LiveSegment
    index: int
    offset_s: float
    warp: Warp
    votes: int
    surprise: float

    @property
    def track(self) -> int:
        """Its number."""
        return int(self.live.segment.numbers[self.index])

    @property
    def duration_s(self) -> float:
        """The track's length."""
        return self.live.segment.duration_s(self.index)

    def reference(self) -> tuple[F32, F32]:
        """Times and frequencies of the track's peaks."""
        return self.live.segment.reference(self.index)


class Search:
    """One search while it lasts, and how much of the bank it has looked at.

    Attributes:
        warps: how many hypotheses were asked about so far.
        tracks: among how many tracks.
    """

    def __init__(
        self, segments: tuple[LiveSegment, ...], peaks: Peaks, params: Params, exclude: Collection[int] = ()
    ) -> None:
        self._segments = [(live, _may_answer(live, exclude)) for live in segments]
        self._peaks = peaks
        self._params = params
        self._guess: Proposal | None = None
        self.tracks = sum(live.count for live in segments)
        self.warps = 0

    def rounds(self, speeds_hint: float | None, *, bank: bool = True) -> Iterator[list[Proposal]]:
        """Proposals, round by round; stop asking for more once one of them convinces.

        A coarse version of the query is looked up as it is, and at the speed that is expected; then with few of its
        pairs under all warps of the bank; then all of it as it is. If nothing surprises, the last round is the least
        improbable place of all. Without the bank, only the first round is made.
        """
        coarse, full = (made(self._peaks, self._params) for made in (Question.coarse, Question.full))
        yield self._round(coarse, _expected(speeds_hint), _WINDOWS, 1)
        if not bank:
            return
        yield self._round(coarse.fewer(_BANK_PAIRS), BANK, _BANK_WINDOWS, _BANK_SHARE)
        yield self._round(full.fewer(_FULL_PAIRS), (UNCHANGED,), _WINDOWS, 1)
        if self._guess is not None:
            yield [self._guess]

    def _round(self, question: Question, warps: Sequence[Warp], windows: int, share: float) -> list[Proposal]:
        self.warps = max(self.warps, 1) if warps == (UNCHANGED,) else self.warps + len(warps)
        found: list[Proposal] = []
        for live, may_answer in self._segments:
            found += self._propose(live, may_answer, question, warps, windows, share)
        found.sort(key=lambda one: -one.surprise)
        if not found:
            return []
        least = max(_SURPRISING_NATS, _WORTHWHILE * found[0].surprise)
        if found[0].surprise < least and (self._guess is None or found[0].surprise > self._guess.surprise):
            self._guess = found[0]
        return [one for one in found[:_BEST] if one.surprise >= least]

    def _propose(
        self,
        live: LiveSegment,
        may_answer: Flags,
        question: Question,
        warps: Sequence[Warp],
        windows: int,
        share: float,
    ) -> list[Proposal]:
        # As many true votes are read whatever the size of the segment, if what is read grows with it.
        hours = live.segment.places_in_use / PLACES_PER_S / 3600
        budget = int(share * (self._params.vote_budget + _VOTES_PER_HOUR * hours))
        counted = tally(question, live.segment, self._params, warps, windows, budget)
        votes = counted.votes.ravel()
        order = np.argsort(-votes, kind="stable")[:_LOOKED_AT]
        order = order[votes[order] >= max(_LEAST_VOTES, int(_WORTHWHILE * votes[order[0]]))]
        under = order // windows
        factors = np.array([(warp.speed, warp.pitch) for warp in warps], np.float64)[under]
        seen = coincide(live.segment, may_answer, self._peaks, counted.places.ravel()[order], factors)
        return [
            Proposal(live, track, offset_s, warps[warp], count, surprise)
            for track, offset_s, warp, count, surprise in zip(
                seen.tracks.tolist(), seen.offsets_s.tolist(), under.tolist(), votes[order].tolist(),
                seen.surprise.tolist(), strict=True,
            )
            if track >= 0
        ]  # fmt: skip


def _may_answer(live: LiveSegment, exclude: Collection[int]) -> Flags:
    if not exclude:
        return live.alive
    return live.alive & ~np.isin(live.segment.numbers, np.fromiter(exclude, np.int64, len(exclude)))


def _expected(speeds_hint: float | None) -> tuple[Warp, ...]:
    if speeds_hint is None or abs(speeds_hint - 1) < _SAME_SPEED:
        return (UNCHANGED,)
    return (Warp(speeds_hint, speeds_hint), UNCHANGED)
