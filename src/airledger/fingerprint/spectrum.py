"""Sound to log power: frames of Hann-windowed samples, in dB below a sine at full scale."""

from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view

from airledger.fingerprint.arrays import F32
from airledger.fingerprint.params import Params

_BLOCK_FRAMES = 256  # frames and spectra of a block stay in the second-level cache
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
    if frames == 0:
        return levels
    window = _hann(params.frame_samples)
    views = sliding_window_view(pcm, params.frame_samples)[:: params.hop_samples]
    for start in range(0, frames, _BLOCK_FRAMES):
        part = levels[start : start + _BLOCK_FRAMES]
        spectra = scipy.fft.rfft(views[start : start + _BLOCK_FRAMES] * window, axis=1, overwrite_x=True)
        np.multiply(spectra.real, spectra.real, out=part)
        part += spectra.imag * spectra.imag
        np.maximum(part, _SILENT_POWER, out=part)
        np.log10(part, out=part)
        part *= np.float32(10)
    return levels


@lru_cache(maxsize=8)
def _hann(samples: int) -> F32:
    """A periodic Hann window scaled so that a sine at full scale has power 1 in its bin."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)
    scaled: F32 = (window * (2 / window.sum())).astype(np.float32)
    scaled.setflags(write=False)
    return scaled
