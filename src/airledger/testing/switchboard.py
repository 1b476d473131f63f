"""Which path belongs to whom: stations, their playlists, the directories."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airledger.testing import directory
from airledger.testing.channel import Channel, SoundSource
from airledger.testing.http_server import Connection, Request, start_server
from airledger.testing.stations.broken import BROKEN, missing
from airledger.testing.stations.hls import HlsOutlet
from airledger.testing.stations.hls_fmp4 import Fmp4Packing
from airledger.testing.stations.hls_ts import PicturePacking, TsPacking
from airledger.testing.stations.mount import Mount, icecast_head, shoutcast_head

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from airledger.testing.band import Published, Station
    from airledger.testing.pacing import Pace
    from airledger.testing.picture import TestCard
    from airledger.testing.stations.outlet import Outlet
    from airledger.testing.ticks import Ticks

    Handler = Callable[[Request, Connection], Awaitable[None]]

CANCEL_AGAIN_S = 0.5


class Switchboard:
    """All that is reached over HTTP, and the channels behind it."""

    def __init__(
        self, stations: Sequence[Published], sounds: Mapping[str, SoundSource], pace: Pace, ticks: Ticks, card: TestCard
    ) -> None:
        self._stations, self._card = stations, card
        self.channels: list[Channel] = []
        self._server: asyncio.Server | None = None
        self._exact: dict[str, Handler] = {}
        self._below: dict[str, Handler] = {}
        for published in stations:
            station = published.station
            if station.way in BROKEN:
                self._exact[station.mount] = BROKEN[station.way]
            elif station.way != "refused":
                self._connect(station, sounds[station.key], pace, ticks)
            if station.playlist:
                self._exact[station.playlist] = _playlist_answer(published)
        self._exact["/vueltas/b"] = BROKEN["redirecting"]
        self._exact["/yp.xml"] = self._yp
        self._exact["/stations.m3u"] = self._m3u
        for path in ("/json/stations", "/json/stations/search"):
            self._exact[path] = self._search

    async def serve(self, listening: socket.socket) -> None:
        """Start to listen on a bound socket."""
        self._server = await start_server(self._handle, listening)

    async def close(self) -> None:
        """Stop to listen and cut every listener off."""
        if self._server:
            self._server.close()
        while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            for task in others:
                task.cancel()
            # Asked again after a moment: `wait_for` of Python 3.11 swallows a cancellation that comes as it completes.
            ended, _ = await asyncio.wait(others, timeout=CANCEL_AGAIN_S)
            await asyncio.gather(*ended, return_exceptions=True)

    async def _handle(self, request: Request, connection: Connection) -> None:
        handler = self._exact.get(request.path) or self._below.get(request.path.rpartition("/")[0] + "/") or missing
        await handler(request, connection)

    def _connect(self, station: Station, sound: SoundSource, pace: Pace, ticks: Ticks) -> None:
        outlet = make_outlet(station, pace, ticks, self._card)
        channel = Channel(sound, outlet, pace)

        async def answer(request: Request, connection: Connection) -> None:
            channel.listeners += 1
            channel.ask()
            try:
                await outlet.answer(request, connection)
            finally:
                channel.listeners -= 1
                channel.ask()

        self.channels.append(channel)
        for path in outlet.paths():
            (self._below if path.endswith("/") else self._exact)[path] = answer

    async def _yp(self, request: Request, connection: Connection) -> None:  # noqa: ARG002 - a handler's signature
        urls = {p.station: p.url for p in self._stations}
        body = directory.icecast_directory([p.station for p in self._stations], urls.__getitem__)
        await connection.respond(200, "text/xml; charset=utf-8", body)

    async def _m3u(self, request: Request, connection: Connection) -> None:  # noqa: ARG002 - a handler's signature
        urls = {p.station: p.url for p in self._stations}
        body = directory.m3u([p.station for p in self._stations], urls.__getitem__)
        await connection.respond(200, "audio/x-mpegurl; charset=utf-8", body)

    async def _search(self, request: Request, connection: Connection) -> None:
        rows = [directory.station_row(p.station, p.url, p.stream_url) for p in self._stations]
        try:
            found = directory.search(rows, request.query)
        except ValueError:
            await connection.respond(400, "text/plain", b"offset and limit are whole numbers.\n")
            return
        await connection.respond(200, "application/json", directory.as_json(found))


def make_outlet(station: Station, pace: Pace, ticks: Ticks, card: TestCard) -> Outlet:
    """Choose the way of sending."""
    if station.way == "hls-ts":
        return HlsOutlet(station, ticks, TsPacking(), pace.epoch_s, pace.speed)
    if station.way == "hls-fmp4":
        return HlsOutlet(station, ticks, Fmp4Packing(station.bitrate_kbps), pace.epoch_s, pace.speed)
    if station.way == "hls-picture":
        return HlsOutlet(station, ticks, PicturePacking(card), pace.epoch_s, pace.speed)
    return Mount(station, ticks, shoutcast_head if station.way == "shoutcast" else icecast_head)


def _playlist_answer(published: Published) -> Handler:
    name, url = published.station.name, published.stream_url
    if published.station.playlist.endswith(".pls"):
        content_type = "audio/x-scpls"
        text = f"[playlist]\nNumberOfEntries=1\nFile1={url}\nTitle1={name}\nLength1=-1\nVersion=2\n"
    else:
        content_type, text = "audio/x-mpegurl", f"#EXTM3U\n#EXTINF:-1,{name}\n{url}\n"

    async def answer(request: Request, connection: Connection) -> None:  # noqa: ARG001 - a handler's signature
        await connection.respond(200, content_type, text.encode())

    return answer
