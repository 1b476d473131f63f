"""Answers are made once for all who come within a second, and never kept longer or in any number."""

import asyncio

from airledger.api.cached import ENTRIES, TOTAL_BYTES, Answer, AnswerCache


class Kitchen:
    def __init__(self) -> None:
        self.made = 0
        self.now = 0.0

    async def make(self) -> Answer:
        self.made += 1
        number = self.made
        await asyncio.sleep(0)
        return Answer(str(number).encode())

    async def make_large(self) -> Answer:
        return Answer(bytes(TOTAL_BYTES // 4))


def test_a_crowd_waits_for_one_maker_and_an_old_answer_is_made_anew() -> None:
    kitchen = Kitchen()
    cache = AnswerCache(tick=lambda: kitchen.now)

    async def scene() -> None:
        answers = await asyncio.gather(*(cache.get("k", kitchen.make) for _ in range(50)))
        assert {answer.body for answer in answers} == {b"1"}
        kitchen.now = 0.99
        assert (await cache.get("k", kitchen.make)).body == b"1"
        assert (await cache.get("other", kitchen.make)).body == b"2"
        kitchen.now = 1.0
        assert (await cache.get("k", kitchen.make)).body == b"3"

    asyncio.run(scene())


def test_a_maker_that_fails_leaves_the_next_one_to_try() -> None:
    kitchen, cache = Kitchen(), AnswerCache()

    async def fail() -> Answer:
        raise ZeroDivisionError

    async def scene() -> None:
        results = await asyncio.gather(cache.get("k", fail), cache.get("k", kitchen.make), return_exceptions=True)
        assert isinstance(results[0], ZeroDivisionError)
        assert results[1] == Answer(b"1")

    asyncio.run(scene())


def test_neither_the_number_nor_the_size_grows_without_bound() -> None:
    kitchen, cache = Kitchen(), AnswerCache()

    async def scene() -> None:
        for number in range(ENTRIES * 2):
            await cache.get(number, kitchen.make)
        assert len(cache._entries) == ENTRIES
        for number in range(20):
            await cache.get(("large", number), kitchen.make_large)
        held = sum(len(entry.answer.body) for entry in cache._entries.values() if entry.answer)
        assert held <= TOTAL_BYTES

    asyncio.run(scene())
