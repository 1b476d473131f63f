"""The demo band on air: real HTTP on loopback, in real time, endlessly, with the truth written beside it.

    python -m airledger.testing.transmitter --dir DIR --port N [--speed 1] [--seed 1]

prints one JSON line when it serves, and ends on SIGTERM or SIGINT. As a library:

    with Transmitter(folder, port=0, speed=8) as transmitter:
        ...transmitter.base, transmitter.stations, transmitter.truth()
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import threading
import time
import uuid
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airledger.testing.band import BAND, Published, Station
from airledger.testing.channel import Channel, Loop, Silence, SoundSource, advance_all
from airledger.testing.on_air import ProgrammeSound
from airledger.testing.pacing import Pace
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.switchboard import Switchboard
from airledger.testing.takes import SONGS_FOLDER, Takes, open_takes
from airledger.testing.ticks import Ticks
from airledger.testing.truth import StationClock, Truth, TruthWriter, read_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOST = "127.0.0.1"
TICK_S = 0.2
ON_AIR_BEFORE_S = 60.0
"""How long the band has been on air when it starts to serve, in its own time: bursts and playlists are full at once."""
START_TIMEOUT_S = 30.0
ALIVE_EVERY_S = 5.0


class Transmitter:
    """A band of stations on air while the context is open.

    Args:
        folder: where songs (``songs/``), decoded sound (``pcm/``) and ``truth.jsonl`` go.
        port: 0 for a free one.
        speed: 8 plays eight times as fast as the wall clock, for tests.
        seed: of songs and programmes.
        songs: how many songs the library has; tests take few.
        stations: which stations, all if not given.
        clock: wall time in epoch seconds.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        speed: float = 1.0,
        seed: int = 1,
        songs: int = 24,
        stations: Sequence[Station] = BAND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._port, self._speed, self._seed, self._songs = folder, port, speed, seed, songs
        self._chosen, self._clock = tuple(stations), clock
        self._closing = threading.Event()
        self.ended = threading.Event()
        """Set when nothing is sent any more: after closing, or because encoding failed."""
        self._open = ExitStack()
        self.run = uuid.uuid4().hex[:12]
        self.stations: tuple[Published, ...] = ()
        self.base = ""

    @property
    def songs_folder(self) -> Path:
        """The record library: FLAC files and ``library.csv``."""
        return self._folder / SONGS_FOLDER

    def truth(self) -> Truth:
        """Read what has been aired so far, in this run and earlier ones of the same folder."""
        return read_truth(self._folder)

    def station(self, key: str) -> Published:
        """Give one station.

        Raises:
            KeyError: it is not on air.
        """
        for published in self.stations:
            if published.key == key:
                return published
        raise KeyError(key)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            takes = open_takes(self._folder, self._seed, self._songs)
            writer = TruthWriter(self._folder)
            undo.callback(writer.close)
            loop = asyncio.new_event_loop()
            undo.callback(loop.close)
            listening = undo.enter_context(socket.create_server((HOST, self._port), backlog=128))
            port = listening.getsockname()[1]
            self.base = f"http://{HOST}:{port}"
            closed_port = undo.enter_context(_refusing_socket(port + 1)).getsockname()[1]
            self.stations = tuple(self._published(station, closed_port) for station in self._chosen)
            self._go_on_air(takes, writer, loop, listening, undo)
            self._open = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _published(self, station: Station, closed_port: int) -> Published:
        base = f"http://{HOST}:{closed_port}" if station.way == "refused" else self.base
        stream_url = base + station.mount
        return Published(station, base + station.playlist if station.playlist else stream_url, stream_url)

    def _go_on_air(
        self,
        takes: Takes,
        writer: TruthWriter,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        undo: ExitStack,
    ) -> None:
        epoch_s = self._clock() - ON_AIR_BEFORE_S / self._speed
        clocks = {p.key: self._station_clock(p, epoch_s) for p in self.stations}
        writer.stations(clocks.values())
        undo.callback(lambda: writer.stopped(self.run, self._clock()))
        ticks = Ticks(loop)
        sounds = {p.key: self._sound(p.station, takes, clocks[p.key], writer) for p in self.stations}
        pace = Pace(epoch_s, SONG_RATE_HZ, self._speed, self._clock)
        switchboard = Switchboard(self.stations, sounds, pace, ticks, takes.test_card)
        server_thread = threading.Thread(target=_run_loop, args=(loop,), name="transmitter-network", daemon=True)
        server_thread.start()
        undo.callback(_stop_loop, loop, server_thread)
        undo.callback(lambda: asyncio.run_coroutine_threadsafe(switchboard.close(), loop).result(START_TIMEOUT_S))
        asyncio.run_coroutine_threadsafe(switchboard.serve(listening), loop).result(START_TIMEOUT_S)
        advance_all(switchboard.channels, ticks.tick)
        pump = threading.Thread(
            target=self._pump, args=(switchboard.channels, ticks, writer), name="transmitter-encoding", daemon=True
        )
        pump.start()
        undo.callback(pump.join)
        undo.callback(self._closing.set)

    def _station_clock(self, published: Published, epoch_s: float) -> StationClock:
        station = published.station
        return StationClock(station.key, self.run, station.name, published.url, SONG_RATE_HZ, epoch_s, self._speed,
                            station.expected_cause)  # fmt: skip

    def _sound(self, station: Station, takes: Takes, clock: StationClock, writer: TruthWriter) -> SoundSource:
        if station.sound == "silence" or not (station.is_heard or station.sound == "loop"):
            return Silence()
        if station.sound == "loop":
            return Loop(takes.loop)
        return ProgrammeSound(takes, self._seed, clock, writer.aired)

    def _pump(self, channels: Sequence[Channel], ticks: Ticks, writer: TruthWriter) -> None:
        """Bring all stations to the live edge, five times a second, until closed."""
        alive_s = self._clock()
        try:
            more = False
            while not self._closing.wait(0 if more else TICK_S):
                more = advance_all(channels, ticks.tick)
                if self._clock() - alive_s >= ALIVE_EVERY_S:
                    alive_s = self._clock()
                    writer.alive(self.run, alive_s)
        finally:
            self.ended.set()


def _refusing_socket(wished_port: int) -> socket.socket:
    """Bind a port and do not listen: it refuses, and nobody else can take it.

    The port after the band's own, where it is free, so that the address is the same in the next run.
    """
    refusing = socket.socket()
    try:
        refusing.bind((HOST, wished_port))
    except (OSError, OverflowError):
        refusing.bind((HOST, 0))
    return refusing


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()


def _stop_loop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Put the demo band on air.")
    parser.add_argument("--dir", type=Path, required=True, help="where songs and truth go")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--songs", type=int, default=24)
    given = parser.parse_args(arguments)
    transmitter = Transmitter(given.dir, given.port, speed=given.speed, seed=given.seed, songs=given.songs)
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_end, asked, transmitter))
    with transmitter:
        sys.stdout.write(json.dumps(_ready(transmitter), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        transmitter.ended.wait()
    if not asked.is_set():
        sys.exit("Encoding failed; the reason is above.")


def _end(asked: threading.Event, transmitter: Transmitter, *_: object) -> None:
    asked.set()
    transmitter.ended.set()


def _ready(transmitter: Transmitter) -> dict[str, Any]:
    base = transmitter.base
    return {
        "ready": True,
        "base": base,
        "run": transmitter.run,
        "songs": str(transmitter.songs_folder),
        "directories": {"icecast": f"{base}/yp.xml", "radio_browser": base, "m3u": f"{base}/stations.m3u"},
        "stations": len(transmitter.stations),
    }


if __name__ == "__main__":
    main()
