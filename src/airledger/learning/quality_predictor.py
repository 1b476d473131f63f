"""How good a stream sounds, as a number with its reasons.

The number is a model's: trained on real sound that was spoilt in known ways, against the distance to what it had been
(`stations/verdict/teaching/spoil.py`). The reasons are rules over the measured values: they say what can be heard, not
how the model came to its number.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from airledger.learning.onnx_model import OnnxModel

F32 = NDArray[np.float32]

MODEL_NAME = "quality_predictor"
SENT_COLUMNS = ("kbps", "is_mp3", "is_aac", "is_opus", "is_vorbis", "is_lossless")
"""What is known of how the sound was sent, behind the columns of its vector."""
LOSSLESS = frozenset({"flac", "alac", "wavpack", "pcm_s16le", "pcm_s24le"})

CLIPPED = 0.001
GAPPY_PER_MINUTE = 2.0
QUIET_LUFS, LOUD_LUFS = -32.0, -7.0
NOISY_DB = 18.0
UPSAMPLED_SHARE = 0.55
UPSAMPLED_FROM_HZ = 32_000
NARROW_HZ = 5_500.0
GENEROUS_KBPS = 96.0
LOW_KBPS = 40.0


def sent_values(codec: str, kbps: float) -> F32:
    """Describe how sound was sent, float32[len(SENT_COLUMNS)].

    Args:
        codec: FFmpeg's name.
        kbps: The measured bitrate of the sound, 0 where it is unknown.
    """
    kinds = (
        codec.startswith("mp"),
        codec.startswith("aac"),
        codec == "opus",
        codec == "vorbis",
        codec in LOSSLESS or codec.startswith("pcm"),
    )
    return np.array([kbps, *kinds], np.float32)


def predict_quality(vector: F32, columns: tuple[str, ...], model: OnnxModel) -> float:
    """Predict quality, 0 (nothing left of it) to 1 (as it was made).

    Args:
        vector: float32[len(columns)]: a sound's vector, and `sent_values` behind it.
        columns: The names of its columns.
        model: The predictor.

    Raises:
        ModelError: The model needs a column that the vector lacks.
    """
    number = float(model.numbers(vector[None, :], columns)[0])
    return round(min(1.0, max(0.0, number)), 3)


def quality_reasons(seen: Mapping[str, float]) -> list[str]:
    """Say what can be heard to be wrong, most audible first.

    Args:
        seen: Values by the names of columns.
    """
    reasons: list[str] = []
    if seen["gaps_per_minute"] >= GAPPY_PER_MINUTE:
        reasons.append(f"{seen['gaps_per_minute']:.0f} dropouts a minute")
    if seen["clipped_share"] >= CLIPPED:
        reasons.append(f"{100 * seen['clipped_share']:.1f} % of the sound is clipped")
    if (narrow := _narrowness(seen)) is not None:
        reasons.append(narrow)
    if 0 < seen["kbps"] < LOW_KBPS and not seen["is_opus"]:
        reasons.append(f"only {seen['kbps']:.0f} kbit/s")
    if 0 < seen["quiet_below_loud_db"] < NOISY_DB and seen["wide_flatness_mean"] > 0.3:  # noqa: PLR2004  near noise
        reasons.append("noise fills the pauses")
    if seen["loudness_lufs"] < QUIET_LUFS:
        reasons.append(f"very quiet: {seen['loudness_lufs']:.0f} LUFS")
    elif seen["loudness_lufs"] > LOUD_LUFS:
        reasons.append(f"very loud: {seen['loudness_lufs']:.0f} LUFS")
    return reasons


def _narrowness(seen: Mapping[str, float]) -> str | None:
    bandwidth, rate_hz = seen["bandwidth_hz"], seen["sample_rate_hz"]
    if not bandwidth:
        return None
    khz = f"the sound ends at {bandwidth / 1000:.1f} kHz"
    if rate_hz >= UPSAMPLED_FROM_HZ and bandwidth < UPSAMPLED_SHARE * rate_hz / 2:
        generous = seen["kbps"] >= GENEROUS_KBPS
        return (
            f"{khz}, although {seen['kbps']:.0f} kbit/s could carry more: it was encoded lower before"
            if generous
            else khz
        )
    return khz if bandwidth < NARROW_HZ else None
