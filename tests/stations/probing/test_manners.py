"""How hosts are treated: a clock that is stepped, and no network."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from airledger.platform.first_bytes import Ask
from airledger.stations.probing.manners import HostQueue, Manners


class Clock:
    """Seconds, stepped by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def queue_of(hosts: list[str], manners: Manners) -> HostQueue:
    return HostQueue(((Ask(key, f"http://{host}/{key}"), host) for key, host in enumerate(hosts)), manners)


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["a", "b", "c", "127.0.0.1"]), max_size=30), st.integers(1, 4), st.randoms())
def test_everything_is_asked_and_no_host_is_crowded(hosts: list[str], at_once: int, chance: Random) -> None:
    clock = Clock()
    waiting = queue_of(hosts, Manners(at_once, apart_s=0.5, now=clock))
    running: dict[str, list[Ask]] = {}
    begun: dict[str, float] = {}
    asked: list[int] = []
    for _ in range(2_000):
        if waiting.is_empty and not any(running.values()):
            break
        while (ask := waiting.take()) is not None:
            host = hosts[ask.key]
            asked.append(ask.key)
            running.setdefault(host, []).append(ask)
            if host != "127.0.0.1":
                assert len(running[host]) <= at_once
                assert clock.now_s - begun.get(host, 0.0) >= 0.5
                begun[host] = clock.now_s
        clock.now_s += 0.25
        for asks in running.values():
            if asks and chance.random() < 0.5:
                waiting.done(asks.pop())
    assert sorted(asked) == list(range(len(hosts)))


def test_hosts_take_turns() -> None:
    clock = Clock()
    waiting = queue_of(["a"] * 50 + ["b", "c"], Manners(now=clock))
    first = [waiting.take() for _ in range(3)]
    assert Counter(ask.url[7] for ask in first if ask) == {"a": 1, "b": 1, "c": 1}


def test_a_host_that_rests_is_passed_over_until_it_has_rested() -> None:
    clock = Clock()
    manners = Manners(now=clock)
    manners.rest("a", 60)
    waiting = queue_of(["a", "a", "b"], manners)
    asked = waiting.take()
    assert asked is not None
    assert asked.url == "http://b/2"
    assert waiting.take() is None
    assert waiting.is_empty
    clock.now_s += 61
    assert not manners.rests("a")
    assert queue_of(["a"], manners).take() is not None
