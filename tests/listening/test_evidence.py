"""Evidence: each detection's best window is kept as it was heard, with its hash, and no longer than it may be."""

import hashlib
import io
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import select

from airledger.audio.flac import to_flac
from airledger.fingerprint.peaks import Peaks
from airledger.listening.evidence import (
    EvidenceDamagedError,
    day_folder,
    delete_clip,
    delete_old_clips,
    find_clip,
    read_sound,
)
from airledger.listening.evidence_choice import CLIP_S, BestWindows, Clip
from airledger.listening.evidence_keeper import EvidenceKeeper, keep_sample, store_clip, write_rows
from airledger.listening.heard import HeardWindow
from airledger.listening.listener import Listener, ListenerSettings
from airledger.listening.models import AudioDetection, EvidenceClip
from airledger.listening.outbox import Target
from airledger.listening.tracker import TrackerParams, TrackerState, Window, track
from airledger.platform.audit import SYSTEM
from airledger.platform.errors import NotFoundError
from airledger.platform.presence import Counts
from airledger.platform.storage import Folder
from airledger.recognition.answer import Answer, Identified
from airledger.recognition.identify import identify
from airledger.recognition.peaks_file import from_bytes
from listening.test_listener import ScriptedTuner
from listening_house import RATE_HZ, House

DEADLINE_S = 30.0
PARAMS = TrackerParams()
SONG = uuid4()
TARGET = Target(uuid4(), uuid4(), 1, None, "http://station.test/", "Test")


def until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:.0f} s for {what}"
        threading.Event().wait(0.05)


def clips_of(house: House) -> dict[UUID, EvidenceClip]:
    with house.database.read() as session:
        return {row.detection_id: row for row in session.scalars(select(EvidenceClip))}


def detections_of(house: House) -> list[AudioDetection]:
    with house.database.read() as session:
        return list(session.scalars(select(AudioDetection).order_by(AudioDetection.started_at)))


def test_each_detection_keeps_the_sound_that_was_aired(house: House) -> None:
    aired = np.concatenate([house.songs[0][: 40 * RATE_HZ], house.songs[1][: 40 * RATE_HZ]])
    tuner = ScriptedTuner([aired])
    begin_s, storage = tuner.begin_s, Folder(house.folder / "objects")
    keeper = EvidenceKeeper(house.database, storage, house.clock, Counts())
    spool = house.folder / "spool"
    limits = ListenerSettings(threads=1)
    listener = Listener(
        "listener-x-1-a", house.database, house.clock, house.library, tuner, Counts(), spool, limits, evidence=keeper
    )
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    try:
        until(lambda: len(clips_of(house)) == 2, "the evidence of both songs")
    finally:
        stop.set()
        thread.join(DEADLINE_S)
    pcm = (aired * 32_000).astype(np.int16)
    for detection in detections_of(house):
        clip = clips_of(house)[detection.detection_id]
        sound = read_sound(storage, clip)
        assert hashlib.sha256(sound).hexdigest() == clip.sha256
        assert (clip.media_type, clip.bytes, clip.organisation_id) == ("audio/flac", len(sound), house.organisation_id)
        heard, rate_hz = soundfile.read(io.BytesIO(sound), dtype="int16")
        begin = round((clip.started_at.timestamp() - begin_s) * RATE_HZ)
        assert rate_hz == RATE_HZ
        assert len(heard) == clip.duration_ms * RATE_HZ / 1000
        assert 10 <= len(heard) / RATE_HZ <= CLIP_S
        assert np.array_equal(heard, pcm[begin : begin + len(heard)]), "the sound is exactly what was on air then"
        answer = identify(house.library, heard.astype(np.float32) / 32_768)
        assert answer.found[0].recording_id == detection.recording_id
        assert detection.audio_fingerprint == clip.peaks_key
        assert clip.peaks_key is not None
        with storage.open(clip.peaks_key) as file:
            assert len(from_bytes(file.read())) > 50


def hear(best: BestWindows, scores: list[float], *, hop_s: float = 5.0) -> list[Clip]:
    """Let a song be heard with these scores, window by window."""
    state, kept = TrackerState(), []
    for number, score in enumerate(scores):
        start_s = number * hop_s
        match = Identified(SONG, start_s, 1.0, score, 0.0, 10.0, 0.0, 200.0)
        window = Window(start_s, start_s + 10.0, (match,) if score else ())
        step = track(state, window, PARAMS)
        state = step.state
        pcm = np.full(10 * RATE_HZ, number, np.int16)
        answer = Answer(window.matches, is_silent=False, cpu_ms=1.0)
        kept += best.choose(HeardWindow(TARGET, start_s, start_s + 10.0, pcm, answer), step)
    return kept


