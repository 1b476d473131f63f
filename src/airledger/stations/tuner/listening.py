"""What a tuner tells whoever listens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from airledger.audio.stream_format import StreamFormat
from airledger.stations.cause import Cause


@dataclass(frozen=True, slots=True)
class IcyInfo:
    """What an ICY or Icecast server says of itself; None where it is silent about it.

    `bitrate_kbps` is the claim of `icy-br` (its first number, where a server sends `128,128`), else of
    `ice-audio-info`. `do_not_index` is the owner's wish (`icy-do-not-index: 1`), which the catalogue respects.
    """

    name: str | None = None
    genre: str | None = None
    url: str | None = None
    description: str | None = None
    bitrate_kbps: int | None = None
    sample_rate_hz: int | None = None
    metaint_bytes: int | None = None
    public: bool | None = None
    do_not_index: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """The server has answered and what it sends looks like media.

    Attributes:
        url: the address that finally answered, behind redirects and playlists.
        via: playlists that led there, outermost first.
        status: the HTTP status.
        headers: response headers, names in lower case, repeated ones joined by `, `.
        icy: what the ICY headers say.
        content_type: the media type without parameters, in lower case; empty where the server gave none.
        container: what the first bytes are (`mp3`, `aac`, `ogg`, `mpegts`, `mp4`, ...; `hls` for a playlist).
        kind: `icy` with ICY headers or status line, `hls`, else `http`.
        response_time_ms: from the request for `url` to its first header byte, redirects included.
        remote_address: the IP address that was dialled.
        at: epoch seconds.
    """

    url: str
    via: tuple[str, ...]
    status: int
    headers: Mapping[str, str]
    icy: IcyInfo
    content_type: str
    container: str
    kind: Literal["icy", "http", "hls"]
    response_time_ms: float
    remote_address: str
    at: float


@dataclass(frozen=True, slots=True)
class TuneEnded:
    """Why hearing ended. `detail` is a sentence for people; `http_status` is there where one was the reason.

    `retry_after_s` is for how long the server asks to be left alone (429 and 503 with `Retry-After`).
    """

    cause: Cause
    permanent: bool
    detail: str
    http_status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class PlaylistRead:
    """An edition of an HLS media playlist was read.

    Attributes:
        last_sequence: number of its last segment; None while it has none.
        target_s: its target duration.
        has_ended: no further segments will come (`EXT-X-ENDLIST`).
    """

    last_sequence: int | None
    target_s: float
    has_ended: bool


class Listening(Protocol):
    """Gets what a tuned stream gives, always on the tuner's thread, in order; so every method must return quickly.

    After `ended` nothing more comes. After `Tuned.close()` has returned nothing comes at all, not even `ended`.
    An error raised here ends that stream alone and is logged.
    """

    def connected(self, info: Connected) -> None:
        """The server answered; at most once, before anything else but `ended`."""

    def format(self, found: StreamFormat) -> None:
        """The decoder knows the codec; again after a discontinuity that changed it."""

    def title(self, text: str, at_s: float) -> None:
        """An ICY title begins `at_s` seconds into the sound of this connection."""

    def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
        """Sound: int16[n], 8 kHz, mono.

        Args:
            pcm: the samples.
            position: index of the first sample since this connection began.
            at: epoch seconds when its last sample had arrived, by the arrival of the bytes it was decoded from; when it
                came out of the decoder where the container does not tell its bytes.
            air_time: epoch seconds at which the first sample was aired by the station's own clock
                (EXT-X-PROGRAM-DATE-TIME), None where the stream does not tell.
        """

    def bytes_received(self, count: int, at: float) -> None:
        """`count` bytes of media (ICY metadata removed) arrived at epoch second `at`."""

    def discontinuity(self, reason: str) -> None:
        """Sound before and after does not belong together (a segment was missed, the station switched)."""

    def ended(self, end: TuneEnded) -> None:
        """The stream is over."""


@runtime_checkable
class FollowsPlaylists(Protocol):
    """A listener that also wants to know how an HLS playlist goes on."""

    def playlist(self, read: PlaylistRead) -> None:
        """An edition was read, whether it brought something new or not."""
