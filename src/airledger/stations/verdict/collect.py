"""Bytes of a stream for a close look: as a listener would get them, for a while, then no more."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from airledger.audio.stream_format import PictureFormat
from airledger.platform.fetch_error import FetchError
from airledger.platform.guard import AddressGuard
from airledger.platform.multifetch import MultiFetcher
from airledger.stations.cause import Cause
from airledger.stations.tuner.failure import TuneFailedError
from airledger.stations.tuner.limits import TunerLimits
from airledger.stations.tuner.listening import PlaylistRead
from airledger.stations.tuner.opening import Opening, demux, read_icy
from airledger.stations.tuner.segments import HlsHearing

SOUND_BYTES = 2 << 20
PICTURE_BYTES = 8 << 20
PICTURE_CONTAINERS = frozenset({"mpegts", "mp4", "matroska", "flv", "asf"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream to be looked at.

    Attributes:
        id: The caller's own.
        url: Where.
        headers: Sent along.
    """

    id: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Collected:
    """What came.

    Attributes:
        wanted: What was asked for.
        data: Bytes of one container.
        container: FFmpeg's name of it; "" when nothing came.
        cause: Why nothing came.
        seconds: How long it took from the first byte to the last.
        claimed_kbps: What the server says of its bitrate.
    """

    wanted: Wanted
    data: bytes = b""
    container: str = ""
    cause: Cause | None = None
    seconds: float = 0.0
    claimed_kbps: int | None = None


def collect_all(
    guard: AddressGuard,
    user_agent: str,
    wanted: Sequence[Wanted],
    *,
    seconds: float,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Collected]:
    """Collect bytes of many streams at the same time.

    Args:
        guard: Which addresses may be dialled.
        user_agent: What servers are told.
        wanted: The streams.
        seconds: How long each is listened to, at most; fewer where 2 MiB of sound or 8 MiB with pictures came before.
        stopping: Asked all the time; True gives what came by then.

    Returns:
        One for each, in their order.
    """
    return asyncio.run(_collect_all(guard, user_agent, wanted, seconds, stopping))


async def _collect_all(
    guard: AddressGuard, user_agent: str, wanted: Sequence[Wanted], seconds: float, stopping: Callable[[], bool]
) -> list[Collected]:
    async with MultiFetcher(guard, user_agent) as fetcher:
        opening = [Opening(fetcher, TunerLimits(), one.headers) for one in wanted]
        pairs = zip(opening, wanted, strict=True)
        return await asyncio.gather(*(_collect(each, one, seconds, stopping) for each, one in pairs))


async def _collect(opening: Opening, wanted: Wanted, seconds: float, stopping: Callable[[], bool]) -> Collected:
    basket = _Basket(seconds, stopping)
    found = Collected(wanted)
    try:
        opened = await opening.find(wanted.url)
        with opened.transfer:
            found.claimed_kbps = read_icy(opened.head.headers).bitrate_kbps
            if opened.hls_text is not None:
                async with asyncio.timeout(seconds + opening.limits.answer_s):
                    await HlsHearing(opening, basket).run(opened)
            else:
                await basket.begin(opened.sniffed.name, aired_at=None, break_reason="")
                for chunk in opened.chunks:
                    await basket.feed(chunk.data, arrived_at=chunk.at)
                while (arrived := await opened.transfer.read(opening.limits.stall_s)) is not None:
                    sound, _ = demux(opened.demuxer, arrived)
                    await basket.feed(sound.data, arrived_at=sound.at)
    except _FullError:
        pass
    except TuneFailedError as error:
        found.cause = error.end.cause
    except FetchError as error:
        found.cause = TuneFailedError.of_fetch(error).end.cause
    except TimeoutError:
        found.cause = Cause.TIMEOUT
    if basket.size:
        found.data, found.container, found.cause = basket.data(), basket.container, None
    found.seconds = time.monotonic() - basket.began if basket.began else 0.0
    return found


class _FullError(Exception):
    """There is enough."""


class _Basket:
    """Takes the bytes of the first container that comes, until there are enough or time is up."""

    def __init__(self, seconds: float, stopping: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._stopping = stopping
        self._parts: list[bytes] = []
        self.container = ""
        self.size = 0
        self.began = 0.0

    async def begin(self, container: str, *, aired_at: float | None, break_reason: str) -> None:
        """Note the container; a second one is not collected."""
        del aired_at, break_reason
        if self.container and self.size:
            raise _FullError
        self.container = container

    async def feed(self, data: bytes, *, arrived_at: float) -> None:
        """Keep bytes."""
        del arrived_at
        self.began = self.began or time.monotonic()
        self._parts.append(data)
        self.size += len(data)
        most = PICTURE_BYTES if self.container in PICTURE_CONTAINERS else SOUND_BYTES
        if self.size >= most or time.monotonic() - self.began >= self._seconds or self._stopping():
            raise _FullError

    def mark(self, aired_at: float) -> None:
        """Nothing: when it was aired does not matter here."""

    def show(self, picture: PictureFormat) -> None:
        """Nothing: only what is in the bytes is looked at."""

    def read_playlist(self, read: PlaylistRead) -> None:
        """Nothing: the proof judges how playlists go on."""

    def data(self) -> bytes:
        """Give all bytes."""
        return b"".join(self._parts)
