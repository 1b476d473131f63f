"""What the numbers of the index stand for, in arrays: a million tracks take 40 MB."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from airledger.recognition.changes import TrackRow
from airledger.repertoire.models import CLASSES

_COLUMNS = np.dtype(
    [
        ("recording", "V16"),
        ("organisation", "<u2"),
        ("recording_class", "u1"),
        ("audible_from_ms", "<u4"),
        ("audible_to_ms", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Which recording a track number of the index stands for."""

    recording_id: UUID
    organisation_id: UUID
    audible_from_s: float
    audible_to_s: float
    recording_class: str


@dataclass(frozen=True, slots=True, eq=False)
class TrackTable:
    """All tracks at one moment; never changes, so readers need no lock.

    Attributes:
        numbers: int64[n], rising.
        columns: structured[n], beside them.
        organisations: what the numbers in column `organisation` mean.
    """

    numbers: NDArray[np.int64]
    columns: NDArray[Any]
    organisations: tuple[UUID, ...]

    @classmethod
    def empty(cls) -> "TrackTable":
        """Give a table without tracks."""
        return cls(np.empty(0, np.int64), np.empty(0, _COLUMNS), ())

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.numbers)

    def get(self, number: int) -> Enrolled | None:
        """Tell which recording a number stands for, None when it stands for none (any more)."""
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self.numbers) or self.numbers[at] != number:
            return None
        row = self.columns[at]
        return Enrolled(
            recording_id=UUID(bytes=bytes(row["recording"])),
            organisation_id=self.organisations[row["organisation"]],
            audible_from_s=int(row["audible_from_ms"]) / 1000,
            audible_to_s=int(row["audible_to_ms"]) / 1000,
            recording_class=CLASSES[row["recording_class"]],
        )

    def without(self, numbers: Iterable[int]) -> "TrackTable":
        """Give the table without some tracks."""
        gone = np.fromiter(numbers, np.int64)
        if not len(gone):
            return self
        kept = ~np.isin(self.numbers, gone)
        return replace(self, numbers=self.numbers[kept], columns=self.columns[kept])

    def with_rows(self, pages: Iterable[Sequence[TrackRow]]) -> "TrackTable":
        """Give the table with more tracks; one that is there already is replaced."""
        organisations = list(self.organisations)
        places = {organisation: place for place, organisation in enumerate(organisations)}
        numbers, columns = [self.numbers], [self.columns]
        for page in pages:
            made = np.empty(len(page), _COLUMNS)
            numbers.append(np.array([row.track for row in page], np.int64))
            made["recording"] = np.frombuffer(b"".join(row.recording_id.bytes for row in page), "V16")
            made["organisation"] = [_place(row.organisation_id, places, organisations) for row in page]
            made["recording_class"] = [_class_number(row.recording_class) for row in page]
            made["audible_from_ms"] = [row.audible_from_ms for row in page]
            made["audible_to_ms"] = [row.audible_to_ms for row in page]
            columns.append(made)
        return _ordered(np.concatenate(numbers), np.concatenate(columns), tuple(organisations))


def _place(organisation_id: UUID, places: dict[UUID, int], organisations: list[UUID]) -> int:
    if organisation_id not in places:
        places[organisation_id] = len(organisations)
        organisations.append(organisation_id)
    return places[organisation_id]


def _class_number(recording_class: str) -> int:
    return CLASSES.index(recording_class) if recording_class in CLASSES else 0


def _ordered(numbers: NDArray[np.int64], columns: NDArray[Any], organisations: tuple[UUID, ...]) -> TrackTable:
    """Order by number; of two rows of one number the later one counts."""
    if len(numbers) > 1 and not bool(np.all(numbers[1:] > numbers[:-1])):
        order = np.argsort(numbers, kind="stable")
        last = np.append(numbers[order][1:] != numbers[order][:-1], np.True_)
        numbers, columns = numbers[order][last], columns[order][last]
    return TrackTable(numbers, columns, organisations)
