"""The second model: which candidate the clues speak for. Boosted trees over pairs of stream and candidate, calibrated.

The trees give each candidate a log-odds; a softmax with a temperature, and a constant for "none of these", makes them
probabilities that sum to at most one. Temperature and constant are fitted to rows whose domains the trees never saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROUNDS = 120
LEAVES = 24
RATE = 0.1
SMALLEST_LEAF = 40
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidates of many streams, one under the other.

    Attributes:
        streams: Number of each pair's stream, ascending, int64.
        countries: Each pair's candidate.
        values: Clues, shape (pairs, clues).
        is_right: Whether the candidate is the claimed country.
        weights: Each pair's weight in training.
    """

    streams: NDArray[np.int64]
    countries: NDArray[np.str_]
    values: NDArray[np.float32]
    is_right: NDArray[np.bool_]
    weights: NDArray[np.float64]

    def of(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Return the pairs of chosen streams, shape (streams,)."""
        kept = chosen[self.streams]
        return Pairs(
            self.streams[kept], self.countries[kept], self.values[kept], self.is_right[kept], self.weights[kept]
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How log-odds become probabilities."""

    sharpness: float = 1.0
    elsewhere: float = -4.0


def fit_trees(pairs: Pairs) -> Any:
    """Fit the trees (scikit-learn's histogram gradient boosting)."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    trees = HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        max_leaf_nodes=LEAVES,
        learning_rate=RATE,
        min_samples_leaf=SMALLEST_LEAF,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1, "openmp"):  # more threads than free cores wait for each other, for minutes
        return trees.fit(pairs.values, pairs.is_right, sample_weight=pairs.weights)


def log_odds(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return log-odds of probabilities."""
    inside = np.clip(probabilities.astype(np.float64), _TINY, 1 - _TINY)
    return np.asarray(np.log(inside / (1 - inside)))


def held(odds: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return log-odds within the bounds of `log_odds`."""
    furthest = np.log((1 - _TINY) / _TINY)
    return np.clip(odds.astype(np.float64), -furthest, furthest)


def probabilities(
    streams: NDArray[np.int64], odds: NDArray[np.float64], calibration: Calibration
) -> NDArray[np.float64]:
    """Return each pair's probability.

    Args:
        streams: Each pair's stream, ascending from 0 without gaps.
        odds: Each pair's log-odds.
        calibration: Sharpness and the constant for "elsewhere".
    """
    raised = np.exp(calibration.sharpness * odds)
    total = np.bincount(streams, raised) + np.exp(calibration.elsewhere)
    return np.asarray(raised / total[streams])


def calibrate(streams: NDArray[np.int64], odds: NDArray[np.float64], is_right: NDArray[np.bool_]) -> Calibration:
    """Fit sharpness and constant by likelihood: of the right candidate, or of "elsewhere" where none is right."""
    from scipy.optimize import minimize

    number = int(streams.max()) + 1
    has_right = np.bincount(streams, is_right, minlength=number) > 0

    def loss(at: NDArray[np.float64]) -> float:
        tried = Calibration(float(np.exp(at[0])), float(at[1]))
        found = probabilities(streams, odds, tried)
        right = np.bincount(streams, np.where(is_right, found, 0.0), minlength=number)
        rest = 1.0 - np.bincount(streams, found, minlength=number)
        return float(-np.log(np.maximum(np.where(has_right, right, rest), _TINY)).mean())

    best = minimize(loss, np.array([0.0, -4.0]), method="Nelder-Mead", options={"maxiter": 120}).x
    return Calibration(float(np.exp(best[0])), float(best[1]))


def squashed(streams: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Number streams from 0 without gaps."""
    return np.unique(np.asarray(streams), return_inverse=True)[1].astype(np.int64)
