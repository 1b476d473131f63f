"""Encode an array to the bytes of a file, for tests."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.audio.stream import AudioStream

from airledger.testing.pcm import to_int16

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airledger.testing.pcm import Pcm

# kind: (container, encoder, channels, sample format, encoder options)
FORMATS: dict[str, tuple[str, str, int, str, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", 1, "fltp", {}),
    "adts": ("adts", "aac", 1, "fltp", {"aac_coder": "fast"}),
    "m4a": ("ipod", "aac", 1, "fltp", {"aac_coder": "fast"}),
    "ogg": ("ogg", "vorbis", 2, "fltp", {"strict": "-2"}),
    "opus": ("ogg", "libopus", 1, "flt", {}),
    "flac": ("flac", "flac", 1, "s16", {}),
    "wav": ("wav", "pcm_s16le", 1, "s16", {}),
}
BLOCK = 4096


def encode(
    pcm: Pcm, rate_hz: int, kind: str, *, bitrate_kbps: int = 96, tags: Mapping[str, str] | None = None
) -> bytes:
    """Encode mono sound.

    Args:
        pcm: float32 (n,).
        rate_hz: its sample rate; Opus is resampled to 48 kHz.
        kind: "mp3", "adts", "m4a", "ogg" (Vorbis), "opus", "flac" or "wav".
        bitrate_kbps: for the lossy ones.
        tags: container metadata, for the containers that have some.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: another kind.
    """
    if kind not in FORMATS:
        raise ValueError(f"Kind is one of {', '.join(FORMATS)}, not {kind!r}.")
    container_name, encoder, channels, sample_format, options = FORMATS[kind]
    layout = "mono" if channels == 1 else "stereo"
    written = io.BytesIO()
    with av.open(written, "w", format=container_name) as container:
        container.metadata.update(tags or {})
        stream = container.add_stream(
            encoder, rate=48_000 if kind == "opus" else rate_hz, layout=layout, options=options
        )
        if not isinstance(stream, AudioStream):
            raise TypeError(f"{encoder} is not an audio encoder.")
        if sample_format != "s16":
            stream.codec_context.bit_rate = bitrate_kbps * 1000
        for start in range(0, len(pcm), BLOCK):
            container.mux(stream.encode(_frame(pcm[start : start + BLOCK], start, rate_hz, channels, sample_format)))
        container.mux(stream.encode(None))
    return written.getvalue()


def _frame(pcm: Pcm, start: int, rate_hz: int, channels: int, sample_format: str) -> av.AudioFrame:
    samples = to_int16(pcm) if sample_format == "s16" else pcm
    planes = np.ascontiguousarray(np.broadcast_to(samples, (channels, len(samples))))
    frame = av.AudioFrame.from_ndarray(planes, format=sample_format, layout="mono" if channels == 1 else "stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
    return frame
