"""Where a recording begins and ends to the ear: silence before, and the last of a fade, are not heard on air."""

import numpy as np

from airledger.audio.features import SOUND_RATE_HZ, Pcm, as_float

AUDIBLE_DBFS = -50.0
BLOCK_S = 0.01


def audible_span(pcm: Pcm, *, rate_hz: int = SOUND_RATE_HZ) -> tuple[float, float]:
    """Find the first and last moment at which 10 ms of sound reach -50 dBFS.

    Args:
        pcm: int16[n] or float32[n] with full scale ±1, mono.
        rate_hz: its sample rate.

    Returns:
        Start and end in seconds; the whole length when nothing is that loud.
    """
    block = round(BLOCK_S * rate_hz)
    count = len(pcm) // block
    power = np.square(as_float(pcm[: count * block]).reshape(count, block)).mean(axis=1)
    loud = np.flatnonzero(power >= 10 ** (AUDIBLE_DBFS / 10))
    if not len(loud):
        return 0.0, len(pcm) / rate_hz
    return float(loud[0]) * BLOCK_S, float(loud[-1] + 1) * BLOCK_S
