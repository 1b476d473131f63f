"""A listener on a real database, a real index and a tuner whose sound we choose."""

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.listening.claims import claim, release_dead
from airledger.listening.coverage import extend
from airledger.listening.listener import Listener, ListenerSettings
from airledger.listening.models import CLOSED, AudioDetection, Coverage, ListeningSession, ShownTitle
from airledger.listening.outbox import HeardPlay, Outbox, Target, from_json, to_json
from airledger.listening.tracker import TrackerParams, TrackerState, Window, track
from airledger.listening.wish import want_all
from airledger.platform.errors import UnavailableError
from airledger.platform.presence import Counts
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import rebuild
from airledger.recognition.answer import Identified
from airledger.stations.cause import Cause
from airledger.stations.models import FAILING, Stream
from airledger.stations.tuner import Listening, TuneEnded
from listening_house import RATE_HZ, House

DEADLINE_S = 30.0


@dataclass
class ScriptedTuner:
    """Gives each connection the next piece of sound at once, dated as if it had been aired in real time."""

    pieces: list[NDArray[np.float32]]
    begin_s: float = field(default_factory=lambda: time.time() - 300)
    listeners: list[Listening] = field(default_factory=list)
    gap_s: float = 0.0
    is_endless: bool = False

    def tune(self, url: str, listening: Listening, *, headers: dict[str, str]) -> "ScriptedTuner":
        del url, headers
        self.listeners.append(listening)
        if self.pieces:
            threading.Thread(target=self._send, args=(self.pieces.pop(0), listening), daemon=True).start()
        return self

    def _send(self, piece: NDArray[np.float32], listening: Listening) -> None:
        pcm = (piece * 32_000).astype(np.int16)
        for position in range(0, len(pcm), RATE_HZ):
            block = pcm[position : position + RATE_HZ]
            air_s = self.begin_s + position / RATE_HZ
            listening.sound(block, position, time.time(), air_s)
        self.begin_s += len(pcm) / RATE_HZ + self.gap_s
        listening.title("Made - Song", 0.0)
        if self.pieces and not self.is_endless:
            listening.ended(TuneEnded(Cause.ENDED, permanent=False, detail="the server closed the connection"))

    def close(self) -> None:
        """Nothing to give back."""


def run_listener(house: House, tuner: ScriptedTuner, done: Callable[[], bool], name: str = "listener-x-1-a") -> None:
    """Run a listener until something is true of the database."""
    listener = Listener(
        name,
        house.database,
        house.clock,
        house.library,
        tuner,
        Counts(),
        house.folder / "spool",
        ListenerSettings(threads=1),
    )
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    deadline = time.monotonic() + DEADLINE_S
    while not done() and time.monotonic() < deadline:
        stop.wait(0.05)
    stop.set()
    thread.join(DEADLINE_S)
    assert done(), "the listener did not get there in time"


def detections(house: House) -> list[AudioDetection]:
    with house.database.read() as session:
        return list(session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)))


def gaps(house: House) -> list[Coverage]:
    with house.database.read() as session:
        return list(session.scalars(select(Coverage).where(Coverage.kind == "gap").order_by(Coverage.started_at)))


def configure(house: House, **config: object) -> None:
    with house.database.unit() as unit:
        unit.session.get_one(ListeningSession, house.session_id).config = config


def windows(house: House) -> int:
    with house.database.read() as session:
        row = session.get(ListeningSession, house.session_id)
        assert row is not None
        return row.windows


def test_songs_become_detections_and_plays(house: House) -> None:
    silence = np.zeros(60 * RATE_HZ, np.float32)
    tuner = ScriptedTuner([np.concatenate([house.songs[0], house.songs[1], silence])])
    begin_s = tuner.begin_s
    run_listener(house, tuner, lambda: sum(one.processing_status == CLOSED for one in detections(house)) == 2)
    first, second = detections(house)
    assert [first.recording_id, second.recording_id] == house.recordings[:2]
    assert abs(first.started_at.timestamp() - begin_s) < 0.2
    assert abs(second.started_at.timestamp() - (begin_s + 60)) < 0.2
    assert abs(second.ended_at.timestamp() - (begin_s + 120)) < 0.3
    with house.database.unit() as unit:
        assert rebuild(unit, house.clock.now()) == 2
        assert rebuild(unit, house.clock.now()) == 0
    with house.database.read() as session:
        plays = session.scalars(select(PlayLog).order_by(PlayLog.started_at)).all()
        kinds = {row.kind for row in session.scalars(select(Coverage))}
        title = session.scalar(select(Stream.stream_title).where(Stream.id == house.stream_id))
        shown = session.scalars(select(ShownTitle)).all()
    assert [play.status for play in plays] == ["finished", "finished"]
    assert abs(plays[0].duration_ms - 60_000) < 300
    assert kinds == {"heard", "silent"}
    assert title == "Made - Song"
    assert [one.title for one in shown] == ["Made - Song"]
    assert abs(shown[0].shown_at.timestamp() - begin_s) < 0.1


