"""One station on air: its sound, its outlet, and the pace that both keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from airledger.testing.pacing import Pace
from airledger.testing.pcm import SONG_RATE_HZ, Pcm, Pcm16, to_float
from airledger.testing.stations.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCK = SONG_RATE_HZ
IDLE_S = 60.0
SHORTEST_IDLE_S = 5.0
MAX_BEHIND_S = 60.0


class SoundSource(Protocol):
    """What a station sends."""

    def announce(self, edge: int) -> None:
        """Take note that the live edge is here now."""

    def render(self, start: int, count: int) -> Pcm:
        """Make samples before the live edge: float32 (count,) at 44.1 kHz."""

    def title_at(self, position: int) -> str:
        """Say what is playing."""


class Silence:
    """A dead studio line."""

    def announce(self, edge: int) -> None:
        """Nothing happens."""

    def render(self, start: int, count: int) -> Pcm:  # noqa: ARG002 - silence is the same everywhere
        """Zeros."""
        return np.zeros(count, dtype=np.float32)

    def title_at(self, position: int) -> str:  # noqa: ARG002 - as above
        """Nothing is playing."""
        return ""


class Loop:
    """A stuck player: one piece of sound round and round, without a seam in time.

    Args:
        sound: int16 (n,) at 44.1 kHz.
    """

    def __init__(self, sound: Pcm16) -> None:
        self._sound = to_float(sound)

    def announce(self, edge: int) -> None:
        """Nothing happens."""

    def render(self, start: int, count: int) -> Pcm:
        """The loop from where it is."""
        return np.take(self._sound, np.arange(start, start + count), mode="wrap")

    def title_at(self, position: int) -> str:  # noqa: ARG002 - it is always the same
        """A title that says nothing."""
        return "Radio Ronda"


def advance_all(channels: Sequence[Channel], sent: Callable[[], None]) -> bool:
    """Bring all stations that are encoded to the live edge, and start one of those that wait for it.

    One at a time: were sixteen started at once on a busy machine, those already heard would fall silent meanwhile.

    Args:
        channels: all of them.
        sent: called each time there is something new.

    Returns:
        Whether more are waiting to be started.
    """
    waiting = [channel for channel in channels if channel.is_waiting]
    for channel in channels:
        if channel not in waiting[1:] and channel.advance():
            sent()
    return len(waiting) > 1


@dataclass(eq=False)
class Channel:
    """Brings one station's outlet up to the live edge, as long as somebody listens.

    A station that nobody has asked for during a minute of its own time is not encoded; its programme goes on, and the
    truth of it is written, all the same.
    """

    sound: SoundSource
    outlet: Outlet
    pace: Pace
    listeners: int = 0
    _asked_at_s: float = -np.inf
    _position: int | None = None

    def ask(self) -> None:
        """Note that somebody wants this station now."""
        self._asked_at_s = self.pace.clock()

    @property
    def is_waiting(self) -> bool:
        """Whether somebody wants this station and it is not encoded yet: to start it costs a whole burst."""
        return self._position is None and self._is_wanted()

    def _is_wanted(self) -> bool:
        idle_s = max(SHORTEST_IDLE_S, IDLE_S / self.pace.speed)
        return self.listeners > 0 or self.pace.clock() - self._asked_at_s < idle_s

    def advance(self) -> bool:
        """Come up to the live edge.

        Returns:
            Whether anything was sent.
        """
        edge = self.pace.edge()
        self.sound.announce(edge)
        if not self._is_wanted():
            if self._position is not None:
                self.outlet.stop()
            self._position = None
            return False
        if self._position is None or edge - self._position > MAX_BEHIND_S * SONG_RATE_HZ:
            # After a stall longer than this the stream jumps, as it would after an outage of a real transmitter.
            self._position = self.outlet.begin(edge)
            self.outlet.start(self._position)
        while self._position < edge:
            count = min(BLOCK, edge - self._position)
            self.outlet.feed(self.sound.render(self._position, count), self.sound.title_at(self._position))
            self._position += count
        return True
