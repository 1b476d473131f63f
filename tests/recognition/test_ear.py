"""One station's ear: windows of a made broadcast against a small library."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from airledger.audio.resample import to_8k
from airledger.fingerprint.index import Index
from airledger.fingerprint.params import PROFILES, Params
from airledger.fingerprint.peaks import extract
from airledger.recognition.answer import Answer
from airledger.recognition.ear import Ear
from airledger.recognition.tracks import Enrolled
from listening_house import RATE_HZ, made_song

OURS = uuid4()
WINDOW_S, HOP_S = 10, 5
FIRST, SECOND, JINGLE = 1, 2, 3


@dataclass
class Library:
    """As much of a library as an ear needs."""

    index: Index
    params: Params
    songs: dict[int, NDArray[np.float32]]
    recordings: dict[int, UUID] = field(default_factory=dict)

    @property
    def tracks(self) -> dict[int, Enrolled]:
        return {
            number: Enrolled(self.recordings[number], OURS, 0.0, len(song) / RATE_HZ, "music")
            for number, song in self.songs.items()
        }


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    params, folder = PROFILES["balanced"], Path(tmp_path_factory.mktemp("ear"))
    songs = {FIRST: made_song(11, 90), SECOND: made_song(12, 90), JINGLE: made_song(13, 6)}
    with Index.create(folder, params) as index:
        index.add({number: extract(song, params, dense="reference") for number, song in songs.items()})
        yield Library(index, params, songs, {number: uuid4() for number in songs})


@dataclass
class Heard:
    """What became of a window."""

    start_s: float
    answer: Answer
    searches: int
    banks: int


def listen(ear: Ear, sound: NDArray[np.float32], params: Params) -> list[Heard]:
    pcm = (np.clip(sound, -1, 1) * 32_000).astype(np.int16)
    window, ahead, heard = WINDOW_S * RATE_HZ, Ear.ahead_samples(params), []
    for at in range(0, len(pcm) - window - ahead + 1, HOP_S * RATE_HZ):
        answer = ear.hear(pcm[at : at + window + ahead], at, window)
        heard.append(Heard(at / RATE_HZ, answer, ear.cost.searches, ear.cost.banks))
    return heard


def faster(sound: NDArray[np.float32], percent: int) -> NDArray[np.float32]:
    return to_8k(sound, round(RATE_HZ * (1 + percent / 100)))


def ear_of(library: Library, last_speed: float | None = None) -> Ear:
    return Ear(library, (OURS,), last_speed)  # type: ignore[arg-type]  # an index and what its numbers mean


def test_what_plays_is_followed_and_hardly_searched_for(library: Library) -> None:
    heard = listen(ear_of(library), library.songs[FIRST], library.params)
    for one in heard:
        (found,) = one.answer.found
        assert found.recording_id == library.recordings[FIRST]
        assert abs(found.offset_s - one.start_s) < 0.03
    assert sum(one.searches for one in heard[:-3]) <= 4
    assert not any(one.banks for one in heard)


def test_a_change_of_songs_is_noticed_at_once(library: Library) -> None:
    sound = np.concatenate([library.songs[FIRST][: 42 * RATE_HZ], library.songs[SECOND]])
    heard = listen(ear_of(library), sound, library.params)
    change = next(one for one in heard if one.start_s == 40)
    assert {found.recording_id for found in change.answer.found} >= {library.recordings[SECOND]}
    first = library.recordings[FIRST]
    last = max(one.start_s + f.last_s for one in heard for f in one.answer.found if f.recording_id == first)
    assert abs(last - 42) < 0.6


def test_a_jingle_between_strange_sounds_is_found(library: Library) -> None:
    sound = np.concatenate([made_song(77, 33), library.songs[JINGLE], made_song(78, 30)])
    heard = listen(ear_of(library), sound, library.params)
    found = {f.recording_id for one in heard for f in one.answer.found}
    assert found == {library.recordings[JINGLE]}


def test_strange_sound_is_searched_in_every_window_and_at_all_speeds_seldom(library: Library) -> None:
    heard = listen(ear_of(library), made_song(79, 100), library.params)
    assert not any(one.answer.found for one in heard)
    assert all(one.searches for one in heard)
    assert [number for number, one in enumerate(heard) if one.banks] == [1, 7, 13]


def test_another_speed_is_found_late_and_followed_back_to_the_beginning(library: Library) -> None:
    sound = np.concatenate([made_song(80, 12), faster(library.songs[SECOND], 2), made_song(81, 20)])
    ear = ear_of(library)
    heard = listen(ear, sound, library.params)
    starts = [one.start_s + f.first_s for one in heard for f in one.answer.found]
    assert starts
    assert abs(min(starts) - 12) < 1
    assert ear.usual_speed == pytest.approx(1.02, abs=0.001)
    again = listen(ear_of(library, ear.usual_speed), faster(library.songs[FIRST], 2), library.params)
    assert again[0].answer.found
    assert not any(one.banks for one in again)


def test_silence_is_silent_and_a_song_goes_on_behind_it(library: Library) -> None:
    song = library.songs[FIRST].copy()
    song[30 * RATE_HZ : 42 * RATE_HZ] = 0
    heard = listen(ear_of(library), song, library.params)
    assert [one.start_s for one in heard if one.answer.is_silent] == [30]
    assert heard[-1].answer.found


def test_other_organisations_recordings_do_not_answer(library: Library) -> None:
    ear = Ear(library, (uuid4(),), None)  # type: ignore[arg-type]  # as above
    assert not any(one.answer.found for one in listen(ear, library.songs[FIRST][: 30 * RATE_HZ], library.params))


def test_a_new_connection_starts_anew(library: Library) -> None:
    ear = ear_of(library)
    listen(ear, library.songs[FIRST][: 30 * RATE_HZ], library.params)
    ear.restart()
    heard = listen(ear, library.songs[SECOND][: 30 * RATE_HZ], library.params)
    assert [one.answer.found[0].recording_id for one in heard] == [library.recordings[SECOND]] * len(heard)
