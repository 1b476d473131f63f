"""Suspicion: nothing suspects nothing, every sign raises it, and no sign lowers it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.learning.fraud_detector import DOUBTFUL, Signs, suspect, tag_stuffing

ONE_BY_ONE = {
    "loops": Signs(loop_likeness=0.95),
    "shared": Signs(shared_with=4),
    "countries": Signs(countries=5),
    "bitrate": Signs(claimed_kbps=320, measured_kbps=64),
    "tags": Signs(tags=tuple(f"tag {number}" for number in range(60))),
    "clicks": Signs(clicks=4000, clicks_counted=3),
    "place": Signs(claimed_country="FR", told_countries=("RU", "RU")),
}


def test_an_ordinary_listing_is_not_suspected() -> None:
    ordinary = Signs(
        claimed_kbps=128,
        measured_kbps=131,
        tags=("pop", "rock", "news"),
        clicks=900,
        clicks_counted=700,
        claimed_country="DE",
        told_countries=("DE", "DE"),
    )
    assert suspect(ordinary).score == 0
    assert suspect(ordinary).reasons == ()


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_sign_is_told(name: str) -> None:
    found = suspect(ONE_BY_ONE[name])
    assert found.score > 0.3
    assert len(found.reasons) == 1


def test_two_signs_weigh_more_than_either() -> None:
    both = replace(ONE_BY_ONE["tags"], countries=5)
    assert suspect(both).score > max(suspect(ONE_BY_ONE["tags"]).score, suspect(ONE_BY_ONE["countries"]).score)
    assert suspect(both).score > DOUBTFUL


def test_a_host_abroad_alone_is_no_conflict() -> None:
    assert suspect(Signs(claimed_country="FR", told_countries=("DE",))).score == 0


@given(st.integers(0, 100), st.integers(1, 100), st.floats(0, 1), st.integers(1, 9))
def test_the_score_stays_within_bounds_and_never_falls_with_a_sign(
    shared: int, countries: int, loop: float, more: int
) -> None:
    before = suspect(Signs(loop_likeness=loop, shared_with=shared, countries=countries)).score
    after = suspect(Signs(loop_likeness=loop, shared_with=shared + more, countries=countries)).score
    assert 0 <= before <= after <= 1


@given(st.lists(st.text(min_size=1, max_size=30), max_size=80))
def test_stuffing_is_a_share(tags: list[str]) -> None:
    assert 0 <= tag_stuffing(tuple(tags)) <= 1
