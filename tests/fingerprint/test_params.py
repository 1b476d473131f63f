from dataclasses import asdict, replace

import pytest

from airledger.fingerprint.params import PROFILES, Params, params_from_json, params_hash


def test_what_shapes_an_index_changes_the_hash_and_what_shapes_a_query_does_not() -> None:
    usual = params_hash(Params())
    assert params_hash(replace(Params(), query_fan=5, query_peaks_per_s=30, vote_budget=7)) == usual
    assert params_hash(replace(Params(), key_step_hz=13)) != usual
    assert params_hash(replace(Params(), reference_fan=5)) != usual
    assert len(usual) == 64


def test_each_profile_has_an_index_of_its_own() -> None:
    assert set(PROFILES) == {"fast", "balanced", "high_quality"}
    assert len({params_hash(params) for params in PROFILES.values()}) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"frame_samples": 1},
        {"hop_samples": 0},
        {"lowest_hz": 4000.0},
        {"highest_hz": 9000.0},
        {"key_step_s": 0.0},
        {"key_step_hz": 0.5},
        {"pair_min_s": 2.0},
        {"reference_fan": 0},
    ],
)
def test_parameters_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        replace(Params(), **wrong)  # type: ignore[arg-type]  # one field of each type


def test_parameters_survive_json_and_strangers_do_not() -> None:
    written = asdict(PROFILES["high_quality"])
    assert params_from_json(written) == PROFILES["high_quality"]
    for broken in ({}, {**written, "extra": 1}, {**written, "hop_samples": "160"}, {**written, "hop_samples": True}):
        with pytest.raises(ValueError, match="index"):
            params_from_json(broken)
