"""The piece of sound that is sent: 10 to 12 seconds of 8 kHz mono, as WAV."""

import hashlib
import io
import struct
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.platform.errors import InputError

RATE_HZ = 8_000
LEAST_S, MOST_S = 3.0, 12.0
LONGEST_S = 60
MAX_BYTES = 192 * 1024 + 44
_FULL_SCALE = 32_767.0
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True)
class Sample:
    """A piece of sound as it is sent; `sha256` is what the same sound is known by, `begins_s` where it was cut."""

    wav: bytes
    sha256: str
    begins_s: float
    duration_s: float


def cut_sample(pcm: NDArray[np.float32] | NDArray[np.int16]) -> Sample:
    """Cut the middle 12 s (or all, when shorter) and write it as WAV.

    Args:
        pcm: float32[n] within ±1 or int16[n], mono, 8 kHz.

    Raises:
        InputError: Less than 3 s: no provider can fingerprint it.
    """
    length = min(len(pcm), round(MOST_S * RATE_HZ))
    if length < LEAST_S * RATE_HZ:
        raise InputError(f"{len(pcm) / RATE_HZ:.1f} s of sound are too short to be asked about: give at least 3 s")
    start = (len(pcm) - length) // 2
    wav = wav_of(pcm[start : start + length])
    return Sample(wav, hashlib.sha256(wav).hexdigest(), start / RATE_HZ, length / RATE_HZ)


def read_wav(content: bytes) -> NDArray[np.float32]:
    """Read 8 kHz mono 16-bit WAV of at most a minute: what we stored ourselves.

    Raises:
        InputError: It is something else.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            if shape != (RATE_HZ, 1, 2) or file.getnframes() > LONGEST_S * RATE_HZ:
                raise InputError("the stored sound is not 8 kHz mono 16-bit WAV of at most a minute")
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise InputError(f"the stored sound cannot be read: {error}") from error
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)


def wav_of(pcm: NDArray[np.float32] | NDArray[np.int16]) -> bytes:
    """Write 8 kHz mono sound as 16-bit WAV (RIFF, format 1)."""
    samples = pcm if pcm.dtype == np.int16 else np.round(np.clip(np.asarray(pcm, np.float32), -1.0, 1.0) * _FULL_SCALE)
    data = samples.astype("<i2").tobytes()
    header = _HEADER.pack(
        b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16, b"data", len(data)
    )
    return header + data
