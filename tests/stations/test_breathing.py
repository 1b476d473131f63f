"""The loop that reads in breaths: nothing is lost or reordered, and many packets cost few wake-ups."""

import asyncio
import os
import socket
import threading
import time

from airledger.stations.tuner.breathing import BreathingSelector, breathing_loop


def test_a_trickle_is_taken_in_breaths() -> None:
    ours, theirs = socket.socketpair()
    with BreathingSelector(0.2) as selector, ours, theirs:
        selector.register(ours, 1)
        stop = threading.Event()

        def send() -> None:
            while not stop.wait(0.001):
                theirs.send(b"b")

        sender = threading.Thread(target=send)
        sender.start()
        got = [len(ours.recv(10_000)) for _ in range(12) if selector.select(5)]
        stop.set()
        sender.join()
        assert sum(got) > 4 * len(got)


def test_callbacks_that_never_end_do_not_keep_sockets_waiting() -> None:
    ours, theirs = socket.socketpair()
    with BreathingSelector(0.05) as selector, ours, theirs:
        selector.register(ours, 1)
        assert selector.select(0) == []
        theirs.send(b"a")
        deadline = time.monotonic() + 20
        while not selector.select(0):
            assert time.monotonic() < deadline


def test_timers_are_kept() -> None:
    with asyncio.Runner(loop_factory=lambda: breathing_loop(10.0)) as runner:
        began = time.monotonic()
        runner.run(asyncio.sleep(0.02))
        assert time.monotonic() - began < 5


def test_a_flood_is_not_slowed() -> None:
    reading, writing = os.pipe()
    sent = 4 << 20

    def flood() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(bytes(sent))

    async def read_all() -> int:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb")
        )
        got = len(await reader.read())
        transport.close()
        return got

    threading.Thread(target=flood).start()
    with asyncio.Runner(loop_factory=lambda: breathing_loop(0.05)) as runner:
        assert runner.run(asyncio.wait_for(read_all(), 20)) == sent


def test_without_a_breath_the_loop_is_a_plain_one() -> None:
    loop = breathing_loop(0)
    assert not isinstance(loop, BreathingSelector)
    loop.close()