def test_a_lost_connection_is_a_gap_and_the_play_goes_on(house: House) -> None:
    song = house.songs[0]
    silence = np.zeros(70 * RATE_HZ, np.float32)
    tuner = ScriptedTuner([song[: 30 * RATE_HZ], np.concatenate([song[40 * RATE_HZ :], silence])], gap_s=10.0)
    run_listener(house, tuner, lambda: any(one.processing_status == CLOSED for one in detections(house)))
    (one,) = detections(house)
    assert one.is_partial
    with house.database.read() as session:
        gaps = session.scalars(select(Coverage).where(Coverage.kind == "gap")).all()
    assert [gap.cause for gap in gaps] == ["ended"]
    assert abs((gaps[0].ended_at - gaps[0].started_at).total_seconds() - 10) < 0.1


def test_another_listener_continues_the_same_play(house: House) -> None:
    song = house.songs[2]
    first = ScriptedTuner([song[: 30 * RATE_HZ]])
    run_listener(house, first, lambda: len(detections(house)) == 1, "listener-x-1-a")
    silence = np.zeros(70 * RATE_HZ, np.float32)
    second = ScriptedTuner([np.concatenate([song[35 * RATE_HZ :], silence])], begin_s=first.begin_s + 5)
    run_listener(house, second, lambda: detections(house)[0].processing_status == CLOSED, "listener-x-2-b")
    (one,) = detections(house)
    assert abs((one.ended_at - one.started_at).total_seconds() - 60) < 0.5


def test_what_is_heard_while_the_database_is_away_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    away = threading.Event()
    unit = house.database.unit

    def sometimes_away():  # type: ignore[no-untyped-def]  # noqa: ANN202
        if away.is_set():
            raise UnavailableError("the database is away")
        return unit()

    monkeypatch.setattr(house.database, "unit", sometimes_away)
    silence = np.zeros(70 * RATE_HZ, np.float32)
    tuner = ScriptedTuner([house.songs[0][: 12 * RATE_HZ], np.concatenate([house.songs[1], silence])])
    spool = house.folder / "spool"

    def is_done() -> bool:
        if windows(house) > 0 and not any(spool.glob("*.json")):
            away.set()
        if any(spool.glob("*.json")):
            away.clear()
        return bool(detections(house))

    run_listener(house, tuner, is_done)
    assert detections(house)[0].recording_id == house.recordings[1]


def test_a_batch_survives_the_spool() -> None:
    target = Target(uuid4(), uuid4(), 7, None, "http://x/", "X", 1.02, {"user-agent": "y"})
    window = Window(100.0, 110.0, (Identified(uuid4(), 20.0, 1.0, 0.99, 0.0, 10.0, 0.0, 60.0),))
    (hypothesis,) = track(TrackerState(), window, TrackerParams(minimum_play_s=0)).changed
    stretch = extend(None, "heard", 100.0, 110.0).current
    outbox = Outbox()
    outbox.play(HeardPlay(target, hypothesis, 100.0, 110.0, 3.5))
    outbox.cover(target, stretch)
    batch = outbox.take()
    assert from_json(json.loads(json.dumps(to_json(batch), default=str))) == batch
    assert not outbox.take()


def test_a_stream_is_heard_by_one_listener_until_its_lease_ends(house: House) -> None:
    now = house.clock.now()
    with house.database.unit() as unit:
        assert len(claim(unit.session, "listener-a-1-x", now, 10)) == 1
        assert claim(unit.session, "listener-b-1-x", now, 10) == []
        assert len(claim(unit.session, "listener-b-1-x", now + timedelta(seconds=16), 10)) == 1


def test_a_dead_listener_of_this_machine_is_not_waited_for(house: House) -> None:
    with house.database.unit() as unit:
        dead = f"listener-{socket.gethostname()}-999999999-abcdef"
        assert len(claim(unit.session, dead, house.clock.now(), 10)) == 1
        assert release_dead(unit.session, dead) == 0
        assert release_dead(unit.session) == 1
        assert len(claim(unit.session, "listener-b-1-x", house.clock.now(), 10)) == 1


