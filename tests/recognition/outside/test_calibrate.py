"""Scores become probabilities: monotone, bounded, moved by answers as much as these weigh."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.recognition.outside.calibrate import (
    LEAST,
    MOST,
    PRIORS,
    Curve,
    pool_adjacent_violators,
    prior,
    refit,
)

score = st.none() | st.floats(0, 100)
answers = st.lists(st.tuples(score, st.booleans()), max_size=60)


@pytest.mark.parametrize("provider", [*PRIORS, "another"])
def test_a_prior_never_falls_and_is_never_certain(provider: str) -> None:
    curve = prior(provider)
    values = [curve.probability(step / 2) for step in range(-10, 260)]
    assert values == sorted(values)
    assert LEAST <= values[0] <= values[-1] <= MOST


def test_between_points_lie_straight_lines() -> None:
    curve = Curve(((0.0, 0.1), (100.0, 0.9)))
    assert curve.probability(50) == pytest.approx(0.5)
    assert (curve.probability(-5), curve.probability(900)) == (0.1, 0.9)


@given(answers=answers)
def test_a_refitted_curve_never_falls(answers: list[tuple[float | None, bool]]) -> None:
    fitted = refit(prior("acrcloud"), answers)
    assert all(low[1] <= high[1] for low, high in pairwise(fitted.points))
    assert all(LEAST <= value <= MOST for _, value in fitted.points)
    assert [x for x, _ in fitted.points] == [x for x, _ in prior("acrcloud").points]


def test_no_answers_leave_the_prior() -> None:
    assert refit(prior("audd"), []) == prior("audd")


def test_many_answers_outweigh_the_prior() -> None:
    """Of 400 answers with a score of 90, a half was right: what 90 is worth comes near a half."""
    fitted = refit(prior("acrcloud"), [(90.0, number % 2 == 0) for number in range(400)])
    assert fitted.probability(90) == pytest.approx(0.5, abs=0.03)


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_pooling_is_the_nearest_ascending_sequence(values: list[float]) -> None:
    """Against brute force: no ascending sequence made of block means is nearer."""
    pooled = pool_adjacent_violators(values, [1.0] * len(values))
    assert all(low <= high + 1e-12 for low, high in pairwise(pooled))
    best = min(_ascending(values), key=lambda one: _distance(one, values))
    assert _distance(pooled, values) <= _distance(best, values) + 1e-9


def _ascending(values: list[float]) -> list[list[float]]:
    """All ways to cut into blocks of equal value, kept where the means ascend."""
    found = []
    for cuts in range(1 << (len(values) - 1)):
        blocks: list[list[float]] = [[]]
        for index, value in enumerate(values):
            blocks[-1].append(value)
            if index < len(values) - 1 and cuts >> index & 1:
                blocks.append([])
        means = [sum(block) / len(block) for block in blocks]
        if means == sorted(means):
            found.append([mean for mean, block in zip(means, blocks, strict=True) for _ in block])
    return found


def _distance(one: list[float], other: list[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
