"""From a provider's score to a probability: a monotone curve, a prior at first, refitted from confirmed answers.

ACRCloud scores 70 to 100 and AudD mostly nothing at all; neither is a probability. Until enough answers were
confirmed or refuted, the curve is a PRIOR: our guess, not measured. `refit` pools each confirmed answer with the prior
(worth `PRIOR_WEIGHT` answers per point) and makes the result monotone by pooling adjacent violators (Ayer et al. 1955),
which is the least-squares monotone fit. Answers come from decided reviews, which hold the doubtful cases, so a
refitted curve errs on the cautious side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LEAST, MOST = 0.01, 0.99  # nobody outside is ever certain
PRIOR_WEIGHT = 8.0
NO_SCORE = 90.0  # what a match without a score counts as


@dataclass(frozen=True)
class Curve:
    """Probability over score: points of ascending score, straight lines between them, flat outside."""

    points: tuple[tuple[float, float], ...]

    def probability(self, score: float | None) -> float:
        """Return the probability that a match of this score is right."""
        score = NO_SCORE if score is None else score
        first, last = self.points[0], self.points[-1]
        if score <= first[0]:
            return first[1]
        for (low, below), (high, above) in pairwise(self.points):
            if score <= high:
                return below + (above - below) * (score - low) / (high - low)
        return last[1]


PRIORS: dict[str, Curve] = {
    "acrcloud": Curve(((0.0, 0.05), (70.0, 0.55), (80.0, 0.72), (90.0, 0.90), (100.0, 0.97))),
    "audd": Curve(((0.0, 0.05), (50.0, 0.50), (80.0, 0.80), (90.0, 0.90), (100.0, 0.95))),
}
DEFAULT = Curve(((0.0, 0.05), (70.0, 0.50), (100.0, 0.90)))


def prior(provider: str) -> Curve:
    """Return the curve that nothing was measured for yet."""
    return PRIORS.get(provider, DEFAULT)


def refit(curve: Curve, answers: Sequence[tuple[float | None, bool]]) -> Curve:
    """Fit a curve anew.

    Args:
        curve: The prior; its scores stay the scores of the new one.
        answers: Score of each answer, and whether it was right.

    Returns:
        A curve that never falls, between 0.01 and 0.99; `curve` itself when there are no answers.
    """
    if not answers:
        return curve
    scores = [score for score, _ in curve.points]
    right = [probability * PRIOR_WEIGHT for _, probability in curve.points]
    weight = [PRIOR_WEIGHT] * len(scores)
    for score, was_right in answers:
        place = NO_SCORE if score is None else score
        nearest = min(range(len(scores)), key=lambda index: abs(scores[index] - place))
        right[nearest] += was_right
        weight[nearest] += 1
    fitted = pool_adjacent_violators([r / w for r, w in zip(right, weight, strict=True)], weight)
    return Curve(tuple((score, min(max(value, LEAST), MOST)) for score, value in zip(scores, fitted, strict=True)))


def pool_adjacent_violators(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the ascending sequence nearest to `values` by weighted squares."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, heavy, length = blocks.pop()
            total = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / total, total, length + block[2])
        blocks.append(block)
    return [mean for mean, _, length in blocks for _ in range(length)]
