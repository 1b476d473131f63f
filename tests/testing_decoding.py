"""Decode what the band sends, and find where it lies against what was meant."""

from __future__ import annotations

import io

import av
import numpy as np
from scipy.signal import correlate

from airledger.testing.pcm import SONG_RATE_HZ, Pcm


def decode(data: bytes, container: str | None = None) -> Pcm:
    """Decode to float32 mono at 44.1 kHz."""
    pieces: list[Pcm] = []
    cut = 0
    with av.open(io.BytesIO(data), "r", format=container) as opened:
        resampler = av.AudioResampler("flt", "mono", SONG_RATE_HZ)
        for packet in opened.demux(audio=0):
            try:
                frames = packet.decode()
            except av.InvalidDataError:
                cut += 1
                continue
            for frame in frames:
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    assert cut <= 1, "only the last frame may be damaged: reading stopped in the middle of it"
    return np.concatenate(pieces).astype(np.float32)


def stream_kinds(data: bytes, container: str | None = None) -> list[tuple[str, str]]:
    """Say which streams are in it: (kind, codec)."""
    with av.open(io.BytesIO(data), "r", format=container) as opened:
        return [(stream.type, stream.codec_context.name) for stream in opened.streams]


def displacement(sent: Pcm, meant: Pcm) -> tuple[int, float]:
    """Find a stretch out of the middle of what was sent in what was meant.

    Returns:
        How many samples late it is, and the correlation there.
    """
    start, length = len(sent) // 3, len(sent) // 3
    piece = sent[start : start + length]
    at = int(np.argmax(correlate(meant, piece, mode="valid", method="fft")))
    return start - at, float(np.corrcoef(meant[at : at + length], piece)[0, 1])
