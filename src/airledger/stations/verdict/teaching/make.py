"""Make the files that models are taught from."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from airledger.audio.sound_vector import SOUND_COLUMNS, SOUND_VERSION, WINDOW_COLUMNS, WINDOW_VERSION
from airledger.learning.evaluate import FACT_COLUMNS
from airledger.learning.lesson_file import LessonFile
from airledger.learning.quality_predictor import SENT_COLUMNS
from airledger.stations.verdict.eyes import Eyes
from airledger.stations.verdict.teaching.lessons import Lesson, Lessons
from airledger.stations.verdict.teaching.pieces import Source
from airledger.stations.verdict.teaching.spoil import QualityLesson, quality_lessons

Report = Callable[[int], None]


def make_class_lessons(
    sources: list[Source], *, taught: int, tested: int, seed: int, report: Report = lambda _: None
) -> LessonFile:
    """Make lessons for the classifier: so many pieces of each class to teach, and so many to test by."""
    lessons: list[Lesson] = []
    with Eyes() as eyes:
        for is_test, count in ((False, taught), (True, tested)):
            for one in Lessons(sources, eyes, seed, is_test=is_test).draw(count):
                lessons.append(one)
                report(len(lessons))
    return class_file(lessons, _made_from(sources))


def class_file(lessons: list[Lesson], made_from: str) -> LessonFile:
    """Lay lessons into one file, a row for each window."""
    sizes = [len(one.windows) for one in lessons]
    facts = np.array([(one.loop_likeness, one.speech_share, one.music_share) for one in lessons], np.float32)
    return LessonFile(
        vectors=np.column_stack(
            [np.concatenate([one.windows for one in lessons]), np.repeat(facts, sizes, axis=0)]
        ).astype(np.float32),
        labels=np.repeat(np.array([one.label for one in lessons]), sizes),
        sources=np.repeat(np.array([one.source for one in lessons]), sizes),
        is_test=np.repeat(np.array([one.is_test for one in lessons]), sizes),
        items=np.repeat(np.arange(len(lessons)), sizes),
        columns=(*WINDOW_COLUMNS, *FACT_COLUMNS),
        features=WINDOW_VERSION,
        made_from=made_from,
    )


def make_quality_lessons(
    sources: list[Source], *, taught: int, tested: int, seed: int, report: Report = lambda _: None
) -> LessonFile:
    """Make lessons for the predictor of quality."""
    lessons: list[QualityLesson] = []
    with Eyes() as eyes:
        for is_test, count in ((False, taught), (True, tested)):
            for one in quality_lessons(sources, eyes, seed, is_test=is_test, count=count):
                lessons.append(one)
                report(len(lessons))
    return quality_file(lessons, _made_from(sources))


def quality_file(lessons: list[QualityLesson], made_from: str) -> LessonFile:
    """Lay lessons into one file."""
    return LessonFile(
        vectors=np.array([one.vector for one in lessons], np.float32),
        labels=np.array([one.quality for one in lessons], np.float32),
        sources=np.array([one.source for one in lessons]),
        is_test=np.array([one.is_test for one in lessons]),
        items=np.arange(len(lessons)),
        columns=(*SOUND_COLUMNS, *SENT_COLUMNS),
        features=SOUND_VERSION,
        made_from=made_from,
    )


def write_for(lessons: LessonFile, folder: Path, name: str) -> Path:
    """Write lessons where training looks for them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.npz"
    lessons.write(path)
    return path


def today(now: datetime) -> str:
    """Name the day, for versions."""
    return now.strftime("%Y-%m-%d")


def _made_from(sources: list[Source]) -> str:
    taught = ", ".join(one.name for one in sources if not one.is_test)
    tested = ", ".join(one.name for one in sources if one.is_test)
    return f"taught by {taught}; tested by {tested}"
