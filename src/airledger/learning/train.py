"""Training with scikit-learn, and export to ONNX. Imported by the commands that train, and by nothing else."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airledger.learning.lesson_file import LessonFile
from airledger.learning.onnx_model import META_KEY, ModelFacts

F32 = NDArray[np.float32]

SEED = 7
TREES = 100
STRENGTH = 0.1
LEAF = 2
OPSET = 17


@dataclass(frozen=True)
class Trained:
    """A model and what it is.

    Attributes:
        facts: What its file says of itself.
        onnx: The file.
    """

    facts: ModelFacts
    onnx: bytes


def train_classifier(name: str, lessons: LessonFile, columns: Sequence[str], *, date: str) -> Trained:
    """Train a logistic regression on the lessons that are not kept for the test, every class weighing the same.

    Args:
        name: What the model is called.
        lessons: Labelled with classes.
        columns: Which columns the model shall see.
        date: Of training, as `2026-11-20`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    weigher = LogisticRegression(C=STRENGTH, max_iter=1000, class_weight="balanced")
    return _trained(name, lessons, columns, date, make_pipeline(StandardScaler(), weigher))


def train_regressor(name: str, lessons: LessonFile, columns: Sequence[str], *, date: str) -> Trained:
    """Train a model that predicts a number, on the lessons that are not kept for the test."""
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, random_state=SEED, n_jobs=1, max_features=0.5)
    return _trained(name, lessons, columns, date, forest)


def _trained(name: str, lessons: LessonFile, columns: Sequence[str], date: str, model: Any) -> Trained:
    half = lessons.half(is_test=False)
    seen = _chosen(half, columns)
    model.fit(seen, half.labels)
    classes = tuple(str(one) for one in getattr(model, "classes_", ()))
    digest = hashlib.sha256(seen.tobytes() + repr(half.labels.tolist()).encode()).hexdigest()[:8]
    facts = ModelFacts(name, f"{date}-{digest}", lessons.features, tuple(columns), classes)
    return Trained(facts, to_onnx(model, facts))


def to_onnx(model: Any, facts: ModelFacts) -> bytes:
    """Write a fitted model as ONNX, with what it says of itself."""
    from skl2onnx import to_onnx as convert

    options = {id(model): {"zipmap": False}} if facts.classes else None
    example = np.zeros((1, len(facts.columns)), np.float32)
    written = convert(model, example, options=options, target_opset=OPSET)
    entry = written.metadata_props.add()
    entry.key, entry.value = META_KEY, facts.to_json()
    made: bytes = written.SerializeToString()
    return made


def _chosen(lessons: LessonFile, columns: Sequence[str]) -> F32:
    place = {name: number for number, name in enumerate(lessons.columns)}
    return np.ascontiguousarray(lessons.vectors[:, [place[name] for name in columns]])
