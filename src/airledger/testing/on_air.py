"""A programme as a source of sound that writes its own truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airledger.testing.playout import Playout, audible
from airledger.testing.programme import plan
from airledger.testing.truth import AiredPlay, StationClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from airledger.testing.pcm import Pcm
    from airledger.testing.programme import Element
    from airledger.testing.takes import Takes


class ProgrammeSound:
    """One station's programme.

    Args:
        takes: what it draws from.
        seed: the band's seed.
        clock: the station in this run.
        aired: told of each element when the live edge reaches it; elements never audible are not told.
    """

    def __init__(self, takes: Takes, seed: int, clock: StationClock, aired: Callable[[AiredPlay], None]) -> None:
        self._takes, self._clock, self._aired = takes, clock, aired
        self._playout = Playout(plan(takes.repertoire, seed, clock.station), takes.sound, self._began)

    def announce(self, edge: int) -> None:
        """Take note of the live edge; writes the truth of what begins."""
        self._playout.announce(edge)

    def render(self, start: int, count: int) -> Pcm:
        """Make samples before the live edge."""
        return self._playout.render(start, count)

    def title_at(self, position: int) -> str:
        """Say which song is on, "Artist - Title", or nothing."""
        element = self._playout.playing(position)
        return self._takes.title(element.take) if element else ""

    def _began(self, element: Element) -> None:
        heard = audible(element, self._takes.sound(element.take))
        if heard is None:
            return
        self._aired(
            AiredPlay(
                clock=self._clock,
                kind=element.take.kind,
                recording=element.take.name,
                title=self._takes.title(element.take),
                number=element.number,
                start=element.start,
                end=element.end,
                first=heard.first,
                last=heard.last,
                speed=element.speed,
                reference_start=0,
                reference_end=element.reference_end,
            )
        )