def test_what_is_never_believed_is_not_kept() -> None:
    best = BestWindows()
    assert hear(best, [0.6, 0, 0, 0, 0, 0]) == []
    assert all(not held.candidates for held in best._sessions.values())


def test_the_best_window_before_it_is_believed_is_kept_and_later_only_what_is_clearly_better() -> None:
    kept = hear(BestWindows(), [0.7, 0.6, 0.72, 0.74, 0.9, 0.9, 0.93, 0.99])
    assert [clip.score for clip in kept] == [0.7, 0.9, 0.99]
    assert [int(clip.pcm[0]) for clip in kept] == [0, 4, 7]
    assert len({clip.detection_id for clip in kept}) == 1


@given(st.lists(st.sampled_from([0.0, 0.55, 0.7, 0.85, 0.99]), max_size=30))
def test_each_clip_that_is_kept_is_better_than_the_one_before(scores: list[float]) -> None:
    best = BestWindows()
    by_detection: dict[UUID, list[float]] = {}
    for clip in hear(best, scores):
        by_detection.setdefault(clip.detection_id, []).append(clip.score)
    for kept in by_detection.values():
        assert all(later > earlier for earlier, later in itertools.pairwise(kept))
    held = [clip for heard in best._sessions.values() for clip in heard.candidates.values()]
    assert len(held) <= 4


def test_a_long_window_is_cut_around_what_agreed() -> None:
    best, state = BestWindows(), TrackerState()
    match = Identified(SONG, 0.0, 1.0, 0.99, 30.0, 50.0, 0.0, 200.0)
    step = track(state, Window(0.0, 60.0, (match,)), PARAMS)
    pcm = np.arange(60 * RATE_HZ).astype(np.int16)
    heard = HeardWindow(TARGET, 0.0, 60.0, pcm, Answer((match,), is_silent=False, cpu_ms=1.0))
    (clip,) = best.choose(heard, step)
    assert (clip.start_s, len(clip.pcm)) == (34.0, 12 * RATE_HZ)
    assert clip.pcm[0] == pcm[34 * RATE_HZ]


@given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=3_000))
def test_flac_loses_nothing(samples: list[int]) -> None:
    pcm = np.array(samples, np.int16)
    heard, _ = soundfile.read(io.BytesIO(to_flac(pcm)), dtype="int16")
    assert np.array_equal(heard, pcm)


def add_detection(house: House) -> UUID:
    now = house.clock.now()
    with house.database.unit() as unit:
        row = AudioDetection(
            organisation_id=house.organisation_id, session_id=house.session_id, stream_id=house.stream_id,
            recording_id=house.recordings[0], detection_source="local", confidence_score=0.9,
            processing_status="closed", started_at=now, ended_at=now, reference_start_ms=0, reference_end_ms=1,
            alignment_s=0.0, windows=2,
        )  # fmt: skip
        unit.session.add(row)
        unit.session.flush()
        return row.detection_id


def noise(seed: int) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-3_000, 3_000, 10 * RATE_HZ).astype(np.int16)


def peaks() -> Peaks:
    times = np.array([1.0, 2.0], np.float32)
    return Peaks(times, times * 100, times, 10.0)


def keep(house: House, storage: Folder, clip: Clip) -> set[UUID]:
    row = store_clip(storage, clip, house.clock.now())
    with house.database.unit() as unit:
        return write_rows(unit, storage, [row])


def test_a_better_clip_takes_the_place_of_a_worse_one_and_not_the_other_way_round(house: House) -> None:
    storage = Folder(house.folder / "objects")
    clip = Clip(add_detection(house), 0.8, time.time(), noise(1), peaks())
    assert keep(house, storage, clip) == {clip.detection_id}
    keep(house, storage, replace(clip, score=0.95, pcm=noise(2)))
    kept = clips_of(house)[clip.detection_id]
    assert kept.score == 0.95
    keep(house, storage, replace(clip, score=0.9, pcm=noise(3)))
    assert clips_of(house)[clip.detection_id].sha256 == kept.sha256
    assert list(storage.list("evidence/")) == sorted([kept.key, kept.peaks_key or ""])
    heard, _ = soundfile.read(io.BytesIO(read_sound(storage, kept)), dtype="int16")
    assert np.array_equal(heard, noise(2))


