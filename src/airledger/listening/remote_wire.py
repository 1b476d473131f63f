"""What a remote listener sends: windows as peaks, and time that was lost. See docs/formats/remote-listening.md.

Five bytes a peak: at 45 peaks a second and every sound in two windows about 4 kbit/s a station.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from airledger.platform.errors import InputError

MAGIC = b"ALRW\x01"
BATCH_LIMIT_BYTES = 1 << 20
LONGEST_S = 15.9
MOST_PEAKS = 4_000
CAUSE_LIMIT = 60
EARLIEST_S, LATEST_S = 946_684_800.0, 4_102_444_800.0  # 2000 to 2100
TIME_HZ, FREQ_PER_HZ, LEVEL_PER_DB = 4_096, 16, 4
HIGHEST_HZ = 4_000
PEAK = np.dtype([("time", "<u2"), ("freq", "<u2"), ("level", "u1")])
SOUND, SILENCE, LOST = 1, 2, 3
_HEAD = struct.Struct("<16sBdfH")


class WireError(InputError):
    """What came is no batch of windows; nothing of it was taken."""

    code = "not_windows"


@dataclass(frozen=True)
class SentWindow:
    """One window of a station's sound, or a stretch that was lost.

    Attributes:
        session_id: Whose.
        kind: SOUND, SILENCE or LOST.
        start_s: Air time, seconds since 1970.
        length_s: Its length.
        payload: Of SOUND: its peaks, packed (`airledger.listening.remote_peaks`). Of LOST: the cause.
    """

    session_id: UUID
    kind: int
    start_s: float
    length_s: float
    payload: bytes = b""

    @property
    def cause(self) -> str:
        """Why a stretch was lost."""
        return self.payload.decode("ascii", "replace")


def lost(session_id: UUID, start_s: float, length_s: float, cause: str) -> SentWindow:
    """Tell of time that was lost."""
    return SentWindow(session_id, LOST, start_s, length_s, cause.encode("ascii", "replace")[:CAUSE_LIMIT])


def encode_window(window: SentWindow) -> bytes:
    """Write one window, to be joined to a batch behind MAGIC."""
    count = len(window.payload) // (PEAK.itemsize if window.kind == SOUND else 1)
    return _HEAD.pack(window.session_id.bytes, window.kind, window.start_s, window.length_s, count) + window.payload


def encode_batch(windows: Sequence[SentWindow]) -> bytes:
    """Write a batch."""
    return MAGIC + b"".join(encode_window(one) for one in windows)


def decode_batch(data: bytes) -> list[SentWindow]:
    """Read a batch.

    Raises:
        WireError: It is none, is cut, or holds what no window has.
    """
    if not data.startswith(MAGIC):
        raise WireError("this is no batch of windows of a version that this server reads: update the remote listener")
    if len(data) > BATCH_LIMIT_BYTES:
        raise WireError(f"a batch may have {BATCH_LIMIT_BYTES} bytes, this one has {len(data)}")
    return list(_windows(data))


def _windows(data: bytes) -> Iterator[SentWindow]:
    at = len(MAGIC)
    while at < len(data):
        if len(data) - at < _HEAD.size:
            raise WireError("the batch is cut within a window's head")
        identity, kind, start_s, length_s, count = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        size = count * (PEAK.itemsize if kind == SOUND else 1)
        if len(data) - at < size:
            raise WireError("the batch is cut within a window")
        yield _read(UUID(bytes=identity), kind, start_s, length_s, data[at : at + size])
        at += size


def _read(session_id: UUID, kind: int, start_s: float, length_s: float, payload: bytes) -> SentWindow:
    if kind not in (SOUND, SILENCE, LOST):
        raise WireError(f"{kind} is no kind of window")
    if not (EARLIEST_S <= start_s <= LATEST_S):
        raise WireError("a window's time lies outside of this century")
    longest_s = LONGEST_S if kind != LOST else LATEST_S - EARLIEST_S
    if not (math.isfinite(length_s) and 0 <= length_s <= longest_s):
        raise WireError(f"a window may be {LONGEST_S} s long")
    if kind == SOUND:
        _check_peaks(payload, length_s)
    if (kind == SILENCE and payload) or (kind == LOST and len(payload) > CAUSE_LIMIT):
        raise WireError("a window holds more than one of its kind does")
    return SentWindow(session_id, kind, start_s, length_s, payload)


def _check_peaks(payload: bytes, length_s: float) -> None:
    packed = np.frombuffer(payload, PEAK)
    if len(packed) > MOST_PEAKS:
        raise WireError(f"a window may have {MOST_PEAKS} peaks, this one has {len(packed)}")
    times, frequencies = packed["time"], packed["freq"]
    is_rising = bool(np.all(times[1:] >= times[:-1])) and (not len(times) or times[-1] <= (length_s + 1) * TIME_HZ)
    if not is_rising or bool(np.any(frequencies > HIGHEST_HZ * FREQ_PER_HZ)):
        raise WireError("a window's peaks lie outside of it, are not in order of time, or are beyond 4 kHz")
