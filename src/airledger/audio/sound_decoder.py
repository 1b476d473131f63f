"""From an open container to mono int16 sound at 8 kHz. Runs in sandboxed children; imports av and NumPy alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard, Disposition
from numpy.typing import NDArray

from airledger.audio.mono import MonoSound
from airledger.audio.stream_format import SOUND_RATE_HZ, PictureFormat, StreamFormat

CONTAINERS = frozenset(
    {"mp3", "aac", "ogg", "flac", "wav", "aiff", "mpegts", "mp4", "matroska", "flv", "caf", "asf", "amr"}
)
"""The demuxers that strangers' bytes may reach; none of them opens further addresses."""
_FULL_NAMES = {"mp4": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
PIECE_S = 0.2
FILE_PIECE_S = 1.0
PROBE_SOUND_BYTES = 32 * 1024
PROBE_PICTURE_BYTES = 1024 * 1024
PROBE_DURATION_US = 1_500_000
READ_BYTES = 16 * 1024
BAD_PACKETS_LIMIT = 200
NOWHERE = -1


class DecodeError(Exception):
    """The bytes cannot be decoded; `cause` is `no_sound` or `undecodable`."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


class Sound(NamedTuple):
    """A piece of sound.

    `byte_position` is where the packet of its first sample began in the input (-1 where the container does not tell);
    `time_s` the container's own time of the first sample, None without one.
    """

    pcm: NDArray[np.int16]
    byte_position: int
    time_s: float | None


@dataclass(slots=True)
class Damage:
    """How many packets could not be decoded, in all and in a row."""

    packets: int = 0
    bad: int = 0
    bad_in_row: int = 0

    def count(self, *, good: bool) -> None:
        """Note one packet.

        Raises:
            DecodeError: so many in a row were bad that this is no sound of the kind it seemed to be.
        """
        self.packets += 1
        self.bad += not good
        self.bad_in_row = 0 if good else self.bad_in_row + 1
        if self.bad_in_row >= BAD_PACKETS_LIMIT:
            raise DecodeError("undecodable", f"{self.bad_in_row} packets in a row could not be decoded.")


def open_container(source: Any, container: str, *, live: bool) -> InputContainer:
    """Open bytes as one given container; live ones with as little reading ahead as telling the codec needs.

    Raises:
        DecodeError: we do not decode this container, or the bytes are not of it.
    """
    if container not in CONTAINERS:
        raise DecodeError("undecodable", f"The container {container!r} is not one that we decode.")
    options = {"format_whitelist": _FULL_NAMES.get(container, container), "max_streams": "64"}
    if live:
        picture = container in {"mpegts", "mp4", "matroska", "flv", "asf"}
        options["probesize"] = str(PROBE_PICTURE_BYTES if picture else PROBE_SOUND_BYTES)
        options["analyzeduration"] = str(PROBE_DURATION_US)
    try:
        opened: InputContainer = av.open(
            source, "r", format=container, container_options=options, metadata_errors="replace", buffer_size=READ_BYTES
        )
    except (av.FFmpegError, ValueError) as error:
        raise DecodeError("undecodable", f"Not {container}: {error}") from error
    return opened


class SoundDecoder:
    """Decodes the best audio stream of a container; nothing else in it is even looked at."""

    def __init__(self, container: InputContainer, piece_s: float = PIECE_S) -> None:
        """Choose the stream; its sound comes in pieces of about `piece_s` seconds.

        Raises:
            DecodeError: there is only a picture in it (`no_sound`), nothing that we know, or no decoder for it.
        """
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            seen = {other.type for other in container.streams}
            if "video" in seen and "audio" not in seen:
                raise DecodeError("no_sound", "There is a picture, but no sound.")
            raise DecodeError("undecodable", "Nothing in it was recognised as sound.")
        if stream.codec_context is None:
            raise DecodeError("undecodable", "There is no decoder for its sound.")
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        stream.codec_context.thread_count = 1
        self.damage = Damage()
        self._piece_s = piece_s
        self._container = container
        self._stream = stream
        self._mono: MonoSound | None = None
        self._setup: tuple[str, str, int] | None = None
        self._frames: list[AudioFrame] = []
        self._samples = 0
        self._piece_place = NOWHERE
        self._piece_time_s: float | None = None

    def format(self) -> StreamFormat:
        """Tell what it is; complete once the first sound has come."""
        context = self._stream.codec_context
        bit_rate = context.bit_rate or 0
        return StreamFormat(
            container=self._container.format.name.partition(",")[0],
            codec=context.codec.canonical_name,
            sample_rate_hz=self._setup[2] if self._setup else context.sample_rate,
            channels=context.channels,
            bitrate_kbps=round(bit_rate / 1000, 1) if bit_rate else None,
            profile=context.profile,
            picture=self._picture(),
        )

    def metadata(self) -> dict[str, str]:
        """Give the tags of the sound's own stream."""
        return dict(self._stream.metadata)

    def sounds(self) -> Iterator[Sound]:
        """Decode to the end of the input, in pieces.

        Raises:
            DecodeError: it is too damaged to go on.
        """
        try:
            for packet in self._packets():
                place = packet.pos if packet.pos is not None and packet.pos >= 0 else NOWHERE
                for frame in self._decoded(packet):
                    yield from self._gathered(frame, place)
        except av.EOFError:
            pass
        except (av.FFmpegError, ValueError) as error:
            raise DecodeError("undecodable", str(error)) from error
        yield from self._flushed()

    def decoded_s(self) -> float:
        """Decode to the end of the input and return how many seconds of sound there were, keeping none.

        Raises:
            DecodeError: it is too damaged to go on.
        """
        total_s = 0.0
        try:
            for packet in self._packets():
                for frame in self._decoded(packet):
                    self._setup = (frame.format.name, frame.layout.name, frame.sample_rate)
                    total_s += frame.samples / frame.sample_rate
        except av.EOFError:
            pass
        except (av.FFmpegError, ValueError) as error:
            raise DecodeError("undecodable", str(error)) from error
        return total_s

    def _packets(self) -> Iterator[Any]:
        """Demux on behind damage, as a live stream does not end with a bad page."""
        while True:
            try:
                yield from self._container.demux(self._stream)
            except (av.InvalidDataError, IndexError):  # IndexError: a stream appeared that PyAV did not expect
                self.damage.count(good=False)
            else:
                return

    def _decoded(self, packet: Any) -> list[AudioFrame]:
        try:
            frames: list[AudioFrame] = packet.decode()
        except (av.EOFError, av.MemoryError):
            raise
        except av.FFmpegError:  # a bad packet: AAC's decoder calls it "operation not permitted", others "invalid data"
            self.damage.count(good=False)
            return []
        if packet.size:
            self.damage.count(good=True)
        return frames

    def _gathered(self, frame: AudioFrame, place: int) -> Iterator[Sound]:
        """Gather frames to pieces worth resampling: frame by frame, the calls would cost as much as the decoding."""
        setup = (frame.format.name, frame.layout.name, frame.sample_rate)
        if setup != self._setup:
            # Some streams change in flight: HE-AAC shows its true rate with the second frame, mono jingles in stereo.
            yield from self._flushed()
            self._setup = setup
            self._mono = MonoSound(frame, SOUND_RATE_HZ)
        if not self._frames:
            self._piece_place, self._piece_time_s = place, frame.time
        self._frames.append(frame)
        self._samples += frame.samples
        if self._samples >= frame.sample_rate * self._piece_s:
            yield from self._resampled()

    def _resampled(self) -> Iterator[Sound]:
        """Resample what has been gathered; with nothing gathered, what the filter still holds, as the sound ends."""
        if self._mono is not None:
            pcm = self._mono.push(self._frames) if self._frames else self._mono.finish()
            self._frames, self._samples = [], 0
            if len(pcm):
                yield Sound(pcm, self._piece_place, self._piece_time_s)
                if self._piece_time_s is not None:  # what the filter still holds continues this
                    self._piece_time_s += len(pcm) / SOUND_RATE_HZ

    def _flushed(self) -> Iterator[Sound]:
        if self._frames:
            yield from self._resampled()
        yield from self._resampled()
        self._mono = None

    def _picture(self) -> PictureFormat | None:
        for video in self._container.streams.video:
            if video.disposition & Disposition.attached_pic:  # a cover, not television
                continue
            context = video.codec_context
            if context is not None:
                return PictureFormat(context.codec.canonical_name, context.width, context.height)
        return None
