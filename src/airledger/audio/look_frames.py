"""The language between us and a child that takes close looks: one question, one answer, over stdin and stdout.

A question is JSON (what to decode, and how much of it) and the bytes of a stream; an answer is JSON, the sound as
int16, and pictures. Each part is preceded by its length as u32, little-endian.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = struct.Struct("<I")
JSON_LIMIT_BYTES = 64 * 1024
PART_LIMIT_BYTES = 256 << 20
THUMB_WIDTH_PX, THUMB_HEIGHT_PX = 160, 90
MOST_PICTURES = 24
MOST_CROP_PX = 256
MOST_CHANNELS = 2
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4_000, 192_000
LONGEST_S = 61


class LookError(ValueError):
    """The child does not speak this language, or fell silent."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a close look saw.

    Attributes:
        pcm: int16[n, channels], one or two channels; n is 0 where there is no sound.
        rate_hz: Its sample rate, as the codec says; 0 without sound.
        codec: Of the sound.
        thumbs: uint8[k, 90, 160, 3], pictures in RGB, in order of time.
        crops: uint8[k, h, w], the middle of the same pictures in their own resolution, brightness only; h and w are
            multiples of 16, at most 256.
        times_s: float64[k], when each picture is shown.
        bad_packets: Packets that could not be decoded.
        error: Why nothing could be decoded; "" where something was.
    """

    pcm: NDArray[np.int16]
    rate_hz: int
    codec: str
    thumbs: NDArray[np.uint8]
    crops: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    bad_packets: int = 0
    error: str = ""

    @property
    def sound_s(self) -> float:
        """Seconds of sound."""
        return len(self.pcm) / self.rate_hz if self.rate_hz else 0.0


def write_parts(write: Callable[[bytes], object], head: dict[str, Any], *parts: bytes) -> None:
    """Write JSON and parts, each behind its length."""
    for part in (json.dumps(head).encode(), *parts):
        write(LENGTH.pack(len(part)))
        write(part)


def read_part(read: Callable[[int], bytes], limit: int = PART_LIMIT_BYTES) -> bytes:
    """Read one part.

    Raises:
        LookError: it is cut short or beyond the limit.
    """
    head = _exactly(read, LENGTH.size)
    (length,) = LENGTH.unpack(head)
    if length > limit:
        raise LookError(f"A part of {length} bytes is beyond the limit.")
    return _exactly(read, length)


def read_head(read: Callable[[int], bytes]) -> dict[str, Any]:
    """Read the JSON part.

    Raises:
        LookError: it is no JSON object.
    """
    try:
        values = json.loads(read_part(read, JSON_LIMIT_BYTES))
    except ValueError as error:
        raise LookError(f"Not JSON: {error}") from None
    if not isinstance(values, dict):
        raise LookError("Not a JSON object.")
    return values


def write_answer(write: Callable[[bytes], object], seen: Looked) -> None:
    """Write what was seen."""
    head = {
        "rate_hz": seen.rate_hz,
        "channels": seen.pcm.shape[1],
        "codec": seen.codec,
        "crop": list(seen.crops.shape[1:]),
        "times_s": [float(one) for one in seen.times_s],
        "bad_packets": seen.bad_packets,
        "error": seen.error,
    }
    write_parts(write, head, seen.pcm.astype("<i2").tobytes(), seen.thumbs.tobytes(), seen.crops.tobytes())


def read_answer(read: Callable[[int], bytes]) -> Looked:
    """Read what a child saw, believing nothing: a hostile stream may have taken it over.

    Raises:
        LookError: the answer does not add up.
    """
    head = read_head(read)
    sound, thumbs, crops = read_part(read), read_part(read), read_part(read)
    try:
        times = np.array([float(one) for one in head["times_s"]], np.float64)
        height, width = (int(one) for one in head["crop"])
        channels, rate_hz = int(head["channels"]), int(head["rate_hz"])
        is_rate = rate_hz == 0 or LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ
        if not (
            1 <= channels <= MOST_CHANNELS and is_rate and len(times) <= MOST_PICTURES and np.isfinite(times).all()
        ):
            raise LookError("The answer is beyond its limits.")
        if len(sound) > 2 * channels * LONGEST_S * rate_hz:  # a low rate would make it hours to resample
            raise LookError("There is more sound than was asked for.")
        return Looked(
            pcm=np.frombuffer(sound, "<i2").astype(np.int16).reshape(-1, channels),
            rate_hz=rate_hz,
            codec=str(head["codec"])[:40],
            thumbs=np.frombuffer(thumbs, np.uint8).reshape(len(times), THUMB_HEIGHT_PX, THUMB_WIDTH_PX, 3),
            crops=np.frombuffer(crops, np.uint8).reshape(len(times), height, width),
            times_s=times,
            bad_packets=int(head["bad_packets"]),
            error=str(head["error"])[:500],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LookError(f"The answer does not add up: {error}") from None


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = read(count)
        if not part:
            raise LookError("It ended in the middle.")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
