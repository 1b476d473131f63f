"""The text model: hashed words and n-grams to a margin for each country; one-against-the-rest linear support vectors.

After Fan et al., LIBLINEAR (JMLR 9, 2008), by scikit-learn. Tokens count only where at least three websites show them:
what a single website says cannot help with unseen ones. Weights are kept as one byte each, with a scale per country.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.learning.where_data import Labelled
from airledger.learning.where_words import hashed

OTHER = "ZZ"  # all countries with too few websites; sorts behind every code
LEAST_GROUPS_OF_COUNTRY = 45
LEAST_GROUPS_OF_TOKEN = 3
MOST_TOKENS = 110_000  # keeps the file below 10 MB
SLACK = 0.3
TOLERANCE = 1e-2
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class TextModel:
    """A fitted model.

    Attributes:
        classes: Countries, `ZZ` (all others) the last.
        vocabulary: Sorted CRC-32 hashes of tokens.
        weights: Shape (tokens, classes), int8.
        scale: Shape (classes,), float32: what one step of a weight is worth.
        bias: Shape (classes,), float32.
    """

    classes: tuple[str, ...]
    vocabulary: NDArray[np.uint32]
    weights: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]


def strongest(model: TextModel, most: int) -> TextModel:
    """Return the model with the tokens that can move a margin furthest, at most so many."""
    if len(model.vocabulary) <= most:
        return model
    reach = (np.abs(model.weights.astype(np.float32)) * model.scale).max(axis=1)
    kept = np.sort(np.argsort(-reach, kind="stable")[:most])
    return replace(model, vocabulary=model.vocabulary[kept], weights=model.weights[kept])


class Corpus:
    """Rows as a sparse matrix, made once for all fits."""

    def __init__(self, rows: Sequence[Labelled]) -> None:
        from scipy import sparse

        tokens = [hashed(row.told) for row in rows]
        keys = np.fromiter((key for one in tokens for key in one), np.uint32)
        values = np.fromiter((value for one in tokens for value in one.values()), np.float32)
        ends = np.cumsum([0, *map(len, tokens)])
        self.vocabulary, columns = np.unique(keys, return_inverse=True)
        self.matrix: Any = sparse.csr_matrix((values, columns, ends), shape=(len(rows), len(self.vocabulary)))
        self.countries = np.array([row.country for row in rows])
        self.weights = np.array([row.weight for row in rows])
        self.groups = np.unique([row.group for row in rows], return_inverse=True)[1]

    def classes(self) -> tuple[str, ...]:
        """Return the countries that have websites enough, and `ZZ`."""
        pairs = np.unique(np.stack([np.unique(self.countries, return_inverse=True)[1], self.groups]), axis=1)
        codes = np.unique(self.countries)
        counts = np.bincount(pairs[0], minlength=len(codes))
        return (*(str(code) for code in codes[counts >= LEAST_GROUPS_OF_COUNTRY]), OTHER)

    def fit(self, classes: Sequence[str], chosen: NDArray[np.bool_]) -> TextModel:
        """Fit on chosen rows, shape (rows,)."""
        from sklearn.svm import LinearSVC

        known = self._shared(chosen)
        labels = np.where(np.isin(self.countries, classes), self.countries, OTHER)
        machine = LinearSVC(C=SLACK, tol=TOLERANCE, max_iter=ROUNDS, random_state=0)
        machine.fit(self.matrix[chosen][:, known], labels[chosen], sample_weight=self.weights[chosen])
        at = np.searchsorted(machine.classes_, classes)
        weights = machine.coef_[at].T
        scale = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
        steps = np.round(weights / scale).astype(np.int8)
        fitted = TextModel(
            tuple(classes), self.vocabulary[known], steps, scale, machine.intercept_[at].astype(np.float32)
        )
        return strongest(fitted, MOST_TOKENS)

    def margins(self, model: TextModel, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return margins of chosen rows, shape (chosen, classes)."""
        known = np.isin(self.vocabulary, model.vocabulary)
        steps = self.matrix[chosen][:, known] @ model.weights.astype(np.float32)
        return np.asarray(steps * model.scale + model.bias, np.float32)

    def _shared(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which tokens are shown by several groups among chosen rows."""
        from scipy import sparse

        rows = self.matrix[chosen]
        there = sparse.csr_matrix((np.ones(rows.nnz, np.float32), rows.indices, rows.indptr), shape=rows.shape)
        number = there.shape[0]
        joins = sparse.csr_matrix(
            (np.ones(number, np.float32), (self.groups[chosen], np.arange(number))),
            shape=(int(self.groups.max()) + 1, number),
        )
        counts = (joins @ there).sign().sum(axis=0)
        return np.asarray(counts).ravel() >= LEAST_GROUPS_OF_TOKEN
