"""The language between us and a decoder child: frames of (stream u32, kind u8, length u32, payload), little-endian.

A child serves many streams. `DATA` is answered by `ACK` as it is read, and at most `WINDOW_BYTES` of a stream may be
unacknowledged, so neither side can be made to grow.
"""

import json
import struct
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<IBI")
PCM_HEADER = struct.Struct("<Iqqd")
ACK_PAYLOAD = struct.Struct("<I")
PAYLOAD_LIMIT_BYTES = 1 << 20
WINDOW_BYTES = 256 * 1024
STREAMS_LIMIT = 32


class FrameKind(IntEnum):
    """To the child: OPEN to CANCEL. From the child: the others.

    OPEN and RESET carry JSON `{"container": ...}`; a RESET ends the chapter, and begins the next in the same stream.
    CLOSE means that no more data come; what was sent is decoded to the end. CANCEL drops everything.
    FORMAT carries JSON of a `StreamFormat`, ERROR JSON `{"cause", "text"}`; one of ERROR and ENDED comes last.
    """

    OPEN = 1
    DATA = 2
    RESET = 3
    CLOSE = 4
    CANCEL = 5
    FORMAT = 16
    PCM = 17
    ACK = 18
    ERROR = 19
    ENDED = 20


class FrameError(ValueError):
    """The other side does not speak this language."""


class Frame(NamedTuple):
    """One message."""

    stream: int
    kind: FrameKind
    payload: bytes


class PcmFrame(NamedTuple):
    """Payload of `PCM`: the chapter, the position of the first sample in the stream, its place in the input, its time.

    `byte_position` counts all bytes of DATA since OPEN (-1: unknown); `time_s` is NaN where unknown.
    """

    chapter: int
    position: int
    byte_position: int
    time_s: float
    pcm: NDArray[np.int16]


def encode_frame(stream: int, kind: FrameKind, payload: bytes = b"") -> bytes:
    """Write one frame."""
    return HEADER.pack(stream, kind, len(payload)) + payload


def encode_json(stream: int, kind: FrameKind, values: dict[str, Any]) -> bytes:
    """Write one frame whose payload is JSON."""
    return encode_frame(stream, kind, json.dumps(values).encode())


def encode_pcm(stream: int, frame: PcmFrame) -> bytes:
    """Write one frame of sound."""
    head = PCM_HEADER.pack(frame.chapter, frame.position, frame.byte_position, frame.time_s)
    return encode_frame(stream, FrameKind.PCM, head + frame.pcm.astype("<i2", copy=False).tobytes())


def decode_pcm(payload: bytes) -> PcmFrame:
    """Read the payload of `PCM`.

    Raises:
        FrameError: it is too short or cut within a sample.
    """
    if len(payload) < PCM_HEADER.size or (len(payload) - PCM_HEADER.size) % 2:
        raise FrameError("A frame of sound is cut short.")
    chapter, position, byte_position, time_s = PCM_HEADER.unpack_from(payload)
    pcm = np.frombuffer(payload, dtype="<i2", offset=PCM_HEADER.size).astype(np.int16, copy=False)
    return PcmFrame(chapter, position, byte_position, time_s, pcm)


def decode_json(payload: bytes) -> dict[str, Any]:
    """Read a JSON payload.

    Raises:
        FrameError: it is not a JSON object.
    """
    try:
        values = json.loads(payload)
    except ValueError as error:
        raise FrameError(f"Not JSON: {error}") from None
    if not isinstance(values, dict):
        raise FrameError("Not a JSON object.")
    return values


class FrameReader:
    """Cuts a byte stream into frames, however it arrives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes, give the frames that are complete.

        Raises:
            FrameError: an unknown kind, or a payload beyond the limit.
        """
        self._buffer += data
        frames: list[Frame] = []
        at = 0
        while len(self._buffer) - at >= HEADER.size:
            stream, kind, length = HEADER.unpack_from(self._buffer, at)
            if length > PAYLOAD_LIMIT_BYTES:
                raise FrameError(f"A payload of {length} bytes is beyond the limit.")
            end = at + HEADER.size + length
            if len(self._buffer) < end:
                break
            try:
                known = FrameKind(kind)
            except ValueError:
                raise FrameError(f"{kind} is no kind of frame.") from None
            frames.append(Frame(stream, known, bytes(self._buffer[at + HEADER.size : end])))
            at = end
        del self._buffer[:at]
        return frames