def test_every_proven_stream_is_wanted_and_a_silent_one_is_not(house: House) -> None:
    with house.database.unit() as unit:
        assert want_all(unit, house.organisation_id, house.clock.now()) == (0, 0)
        stream = unit.session.get(Stream, house.stream_id)
        assert stream is not None
        stream.state, stream.cause, stream.last_success = FAILING, Cause.TIMEOUT.value, house.clock.now()
        unit.session.flush()
        assert want_all(unit, house.organisation_id, house.clock.now()) == (0, 0)
        stream.cause = Cause.SILENT.value
        unit.session.flush()
        assert want_all(unit, house.organisation_id, house.clock.now()) == (0, 1)


def test_what_fits_no_window_is_heard_too(house: House) -> None:
    tuner = ScriptedTuner([house.songs[0][: 18 * RATE_HZ], house.songs[0][18 * RATE_HZ :]])
    begin_s = tuner.begin_s
    run_listener(house, tuner, lambda: windows(house) >= 8)
    assert gaps(house) == []
    with house.database.read() as session:
        (one,) = session.scalars(select(Coverage)).all()
    assert abs(one.started_at.timestamp() - begin_s) < 0.1


def test_a_sampled_session_tunes_in_now_and_then(house: House) -> None:
    configure(house, mode="sampled", capture_interval_seconds=1, capture_duration_seconds=1, overlap_seconds=0)
    song = house.songs[0]
    pieces = [song[at * RATE_HZ : (at + 12) * RATE_HZ] for at in (0, 20, 40)]
    tuner = ScriptedTuner(pieces, gap_s=8.0, is_endless=True)
    run_listener(house, tuner, lambda: len(gaps(house)) >= 2)
    assert {gap.cause for gap in gaps(house)} == {"sampled"}
    assert [round((gap.ended_at - gap.started_at).total_seconds()) for gap in gaps(house)][:2] == [8, 8]
    with house.database.read() as session:
        assert session.get_one(ListeningSession, house.session_id).reconnects == 0


def test_a_play_goes_on_from_one_sample_to_the_next(house: House) -> None:
    configure(house, mode="sampled", capture_interval_seconds=1, capture_duration_seconds=1, overlap_seconds=0)
    song, silence = house.songs[1], np.zeros(100 * RATE_HZ, np.float32)
    pieces = [song[: 18 * RATE_HZ], np.concatenate([song[40 * RATE_HZ :], silence])]
    run_listener(
        house,
        ScriptedTuner(pieces, gap_s=22.0, is_endless=True),
        lambda: any(one.processing_status == CLOSED for one in detections(house)),
    )
    (one,) = detections(house)
    assert abs((one.ended_at - one.started_at).total_seconds() - 60) < 1


def test_settings_that_change_hold_from_then_on(house: House) -> None:
    song = house.songs[0]
    tuner = ScriptedTuner([song[: 30 * RATE_HZ], song[30 * RATE_HZ :]], is_endless=True)

    def is_done() -> bool:
        if windows(house) >= 4 and len(tuner.listeners) == 1:
            configure(house, overlap_seconds=0)
        return len(tuner.listeners) == 2

    run_listener(house, tuner, is_done)


def test_settings_that_contradict_each_other_stop_nobody(house: House) -> None:
    configure(house, overlap_seconds=50, capture_duration_seconds=10)
    run_listener(house, ScriptedTuner([house.songs[0]]), lambda: windows(house) > 3)


def test_a_discontinuity_keeps_windows_apart(house: House) -> None:
    class Cutting(ScriptedTuner):
        def _send(self, piece: NDArray[np.float32], listening: Listening) -> None:
            pcm = (piece * 32_000).astype(np.int16)
            for position in range(0, len(pcm), RATE_HZ):
                if position == 33 * RATE_HZ:
                    listening.discontinuity("a segment was missed")
                    self.begin_s += 6.0
                air_s = self.begin_s + position / RATE_HZ
                listening.sound(pcm[position : position + RATE_HZ], position, time.time(), air_s)

    sound = np.concatenate([house.songs[0][: 33 * RATE_HZ], house.songs[1], np.zeros(60 * RATE_HZ, np.float32)])
    tuner = Cutting([sound])
    begin_s = tuner.begin_s
    run_listener(house, tuner, lambda: sum(one.processing_status == CLOSED for one in detections(house)) == 2)
    (gap,) = gaps(house)
    assert gap.cause == "a segment was missed"
    assert abs(gap.started_at.timestamp() - (begin_s + 33)) < 0.1
    assert abs(detections(house)[1].started_at.timestamp() - (begin_s + 39)) < 0.3
