from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.score import (
    DAY_S,
    HALF_LIFE_DAYS,
    Evidence,
    faded,
    lower_bound,
    observed,
    quality,
    reliability,
)

COUNTS = st.floats(0, 500)


def test_unproven_is_the_missions_one() -> None:
    assert reliability(Evidence()) == 1.0
    assert lower_bound(Evidence()) == 0.0


def test_one_success_is_enough_to_be_served() -> None:
    once = observed(Evidence(), is_healthy=True)
    assert reliability(once) > 0.7
    assert reliability(observed(once, is_healthy=False)) > 0.7


@given(COUNTS, COUNTS)
def test_scores_keep_their_order(successes: float, failures: float) -> None:
    evidence = Evidence(successes, failures)
    better, worse = observed(evidence, is_healthy=True), observed(evidence, is_healthy=False)
    assert 0 <= reliability(worse) <= reliability(evidence) <= reliability(better) <= 1
    assert 0 <= lower_bound(evidence) <= reliability(evidence)
    assert lower_bound(worse) <= lower_bound(evidence) + 1e-9
    assert lower_bound(better) >= lower_bound(evidence) - 1e-9


@given(COUNTS, COUNTS, st.floats(0, 1e8))
def test_evidence_fades(successes: float, failures: float, elapsed_s: float) -> None:
    old = faded(Evidence(successes, failures), elapsed_s)
    assert 0 <= old.successes <= successes
    assert 0 <= old.failures <= failures


def test_evidence_halves_in_14_days() -> None:
    assert faded(Evidence(8, 4), HALF_LIFE_DAYS * DAY_S) == Evidence(4, 2)


@given(st.sampled_from([None, "mp3", "aac", "opus", "flac"]), st.integers(1, 5_000), st.integers(0, 4))
def test_quality_lies_within_its_range_and_falls_with_warnings(codec: str | None, kbps: int, warnings: int) -> None:
    rated = quality(codec, kbps, 44_100, warnings)
    assert 0 <= quality(codec, kbps, 44_100, warnings + 1) <= rated <= 1
    assert quality(codec, kbps + 50, 44_100, warnings) >= rated


def test_better_codecs_need_fewer_bits() -> None:
    assert quality("opus", 96, 48_000, 0) == 1.0
    assert quality("mp3", 96, 48_000, 0) < 1.0
    assert quality(None, None, None, 0) == 0.5
