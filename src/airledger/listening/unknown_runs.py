"""From windows that were heard before to runs: the same sound here and there. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

TOLERANCE_S = 1.5
GAP_S = 30.0  # a quiet bridge, a voice over it: what follows at the same distance is the same airing
LEAST_RUN_S = 4.5
LONGEST_RUN_S = 900.0  # beyond it two stations send the same programme, and nothing is learnt about recordings
SURE_SCORE = 0.9
LEAST_SCORE = 0.5


@dataclass(frozen=True)
class WindowMatch:
    """A window of one stream that another kept stretch explains; all times are air times in seconds since 1970.

    Attributes:
        start_s: Of the window.
        first_s: Of the first agreement, here.
        last_s: Of the last.
        number: The other stretch.
        stream_id: Where it was heard.
        there_s: When what this window begins with was heard there.
        speed: How much faster this one is played.
        score: Probability that it is the same sound.
    """

    start_s: float
    first_s: float
    last_s: float
    number: int
    stream_id: int
    there_s: float
    speed: float
    score: float

    def there_at(self, here_s: float) -> float:
        """Air time there of what is heard here at a moment."""
        return self.there_s + (here_s - self.start_s) * self.speed


@dataclass(frozen=True)
class Run:
    """The same sound here and there, for as long as they agree."""

    from_s: float
    to_s: float
    newest: WindowMatch
    number: int
    stream_id: int
    there_from_s: float
    there_to_s: float
    votes: int
    score: float

    @property
    def is_believed(self) -> bool:
        """Whether two windows say so, or one that is sure."""
        lasts = LEAST_RUN_S <= self.to_s - self.from_s <= LONGEST_RUN_S
        return lasts and (self.votes > 1 or self.score >= SURE_SCORE)


def join_runs(matches: Iterable[WindowMatch]) -> list[Run]:
    """Join windows that agree on what they repeat; return the believed runs in order of time."""
    living: list[Run] = []
    done: list[Run] = []
    for match in sorted(matches, key=lambda one: (one.start_s, -one.score)):
        if match.score < LEAST_SCORE:
            continue
        done += [one for one in living if match.first_s - one.to_s > GAP_S]
        living = [one for one in living if match.first_s - one.to_s <= GAP_S]
        agreeing = next((one for one in living if _agrees(one, match)), None)
        if agreeing is None:
            living.append(_begun(match))
        else:
            living = [_longer(one, match) if one is agreeing else one for one in living]
    return sorted((one for one in [*done, *living] if one.is_believed), key=lambda one: (one.from_s, one.stream_id))


def _agrees(run: Run, match: WindowMatch) -> bool:
    expected_s = run.newest.there_at(match.first_s)
    return run.stream_id == match.stream_id and abs(match.there_at(match.first_s) - expected_s) <= TOLERANCE_S


def _begun(match: WindowMatch) -> Run:
    there_from_s, there_to_s = match.there_at(match.first_s), match.there_at(match.last_s)
    return Run(
        match.first_s,
        match.last_s,
        match,
        match.number,
        match.stream_id,
        there_from_s,
        there_to_s,
        votes=1,
        score=match.score,
    )


def _longer(run: Run, match: WindowMatch) -> Run:
    return replace(
        run,
        from_s=min(run.from_s, match.first_s),
        to_s=max(run.to_s, match.last_s),
        newest=match,
        there_from_s=min(run.there_from_s, match.there_at(match.first_s)),
        there_to_s=max(run.there_to_s, match.there_at(match.last_s)),
        votes=run.votes + 1,
        score=max(run.score, match.score),
    )
