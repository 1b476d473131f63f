"""Short-time spectra of sound, and plain descriptions of each: where its weight lies, how noisy it is, how it changes.

Formulas as in G. Peeters, "A large set of audio features for sound description" (IRCAM, 2004), of power spectra.
"""

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

TINY = 1e-12
ROLLOFF_SHARE = 0.85


def power_spectra(sound: F32, size: int, hop: int) -> F64:
    """Cut sound into frames, weigh each with a Hann window, and give their power spectra.

    Args:
        sound: float32[n], mono.
        size: Samples of a frame.
        hop: Samples from one frame to the next.

    Returns:
        float64[frames, size // 2 + 1]; whole frames only, none for sound shorter than one.
    """
    if len(sound) < size:
        return np.zeros((0, size // 2 + 1))
    frames = np.lib.stride_tricks.sliding_window_view(sound, size)[::hop]
    spectra = np.fft.rfft(frames * np.hanning(size + 1)[:-1].astype(np.float32), axis=1)
    power: F64 = spectra.real.astype(np.float64) ** 2 + spectra.imag.astype(np.float64) ** 2
    return power


def bin_frequencies(size: int, rate_hz: int) -> F64:
    """Give the frequency of each bin of `power_spectra` in Hz, float64[size // 2 + 1]."""
    return np.fft.rfftfreq(size, 1 / rate_hz).astype(np.float64)


def centroid_hz(power: F64, frequencies: F64) -> F64:
    """Give the centre of gravity of each spectrum in Hz, float64[frames]; 0 where there is nothing."""
    centres: F64 = (power @ frequencies) / np.maximum(power.sum(axis=1), TINY)
    return centres


def rolloff_hz(power: F64, frequencies: F64, share: float = ROLLOFF_SHARE) -> F64:
    """Give the frequency below which `share` of each spectrum's power lies, float64[frames]."""
    reached = np.cumsum(power, axis=1) >= share * power.sum(axis=1, keepdims=True)
    found: F64 = frequencies[np.argmax(reached, axis=1)]
    return found


def flatness(power: F64) -> F64:
    """Divide each spectrum's geometric mean by its arithmetic one, float64[frames]: 0 for a tone, 0.56 for white noise.

    (For white noise the bins are exponentially distributed; the geometric mean is exp(-0.577) of the other one.)
    """
    inner = power[:, 1:-1] + TINY
    ratio: F64 = np.exp(np.log(inner).mean(axis=1)) / inner.mean(axis=1)
    return ratio


def crossing_rate(sound: F32, size: int, hop: int) -> F64:
    """Give the share of neighbouring samples of different sign in each frame, float64[frames], 0 to 1."""
    if len(sound) < size:
        return np.zeros(0)
    crossings = np.diff(np.signbit(sound)).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(crossings)])
    starts = np.arange(0, len(sound) - size + 1, hop)
    rates: F64 = (total[starts + size - 1] - total[starts]) / (size - 1)
    return rates


def flux(power: F64) -> F64:
    """Measure how each spectrum differs from the one before, both scaled to length 1: float64[frames - 1], 0 to √2."""
    magnitude = np.sqrt(power)
    unit = magnitude / np.maximum(np.linalg.norm(magnitude, axis=1, keepdims=True), TINY)
    change: F64 = np.linalg.norm(np.diff(unit, axis=0), axis=1)
    return change
