"""Putting unknown sound on air: what a listener's observer would be told, without a listener."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from airledger.listening.heard import HeardWindow
from airledger.listening.outbox import Outbox, Target
from airledger.listening.record import store
from airledger.listening.tracker import Step, TrackerState
from airledger.listening.unknown_compare import Comparer
from airledger.listening.unknown_index import UnknownIndex
from airledger.listening.unknown_keep import UnknownKeeper
from airledger.listening.unknown_look_back import LookBack
from airledger.platform.db import Row
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.recognition.answer import Answer
from airledger.recognition.peaks_cut import cut_peaks
from airledger.stations.models import PLAYING, Stream
from listening_house import RATE_HZ, House

PARAMS = PROFILES["balanced"]
YESTERDAY_S = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()


@dataclass
class Air:
    """The air of a house: `send` has a stream air something that nobody recognises."""

    house: House
    storage: Folder
    index: UnknownIndex
    comparer: Comparer
    looking: LookBack

    def stream(self, number: int) -> int:
        """Add a stream."""
        now = self.house.clock.now()
        with self.house.database.unit() as unit:
            row = Stream(
                url=f"http://station{number}.test/", url_key=f"k{number}", host="station.test", search_text="test",
                name=f"Test {number}", tags=[], warnings=[], state=PLAYING, has_sound=True, created_at=now,
                updated_at=now,
            )  # fmt: skip
            unit.session.add(row)
            unit.session.flush()
            return row.id

    def send(self, stream_id: int, begin_s: float, *sounds: NDArray[np.float32]) -> None:
        """Air sounds one after the other, unrecognised."""
        pcm = np.concatenate(sounds)
        whole = extract(pcm, PARAMS, dense="query")
        target = Target(self.house.session_id, self.house.organisation_id, stream_id, None, "http://x/", "X")
        outbox = Outbox()
        keeper = UnknownKeeper(self.storage, outbox, Counts())
        samples = (pcm * 32_000).astype(np.int16)
        for start_s in range(0, int(len(pcm) / RATE_HZ) - 9, 5):
            answer = Answer((), is_silent=False, cpu_ms=0.0, peaks=cut_peaks(whole, start_s, start_s + 10))
            part = samples[start_s * RATE_HZ : (start_s + 10) * RATE_HZ]
            heard = HeardWindow(target, begin_s + start_s, begin_s + start_s + 10, part, answer)
            keeper.observe(heard, Step(TrackerState(), ()))
        keeper.stop()
        keeper.store_waiting()
        with self.house.database.unit() as unit:
            store(unit, outbox.take(), self.house.clock.now())

    def count(self, table: type[Row]) -> int:
        with self.house.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


def open_air(house: House) -> Air:
    """Make the air of a house."""
    storage = Folder(house.folder / "objects")
    index = UnknownIndex(house.folder / "unknown-index", house.database, storage)
    comparer = Comparer(house.database, house.clock, index)
    return Air(house, storage, index, comparer, LookBack(house.database, storage, house.clock, index))


def babble(seed: int, seconds: int) -> NDArray[np.float32]:
    """Sound between songs: bursts of coloured noise, never the same."""
    random = np.random.default_rng(10_000 + seed)
    count = seconds * RATE_HZ
    colour = np.convolve(random.standard_normal(count), np.hanning(9), mode="same")
    swell = np.interp(np.arange(count), np.arange(0, count + 2_000, 2_000), random.uniform(0, 1, count // 2_000 + 1))
    sound: NDArray[np.float32] = (0.1 * colour * swell).astype(np.float32)
    return sound
