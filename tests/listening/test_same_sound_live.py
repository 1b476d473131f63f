"""A whole listener hears three streams; two of them carry one programme, and become one station."""

import threading
import time
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.listening.listener import Listener, ListenerSettings
from airledger.listening.models import ListeningSession, SoundPrints
from airledger.listening.same_sound_compare import SameSoundSearch
from airledger.listening.same_sound_keep import SoundPrinter
from airledger.listening.same_sound_print import LookPlan
from airledger.platform.audit import Actor
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.stations.joining.merge import undo
from airledger.stations.joining.models import SameSoundPair, StationMerge
from airledger.stations.joining.why import HEARD_SAME, SAME_SOUND
from airledger.stations.models import PLAYING, Station, Stream
from airledger.stations.tuner import Listening
from airledger.testing.encode import encode
from listening_house import RATE_HZ, House, made_song
from made_sound import decoded_8k

DEADLINE_S = 60.0
LATE_S = 7.5
PLAN = LookPlan(every_s=50, length_s=45)
ALL_WINDOWS = 3 * 36


class Pieces:
    """A tuner that sends each stream its sound at once, dated as if it had been aired some minutes ago."""

    def __init__(self, sounds: dict[str, NDArray[np.int16]], begin_s: float) -> None:
        self._sounds, self._begin_s = sounds, begin_s

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "Pieces":
        del headers
        if url in self._sounds:  # who connects again hears nothing
            sound = self._sounds.pop(url)
            threading.Thread(target=self._send, args=(sound, listening), daemon=True).start()
        return self

    def _send(self, pcm: NDArray[np.int16], listening: Listening) -> None:
        for position in range(0, len(pcm), RATE_HZ):
            block, aired_s = pcm[position : position + RATE_HZ], self._begin_s + position / RATE_HZ
            listening.sound(block, position, time.time(), aired_s)

    def close(self) -> None:
        """Nothing to give back."""


def sent(sound: NDArray[np.float32], kind: str, bitrate_kbps: int) -> NDArray[np.int16]:
    return decoded_8k(encode(sound, RATE_HZ, kind, bitrate_kbps=bitrate_kbps), kind)


def add(house: House, name: str) -> int:
    now = house.clock.now()
    with house.database.unit() as unit:
        station = Station(identity=f"test:{name}", name=name, created_at=now)
        unit.session.add(station)
        unit.session.flush()
        stream = Stream(
            station_id=station.id, url=f"http://{name}.test/", url_key=name, host=f"{name}.test", search_text=name,
            name=name, tags=[], warnings=[], state=PLAYING, has_sound=True, created_at=now, updated_at=now,
        )  # fmt: skip
        unit.session.add(stream)
        unit.session.flush()
        session = ListeningSession(
            organisation_id=house.organisation_id, stream_id=stream.id, status="waiting", config={}
        )
        unit.session.add(session)
        return stream.id


def test_two_streams_of_one_programme_become_one_station_and_can_be_parted(house: House) -> None:
    house.want(wanted=False)
    programme, other = made_song(90, 200), made_song(91, 200)
    ids = [add(house, name) for name in ("mp3", "opus", "other")]
    late = np.concatenate([made_song(92, 30)[: int(LATE_S * RATE_HZ)], programme])[: len(programme)]
    sounds = {
        "http://mp3.test/": sent(programme, "mp3", 64),
        "http://opus.test/": sent(np.float32(0.3) * late, "opus", 24),
        "http://other.test/": sent(other, "mp3", 64),
    }
    begin_s = (time.time() - 400) // PLAN.every_s * PLAN.every_s
    storage, stop = Folder(house.folder / "objects"), threading.Event()
    counts = Counts()
    printer = SoundPrinter("listener-x", house.database, storage, house.clock, counts, PLAN)
    listener = Listener(
        "listener-x-1-a", house.database, house.clock, house.library, Pieces(sounds, begin_s), counts,
        house.folder / "spool", ListenerSettings(threads=2), printer=printer,
    )  # fmt: skip
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while counts.snapshot()["counts"].get("windows", 0) < ALL_WINDOWS and time.monotonic() < deadline:
        stop.wait(0.1)
    stop.set()
    thread.join(DEADLINE_S)

    search = SameSoundSearch(
        house.database, storage, house.clock, plan=PLAN, settled=timedelta(0), apart=timedelta(seconds=10)
    )
    while search.turn().looks:
        pass
    with house.database.read() as session:
        (pair,) = session.scalars(select(SameSoundPair))
        assert (pair.stream_a, pair.stream_b, pair.verdict) == (ids[0], ids[1], HEARD_SAME)
        assert abs((pair.delay_s or 0) - LATE_S) < 0.2
        (merge,) = session.scalars(select(StationMerge))
        assert merge.reason == SAME_SOUND
        assert merge.evidence["looks_agreed"] >= 3
        stations = list(session.scalars(select(Stream.station_id).where(Stream.id.in_(ids)).order_by(Stream.id)))
        assert stations[0] == stations[1] != stations[2]
        assert not session.scalars(select(SoundPrints)).all()
    assert not list(storage.list("sound-prints"))
    with house.database.unit() as unit:
        undo(unit, merge.id, Actor("user:ada"), now=house.clock.now())
    with house.database.read() as session:
        assert len(set(session.scalars(select(Stream.station_id).where(Stream.id.in_(ids))))) == 3
