"""How loud sound is to people: ITU-R BS.1770-4 integrated loudness, at any sample rate."""

from functools import lru_cache
from math import pi, tan

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

F32 = NDArray[np.float32]

OFFSET_LUFS = -0.691
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
BLOCK_S = 0.4
STEP_S = 0.1


@lru_cache(maxsize=16)
def k_weighting(rate_hz: int) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """Make the two filters of BS.1770 (head shelf, then high pass) for a sample rate, each as (b, a).

    The standard lists coefficients for 48 kHz only. Both are bilinear transforms of second-order sections whose
    parameters were read off those by B. De Man, "Evaluation of implementations of the EBU R128 loudness measurement"
    (AES 145, 2018); at 48 kHz the listed ones come out.
    """
    k = tan(pi * 1681.974450955533 / rate_hz)
    gain = 10 ** (3.999843853973347 / 20)
    q, band_gain = 0.7071752369554196, gain**0.4996667741545416
    scale = 1 + k / q + k * k
    shelf_b = np.array([gain + band_gain * k / q + k * k, 2 * (k * k - gain), gain - band_gain * k / q + k * k]) / scale
    shelf_a = np.array([1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale])
    k, q = tan(pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    scale = 1 + k / q + k * k
    pass_a = np.array([1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale])
    return (shelf_b, shelf_a), (np.array([1.0, -2.0, 1.0]), pass_a)


def loudness_lufs(pcm: F32, rate_hz: int) -> float:
    """Measure integrated loudness with both gates.

    Args:
        pcm: float32[n, channels] with full scale ±1; one or two channels, each weighted 1.
        rate_hz: Its sample rate.

    Returns:
        LUFS; -70 for what is shorter than 0.4 s or below the absolute gate.
    """
    weighted = pcm.astype(np.float64)
    for b, a in k_weighting(rate_hz):
        weighted = lfilter(b, a, weighted, axis=0)
    step = round(rate_hz * STEP_S)
    steps = len(weighted) // step
    per_block = round(BLOCK_S / STEP_S)
    if steps < per_block:
        return ABSOLUTE_GATE_LUFS
    power = np.square(weighted[: steps * step]).reshape(steps, step, -1).mean(axis=1).sum(axis=1)
    blocks = np.convolve(power, np.ones(per_block) / per_block, mode="valid")
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE_LUFS]
    if not len(loud):
        return ABSOLUTE_GATE_LUFS
    kept = loud[_lufs(loud) > float(_lufs(loud.mean(keepdims=True))[0]) + RELATIVE_GATE_LU]
    return float(_lufs(kept.mean(keepdims=True))[0])


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    levels: NDArray[np.float64] = OFFSET_LUFS + 10 * np.log10(np.maximum(power, 1e-30))
    return levels