def test_a_clip_waits_for_its_detection(house: House) -> None:
    keeper = EvidenceKeeper(house.database, Folder(house.folder / "objects"), house.clock, Counts())
    clip = Clip(uuid4(), 0.9, time.time(), noise(1), None)
    keeper._waiting.put(clip)
    keeper._turn()
    assert clips_of(house) == {}
    real = add_detection(house)
    with house.database.unit() as unit:
        unit.session.get_one(AudioDetection, real).detection_id = clip.detection_id
    keeper._turn()
    assert set(clips_of(house)) == {clip.detection_id}
    assert keeper._unwritten == []


def test_damage_is_noticed_and_other_organisations_find_nothing(house: House) -> None:
    storage = Folder(house.folder / "objects")
    identity = add_detection(house)
    keep(house, storage, Clip(identity, 0.8, time.time(), noise(1), None))
    with house.database.read() as session:
        clip = find_clip(session, house.organisation_id, identity)
        with pytest.raises(NotFoundError):
            find_clip(session, uuid4(), identity)
    sound = bytearray(read_sound(storage, clip))
    sound[len(sound) // 2] ^= 1
    storage.put(clip.key, bytes(sound))
    with pytest.raises(EvidenceDamagedError):
        read_sound(storage, clip)
    storage.delete(clip.key)
    with pytest.raises(NotFoundError):
        read_sound(storage, clip)


def test_evidence_goes_when_its_days_are_over_with_whatever_a_crash_left(house: House, tmp_path: Path) -> None:
    storage, now = Folder(tmp_path / "kept"), house.clock.now()
    old, young = add_detection(house), add_detection(house)
    keep(house, storage, Clip(old, 0.8, (now - timedelta(days=92)).timestamp(), noise(1), peaks()))
    keep(house, storage, Clip(young, 0.8, (now - timedelta(days=89)).timestamp(), noise(2), peaks()))
    left = f"{day_folder(now - timedelta(days=91))}left-by-a-crash.flac"
    storage.put(left, b"x")
    assert delete_old_clips(house.database, storage, now, days=90) == 1
    assert set(clips_of(house)) == {young}
    kept = clips_of(house)[young]
    assert list(storage.list("evidence/")) == sorted([kept.key, kept.peaks_key or ""])
    fingerprints = {row.detection_id: row.audio_fingerprint for row in detections_of(house)}
    assert fingerprints == {old: None, young: kept.peaks_key}


def test_one_clip_is_deleted_on_request(house: House) -> None:
    storage = Folder(house.folder / "objects")
    identity = add_detection(house)
    keep(house, storage, Clip(identity, 0.8, time.time(), noise(1), peaks()))
    with house.database.unit() as unit:
        clip = find_clip(unit.session, house.organisation_id, identity)
        delete_clip(unit, storage, SYSTEM, clip, now=house.clock.now())
    assert clips_of(house) == {}
    assert list(storage.list("evidence/")) == []


def test_the_sound_that_was_sent_outside_is_kept_for_the_play_that_came_of_it(house: House) -> None:
    storage, identity = Folder(house.folder / "objects"), add_detection(house)
    with house.database.unit() as unit:
        row = unit.session.get_one(AudioDetection, identity)
        row.ended_at = row.started_at + timedelta(seconds=60)
    begin_s = row.started_at.timestamp()

    def kept(start_s: float, recording_id: UUID) -> bool:
        return keep_sample(
            house.database, storage, house.clock.now(), stream_id=house.stream_id, recording_id=recording_id,
            start_s=start_s, pcm=noise(1), score=0.9,
        )  # fmt: skip

    assert not kept(begin_s + 100, house.recordings[0])
    assert not kept(begin_s + 10, house.recordings[1])
    assert clips_of(house) == {}
    assert kept(begin_s + 10, house.recordings[0])
    heard, _ = soundfile.read(io.BytesIO(read_sound(storage, clips_of(house)[identity])), dtype="int16")
    assert np.array_equal(heard, noise(1))
