from pathlib import Path

import numpy as np
import pytest

from airledger.fingerprint.bank import Warp
from airledger.fingerprint.follow import Course, follow, look_back
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks, extract
from tunes import excerpt, noise, tune

PARAMS = Params()
SONG = tune(7)
REFERENCE = extract(SONG, PARAMS, dense="reference")


def window(start_s: float, seconds: float = 10.0) -> Peaks:
    return extract(excerpt(SONG, start_s, seconds), PARAMS, dense="query")


def test_a_song_is_followed_from_where_a_search_found_it(tmp_path: Path) -> None:
    index = Index.create(tmp_path, PARAMS)
    index.add({3: REFERENCE, 4: extract(tune(8), PARAMS, dense="reference")})
    (found, *_) = match(index, window(5.0))
    course = Course.of(found, index.peaks_of(found.track))
    for start_s in (10.0, 15.0, 20.0):
        followed = follow(window(start_s), course.after(5.0), 5.0)
        assert followed is not None
        assert followed.candidate.track == 3
        assert followed.candidate.score > 0.99
        assert abs(followed.candidate.offset_s - start_s) < 0.03
        assert followed.heard > 0.8
        assert followed.candidate.last_s > 9
        course = followed.course


def test_what_does_not_go_on_is_not_believed() -> None:
    course = Course(3, REFERENCE, 10.0, Warp())
    for other in (extract(excerpt(tune(9), 10, 10), PARAMS, dense="query"), window(25.0)):
        followed = follow(other, course, 5.0)
        assert followed is None or followed.candidate.score < 0.5


def test_the_end_of_a_song_is_told_to_the_second() -> None:
    mixed = np.concatenate([excerpt(SONG, 10, 4), excerpt(tune(9), 3, 6)])
    followed = follow(extract(mixed, PARAMS, dense="query"), Course(3, REFERENCE, 10.0, Warp()), 5.0)
    assert followed is not None
    assert followed.candidate.score > 0.9
    assert 3 < followed.candidate.last_s < 4.6
    assert followed.heard < 0.3


@pytest.mark.parametrize("late_s", [-0.1, 0.1])
def test_a_small_error_of_place_is_mended(late_s: float) -> None:
    followed = follow(window(20.0), Course(3, REFERENCE, 20.0 + late_s, Warp()), 5.0)
    assert followed is not None
    assert abs(followed.candidate.offset_s - 20.0) < 0.03


def test_looking_back_finds_since_when_it_plays() -> None:
    before = excerpt(tune(9), 5, 12)
    sound = np.concatenate([before, excerpt(SONG, 0, 18)])
    found = look_back(extract(sound, PARAMS, dense="query"), Course(3, REFERENCE, -12.0, Warp()))
    assert found is not None
    assert abs(found.first_s - 12) < 1


@pytest.mark.parametrize("query", [Peaks.empty(10.0), extract(noise(10), PARAMS, dense="query")])
def test_silence_and_noise_follow_nothing(query: Peaks) -> None:
    followed = follow(query, Course(3, REFERENCE, 10.0, Warp()), 5.0)
    assert followed is None or followed.candidate.score < 0.5


def test_behind_the_end_there_is_nothing_to_follow() -> None:
    course = Course(3, REFERENCE, REFERENCE.duration_s + 60, Warp())
    assert course.left_s < 0
    assert follow(window(5.0), course, 5.0) is None
