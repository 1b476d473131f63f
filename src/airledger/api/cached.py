"""Answers kept for at most a second: a hundred viewers of the same page cost one query."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

KEEP_S = 1.0
ENTRIES = 256
TOTAL_BYTES = 32 << 20


@dataclass(frozen=True)
class Answer:
    """A rendered body and what belongs to it."""

    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class _Entry:
    until: float = 0.0
    answer: Answer | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class AnswerCache:
    """Bodies by key. Keys must name everything that the answer depends on, whose rows they are above all."""

    def __init__(
        self,
        *,
        keep_s: float = KEEP_S,
        tick: Callable[[], float] = time.monotonic,
        on_look: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._keep_s = keep_s
        self._tick = tick
        self._on_look = on_look
        self._entries: OrderedDict[object, _Entry] = OrderedDict()

    async def get(self, key: object, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer of less than a second ago, or make it; those who come meanwhile wait for the one maker."""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry()
            self._shrink()
        if entry.answer is not None and self._tick() < entry.until:
            self._on_look(True)
            return entry.answer
        async with entry.lock:
            if entry.answer is not None and self._tick() < entry.until:
                self._on_look(True)
                return entry.answer
            self._on_look(False)
            # Counted from before the query: the answer is never older than keep_s.
            until = self._tick() + self._keep_s
            answer = await make()
            entry.answer, entry.until = answer, until
            self._shrink()
            return answer

    def _shrink(self) -> None:
        total = sum(len(entry.answer.body) for entry in self._entries.values() if entry.answer)
        while self._entries and (len(self._entries) > ENTRIES or total > TOTAL_BYTES):
            _, oldest = self._entries.popitem(last=False)
            total -= len(oldest.answer.body) if oldest.answer else 0
