"""A whole listener keeps what it cannot name, and nothing of what it can."""

import threading
import time

import numpy as np
from sqlalchemy import select

from airledger.listening.listener import Listener, ListenerSettings
from airledger.listening.models import KEPT, UnknownSound
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.recognition.peaks_file import from_bytes
from airledger.stations.tuner import Listening
from listening_house import RATE_HZ, House, made_song

DEADLINE_S = 60.0


class OnePiece:
    """A tuner that sends one piece of sound at once, dated as if it had been aired five minutes ago."""

    def __init__(self, pcm: np.ndarray, begin_s: float) -> None:
        self._pcm, self._begin_s = (pcm * 32_000).astype(np.int16), begin_s

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "OnePiece":
        del url, headers
        threading.Thread(target=self._send, args=(listening,), daemon=True).start()
        return self

    def _send(self, listening: Listening) -> None:
        for position in range(0, len(self._pcm), RATE_HZ):
            block = self._pcm[position : position + RATE_HZ]
            listening.sound(block, position, time.time(), self._begin_s + position / RATE_HZ)

    def close(self) -> None:
        """Nothing to give back."""


def test_only_what_nobody_enrolled_is_kept(house: House) -> None:
    unknown, begin_s = made_song(80, 50), time.time() - 300
    pcm = np.concatenate([unknown, house.songs[0], np.zeros(30 * RATE_HZ, np.float32)])
    storage, stop = Folder(house.folder / "objects"), threading.Event()
    listener = Listener(
        "listener-x-1-a", house.database, house.clock, house.library, OnePiece(pcm, begin_s), Counts(),
        house.folder / "spool", ListenerSettings(threads=1), unknown_storage=storage,
    )  # fmt: skip
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    kept: list[UnknownSound] = []
    deadline = time.monotonic() + DEADLINE_S
    while not kept and time.monotonic() < deadline:
        stop.wait(0.1)
        with house.database.read() as session:
            kept = list(session.scalars(select(UnknownSound).where(UnknownSound.state == KEPT)))
    stop.set()
    thread.join(DEADLINE_S)
    (one,) = kept
    assert abs(one.started_at.timestamp() - begin_s) < 1
    assert abs(one.ended_at.timestamp() - (begin_s + 50)) < 1.5
    assert one.clip_key is not None
    with storage.open(one.peaks_key) as file:
        peaks = from_bytes(file.read())
    assert len(peaks) > 10 * peaks.duration_s
    assert abs(peaks.duration_s - (one.ended_at - one.started_at).total_seconds()) < 0.001
