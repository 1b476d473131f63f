"""Sound to log power: frames of Hann-windowed samples, in dB below a sine at full scale."""

from functools import lru_cache

import numpy as np
import scipy.fft

from airledger.fingerprint.arrays import C64, F32, kernel
from airledger.fingerprint.params import Params

_BLOCK_FRAMES = 32  # frames and spectra of a block stay in the second-level cache
_SILENT_POWER = np.float32(1e-10)


def frame_count(samples: int, params: Params) -> int:
    """Whole frames in `samples` samples."""
    return 0 if samples < params.frame_samples else (samples - params.frame_samples) // params.hop_samples + 1


def log_power(pcm: F32, params: Params) -> F32:
    """Level of every time-frequency cell.

    Args:
        pcm: float32[n], mono, 8 kHz, full scale is 1.
        params: frame length and hop.

    Returns:
        float32[frames, frame_samples // 2 + 1] in dB; 0 dB is a sine at full scale, nothing is below -100 dB. Frame i
        starts at sample i * hop_samples; only whole frames are made.
    """
    frames = frame_count(len(pcm), params)
    levels = np.empty((frames, params.frame_samples // 2 + 1), np.float32)
    window = _hann(params.frame_samples)
    block = np.empty((min(frames, _BLOCK_FRAMES), params.frame_samples), np.float32)
    for start in range(0, frames, _BLOCK_FRAMES):
        part = levels[start : start + _BLOCK_FRAMES]
        framed = block[: len(part)]
        _cut(pcm[start * params.hop_samples :], params.hop_samples, window, framed)
        _power(scipy.fft.rfft(framed, axis=1, overwrite_x=True), part)
        np.log10(part, out=part)
        part *= np.float32(10)
    return levels


@kernel
def _cut(pcm: F32, hop_samples: int, window: F32, framed: F32) -> None:
    """Fill `framed` with frames of the sound under the window."""
    for i in range(len(framed)):
        frame, row = pcm[i * hop_samples :], framed[i]
        for k in range(len(window)):
            row[k] = frame[k] * window[k]


@kernel
def _power(spectra: C64, out: F32) -> None:
    """Squares of the absolute values, none below what counts as silent."""
    for i in range(len(spectra)):
        row = spectra[i]
        for k in range(len(row)):
            power = row[k].real * row[k].real + row[k].imag * row[k].imag
            out[i, k] = power if power > _SILENT_POWER else _SILENT_POWER  # noqa: FURB136  # as a comparison it is one instruction


@lru_cache(maxsize=8)
def _hann(samples: int) -> F32:
    """A periodic Hann window scaled so that a sine at full scale has power 1 in its bin."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)
    scaled: F32 = (window * (2 / window.sum())).astype(np.float32)
    scaled.setflags(write=False)
    return scaled
