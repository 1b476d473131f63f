"""The peaks of a reference as an object: what any index can be made from again."""

import io

import numpy as np

from airledger.fingerprint.peaks import Peaks
from airledger.platform.errors import InputError

VERSION = 1


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
