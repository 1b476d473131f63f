"""Which stored peaks serve which index."""

import json
from pathlib import Path

import numpy as np
import pytest

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES, params_hash
from airledger.fingerprint.peaks import extract
from airledger.recognition.profiles import fitted, profile_of, usable_hashes
from tunes import excerpt, tune

MUSEUM = Path(__file__).resolve().parents[1] / "museum"


def test_peaks_of_the_first_release_serve_today() -> None:
    made_with = json.loads((MUSEUM / "index-v1" / "manifest.json").read_text())["params_hash"]
    assert made_with in usable_hashes(PROFILES["balanced"])
    assert made_with in usable_hashes(PROFILES["fast"])
    assert made_with not in usable_hashes(PROFILES["high_quality"])


def test_a_profile_is_served_by_itself_and_denser_ones() -> None:
    by_density = sorted(PROFILES.values(), key=lambda one: one.reference_peaks_per_s)
    for params in by_density:
        usable = usable_hashes(params)
        for other in by_density:
            assert (params_hash(other) in usable) == (other.reference_peaks_per_s >= params.reference_peaks_per_s)
        named = profile_of(params_hash(params))
        assert named is not None
        assert params_hash(PROFILES[named]) == params_hash(params)
    assert profile_of("0" * 64) is None


@pytest.mark.parametrize("profile", ["fast", "balanced"])
def test_thinned_peaks_are_nearly_those_of_the_thinner_profile_and_are_found(profile: str, tmp_path: Path) -> None:
    params, dense = PROFILES[profile], PROFILES["high_quality"]
    thinned = fitted(extract(tune(1), dense, dense="reference"), params_hash(dense), params)
    own = extract(tune(1), params, dense="reference")
    assert len(own) <= len(thinned) <= 1.1 * len(own)
    times = set(np.round(thinned.times_s.astype(np.float64), 4).tolist())
    kept = sum(round(float(time_s), 4) in times for time_s in own.times_s)
    assert kept == len(own)
    with Index.create(tmp_path / "index", params) as index:
        index.add({1: thinned})
        found = match(index, extract(excerpt(tune(1), 10.0, 10.0), params, dense="query"))
    assert found[0].score > 0.9
    assert abs(found[0].offset_s - 10.0) < 0.1
