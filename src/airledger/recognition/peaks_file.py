"""The peaks of a reference as an object: what any index can be made from again."""

import io

import numpy as np
from numpy.typing import NDArray

from airledger.fingerprint.peaks import Peaks
from airledger.platform.errors import InputError

VERSION = 1
_TIME_STEP_S = 1 / 512
_FREQ_STEP_HZ = 1 / 4
_LEVEL_STEP_DB = 1.0


def to_bytes(peaks: Peaks) -> bytes:
    """Write peaks as an .npz of three float32 arrays, a duration and a version."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        version=np.int32(VERSION),
        times_s=peaks.times_s,
        freqs_hz=peaks.freqs_hz,
        levels=peaks.levels,
        duration_s=np.float64(peaks.duration_s),
    )
    return buffer.getvalue()


def coarse(peaks: Peaks) -> Peaks:
    """Round peaks to 2 ms, a quarter of a hertz and a decibel: far below what counts, and it packs twice as tightly."""
    return Peaks(
        _rounded(peaks.times_s, _TIME_STEP_S),
        _rounded(peaks.freqs_hz, _FREQ_STEP_HZ),
        _rounded(peaks.levels, _LEVEL_STEP_DB),
        peaks.duration_s,
    )


def _rounded(values: NDArray[np.float32], step: float) -> NDArray[np.float32]:
    rounded: NDArray[np.float32] = (np.rint(values / np.float32(step)) * np.float32(step)).astype(np.float32)
    return rounded


def from_bytes(content: bytes) -> Peaks:
    """Read what `to_bytes` wrote.

    Raises:
        InputError: It is damaged, or from a newer version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if int(arrays["version"]) != VERSION:
                raise InputError(f"these peaks are of version {int(arrays['version'])}; this program reads {VERSION}")
            return Peaks(
                np.ascontiguousarray(arrays["times_s"], np.float32),
                np.ascontiguousarray(arrays["freqs_hz"], np.float32),
                np.ascontiguousarray(arrays["levels"], np.float32),
                float(arrays["duration_s"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"the stored peaks are damaged: {error}") from error
