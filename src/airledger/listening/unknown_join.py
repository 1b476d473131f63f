"""Which repeated sounds are one: clusters of spans. Pure.

A span is a stretch of one stream's air time that was found to repeat. Spans are the nodes of a graph; two of them are
joined when one was recognised in the other (a pair), or when they lie on the same stream and share at least half of
what both cover together (they are the same airing, seen twice). A cluster is a connected component: so it does not
depend on the order in which pairs are found, and two clusters become one as soon as one span belongs to both.
A jingle within a repeated block of adverts stays its own: it shares less than half with the block.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

GRID_S = 0.5
ALIKE = 0.5

Cluster = TypeVar("Cluster", bound=Hashable)


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of one stream's air time, its ends in half seconds since 1970."""

    stream_id: int
    first: int
    last: int

    @classmethod
    def of(cls, stream_id: int, from_s: float, to_s: float) -> "Span":
        """The span on the grid, at least one step long."""
        first = round(from_s / GRID_S)
        return cls(stream_id, first, max(first + 1, round(to_s / GRID_S)))

    @property
    def from_s(self) -> float:
        """Air time at which it begins."""
        return self.first * GRID_S

    @property
    def to_s(self) -> float:
        """Air time at which it ends."""
        return self.last * GRID_S


def are_alike(one: Span, other: Span) -> bool:
    """Whether two spans are the same airing."""
    if one.stream_id != other.stream_id:
        return False
    shared = min(one.last, other.last) - max(one.first, other.first)
    together = max(one.last, other.last) - min(one.first, other.first)
    return shared >= ALIKE * together


def touched(span: Span, known: Iterable[tuple[Span, Cluster]]) -> set[Cluster]:
    """Which clusters a span belongs to; `known` must hold all spans of its stream that overlap it."""
    return {cluster for other, cluster in known if are_alike(span, other)}


def airings(spans: Iterable[Span]) -> list[list[Span]]:
    """Sort one cluster's spans into airings: spans of one stream that overlap are one, seen several times."""
    found: list[list[Span]] = []
    until = 0
    for span in sorted(spans):
        if found and found[-1][0].stream_id == span.stream_id and span.first < until:
            found[-1].append(span)
            until = max(until, span.last)
        else:
            found.append([span])
            until = span.last
    return found


def extent(airing: list[Span]) -> Span:
    """Where an airing begins and ends: the median of what was seen."""
    firsts, lasts = sorted(one.first for one in airing), sorted(one.last for one in airing)
    first = firsts[(len(firsts) - 1) // 2]
    return Span(airing[0].stream_id, first, max(first + 1, lasts[len(lasts) // 2]))
