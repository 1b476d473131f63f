"""Unknown music is asked about outside: what it is becomes a play at its true time, and names what was heard before."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select

from airledger.listening.ask_outside import ask_about_unknown
from airledger.listening.ask_parts import AskDeps
from airledger.listening.decide_review import decide_review
from airledger.listening.doubtful import DoubtfulKeeper
from airledger.listening.heard import HeardWindow
from airledger.listening.models import (
    ACTIVE,
    CLOSED,
    COMPARED,
    NAMED,
    NEW,
    AudioDetection,
    ListeningSession,
    UnknownOccurrence,
    UnknownRecording,
    UnknownSound,
)
from airledger.listening.outbox import Batch, HeardPlay, Target
from airledger.listening.outside_jobs import ask_about_doubtful
from airledger.listening.outside_play import Heard, extent_of
from airledger.listening.record import store
from airledger.listening.tracker import Hypothesis, Step, TrackerParams, TrackerState
from airledger.platform.audit import Actor, AuditEntry
from airledger.platform.db import Unit
from airledger.platform.errors import ConflictError, UnavailableError
from airledger.platform.tasks.rows import TaskRow
from airledger.playlog.models import PlayLog
from airledger.playlog.plays import log_play
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.outside.answer import OutsideMatch
from airledger.recognition.outside.models import OutsideCall, OutsideRecording, RecognitionReview
from airledger.recognition.outside.sample import wav_of
from airledger.recognition.outside.share import Limits
from airledger.repertoire.models import Recording
from airledger.stations.models import PLAYING, Stream
from airledger.testing.scripted_acrcloud import business, music_item
from outside_house import NOON, Cloud, House, cloud, door, heard, migrated, sound
from outside_house import house as small_house

__all__ = ["cloud", "door", "migrated", "small_house"]


@dataclass
class Air:
    """Streams with unknown music on them."""

    house: House
    cloud: Cloud

    def stream(self, number: int = 1, **config: Any) -> int:
        now = self.house.clock.now()
        with self.house.database.unit() as unit:
            row = Stream(
                url=f"http://station.test/{number}", url_key=f"k{number}", host="station.test", search_text="x",
                name=f"Station {number}", tags=[], warnings=[], state=PLAYING, created_at=now, updated_at=now,
            )  # fmt: skip
            unit.session.add(row)
            unit.session.flush()
            unit.session.add(
                ListeningSession(
                    organisation_id=self.house.organisation_id, stream_id=row.id, status="listening", config=config
                )
            )
            return row.id

    def unknown(
        self, stream_id: int, *, at_s: float = 0, seconds: float = 180, seed: int = 1, cluster: UUID | None = None,
        clip_at_s: float = 30, music: float = 1.0,
    ) -> UUID:  # fmt: skip
        """Keep a stretch that began `at_s` after noon; its clip was cut `clip_at_s` into it."""
        identity, begin = uuid4(), NOON + timedelta(seconds=at_s)
        key = f"unknown/{identity.hex}.wav"
        self.house.storage.put(key, wav_of(sound(12, seed)))
        with self.house.database.unit() as unit:
            session_id = unit.session.scalar(
                select(ListeningSession.session_id).where(ListeningSession.stream_id == stream_id)
            )
            unit.session.add(
                UnknownSound(
                    id=identity, organisation_id=self.house.organisation_id, stream_id=stream_id,
                    session_id=session_id, started_at=begin, ended_at=begin + timedelta(seconds=seconds),
                    state=COMPARED, peaks_key="unknown/x.npz", clip_key=key, cluster_id=cluster, music_share=music,
                    clip_at=begin + timedelta(seconds=clip_at_s),
                )
            )  # fmt: skip
        return identity

    def cluster(self) -> UUID:
        with self.house.database.unit() as unit:
            row = UnknownRecording(
                organisation_id=self.house.organisation_id, state=NEW, first_heard_at=NOON, last_heard_at=NOON,
                times_heard=2, stations=2, duration_ms=180_000, updated_at=NOON,
            )  # fmt: skip
            unit.session.add(row)
            unit.session.flush()
            return row.id

    def occurs(self, unknown_id: UUID, sound_id: UUID) -> None:
        with self.house.database.unit() as unit:
            row = unit.session.scalars(select(UnknownSound).where(UnknownSound.id == sound_id)).one()
            unit.session.add(
                UnknownOccurrence(
                    unknown_id=unknown_id, organisation_id=row.organisation_id, sound_id=sound_id,
                    stream_id=row.stream_id, started_at=row.started_at, ended_at=row.ended_at, score=0.97,
                )
            )  # fmt: skip

    def deps(self, **changes: Any) -> AskDeps:
        parts = self.house.parts(self.cloud.provider, **changes)
        return AskDeps(self.house.database, self.house.clock, self.house.storage, lambda: parts, "ghamro")

    def rows(self, table: type[Any]) -> list[Any]:
        with self.house.database.read() as session:
            return list(session.scalars(select(table)))

    def noted(self, sound_id: UUID) -> str | None:
        outcome: str | None = next(row.ask_outcome for row in self.rows(UnknownSound) if row.id == sound_id)
        return outcome


@pytest.fixture
def air(small_house: House, cloud: Cloud) -> Air:
    return Air(small_house, cloud)


def test_a_hit_is_a_play_at_its_true_time(air: Air) -> None:
    air.cloud.scripted.everything = [music_item(db_begin_time_offset_ms=35_000)]
    asked = air.unknown(air.stream())
    turn = ask_about_unknown(air.deps())
    assert (turn.asked, turn.plays, turn.outcomes) == (1, 1, {"hit": 1})
    assert air.noted(asked) == "hit"
    (detection,) = air.rows(AudioDetection)
    assert (detection.detection_source, detection.isrc, detection.processing_status) == (
        "acrcloud", "GHA012600001", CLOSED,
    )  # fmt: skip
    assert 0.9 <= detection.confidence_score < 1
    # The clip lies 30 s into the stretch and 35 s into the song: it began 5 s before, and lasts three minutes.
    assert detection.started_at == NOON - timedelta(seconds=5)
    assert detection.ended_at == NOON + timedelta(seconds=175)
    assert detection.pro_affiliation == "ghamro (presumed)"
    assert detection.acrcloud_response["status"]["code"] == 0
    assert detection.external_metadata["links"] == {"spotify": "s1"}
    (recording,) = air.rows(Recording)
    assert (recording.title, recording.artist, recording.isrc, recording.label) == (
        "Harmattan", "Ama Serwaa", "GHA012600001", "Adom Records",
    )  # fmt: skip
    (known,) = air.rows(OutsideRecording)
    assert known.recording_id == recording.id
    with air.house.database.unit() as unit:
        assert log_play(unit, detection.detection_id, air.house.clock.now())
    (play,) = air.rows(PlayLog)
    assert (play.detection_source, play.status, play.duration_ms) == ("acrcloud", "finished", 180_000)


def test_asking_twice_changes_nothing(air: Air) -> None:
    air.cloud.scripted.everything = [music_item()]
    air.unknown(air.stream())
    ask_about_unknown(air.deps())
    with air.house.database.unit() as unit:
        for row in unit.session.scalars(select(UnknownSound)):
            row.asked_at, row.ask_outcome = None, None
    assert ask_about_unknown(air.deps()).plays == 0
    assert len(air.rows(AudioDetection)) == 1
    assert len(air.rows(Recording)) == 1


def test_the_same_song_on_two_stations_is_one_recording(air: Air) -> None:
    air.cloud.scripted.everything = [music_item()]
    air.unknown(air.stream(1), seed=1)
    air.unknown(air.stream(2), seed=2)
    assert ask_about_unknown(air.deps()).plays == 2
    assert len(air.rows(Recording)) == 1


def test_a_song_over_two_stretches_is_one_play_and_one_call(air: Air) -> None:
    """Asked about is the newest first: another song, then the second stretch of one that lasts 400 s.

    Between the two stretches lie 10 s of talk.
    """
    stream = air.stream()
    first = air.unknown(stream, seconds=290, seed=1)
    air.unknown(stream, at_s=300.2, seconds=99, seed=2)
    air.unknown(stream, at_s=2_000, seconds=60, seed=3)
    song = music_item(db_begin_time_offset_ms=330_200, duration_ms=400_000)
    air.cloud.scripted.service.then(business(1001), business(0, {"music": [song]}))
    assert ask_about_unknown(air.deps()).outcomes == {"none": 1, "hit": 1}
    (detection,) = air.rows(AudioDetection)
    assert (detection.started_at, detection.ended_at) == (NOON, NOON + timedelta(seconds=400))
    assert air.noted(first) == "hit"
    assert ask_about_unknown(air.deps()).outcomes == {}


def test_two_short_matches_at_one_alignment_are_a_play(air: Air) -> None:
    """Each is too short to be sure of; the second says the same as the first. A third says something else."""
    stream = air.stream()
    short: dict[str, Any] = {"sample_end_time_offset_ms": 6_000, "duration_ms": 200_000}

    def ask_at(at_s: int, begin_ms: int, seed: int) -> int:
        air.unknown(stream, at_s=at_s, seconds=30, seed=seed, clip_at_s=0)
        air.cloud.scripted.everything = [music_item(db_begin_time_offset_ms=begin_ms, **short)]
        return ask_about_unknown(air.deps()).plays

    assert ask_at(0, 5_000, 1) == 0
    assert ask_at(1_000, 90_000, 2) == 0
    assert ask_at(60, 65_400, 3) == 1
    (detection,) = air.rows(AudioDetection)
    assert detection.started_at == NOON - timedelta(seconds=5.4)


def test_a_play_grows_when_more_of_it_was_heard(air: Air) -> None:
    """Asked about while the song still played: its second half is asked about later and makes the play longer."""
    stream = air.stream()
    song: dict[str, Any] = {"duration_ms": 200_000}
    air.unknown(stream, seconds=60, seed=1)
    air.cloud.scripted.everything = [music_item(db_begin_time_offset_ms=30_000, **song)]
    ask_about_unknown(air.deps())
    (detection,) = air.rows(AudioDetection)
    assert detection.ended_at == NOON + timedelta(seconds=60)
    with air.house.database.unit() as unit:
        log_play(unit, detection.detection_id, NOON)
    air.unknown(stream, at_s=75, seconds=125, seed=2)
    air.cloud.scripted.everything = [music_item(db_begin_time_offset_ms=105_400, **song)]
    turn = ask_about_unknown(air.deps())
    assert (turn.outcomes, turn.plays) == ({"hit": 1}, 0)
    (detection,) = air.rows(AudioDetection)
    assert detection.revision == 2
    assert abs((detection.started_at - NOON).total_seconds()) < 1
    assert abs((detection.ended_at - NOON).total_seconds() - 200) < 1
    with air.house.database.unit() as unit:
        assert log_play(unit, detection.detection_id, NOON)
    (play,) = air.rows(PlayLog)
    assert play.duration_ms == pytest.approx(200_000, abs=1_000)


def test_one_call_names_the_cluster_and_all_its_plays(air: Air) -> None:
    air.cloud.scripted.everything = [music_item()]
    cluster, stream, other = air.cluster(), air.stream(1), air.stream(2)
    for number, where in enumerate((stream, other, other)):
        sound_id = air.unknown(where, at_s=1_000 * number, seed=number, cluster=cluster)
        air.occurs(cluster, sound_id)
    turn = ask_about_unknown(air.deps())
    assert (turn.asked, turn.outcomes) == (1, {"hit": 1})
    assert turn.plays == 3
    assert len(air.cloud.scripted.service.asked) == 1
    detections = air.rows(AudioDetection)
    assert {row.detection_source for row in detections} == {"acrcloud"}
    assert sorted(row.stream_id for row in detections) == [stream, other, other]
    assert air.rows(UnknownRecording)[0].state == NAMED


def test_a_match_that_is_not_sure_goes_to_people_and_their_word_makes_the_play(air: Air) -> None:
    air.cloud.scripted.everything = [music_item(score=80)]
    air.unknown(air.stream())
    assert ask_about_unknown(air.deps()).plays == 0
    assert air.rows(AudioDetection) == []
    (review,) = air.rows(RecognitionReview)
    assert (review.reason, review.state, review.local_recording_id) == ("unsure", "open", None)
    with air.house.storage.open(review.sound_key) as file:
        assert file.read(4) == b"RIFF"
    actor = Actor("user:1", air.house.organisation_id)

    def decide(unit: Unit) -> None:
        decide_review(
            unit, actor, air.house.organisation_id, review.id, "outside", note="heard it", default_pro="ghamro",
            now=air.house.clock.now(),
        )  # fmt: skip

    with air.house.database.unit() as unit:
        decide(unit)
    (detection,) = air.rows(AudioDetection)
    assert (detection.detection_source, detection.confidence_score) == ("acrcloud", 1.0)
    assert detection.external_metadata["review_id"] == str(review.id)
    assert any(entry.action == "decided" and entry.actor == "user:1" for entry in air.rows(AuditEntry))
    with pytest.raises(ConflictError), air.house.database.unit() as unit:
        decide(unit)


def test_no_match_is_noted_and_not_asked_again(air: Air) -> None:
    asked = air.unknown(air.stream())
    assert ask_about_unknown(air.deps()).outcomes == {"none": 1}
    assert air.noted(asked) == "none"
    assert ask_about_unknown(air.deps()).outcomes == {}


def test_a_used_up_budget_is_not_no_match_and_is_asked_again_tomorrow(air: Air) -> None:
    air.cloud.scripted.everything = [music_item()]
    asked = air.unknown(air.stream())
    assert ask_about_unknown(air.deps(limits=Limits(per_day=0))).outcomes == {"budget": 1}
    assert air.noted(asked) == "budget"
    assert ask_about_unknown(air.deps()).outcomes == {}
    air.house.clock.step(12 * 3_600 + 1)
    assert ask_about_unknown(air.deps()).plays == 1


def test_a_station_without_share_is_passed_over_and_another_is_asked(air: Air) -> None:
    """Two stations, four requests a day, midnight: the first may ask twice, its third stretch is not noted."""
    air.house.clock.step(-12 * 3_600)
    greedy, modest = air.stream(1), air.stream(2)
    for number in range(3):
        air.unknown(greedy, at_s=1_000 + 500 * number, seed=number)
    ask_about_unknown(air.deps(limits=Limits(per_day=4)), limit=2)
    air.unknown(modest, seed=9)
    turn = ask_about_unknown(air.deps(limits=Limits(per_day=4)))
    assert turn.outcomes == {"share": 1, "none": 1}
    noted = {row.stream_id: [] for row in air.rows(UnknownSound)}  # type: dict[int, list[str | None]]
    for row in air.rows(UnknownSound):
        noted[row.stream_id].append(row.ask_outcome)
    assert sorted(noted[greedy], key=str) == [None, "none", "none"]
    assert noted[modest] == ["none"]


def test_while_nobody_can_be_asked_nothing_is_noted(air: Air) -> None:
    air.cloud.scripted.service.then(business(3001))
    stream = air.stream()
    first, second = air.unknown(stream, seed=1), air.unknown(stream, at_s=999, seed=2)
    turn = ask_about_unknown(air.deps())
    assert turn.outcomes == {"refused": 1, "circuit": 1}
    assert {air.noted(first), air.noted(second)} == {"failed", None}
    assert air.rows(OutsideCall)[0].outcome == "refused"


def test_speech_and_stations_that_do_not_want_it_are_not_asked_about(air: Air) -> None:
    air.unknown(air.stream(1), music=0.1)
    air.unknown(air.stream(2, enable_hybrid_detection=False))
    assert ask_about_unknown(air.deps()).outcomes == {}
    assert air.cloud.scripted.service.asked == []


def test_a_clip_that_is_gone_or_damaged_is_passed_over(air: Air) -> None:
    stream = air.stream()
    gone, damaged = air.unknown(stream), air.unknown(stream, at_s=999)
    air.house.storage.delete(f"unknown/{gone.hex}.wav")
    air.house.storage.put(f"unknown/{damaged.hex}.wav", b"RIFFxxxx")
    assert ask_about_unknown(air.deps()).outcomes == {"unfit": 2}


def match_at(**fields: Any) -> OutsideMatch:
    return OutsideMatch("acrcloud", "1", "T", **fields)


@pytest.mark.parametrize(
    ("reference_ms", "duration_ms", "expected"),
    [
        (None, None, (0.0, 100.0)),  # nobody knows where in the song: all of the stretch
        (10_000, None, (10.0, 100.0)),  # the song began 10 s into the stretch
        (20_000, 50_000, (0.0, 50.0)),  # it ends before the stretch does: something else follows
        (50_000, 300_000, (0.0, 100.0)),  # begun long before: only what was heard
        (25_000, 108_000, (-5.0, 103.0)),  # edges within 12 s are the song's own
        (5_000, 60_000, (15.0, 75.0)),  # both edges lie inside
    ],
)
def test_from_when_to_when(reference_ms: int | None, duration_ms: int | None, expected: tuple[float, float]) -> None:
    match = match_at(reference_begin_ms=reference_ms, sample_begin_ms=0, duration_ms=duration_ms)
    extent = extent_of(Heard(0.0, 100.0, 20.0, 12.0, match), TrackerParams())
    assert (extent.from_s, extent.to_s) == pytest.approx(expected)


# Sound that our library half knows


def doubtful_window(air: Air, stream_id: int, recording_id: UUID, score: float) -> HeardWindow:
    with air.house.database.read() as session:
        row = session.scalars(select(ListeningSession).where(ListeningSession.stream_id == stream_id)).one()
    target = Target(row.session_id, air.house.organisation_id, stream_id, None, "http://station.test/", "Station")
    start_s = NOON.timestamp()
    pcm = (sound(10) * 32_767).astype(np.int16)
    return HeardWindow(target, start_s, start_s + 10, pcm, heard(recording_id, score))


def asked_by_keeper(air: Air, *windows: HeardWindow) -> list[TaskRow]:
    keeper = DoubtfulKeeper(air.house.database, air.house.storage, air.house.clock, air.house.counts, sure_score=0.8)
    for window in windows:
        keeper.observe(window, Step(TrackerState(), ()))
    keeper.store_waiting()
    return air.rows(TaskRow)


def test_a_doubtful_window_is_asked_about_once_a_minute(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Harmattan", "Ama Serwaa")
    window = doubtful_window(air, stream, recording_id, 0.6)
    assert asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.9)) == []
    (task,) = asked_by_keeper(air, window, window)
    assert (task.name, task.queue, task.args["stream_id"]) == ("listening.ask_doubtful", "recognise", stream)


def detection_of(air: Air, stream_id: int, recording_id: UUID, status: str = CLOSED) -> UUID:
    with air.house.database.unit() as unit:
        row = AudioDetection(
            organisation_id=air.house.organisation_id, session_id=uuid4(), stream_id=stream_id,
            recording_id=recording_id, detection_source="local", confidence_score=0.75, processing_status=status,
            started_at=NOON - timedelta(seconds=20), ended_at=NOON + timedelta(seconds=100), reference_start_ms=0,
            reference_end_ms=1, alignment_s=0.0, windows=3, revision=4,
        )  # fmt: skip
        unit.session.add(row)
        unit.session.flush()
        log_play(unit, row.detection_id, NOON)
        return row.detection_id


def test_agreement_makes_the_play_hybrid(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Harmattan", "Ama Serwaa")
    detection_id = detection_of(air, stream, recording_id)
    (task,) = asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.6))
    air.cloud.scripted.everything = [music_item("HARMATTAN (Remastered 2026)", "Ama Serwaa feat. Kojo")]
    result = ask_about_doubtful(air.deps(), **task.args)
    assert result is not None
    assert (result["detection_source"], result["confirmed"]) == ("hybrid", str(detection_id))
    (detection,) = air.rows(AudioDetection)
    assert (detection.detection_source, detection.recording_id, detection.revision) == ("hybrid", recording_id, 5)
    assert detection.confidence_score == pytest.approx(1 - 0.4 * 0.03)
    assert list(air.house.storage.list("questions")) == []


def test_what_the_outside_confirmed_is_not_undone_by_the_listener(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Harmattan", "Ama Serwaa")
    detection_id = detection_of(air, stream, recording_id, ACTIVE)
    (task,) = asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.6))
    air.cloud.scripted.everything = [music_item()]
    ask_about_doubtful(air.deps(), **task.args)
    target = doubtful_window(air, stream, recording_id, 0.6).target
    begin_s = NOON.timestamp()
    one = Hypothesis(
        detection_id, recording_id, begin_s, begin_s, 1.0, 0.0, 180.0, CLOSED, 5, 0.7, begin_s, begin_s + 100, 0.0,
        100.0,
        revision=5,
    )  # fmt: skip
    with air.house.database.unit() as unit:
        store(unit, Batch(plays={detection_id: HeardPlay(target, one, begin_s, begin_s + 100, 1.0)}), NOON)
    (detection,) = air.rows(AudioDetection)
    assert (detection.detection_source, detection.processing_status, detection.revision) == ("hybrid", CLOSED, 5)
    assert detection.confidence_score == pytest.approx(1 - 0.4 * 0.03)


def test_contradiction_goes_to_people_who_may_correct_the_play(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Other song", "Other band")
    detection_id = detection_of(air, stream, recording_id)
    (task,) = asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.6))
    air.cloud.scripted.everything = [music_item()]
    result = ask_about_doubtful(air.deps(), **task.args)
    assert result is not None
    assert (result["detection_source"], result["recording_id"]) == ("none", None)
    (review,) = air.rows(RecognitionReview)
    assert (review.reason, review.local_recording_id, review.local_score) == ("disagreement", recording_id, 0.6)
    with air.house.database.unit() as unit:
        decide_review(
            unit, Actor("user:1", air.house.organisation_id), air.house.organisation_id, review.id, "outside",
            note=None, default_pro="ghamro", now=NOON,
        )  # fmt: skip
        log_play(unit, detection_id, NOON)
    (play,) = air.rows(PlayLog)
    recording = next(row for row in air.rows(Recording) if row.title == "Harmattan")
    assert (play.recording_id, play.detection_source) == (recording.id, "acrcloud")


def test_a_running_play_is_not_corrected(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Other song", "Other band")
    detection_of(air, stream, recording_id, ACTIVE)
    (task,) = asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.6))
    air.cloud.scripted.everything = [music_item()]
    ask_about_doubtful(air.deps(), **task.args)
    (review,) = air.rows(RecognitionReview)
    with pytest.raises(ConflictError), air.house.database.unit() as unit:
        decide_review(
            unit, Actor("user:1"), air.house.organisation_id, review.id, "outside", note=None, default_pro="ghamro",
            now=NOON,
        )  # fmt: skip
    assert air.rows(RecognitionReview)[0].state == "open"


def test_a_doubtful_window_waits_while_nobody_can_be_asked(air: Air) -> None:
    stream, recording_id = air.stream(), air.house.record("Harmattan", "Ama Serwaa")
    (task,) = asked_by_keeper(air, doubtful_window(air, stream, recording_id, 0.6))
    air.cloud.scripted.service.then(*[business(3000)] * 3)
    with pytest.raises(UnavailableError):
        ask_about_doubtful(air.deps(), **task.args)
    assert len(list(air.house.storage.list("questions"))) == 1


def test_what_our_library_does_not_half_know_is_left_alone(air: Air) -> None:
    window = doubtful_window(air, air.stream(), uuid4(), 0.6)
    silent = HeardWindow(window.target, window.start_s, window.end_s, window.pcm, Answer((), is_silent=True, cpu_ms=0))
    assert asked_by_keeper(air, silent) == []
    assert isinstance(window.answer.found[0], Identified)
