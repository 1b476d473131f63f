"""Many queries' peaks as one object."""

import io
from collections.abc import Sequence

import numpy as np

from airledger.fingerprint.peaks import Peaks
from airledger.platform.errors import InputError

VERSION = 1


def to_bytes(queries: Sequence[Peaks]) -> bytes:
    """Write peaks one behind another as an .npz."""
    buffer = io.BytesIO()
    none = [np.empty(0, np.float32)]
    np.savez_compressed(
        buffer,
        version=np.int32(VERSION),
        starts=np.cumsum([0, *map(len, queries)]).astype(np.int64),
        durations_s=np.array([one.duration_s for one in queries], np.float64),
        times_s=np.concatenate(none + [one.times_s for one in queries]),
        freqs_hz=np.concatenate(none + [one.freqs_hz for one in queries]),
        levels=np.concatenate(none + [one.levels for one in queries]),
    )
    return buffer.getvalue()


def from_bytes(content: bytes) -> list[Peaks]:
    """Read what `to_bytes` wrote.

    Raises:
        InputError: It is damaged, or from a newer version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if int(arrays["version"]) != VERSION:
                raise InputError(f"these queries are of version {int(arrays['version'])}; this program reads {VERSION}")
            columns = [np.ascontiguousarray(arrays[name], np.float32) for name in ("times_s", "freqs_hz", "levels")]
            starts, durations = arrays["starts"].tolist(), arrays["durations_s"].tolist()
            return [
                Peaks(
                    columns[0][start:end].copy(),
                    columns[1][start:end].copy(),
                    columns[2][start:end].copy(),
                    float(duration_s),
                )
                for start, end, duration_s in zip(starts[:-1], starts[1:], durations, strict=True)
            ]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"the stored queries are damaged: {error}") from error
