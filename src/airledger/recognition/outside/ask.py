"""Asking a provider: cache, budget, circuit, attempts with growing distance, and every request accounted for."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.logging import logger
from airledger.platform.presence import Counts
from airledger.recognition.outside.answer import ANSWERED, OutsideAnswer, Provider
from airledger.recognition.outside.budget import Asker, Refused, reserve, settle
from airledger.recognition.outside.cache import recall, remember
from airledger.recognition.outside.sample import Sample
from airledger.recognition.outside.share import Limits

BACKOFF_BASE_S = 0.5
BACKOFF_LIMIT_S = 8.0

log = logger(__name__)


@dataclass(frozen=True)
class Asked:
    """An answer, and what it took; `refused` tells why nobody was asked: day, share, minute, circuit, ..."""

    answer: OutsideAnswer
    provider: str
    attempts: int = 0
    latency_ms: int = 0
    is_cached: bool = False
    again_at: datetime | None = None
    refused: str = ""


@dataclass(frozen=True)
class Desk:
    """Where questions to providers go out. `pause` and `moment_s` are given by tests."""

    database: Database
    clock: Clock
    counts: Counts
    limits: Limits = field(default_factory=Limits)
    attempts: int = 3
    timeout_s: float = 30.0
    prices_micros: Mapping[str, int] = field(default_factory=dict)
    pause: Callable[[float], None] = time.sleep
    moment_s: Callable[[], float] = time.monotonic

    def ask(self, provider: Provider, sample: Sample, started_at: datetime, asker: Asker) -> Asked:
        """Ask one provider about one sound, within the account's limits.

        A sound that was asked before answers from the cache. Waits for its turn as long as the time for one
        identification allows; a day's share that is used up, or an open circuit, is said at once.
        """
        with self.database.read() as session:
            known = recall(session, provider.name, sample.sha256, self.clock.now())
        self.counts.add("outside_cache_hits" if known else "outside_cache_misses")
        if known is not None:
            return Asked(known, provider.name, is_cached=True)
        asked = self._insist(provider, sample, started_at, asker)
        self.counts.add(f"outside_{asked.answer.outcome}")
        if asked.answer.outcome in ANSWERED:
            with self.database.unit() as unit:
                remember(unit, provider.name, sample.sha256, asked.answer, self.clock.now())
        elif asked.answer.advice in ("alert", "open"):
            log.error("outside_refuses", provider=provider.name, code=asked.answer.code, text=asked.answer.message)
        return asked

    def _insist(self, provider: Provider, sample: Sample, started_at: datetime, asker: Asker) -> Asked:
        deadline = self.moment_s() + self.timeout_s
        attempt, latency_ms = 0, 0
        answer = OutsideAnswer("failed", message="not asked")
        while attempt < max(1, self.attempts):
            with self.database.unit() as unit:
                place = reserve(
                    unit, provider.name, asker, sample.sha256, limits=self.limits, attempt=attempt + 1,
                    now=self.clock.now(),
                )  # fmt: skip
            if isinstance(place, Refused):
                if not self._wait_for_turn(place, deadline):
                    return Asked(
                        _unasked(place), provider.name, attempt, latency_ms, again_at=place.again_at, refused=place.why
                    )
                continue
            attempt += 1
            begun = self.moment_s()
            answer = provider.identify(sample.wav, started_at)
            latency_ms = round((self.moment_s() - begun) * 1000)
            with self.database.unit() as unit:
                settle(
                    unit, place, answer, latency_ms=latency_ms, now=self.clock.now(),
                    price_micros=self.prices_micros.get(provider.name, 0),
                )  # fmt: skip
            wait_s = _distance_s(answer, attempt)
            if wait_s is None or self.moment_s() + wait_s > deadline:
                break
            if attempt < self.attempts:
                self.pause(wait_s)
        return Asked(answer, provider.name, attempt, latency_ms)

    def _wait_for_turn(self, refused: Refused, deadline: float) -> bool:
        """Wait until a place is free, if that is a matter of seconds and there is time for it."""
        if refused.why not in ("minute", "concurrent", "pace"):
            return False
        wait_s = max(0.05, (refused.again_at - self.clock.now()) / timedelta(seconds=1))
        if self.moment_s() + wait_s > deadline:
            return False
        self.pause(wait_s)
        return True


def _distance_s(answer: OutsideAnswer, attempt: int) -> float | None:
    """Return how long to wait before the next attempt; None when there shall be none."""
    if answer.advice == "retry":
        return BACKOFF_BASE_S / 2
    if answer.advice == "slower":
        return answer.wait_s or 1.0
    if answer.advice == "backoff":
        spread = random.uniform(0.8, 1.2)  # noqa: S311  so that processes do not come back in step
        return min(BACKOFF_BASE_S * 2.0**attempt, BACKOFF_LIMIT_S) * spread
    return None


def _unasked(refused: Refused) -> OutsideAnswer:
    if refused.why == "circuit":
        return OutsideAnswer("circuit", message="the provider is given a rest")
    if refused.why in ("day", "share"):
        whose = "the account's requests of today" if refused.why == "day" else "this station's share of today"
        return OutsideAnswer(
            "budget", message=f"{whose} are used up" if refused.why == "day" else f"{whose} is used up"
        )
    return OutsideAnswer("throttled", message="too many requests at present")
