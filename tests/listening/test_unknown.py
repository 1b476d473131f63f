"""Unknown sound from the air to plays: repeats become clusters, clusters get names, late enrolments their past."""

from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

from airledger.fingerprint.peaks import extract
from airledger.listening.models import (
    COMPARED,
    NAMED,
    AudioDetection,
    UnknownOccurrence,
    UnknownRecording,
    UnknownSound,
)
from airledger.listening.unknown_forget import forget_before
from airledger.listening.unknown_kept import day_folder
from airledger.listening.unknown_names import enrol_longest, ignore_unknown, name_unknown
from airledger.platform.audit import Actor
from airledger.platform.clock import from_epoch
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import rebuild
from airledger.recognition.models import Fingerprint
from airledger.recognition.peaks_file import to_bytes
from airledger.repertoire.models import Recording
from listening_house import House, made_song
from unknown_house import PARAMS, YESTERDAY_S, Air, babble, open_air


@pytest.fixture
def air(house: House) -> Air:
    return open_air(house)


def plays(air: Air) -> list[PlayLog]:
    with air.house.database.unit() as unit:
        rebuild(unit, air.house.clock.now())
    with air.house.database.read() as session:
        return list(session.scalars(select(PlayLog).order_by(PlayLog.started_at)))


def enrol(air: Air, seed: int, seconds: int = 60, recording_class: str = "music") -> Recording:
    """Enrol a song today."""
    now = air.house.clock.now()
    key = f"peaks/late-{seed}.npz"
    air.storage.put(key, to_bytes(extract(made_song(seed, seconds), PARAMS, dense="reference")))
    with air.house.database.unit() as unit:
        recording = Recording(
            organisation_id=air.house.organisation_id, title=f"Late {seed}", artist="Made", duration_ms=seconds * 1000,
            source_name="x.wav", content_sha256=f"late {seed}", tags={}, created_at=now, isrc="QZALD2600001",
            recording_class=recording_class,
        )  # fmt: skip
        unit.session.add(recording)
        unit.session.flush()
        template = unit.session.scalars(select(Fingerprint)).first()
        assert template is not None
        unit.session.add(
            Fingerprint(
                recording_id=recording.id, organisation_id=air.house.organisation_id,
                engine_version=template.engine_version, params_hash=template.params_hash, peaks_key=key,
                duration_ms=seconds * 1000, audible_from_ms=0, audible_to_ms=seconds * 1000, quality={},
                created_at=now,
            )
        )  # fmt: skip
        return recording


def test_a_song_aired_yesterday_and_enrolled_today_is_played_yesterday(air: Air) -> None:
    other = air.stream(2)
    song = made_song(50)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 35), song, babble(2, 40))
    air.send(other, YESTERDAY_S + 500, babble(3, 20), song, babble(4, 20), made_song(51), song, babble(5, 30))
    assert air.looking.turn().plays == 0
    assert plays(air) == []
    recording = enrol(air, 50)
    done = air.looking.turn()
    assert (done.recordings, done.plays) == (1, 3)
    logged = plays(air)
    assert [one.recording_id for one in logged] == [recording.id] * 3
    assert [one.stream_id for one in logged] == [air.house.stream_id, other, other]
    starts = [one.started_at.timestamp() - YESTERDAY_S for one in logged]
    assert np.abs(np.array(starts) - [35, 520, 660]).max() < 0.3
    assert all(abs(one.duration_ms - 60_000) < 600 for one in logged)
    assert {one.status for one in logged} == {"finished"}


def test_an_advert_enrolled_late_is_proven_from_a_few_seconds_on(air: Air) -> None:
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 35), made_song(52, 10), babble(2, 40))
    enrol(air, 52, 10, "advert")
    assert air.looking.turn().plays == 1
    (one,) = plays(air)
    assert abs(one.started_at.timestamp() - (YESTERDAY_S + 35)) < 0.3
    assert one.is_short_use


