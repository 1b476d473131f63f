"""Whom to ask about first, and that nobody asks twice; what is speech is never asked about."""

import io
import wave
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import select, update

from airledger.audio.speech import SoundContent
from airledger.listening import unknown_judge
from airledger.listening.models import COMPARED, IGNORED, KEPT, NEW, SPEECH, UnknownRecording, UnknownSound
from airledger.listening.unknown_ask import AskCandidate, answered, next_to_ask
from airledger.listening.unknown_forget import forget_speech
from airledger.listening.unknown_judge import judge_new
from airledger.platform.clock import from_epoch
from airledger.platform.errors import NotFoundError
from airledger.platform.storage import Folder
from listening_house import House
from unknown_house import YESTERDAY_S, open_air

NOW = from_epoch(YESTERDAY_S) + timedelta(days=1)


def cluster(house: House, times_heard: int, state: str = NEW) -> UUID:
    identity = uuid4()
    with house.database.unit() as unit:
        unit.session.add(
            UnknownRecording(
                id=identity, organisation_id=house.organisation_id, state=state, first_heard_at=NOW, last_heard_at=NOW,
                times_heard=times_heard, stations=1, duration_ms=180_000, updated_at=NOW,
            )
        )  # fmt: skip
    return identity


def sound(house: House, stream_id: int, minute: int, *, unknown: UUID | None = None, music: float | None = 0.9) -> UUID:
    identity, begin = uuid4(), from_epoch(YESTERDAY_S) + timedelta(minutes=minute)
    with house.database.unit() as unit:
        unit.session.add(
            UnknownSound(
                id=identity, organisation_id=house.organisation_id, stream_id=stream_id, session_id=house.session_id,
                started_at=begin, ended_at=begin + timedelta(minutes=4), state=COMPARED, peaks_key="unknown/x.npz",
                clip_key=f"unknown/{identity}.wav", clip_at=begin, music_share=music, cluster_id=unknown,
            )
        )  # fmt: skip
    return identity


def asked_next(house: House, limit: int = 10, now: datetime = NOW) -> list[AskCandidate]:
    with house.database.read() as session:
        return next_to_ask(session, now, limit=limit)


def tell(house: House, sound_id: UUID, outcome: str, now: datetime = NOW) -> None:
    with house.database.unit() as unit:
        answered(unit, sound_id, outcome, now)  # type: ignore[arg-type]


def test_one_call_per_cluster_the_biggest_first_and_then_stations_in_turn(house: House) -> None:
    other = open_air(house).stream(2)
    small, big = cluster(house, 2), cluster(house, 9)
    for minute in range(3):
        sound(house, house.stream_id, minute, unknown=big)
    sound(house, other, 5, unknown=small)
    single = [sound(house, house.stream_id, 20 + minute) for minute in range(3)]
    lone = sound(house, other, 20)
    found = asked_next(house)
    assert [one.unknown_id for one in found[:2]] == [big, small]
    assert found[0].times_heard == 9
    assert {one.sound_id for one in found[2:4]} == {single[2], lone}, "the newest of each station comes first"
    assert [one.sound_id for one in found[4:]] == [single[1], single[0]]
    assert len(asked_next(house, 1)) == 1


def test_what_was_answered_is_not_asked_again_and_budget_is_no_answer(house: House) -> None:
    unknown = cluster(house, 3)
    first = sound(house, house.stream_id, 1, unknown=unknown)
    sound(house, house.stream_id, 9, unknown=unknown)
    tell(house, first, "budget")
    assert asked_next(house) == []
    tomorrow = NOW + timedelta(days=1)
    (again,) = asked_next(house, now=tomorrow)
    assert again.unknown_id == unknown
    tell(house, again.sound_id, "none", tomorrow)
    assert asked_next(house, now=tomorrow + timedelta(days=9)) == []
    with pytest.raises(NotFoundError):
        tell(house, uuid4(), "none")


def test_speech_what_is_not_judged_and_what_is_ignored_is_not_asked_about(house: House) -> None:
    sound(house, house.stream_id, 1, music=0.1)
    sound(house, house.stream_id, 6, music=None)
    sound(house, house.stream_id, 12, unknown=cluster(house, 5, IGNORED))
    assert asked_next(house) == []


def spoken(storage: Folder, key: str) -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.zeros(80_000, "<i2").tobytes())
    storage.put(key, buffer.getvalue())


@pytest.mark.parametrize(("minutes", "state"), [(0.5, SPEECH), (4, KEPT)])
def test_speech_is_forgotten(house: House, monkeypatch: pytest.MonkeyPatch, minutes: float, state: str) -> None:
    storage = Folder(house.folder / "objects")
    one = sound(house, house.stream_id, 1, music=None)
    begin = from_epoch(YESTERDAY_S)
    with house.database.unit() as unit:
        unit.session.execute(
            update(UnknownSound).values(state=KEPT, started_at=begin, ended_at=begin + timedelta(minutes=minutes))
        )
    spoken(storage, f"unknown/{one}.wav")
    monkeypatch.setattr(unknown_judge, "listen_for_content", lambda _: SoundContent(0.97, 0.0, 0.0, 0.4))
    assert (judge_new(house.database, storage).sounds, judge_new(house.database, storage).sounds) == (1, 0)
    with house.database.read() as session:
        row = session.scalars(select(UnknownSound)).one()
    assert (row.state, row.music_share, row.clip_key) == (state, 0.0, None)
    assert list(storage.list("unknown/")) == []
    assert forget_speech(house.database, storage) == (state == SPEECH)


def test_a_clip_that_is_gone_is_not_asked_about(house: House) -> None:
    sound(house, house.stream_id, 1, music=None)
    judge_new(house.database, Folder(house.folder / "objects"))
    assert asked_next(house) == []
