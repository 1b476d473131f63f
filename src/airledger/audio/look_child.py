"""The process that takes close looks: sound at its own rate, and pictures. Imports av and NumPy, nothing more.

Run as `python -I -m airledger.audio.look_child`, with `look_frames` spoken over stdin and stdout, one look after the
other. It ends when stdin does, or when a stream breaks the decoder, which the parent sees.
"""

import io
import os
import sys
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from airledger.audio.decoder_child import lock_doors
from airledger.audio.look_frames import (
    MOST_CHANNELS,
    MOST_CROP_PX,
    MOST_PICTURES,
    THUMB_HEIGHT_PX,
    THUMB_WIDTH_PX,
    Looked,
    LookError,
    read_head,
    read_part,
    write_answer,
)
from airledger.audio.sound_decoder import BAD_PACKETS_LIMIT, DecodeError, open_container

STDIN, STDOUT = 0, 1
SPACING_S = 0.9
FEW_PICTURES = 5
CROP_STEP_PX = 16
LARGEST_PICTURE_PX = 8192 * 4320


class Sight:
    """Collects pictures, about one a second."""

    def __init__(self) -> None:
        self.thumbs: list[NDArray[np.uint8]] = []
        self.crops: list[NDArray[np.uint8]] = []
        self.times_s: list[float] = []

    def add(self, frame: VideoFrame) -> None:
        """Keep a picture unless the last one is too near or there are enough."""
        at_s = float(frame.time or 0.0)
        if len(self.thumbs) >= MOST_PICTURES or frame.width * frame.height > LARGEST_PICTURE_PX:
            return
        if self.times_s and 0 <= at_s - self.times_s[-1] < SPACING_S:
            return
        crop = _middle(_brightness(frame))
        if self.crops and crop.shape != self.crops[0].shape:  # the size changed in flight: what follows is left out
            return
        small = frame.reformat(THUMB_WIDTH_PX, THUMB_HEIGHT_PX, "rgb24")
        self.thumbs.append(np.asarray(small.to_ndarray(), np.uint8))
        self.crops.append(crop)
        self.times_s.append(at_s)


def _brightness(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.reformat(format="gray").to_ndarray(), np.uint8)


def _middle(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the middle, on the grid of the codec's blocks."""
    height, width = (min(MOST_CROP_PX, side // CROP_STEP_PX * CROP_STEP_PX) for side in grey.shape)
    top, left = (
        (side - wanted) // 2 // CROP_STEP_PX * CROP_STEP_PX
        for side, wanted in zip(grey.shape, (height, width), strict=True)
    )
    return np.ascontiguousarray(grey[top : top + height, left : left + width])


class Hearing:
    """Collects sound at the rate and with the channels of its first frame."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self._resampler: AudioResampler | None = None
        self._pieces: list[NDArray[np.int16]] = []
        self.rate_hz = 0
        self.channels = 1
        self.samples = 0

    @property
    def is_full(self) -> bool:
        """Whether there is as much as was asked for."""
        return self.rate_hz > 0 and self.samples >= self._most_s * self.rate_hz

    def add(self, frame: AudioFrame) -> None:
        """Keep a frame's sound."""
        if self._resampler is None:
            self.rate_hz = frame.sample_rate
            self.channels = min(MOST_CHANNELS, frame.layout.nb_channels)
            layout = "mono" if self.channels == 1 else "stereo"
            self._resampler = AudioResampler(format="s16", layout=layout, rate=self.rate_hz)
        frame.pts = None
        for made in self._resampler.resample(frame):
            piece = np.asarray(made.to_ndarray(), np.int16).reshape(-1, self.channels)
            self._pieces.append(piece)
            self.samples += len(piece)

    def pcm(self) -> NDArray[np.int16]:
        """Give it all, int16[n, channels]."""
        whole = np.concatenate([np.zeros((0, self.channels), np.int16), *self._pieces])
        return whole[: int(self._most_s * self.rate_hz)]


def look(data: bytes, container: str, *, most_s: float, wants_picture: bool) -> Looked:
    """Decode what is asked for; damage is counted and passed over."""
    hearing, sight = Hearing(most_s), Sight()
    bad, codec, error = 0, "", ""
    try:
        with open_container(io.BytesIO(data), container, live=False) as opened:
            audio = opened.streams.best("audio")
            codec = audio.codec_context.codec.canonical_name if audio is not None and audio.codec_context else ""
            video = _television(opened) if wants_picture else None
            bad = _decode(opened, [one for one in (audio, video) if one is not None], hearing, sight)
        if video is not None and len(sight.thumbs) < FEW_PICTURES:
            sight = _every_picture(data, container)
    except (DecodeError, av.FFmpegError, ValueError) as failure:
        error = str(failure)
    is_blind = not hearing.samples and not sight.thumbs
    return Looked(
        pcm=hearing.pcm(),
        rate_hz=hearing.rate_hz,
        codec=codec,
        thumbs=_stacked(sight.thumbs, (THUMB_HEIGHT_PX, THUMB_WIDTH_PX, 3)),
        crops=_stacked(sight.crops, (CROP_STEP_PX, CROP_STEP_PX)),
        times_s=np.array(sight.times_s, np.float64),
        bad_packets=bad,
        error=(error or "Nothing in it could be decoded.") if is_blind else "",
    )


def _television(opened: InputContainer) -> VideoStream | None:
    for video in opened.streams.video:
        if not video.disposition & Disposition.attached_pic and video.codec_context is not None:
            video.codec_context.thread_count = 1
            video.codec_context.skip_frame = "NONKEY"
            return video
    return None


def _every_picture(data: bytes, container: str) -> Sight:
    """Look again at all pictures, where key frames are too rare to show motion."""
    sight = Sight()
    with open_container(io.BytesIO(data), container, live=False) as opened:
        video = _television(opened)
        if video is not None:
            video.codec_context.skip_frame = "DEFAULT"
            _decode(opened, [video], Hearing(0.0), sight)
    return sight


def _decode(opened: InputContainer, streams: list[Any], hearing: Hearing, sight: Sight) -> int:
    """Decode to the end, or until there is enough of all; give how many packets were bad."""
    bad = in_row = 0
    wants_picture = any(isinstance(one, VideoStream) for one in streams)
    for packet in opened.demux(*streams):
        try:
            frames = packet.decode()
            in_row = 0
        except (av.EOFError, av.MemoryError):
            break
        except av.FFmpegError:
            bad, in_row = bad + 1, in_row + 1
            if in_row >= BAD_PACKETS_LIMIT:
                break
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                sight.add(frame)
            elif isinstance(frame, AudioFrame) and not hearing.is_full:
                hearing.add(frame)
        if hearing.is_full and (not wants_picture or len(sight.thumbs) >= MOST_PICTURES):
            break
    return bad


def _stacked(pictures: list[NDArray[np.uint8]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.stack(pictures) if pictures else np.zeros((0, *shape), np.uint8)


def main() -> None:
    """Answer until stdin ends."""
    av.logging.set_level(av.logging.PANIC)
    lock_doors()

    def write(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(STDOUT, view) :]

    while True:
        try:
            asked = read_head(lambda count: os.read(STDIN, count))
            data = read_part(lambda count: os.read(STDIN, count))
        except LookError:
            sys.exit(0)
        most_s, wants_picture = float(asked["most_s"]), bool(asked["wants_picture"])
        write_answer(write, look(data, str(asked["container"]), most_s=most_s, wants_picture=wants_picture))


if __name__ == "__main__":
    main()
