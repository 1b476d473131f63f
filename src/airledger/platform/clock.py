"""The one clock. Everything that asks for the time takes a Clock, so that tests can step it."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, aware and in UTC."""

    def now(self) -> datetime:
        """Return the present moment."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


class SteppedClock:
    """A clock that moves only when told to."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment that was last set."""
        return self._now

    def step(self, seconds: float) -> None:
        """Move on by some seconds."""
        self._now += timedelta(seconds=seconds)


def from_epoch(seconds: float) -> datetime:
    """Turn seconds since 1970 into an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def epoch_now() -> float:
    """Return seconds since 1970, for code that counts sound against the wall clock."""
    return time.time()
