"""An independent listener of an Icecast mount: dates what it hears by when the newest bytes arrive."""

import io
import threading
import time
from dataclasses import dataclass
from typing import Self

import av
import httpx
import numpy as np
from numpy.typing import NDArray

QUIET = 10 ** (-50 / 20)
PIECE_S = 0.01


@dataclass(frozen=True)
class Heard:
    """Mono sound, and the wall time (s since 1970) of its first sample."""

    pcm: NDArray[np.float32]
    rate_hz: int
    began_s: float

    def onsets(self, after_quiet_s: float) -> list[float]:
        """Return when sound began after so much quiet, as wall times."""
        piece = int(self.rate_hz * PIECE_S)
        whole = len(self.pcm) // piece * piece
        is_loud = np.abs(self.pcm[:whole].reshape(-1, piece)).max(axis=1) > QUIET
        found, quiet = [], 0
        for place, loud in enumerate(is_loud):
            if loud and quiet * PIECE_S >= after_quiet_s:
                found.append(self.began_s + place * PIECE_S)
            quiet = 0 if loud else quiet + 1
        return found


class Witness:
    """Records a mount of constant bitrate while the context is open.

    A server hands out seconds of the past at once when one connects, and later each byte when it is aired: so the least
    difference between a byte's arrival and its place dates them all.
    """

    def __init__(self, url: str, bitrate_kbps: int) -> None:
        self._url = url
        self._bytes_per_s = bitrate_kbps * 1000 / 8
        self._body = bytearray()
        self._began_s = float("inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._record, name="witness")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def heard(self) -> Heard:
        """Decode what was recorded."""
        with av.open(io.BytesIO(bytes(self._body)), "r", format="mp3") as container:
            frames = list(container.decode(audio=0))
            rate_hz = frames[0].sample_rate
        pcm = np.concatenate([frame.to_ndarray().astype(np.float32).mean(axis=0) for frame in frames])
        return Heard(pcm, rate_hz, self._began_s)

    def _record(self) -> None:
        with (
            httpx.Client(trust_env=False, timeout=10) as client,
            client.stream("GET", self._url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            for data in answer.iter_raw():
                self._take(data)
                if self._stop.is_set():
                    return

    def _take(self, data: bytes) -> None:
        self._body += data
        self._began_s = min(self._began_s, time.time() - len(self._body) / self._bytes_per_s)
