import numpy as np
import pytest

from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import extract
from airledger.fingerprint.quality import assess
from tunes import excerpt, noise, tune

PARAMS = Params()


def test_a_tune_is_fit() -> None:
    quality = assess(tune(1), PARAMS)
    assert quality.score > 0.9
    assert quality.problems == ()
    assert quality.duration_s == 40
    assert quality.self_similarity < 0.6
    assert -40 < quality.energy_dbfs < 0


def test_what_spoils_recognition_is_named() -> None:
    assert "lasts only" in assess(excerpt(tune(1), 0, 3), PARAMS).problems[0]
    quiet = assess((tune(1) * np.float32(1e-4)).astype(np.float32), PARAMS)
    assert any("quiet" in problem for problem in quiet.problems)
    silent = assess(np.zeros(160_000, np.float32), PARAMS)
    assert silent.score == 0
    assert any("peaks a second" in problem for problem in silent.problems)
    assert assess(np.empty(0, np.float32), PARAMS).score == 0


def test_a_loop_is_known_by_its_self_similarity() -> None:
    loop = assess(tune(20, seconds=32, bpm=120, loop_bars=2), PARAMS)
    assert loop.self_similarity > 0.8
    assert any("repeats itself" in problem for problem in loop.problems)
    assert loop.score < assess(tune(1), PARAMS).score
    assert assess(noise(20), PARAMS).self_similarity < 0.3


def test_known_peaks_are_used() -> None:
    peaks = extract(tune(2), PARAMS, dense="reference")
    assert assess(tune(2), PARAMS, peaks) == assess(tune(2), PARAMS)
    assert assess(tune(2), PARAMS).peaks_per_s == pytest.approx(len(peaks) / 40)
