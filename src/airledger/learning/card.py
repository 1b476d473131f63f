"""The card that lies beside a model: what it is for, what it was taught by, what it scored, where it fails."""

from collections.abc import Sequence

from airledger.learning.evaluate import ClassScore, NumberScore
from airledger.learning.lesson_file import LessonFile
from airledger.learning.onnx_model import ModelFacts


def class_card(facts: ModelFacts, lessons: LessonFile, score: ClassScore, notes: Sequence[str]) -> str:
    """Write the card of a classifier, as Markdown."""
    rows = [
        f"| {name} | {score.counts[name]} | {score.recalls[name]:.1%} | {score.precisions[name]:.1%} |"
        for name in sorted(score.counts)
    ]
    confused = [f"{truth} called {answer}: {count}" for truth, answer, count in score.confusions[:8]]
    table = ["| class | test pieces | recall | precision |", "|---|---|---|---|", *rows]
    scores = [
        f"{score.pieces} pieces of sources that it never heard: accuracy {score.accuracy:.1%}.",
        f"Mean recall {score.balanced:.1%}, expected calibration error {score.calibration_error:.3f}.",
        "",
        *table,
        "",
        f"Confusions: {'; '.join(confused) or 'none'}.",
    ]
    return _card(facts, lessons, scores, notes)


def number_card(facts: ModelFacts, lessons: LessonFile, score: NumberScore, notes: Sequence[str]) -> str:
    """Write the card of a predictor, as Markdown."""
    scores = [
        f"{score.pieces} pieces of sources that it never heard: mean absolute error {score.mean_error:.3f},",
        f"rank correlation {score.rank_correlation:.3f}; the truth's standard deviation is {score.spread:.3f}.",
    ]
    return _card(facts, lessons, scores, notes)


def _card(facts: ModelFacts, lessons: LessonFile, scores: Sequence[str], notes: Sequence[str]) -> str:
    taught = lessons.half(is_test=False)
    lines = [
        f"# {facts.name} {facts.version}",
        "",
        f"Sees {len(facts.columns)} columns of {facts.features} vectors"
        + (f"; answers {', '.join(facts.classes)}." if facts.classes else "; answers a number, 0 to 1."),
        "",
        "## Data",
        "",
        f"{len(taught)} vectors of {len(set(taught.items.tolist()))} pieces. Sources: {lessons.made_from}.",
        "",
        "## Scores",
        "",
        *scores,
        "",
        "## Limits",
        "",
        *(f"- {note}" for note in notes),
        "",
    ]
    return "\n".join(lines)
