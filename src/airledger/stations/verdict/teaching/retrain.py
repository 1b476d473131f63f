"""Retraining: the shipped lessons, and what people said of looks since."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shutil import move
from tempfile import TemporaryDirectory

from sqlalchemy.orm import Session

from airledger.learning import stream_classifier
from airledger.learning.onnx_model import open_model
from airledger.stations.verdict.teaching.course import WEIGHT_OF_A_WORD, confirmed_lessons, shipped_lessons, teach
from airledger.stations.verdict.teaching.course import evaluate as judge
from airledger.stations.verdict.trained import FOLDER

ALLOWED_LOSS = 0.005


@dataclass(frozen=True)
class Retrained:
    """How retraining went.

    Attributes:
        confirmed: Looks that people had confirmed or corrected.
        is_taken: Whether the new model is in use now.
        before: Accuracy of the model in use, on the shipped test half.
        after: Accuracy of the new one; None when there was too little to learn.
        version: Of the model in use now.
        sentence: The same in words.
    """

    confirmed: int
    is_taken: bool
    before: float
    after: float | None
    version: str
    sentence: str


def retrain_classifier(session: Session, data: Path, *, least: int, now: datetime) -> Retrained:
    """Teach the classifier anew; take it into use unless it judges the shipped test half worse by half a percent.

    Args:
        session: Where people's words are read.
        data: The installation's folder.
        least: So many confirmed looks are wanted.
        now: When, for the version.
    """
    name = stream_classifier.MODEL_NAME
    lessons, said = shipped_lessons(name), confirmed_lessons(session)
    present = open_model(name, data / FOLDER)
    before = float(judge(present, lessons)["accuracy"])
    confirmed = len(said) // WEIGHT_OF_A_WORD
    if confirmed < least:
        sentence = f"{confirmed} looks are confirmed; {least} are wanted before anything is learnt."
        return Retrained(confirmed, False, before, None, present.facts.version, sentence)
    with TemporaryDirectory() as folder:
        made = teach(name, lessons.joined(said), Path(folder), now=now)
        after = float(made.score["accuracy"])
        if after < before - ALLOWED_LOSS:
            sentence = f"The new model judges the test worse ({after:.1%} against {before:.1%}): it is not used."
            return Retrained(confirmed, False, before, after, present.facts.version, sentence)
        (data / FOLDER).mkdir(parents=True, exist_ok=True)
        for ending in (".md", ".onnx"):
            move(made.path.with_suffix(ending), data / FOLDER / f"{name}{ending}")
    sentence = f"{confirmed} confirmed looks learnt: {after:.1%} of the test right, {before:.1%} before. It is in use."
    return Retrained(confirmed, True, before, after, made.version, sentence)