def test_looking_back_again_changes_nothing(air: Air) -> None:
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 35), made_song(50), babble(2, 40))
    enrol(air, 50)
    assert air.looking.turn().plays == 1
    before = [(one.id, one.started_at, one.revision) for one in plays(air)]
    with air.house.database.unit() as unit:
        unit.session.execute(update(Fingerprint).values(looked_back_at=None))
    assert air.looking.turn().plays == 0
    assert [(one.id, one.started_at, one.revision) for one in plays(air)] == before


def test_a_play_that_was_heard_live_in_part_becomes_whole_and_not_two(air: Air) -> None:
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 35), made_song(50)[: 40 * 8000])
    recording = enrol(air, 50)
    with air.house.database.unit() as unit:
        unit.session.add(
            AudioDetection(
                organisation_id=air.house.organisation_id, session_id=air.house.session_id,
                stream_id=air.house.stream_id, recording_id=recording.id, detection_source="local",
                confidence_score=0.99, processing_status="closed", started_at=from_epoch(YESTERDAY_S + 75),
                ended_at=from_epoch(YESTERDAY_S + 95), reference_start_ms=40_000, reference_end_ms=60_000,
                alignment_s=YESTERDAY_S + 35, windows=3, revision=4,
            )
        )  # fmt: skip
    assert air.looking.turn().plays == 0
    (one,) = plays(air)
    assert abs(one.started_at.timestamp() - (YESTERDAY_S + 35)) < 0.3
    assert one.ended_at == from_epoch(YESTERDAY_S + 95)


def test_what_is_heard_again_becomes_one_unknown_recording(air: Air) -> None:
    others = [air.stream(2), air.stream(3)]
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 40), song, babble(2, 40))
    air.send(others[0], YESTERDAY_S + 3600, made_song(61), song, babble(3, 40))
    air.send(others[1], YESTERDAY_S + 7200, babble(4, 50), song, made_song(62))
    done = air.comparer.turn()
    assert done.stretches == 3
    with air.house.database.read() as session:
        (one,) = session.scalars(select(UnknownRecording))
        states = set(session.scalars(select(UnknownSound.state)))
        clustered = session.scalars(select(UnknownSound.cluster_id)).all()
    assert (one.times_heard, one.stations, one.state) == (3, 3, "new")
    assert abs(one.duration_ms - 60_000) < 3_000
    assert abs(one.first_heard_at.timestamp() - (YESTERDAY_S + 40)) < 2
    assert states == {COMPARED}
    assert set(clustered) <= {one.id, None}
    assert air.comparer.turn().stretches == 0


def test_a_song_that_lies_across_two_stretches_is_one(air: Air) -> None:
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 270), song, babble(2, 40))
    air.send(air.stream(2), YESTERDAY_S + 3600, babble(3, 250), song, babble(4, 40))
    assert air.count(UnknownSound) == 4
    air.comparer.turn()
    with air.house.database.read() as session:
        (one,) = session.scalars(select(UnknownRecording))
    assert one.times_heard == 2
    assert abs(one.duration_ms - 60_000) < 3_000


def test_a_name_is_for_all_its_plays_past_and_coming(air: Air) -> None:
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 40), song, babble(2, 40))
    air.send(air.stream(2), YESTERDAY_S + 3600, babble(3, 30), song, babble(4, 40))
    air.comparer.turn()
    actor = Actor("user:x", air.house.organisation_id)
    with air.house.database.unit() as unit:
        (one,) = unit.session.scalars(select(UnknownRecording))
        named = name_unknown(unit, actor, one.id, air.house.recordings[0], air.house.clock.now())
    assert named.plays == 2
    with air.house.database.unit() as unit:
        assert name_unknown(unit, actor, one.id, air.house.recordings[0], air.house.clock.now()).plays == 0
    air.send(air.stream(3), YESTERDAY_S + 7200, babble(5, 30), song, babble(6, 40))
    air.comparer.turn()
    logged = plays(air)
    assert [play.recording_id for play in logged] == [air.house.recordings[0]] * 3
    starts = [play.started_at.timestamp() - YESTERDAY_S for play in logged]
    assert np.abs(np.array(starts) - [40, 3630, 7230]).max() < 2
    with air.house.database.read() as session:
        assert session.get_one(UnknownRecording, one.id).state == NAMED


