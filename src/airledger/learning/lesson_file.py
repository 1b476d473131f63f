"""Labelled vectors in a file: what models are trained and tested on, without any sound in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Texts = NDArray[np.str_]


class LessonsError(ValueError):
    """A file holds no lessons that can be used."""


@dataclass(frozen=True)
class LessonFile:
    """Labelled vectors.

    Attributes:
        vectors: float32[n, columns].
        labels: str[n] classes, or float32[n] numbers.
        sources: str[n], where each comes from.
        is_test: bool[n], whether it is kept from training.
        items: int64[n], the piece that each was cut from: windows of one piece are judged together.
        columns: Names of the columns.
        features: Version of the vectors.
        made_from: One line: what the lessons were made from.
    """

    vectors: F32
    labels: NDArray[np.str_] | F32
    sources: Texts
    is_test: NDArray[np.bool_]
    items: NDArray[np.int64]
    columns: tuple[str, ...]
    features: str
    made_from: str

    def __len__(self) -> int:
        return len(self.vectors)

    def half(self, *, is_test: bool) -> "LessonFile":
        """Give the lessons of training or of the test."""
        kept = self.is_test == is_test
        return LessonFile(
            self.vectors[kept],
            self.labels[kept],
            self.sources[kept],
            self.is_test[kept],
            self.items[kept],
            self.columns,
            self.features,
            self.made_from,
        )

    def joined(self, other: "LessonFile") -> "LessonFile":
        """Add lessons of the same columns.

        Raises:
            LessonsError: Their columns differ.
        """
        if (other.columns, other.features) != (self.columns, self.features):
            raise LessonsError("lessons of different vectors cannot be joined: make them anew")
        return LessonFile(
            np.concatenate([self.vectors, other.vectors]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.sources, other.sources]),
            np.concatenate([self.is_test, other.is_test]),
            np.concatenate([self.items, other.items + (int(self.items.max()) + 1 if len(self) else 0)]),
            self.columns,
            self.features,
            f"{self.made_from}; {other.made_from}",
        )

    def write(self, path: Path) -> None:
        """Write a file."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                vectors=self.vectors,
                labels=self.labels,
                sources=self.sources,
                is_test=self.is_test,
                items=self.items,
                columns=np.array(self.columns),
                features=np.array(self.features),
                made_from=np.array(self.made_from),
            )


def read_lessons(path: Path) -> LessonFile:
    """Read a file of lessons.

    Raises:
        LessonsError: It is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            return LessonFile(
                held["vectors"].astype(np.float32),
                held["labels"],
                held["sources"],
                held["is_test"].astype(bool),
                held["items"].astype(np.int64),
                tuple(str(one) for one in held["columns"]),
                str(held["features"]),
                str(held["made_from"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise LessonsError(f"{path.name} holds no lessons: {error}") from None
