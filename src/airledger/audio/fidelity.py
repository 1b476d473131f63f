"""What was lost on the way: bandwidth, clipping, gaps, noise, at the rate that the sound was sent with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.audio.short_time import bin_frequencies, power_spectra

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

FRAME_S = 0.04
CARRYING_DB = 75.0
SMOOTH_HZ = 300.0
CLIP_RUN = 3
FLAT_TOP = 0.985
GAP_LEAST_S, GAP_LONGEST_S = 0.004, 1.0
SOUNDING_DBFS = -50.0
MINUTE_S = 60.0
QUIET_PERCENTILE, LOUD_PERCENTILE = 5, 95


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Measures of a piece of sound.

    Attributes:
        bandwidth_hz: Highest frequency that carries sound.
        clipped_share: Share of samples in runs of three and more at the same extreme value.
        gaps_per_minute: Holes of digital silence, 4 ms to 1 s long, amid sound.
        quiet_below_loud_db: Distance of the quietest from the loudest 20 ms, both as 5th and 95th percentile.
        crest_db: Peak above root mean square.
        peak_dbfs: Peak.
        rms_dbfs: Root mean square, its mean removed.
        channel_likeness: Correlation of left and right, -1 to 1; 1 for mono.
    """

    bandwidth_hz: float
    clipped_share: float
    gaps_per_minute: float
    quiet_below_loud_db: float
    crest_db: float
    peak_dbfs: float
    rms_dbfs: float
    channel_likeness: float


def measure_fidelity(pcm: F32, rate_hz: int) -> Fidelity:
    """Measure what was lost.

    Args:
        pcm: float32[n, channels] with full scale ±1, at least a second.
        rate_hz: The rate that it was decoded at.

    Raises:
        ValueError: It is shorter than a second.
    """
    if len(pcm) < rate_hz:
        raise ValueError("Fidelity needs at least a second of sound.")
    mono = pcm.mean(axis=1)
    peak = float(np.abs(pcm).max())
    rms = float(np.sqrt(np.var(mono.astype(np.float64))))
    levels = _levels_db(mono, rate_hz)
    quiet, loud = np.percentile(levels, [QUIET_PERCENTILE, LOUD_PERCENTILE])
    return Fidelity(
        bandwidth_hz=bandwidth_hz(mono, rate_hz),
        clipped_share=clipped_share(pcm),
        gaps_per_minute=gaps_per_minute(pcm, rate_hz),
        quiet_below_loud_db=float(loud - quiet),
        crest_db=_db(peak) - _db(rms) if rms > 0 else 0.0,
        peak_dbfs=_db(peak),
        rms_dbfs=_db(rms),
        channel_likeness=channel_likeness(pcm),
    )


def bandwidth_hz(mono: F32, rate_hz: int) -> float:
    """Find the highest frequency that carries sound: what an upsampled or low-bitrate source cannot hide.

    Each bin's loud moments (95th percentile over time), smoothed over 300 Hz, count as sound down to 75 dB below the
    strongest. Lossy encoders cut like a wall at a frequency that falls with their bitrate; behind it is nothing.

    Args:
        mono: float32[n].
        rate_hz: Its sample rate.

    Returns:
        Hz, at most half the rate; 0 for digital silence.
    """
    size = 2 * round(rate_hz * FRAME_S / 2)
    power = power_spectra(mono, size, size)
    if not len(power) or float(power.max()) <= 0:
        return 0.0
    strong = np.percentile(power, LOUD_PERCENTILE, axis=0)
    width = max(1, round(SMOOTH_HZ * size / rate_hz))
    levels = 10 * np.log10(np.maximum(np.convolve(strong, np.ones(width) / width, mode="same"), 1e-30))
    last = int(np.flatnonzero(levels > levels.max() - CARRYING_DB)[-1])
    return float(max(0.0, bin_frequencies(size, rate_hz)[last] - SMOOTH_HZ / 2 * (last < len(levels) - width)))


def clipped_share(pcm: F32) -> float:
    """Measure the share of samples in runs of three and more at the extreme: flat tops.

    A lossy codec bends flat tops a little, so all within 1.5 % of the extreme count, and only where the extreme is
    visited so often that it is no single peak.
    """
    share: float = 0.0
    for channel in range(pcm.shape[1]):
        one = pcm[:, channel]
        extreme = float(np.abs(one).max())
        if extreme <= 0:
            continue
        high = np.abs(one) >= FLAT_TOP * extreme
        runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], high, [False]]).astype(np.int8))))[::2]
        share += float(runs[runs >= CLIP_RUN].sum()) / len(one)
    return share / int(pcm.shape[1])


def gaps_per_minute(pcm: F32, rate_hz: int) -> float:
    """Count holes of digital silence amid sound, as lost packets and bad splices leave them."""
    quiet = np.all(np.abs(pcm) <= 1.0 / 32768, axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8))).reshape(-1, 2)
    lengths_s = (edges[:, 1] - edges[:, 0]) / rate_hz
    holes = edges[(lengths_s >= GAP_LEAST_S) & (lengths_s <= GAP_LONGEST_S)]
    near = round(rate_hz * 0.02)
    count = sum(_sounds(pcm[max(0, start - near) : start]) and _sounds(pcm[end : end + near]) for start, end in holes)
    return count * MINUTE_S * rate_hz / len(pcm)


def channel_likeness(pcm: F32) -> float:
    """Correlate left and right, -1 to 1; 1 for mono and for silence."""
    if pcm.shape[1] == 1:
        return 1.0
    left, right = pcm[:, 0].astype(np.float64), pcm[:, 1].astype(np.float64)
    energy = float(np.sqrt(np.dot(left, left) * np.dot(right, right)))
    return float(np.dot(left, right)) / energy if energy > 0 else 1.0


def _sounds(piece: F32) -> bool:
    """Whether a hole's edge sounds: a fade-out into digital silence is no hole."""
    return len(piece) > 0 and _db(float(np.sqrt(np.mean(np.square(piece, dtype=np.float64))))) > SOUNDING_DBFS


def _levels_db(mono: F32, rate_hz: int) -> F64:
    block = rate_hz // 50
    blocks = mono[: len(mono) // block * block].reshape(-1, block)
    levels: F64 = 10 * np.log10(np.square(blocks, dtype=np.float64).mean(axis=1) + 1e-12)
    return levels


def _db(value: float) -> float:
    return float(20 * np.log10(max(value, 1e-6)))