def test_a_name_can_bring_a_fingerprint_that_is_found_from_then_on(air: Air) -> None:
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 270), song, babble(2, 40))
    air.send(air.stream(2), YESTERDAY_S + 3600, babble(3, 30), song[: 45 * 8000], babble(4, 40))
    air.comparer.turn()
    actor, now = Actor("user:x", air.house.organisation_id), air.house.clock.now()
    recording = enrol(air, 99)
    with air.house.database.unit() as unit:
        unit.session.execute(Fingerprint.__table__.delete().where(Fingerprint.recording_id == recording.id))  # type: ignore[attr-defined]
        (one,) = unit.session.scalars(select(UnknownRecording))
        name_unknown(unit, actor, one.id, recording.id, now)
    assert enrol_longest(air.house.database, air.storage, one.id, recording.id, PARAMS, now)
    assert not enrol_longest(air.house.database, air.storage, one.id, recording.id, PARAMS, now)
    air.house.library.sync()
    from airledger.recognition.identify import identify

    (found, *_) = identify(air.house.library, song[20 * 8000 : 30 * 8000]).found
    assert found.recording_id == recording.id
    assert found.score > 0.9


def test_an_advert_is_suggested_as_one(air: Air) -> None:
    spot = made_song(70, 20)
    pieces = [babble(1, 30)]
    for number in range(4):
        pieces += [spot, babble(10 + number, 60)]
    air.send(air.house.stream_id, YESTERDAY_S, *pieces)
    air.send(air.stream(2), YESTERDAY_S + 4000, babble(20, 30), spot, babble(21, 30))
    air.comparer.turn()
    with air.house.database.read() as session:
        (one,) = session.scalars(select(UnknownRecording))
    assert one.suggested_class == "advert"
    assert one.times_heard == 5


def test_what_is_old_is_forgotten_with_its_objects(air: Air) -> None:
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 40), song, babble(2, 40))
    air.send(air.stream(2), YESTERDAY_S + 3600, babble(3, 30), song, babble(4, 40))
    air.comparer.turn()
    assert len(list(air.storage.list("unknown/"))) == 4
    before = from_epoch(YESTERDAY_S) + timedelta(minutes=30)
    assert forget_before(air.house.database, air.storage, before) == 1
    assert len(list(air.storage.list("unknown/"))) == 2
    assert air.count(UnknownRecording) == 1
    assert forget_before(air.house.database, air.storage, before + timedelta(days=1)) == 1
    assert list(air.storage.list("unknown/")) == []
    stray = f"{day_folder(before - timedelta(days=3))}stray.npz"
    air.storage.put(stray, b"its row was never written")
    forget_before(air.house.database, air.storage, before)
    assert list(air.storage.list("unknown/")) == []
    assert air.count(UnknownRecording) == air.count(UnknownOccurrence) == air.count(UnknownSound) == 0


def test_what_is_ignored_is_not_named(air: Air) -> None:
    song = made_song(60)
    air.send(air.house.stream_id, YESTERDAY_S, babble(1, 40), song, babble(2, 40))
    air.send(air.stream(2), YESTERDAY_S + 3600, babble(3, 30), song, babble(4, 40))
    air.comparer.turn()
    with air.house.database.unit() as unit:
        (one,) = unit.session.scalars(select(UnknownRecording))
        ignore_unknown(unit, Actor("user:x", air.house.organisation_id), one.id, air.house.clock.now())
    assert plays(air) == []
