from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.testing import http_server
from airledger.testing.channel import IDLE_S, Channel, Loop, Silence, advance_all
from airledger.testing.http_server import Connection, ListenerGoneError, Request, start_server
from airledger.testing.pacing import Pace
from airledger.testing.pcm import SONG_RATE_HZ, Pcm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airledger.testing.stations.outlet import Outlet
    from airledger.testing.takes import Takes

EPOCH_S = 1_800_000_000.0


@dataclass
class Clock:
    now_s: float = EPOCH_S

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Recorder:
    """An outlet that notes what it is given."""

    backlog: int = 0
    starts: list[int] = field(default_factory=list)
    fed: int = 0
    stopped: int = 0

    def begin(self, edge: int) -> int:
        return max(0, edge - self.backlog)

    def start(self, begin: int) -> None:
        self.starts.append(begin)
        self.fed = begin

    def feed(self, pcm: Pcm, title: str) -> None:
        assert title == ""
        self.fed += len(pcm)

    def stop(self) -> None:
        self.stopped += 1

    def paths(self) -> Sequence[str]:
        return []

    async def answer(self, request: Request, connection: Connection) -> None:
        raise NotImplementedError


def _channel(speed: float = 1.0, backlog: int = 0) -> tuple[Channel, Recorder, Clock]:
    clock, outlet = Clock(), Recorder(backlog)
    typed: Outlet = outlet  # type: ignore[assignment]  # list and Sequence
    return Channel(Silence(), typed, Pace(EPOCH_S, SONG_RATE_HZ, speed, clock), listeners=1), outlet, clock


@given(st.lists(st.floats(0.001, 5), min_size=1, max_size=40), st.sampled_from([1.0, 2.5, 8.0]))
def test_the_live_edge_is_where_the_wall_clock_says_however_irregular_the_rounds(
    rounds_s: list[float], speed: float
) -> None:
    channel, outlet, clock = _channel(speed)
    channel.advance()
    for step_s in rounds_s:
        clock.now_s += step_s
        channel.advance()
        assert outlet.fed == int((clock.now_s - EPOCH_S) * SONG_RATE_HZ * speed)
    assert outlet.starts == [0]


def test_a_stall_is_made_up_and_a_long_one_is_a_jump() -> None:
    channel, outlet, clock = _channel(backlog=4 * SONG_RATE_HZ)
    for stall_s, starts in ((1.0, 1), (50.0, 1), (200.0, 2)):
        clock.now_s += stall_s
        channel.advance()
        assert outlet.fed == pytest.approx((clock.now_s - EPOCH_S) * SONG_RATE_HZ, abs=1)
        assert len(outlet.starts) == starts
    assert outlet.starts[1] == 247 * SONG_RATE_HZ


def test_a_clock_set_back_does_not_take_sound_back() -> None:
    channel, outlet, clock = _channel()
    clock.now_s += 10
    channel.advance()
    clock.now_s -= 5
    channel.advance()
    assert outlet.fed == 10 * SONG_RATE_HZ
    clock.now_s += 6
    channel.advance()
    assert outlet.fed == 11 * SONG_RATE_HZ


def test_a_station_without_listeners_is_not_encoded_and_wakes_with_a_burst() -> None:
    channel, outlet, clock = _channel(backlog=SONG_RATE_HZ)
    channel.listeners = 0
    clock.now_s += 100
    assert not channel.advance()
    assert outlet.starts == []
    channel.ask()
    assert channel.advance()
    assert outlet.starts == [99 * SONG_RATE_HZ]
    clock.now_s += IDLE_S + 1
    assert not channel.advance()
    assert outlet.stopped == 1


def test_one_station_is_started_at_a_time_and_those_on_air_go_on() -> None:
    made = [_channel() for _ in range(4)]
    channels, outlets = [m[0] for m in made], [m[1] for m in made]
    channels[3].listeners = 0
    for started in (1, 2, 3):
        for _, _, clock in made:
            clock.now_s += 1
        told: list[int] = []
        more = advance_all(channels, partial(told.append, 1))
        assert [len(outlet.starts) for outlet in outlets] == [int(n < started) for n in range(4)]
        assert all(outlet.fed == started * SONG_RATE_HZ for outlet in outlets[:started])
        assert len(told) == started
        assert more == (started < 3)


def test_the_loop_is_twenty_seconds_of_sound(takes: Takes) -> None:
    loop = Loop(takes.loop)
    turn = 20 * SONG_RATE_HZ
    assert np.array_equal(loop.render(0, turn), loop.render(turn, turn))
    assert np.array_equal(loop.render(turn - 100, 200)[100:], loop.render(0, 100))
    first, second = loop.render(0, turn // 2), loop.render(turn // 2, turn // 2)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.5


def test_a_listener_who_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "SLOW_LISTENER_S", 0.2)
    ended: list[str] = []
    dropped = asyncio.Event()

    async def endless(request: Request, connection: Connection) -> None:
        try:
            while True:
                await connection.send(bytes(1 << 20))
        except ListenerGoneError:
            ended.append(request.path)
            dropped.set()
            raise

    async def run() -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        server = await start_server(endless, listening)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET /slow HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(20):
            await dropped.wait()
        assert reader is not None
        writer.transport.abort()
        server.close()
        await server.wait_closed()

    asyncio.run(run())
    assert ended == ["/slow"]
