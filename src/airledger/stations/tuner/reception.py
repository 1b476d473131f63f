"""One tuned stream: bytes from the network to the decoder, and what comes of it to the listener, in order.

Two tasks: one pumps bytes in, the other takes events out of a queue and is the only one that calls the listener.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from airledger.audio.decoder_frames import PcmFrame
from airledger.audio.icy import IcyTitle
from airledger.audio.ogg_titles import OggTitles
from airledger.audio.stream_format import SOUND_RATE_HZ, PictureFormat, StreamFormat
from airledger.platform.fetch_error import FetchError
from airledger.platform.multifetch import MultiFetcher
from airledger.stations.cause import Cause
from airledger.stations.tuner.air_clock import AirClock
from airledger.stations.tuner.arrivals import Arrivals
from airledger.stations.tuner.decoders import DecoderEnd, DecoderPool, DecoderStream
from airledger.stations.tuner.failure import TuneFailedError
from airledger.stations.tuner.limits import TunerLimits
from airledger.stations.tuner.listening import Connected, FollowsPlaylists, Listening, PlaylistRead, TuneEnded
from airledger.stations.tuner.opening import Opened, Opening, demux, read_icy
from airledger.stations.tuner.segments import HlsHearing


@dataclass(frozen=True, slots=True)
class Equipment:
    """What all receptions of a tuner share."""

    fetcher: MultiFetcher
    decoders: DecoderPool
    limits: TunerLimits


@dataclass(frozen=True, slots=True)
class Arrived:
    """Bytes of media came."""

    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Broken:
    """Sound before and after does not belong together."""

    reason: str


@dataclass(frozen=True, slots=True)
class PumpStopped:
    """No more bytes come, and why."""

    end: TuneEnded


@dataclass(frozen=True, slots=True)
class PumpCrashed:
    """The pump met an error that nobody foresaw."""

    error: BaseException


Event = (
    Connected
    | Arrived
    | IcyTitle
    | Broken
    | PictureFormat
    | PlaylistRead
    | StreamFormat
    | PcmFrame
    | DecoderEnd
    | PumpStopped
    | PumpCrashed
)


class Reception:
    """Runs one stream from the first request to its end."""

    def __init__(self, url: str, listener: Listening, equipment: Equipment, headers: Mapping[str, str]) -> None:
        self._url = url
        self._listener = listener
        self._equipment = equipment
        self._headers = headers
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._decoder: DecoderStream | None = None
        self._clock = AirClock()
        self._arrivals = Arrivals()
        self._titles: deque[IcyTitle] = deque()
        self._picture: PictureFormat | None = None
        self._format: StreamFormat | None = None
        self._samples = 0
        self._begun_at = time.monotonic()
        self._network_end: TuneEnded | None = None
        self._deadline: float | None = None
        self._deadline_end = TuneEnded(Cause.UNDECODABLE, permanent=False, detail="")
        self.silenced = False

    async def run(self) -> None:
        """Hear the stream and tell the listener; cancelling it ends everything without another word."""
        pump = asyncio.create_task(self._pump())
        pump.add_done_callback(self._report_crash)
        try:
            end = await self._deliver()
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            if self._decoder is not None:
                self._decoder.cancel()
        if not self.silenced:
            self._flush_titles(None)
            self._listener.ended(end)

    # The pump: network to decoder.

    async def _pump(self) -> None:
        try:
            await self._play()
            end = TuneEnded(Cause.ENDED, Cause.ENDED.permanent, "The server ended the stream.")
        except TuneFailedError as error:
            end = error.end
        except FetchError as error:
            end = TuneFailedError.of_fetch(error).end
        self._events.put_nowait(PumpStopped(end))

    def _report_crash(self, pump: asyncio.Task[None]) -> None:
        """Wake the delivery when the pump met what it did not expect, so that nobody waits for ever."""
        error = None if pump.cancelled() else pump.exception()
        if error is not None:
            self._events.put_nowait(PumpCrashed(error))

    async def _play(self) -> None:
        opening = Opening(self._equipment.fetcher, self._equipment.limits, self._headers)
        opened = await opening.find(self._url)
        with opened.transfer:
            self._events.put_nowait(self._connected(opened))
            if opened.hls_text is not None:
                await HlsHearing(opening, self).run(opened)
            else:
                await self._play_body(opened)

    async def _play_body(self, opened: Opened) -> None:
        await self.begin(opened.sniffed.name, aired_at=None, break_reason="")
        ogg = OggTitles() if opened.sniffed.name == "ogg" else None
        self._note_titles(opened.titles)
        for chunk in opened.chunks:
            self._note_titles(ogg.feed(chunk.data) if ogg is not None else [])
            await self.feed(chunk.data, arrived_at=chunk.at)
        while (arrived := await opened.transfer.read(self._equipment.limits.stall_s)) is not None:
            audio, titles = demux(opened.demuxer, arrived)
            self._note_titles(titles if ogg is None else [*titles, *ogg.feed(audio.data)])
            await self.feed(audio.data, arrived_at=audio.at)

    def _note_titles(self, titles: list[IcyTitle]) -> None:
        for title in titles:
            self._events.put_nowait(title)

    async def begin(self, container: str, *, aired_at: float | None, break_reason: str) -> None:
        """Begin to decode a container."""
        self._clock.begin(aired_at)
        if self._decoder is None:
            self._decoder = self._open_decoder(container)
        else:
            self._decoder.begin_chapter(container)
        if break_reason:
            self._events.put_nowait(Broken(break_reason))

    def _open_decoder(self, container: str) -> DecoderStream:
        try:
            return self._equipment.decoders.open(container, self._events.put_nowait)
        except OSError as error:
            raise TuneFailedError(Cause.DECODER_CRASHED, f"No decoder could be started: {error}") from error

    async def feed(self, data: bytes, *, arrived_at: float) -> None:
        """Hand bytes to the decoder; waits while it has enough."""
        if data and self._decoder is not None:
            self._events.put_nowait(Arrived(len(data), arrived_at))
            self._arrivals.note(self._decoder.fed_bytes + len(data), arrived_at)
            await self._decoder.feed(data)
            await self._keep_pace()

    async def _keep_pace(self) -> None:
        """Let a flood wait: what is not read fills the pipes, and TCP slows the server down."""
        ahead_s = self._seconds_ahead()
        if ahead_s > 0:
            await asyncio.sleep(ahead_s / self._equipment.limits.max_speed)

    def _seconds_ahead(self) -> float:
        """How much more sound came than may have by now."""
        limits = self._equipment.limits
        elapsed_s = time.monotonic() - self._begun_at
        return self._samples / SOUND_RATE_HZ - limits.head_start_s - elapsed_s * limits.max_speed

    def mark(self, aired_at: float) -> None:
        """Note when the next bytes' sound was aired."""
        if self._decoder is not None:
            self._clock.mark(self._decoder.fed_bytes, aired_at)

    def show(self, picture: PictureFormat) -> None:
        """Note a picture that is not fetched."""
        self._events.put_nowait(picture)

    def read_playlist(self, read: PlaylistRead) -> None:
        """Tell of an edition of the playlist, should the listener care."""
        if isinstance(self._listener, FollowsPlaylists):
            self._events.put_nowait(read)

    def _connected(self, opened: Opened) -> Connected:
        return Connected(
            url=opened.transfer.url_effective,
            via=opened.via,
            status=opened.head.status,
            headers=opened.head.headers,
            icy=read_icy(opened.head.headers),
            content_type=opened.head.content_type,
            container="hls" if opened.hls_text is not None else opened.sniffed.name,
            kind=opened.kind,
            response_time_ms=opened.head.response_time_ms,
            remote_address=opened.transfer.remote_address,
            at=time.time(),
        )

    # The delivery: decoder to listener.

    async def _deliver(self) -> TuneEnded:
        while True:
            event = await self._next_event()
            if event is None or self.silenced:
                return self._deadline_end
            end = self._tell(event)
            if end is not None:
                return end

    async def _next_event(self) -> Event | None:
        """Wait for an event; None when the deadline in force has passed."""
        if not self._events.empty():  # a deadline costs more than the event; it is looked at when there is none
            return self._events.get_nowait()
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._events.get()
        except TimeoutError:
            return None

    def _tell(self, event: Event) -> TuneEnded | None:
        """Pass one event on; give the end where it is one."""
        if isinstance(event, PcmFrame):
            self._tell_sound(event)
        elif isinstance(event, Arrived):
            self._listener.bytes_received(event.count, event.at)
        elif isinstance(event, IcyTitle):
            self._titles.append(event)
        elif isinstance(event, Connected):
            limit_s = self._equipment.limits.first_sound_s
            self._expect(limit_s, TuneEnded(Cause.UNDECODABLE, False, f"No sound came of it within {limit_s:g} s."))
            self._listener.connected(event)
        elif isinstance(event, Broken):
            self._listener.discontinuity(event.reason)
        elif isinstance(event, PictureFormat | StreamFormat | PlaylistRead):
            self._tell_make_up(event)
        elif isinstance(event, PumpStopped):
            return self._stop_pumping(event.end)
        elif isinstance(event, PumpCrashed):
            raise event.error
        else:
            return self._end_of_decoder(event)
        return None

    def _tell_make_up(self, event: PictureFormat | StreamFormat | PlaylistRead) -> None:
        if isinstance(event, PictureFormat):
            self._picture = event
        elif isinstance(event, StreamFormat):
            self._tell_format(event)
        else:
            self._tell_edition(event)

    def _tell_edition(self, read: PlaylistRead) -> None:
        if isinstance(self._listener, FollowsPlaylists):
            self._listener.playlist(read)

    def _tell_sound(self, frame: PcmFrame) -> None:
        if self._samples == 0 and self._network_end is None:
            self._deadline = None
        self._flush_titles(frame.byte_position)
        air_time = self._clock.read(frame.chapter, frame.byte_position, frame.time_s)
        self._samples += len(frame.pcm)
        at = self._arrivals.end_of(frame.byte_position, len(frame.pcm) / SOUND_RATE_HZ)
        self._listener.sound(frame.pcm, frame.position, at, air_time)

    def _tell_format(self, found: StreamFormat) -> None:
        if found.picture is None and self._picture is not None:
            found = replace(found, picture=self._picture)
        if found != self._format:
            self._format = found
            self._listener.format(found)

    def _flush_titles(self, byte_position: int | None) -> None:
        """Tell the titles that begin before this byte of the input; all of them where that is unknown."""
        while self._titles and (byte_position is None or byte_position < 0 or self._starts_by(byte_position)):
            title = self._titles.popleft()
            self._listener.title(title.text, self._samples / SOUND_RATE_HZ)

    def _starts_by(self, byte_position: int) -> bool:
        return self._titles[0].byte_position <= byte_position

    def _expect(self, limit_s: float, end: TuneEnded) -> None:
        """End by `end` unless the deadline is lifted within `limit_s`."""
        self._deadline = asyncio.get_running_loop().time() + limit_s
        self._deadline_end = end

    def _stop_pumping(self, end: TuneEnded) -> TuneEnded | None:
        """The bytes have ended; wait for the decoder to be done with what it has."""
        if self._decoder is None:
            return end
        self._network_end = end
        self._decoder.finish()
        self._expect(self._equipment.limits.drain_s, end)
        return None

    def _end_of_decoder(self, decoded: DecoderEnd) -> TuneEnded:
        """Say which end counts: a broken network explains a decoder that was cut short, not the reverse."""
        network = self._network_end
        if decoded.cause is None or (network is not None and network.cause is not Cause.ENDED):
            return network or TuneEnded(Cause.ENDED, Cause.ENDED.permanent, "The stream ended by itself.")
        if network is not None and self._samples:
            return network
        return TuneEnded(decoded.cause, decoded.cause.permanent, decoded.text)
