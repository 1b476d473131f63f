"""What live sessions want stored: the newest state of each thing, collected between two writes.

Only snapshots are kept, never increments, so an hour without a database costs no more memory than a second, and
storing one twice changes nothing.
"""

import threading
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from airledger.listening.coverage import Stretch
from airledger.listening.tracker import Hypothesis
from airledger.listening.unknown_kept import KeptSound
from airledger.listening.unknown_kept import from_row as kept_from_row


@dataclass(frozen=True)
class Target:
    """What a session listens to, and for whom."""

    session_id: UUID
    organisation_id: UUID
    stream_id: int
    station_id: int | None
    url: str
    name: str
    last_speed: float | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    is_remote: bool = False  # its sound is captured elsewhere, and comes as peaks


@dataclass(frozen=True)
class HeardPlay:
    """A believed hypothesis, ready to be a detection."""

    target: Target
    hypothesis: Hypothesis
    started_s: float
    ended_s: float
    cpu_ms: float


@dataclass(frozen=True)
class SessionState:
    """How a session goes."""

    status: str
    windows: int = 0
    matched: int = 0
    reconnects: int = 0
    last_sound_at: datetime | None = None
    last_speed: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class Shown:
    """A title that a stream showed, and since when (seconds since 1970)."""

    target: Target
    title: str
    shown_s: float


@dataclass
class Batch:
    """Everything that is to be stored in one unit."""

    plays: dict[UUID, HeardPlay] = field(default_factory=dict)
    coverage: dict[UUID, tuple[Target, Stretch]] = field(default_factory=dict)
    sessions: dict[UUID, SessionState] = field(default_factory=dict)
    titles: dict[int, Shown] = field(default_factory=dict)
    unknown: dict[UUID, KeptSound] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.plays or self.coverage or self.sessions or self.titles or self.unknown)

    def older_than(self, newer: "Batch") -> "Batch":
        """Put a newer batch on top of this one."""
        return Batch(
            {**self.plays, **newer.plays},
            {**self.coverage, **newer.coverage},
            {**self.sessions, **newer.sessions},
            {**self.titles, **newer.titles},
            {**self.unknown, **newer.unknown},
        )


class Outbox:
    """Collects from many threads, is emptied by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batch = Batch()

    def play(self, heard: HeardPlay) -> None:
        """Store a play's newest state."""
        with self._lock:
            self._batch.plays[heard.hypothesis.id] = heard

    def cover(self, target: Target, stretch: Stretch) -> None:
        """Store a stretch's newest extent."""
        with self._lock:
            self._batch.coverage[stretch.id] = (target, stretch)

    def session(self, target: Target, state: SessionState) -> None:
        """Store a session's newest state."""
        with self._lock:
            self._batch.sessions[target.session_id] = state

    def title(self, target: Target, text: str, shown_s: float) -> None:
        """Store the title that a stream shows now."""
        with self._lock:
            self._batch.titles[target.stream_id] = Shown(target, text, shown_s)

    def unknown(self, kept: KeptSound) -> None:
        """Store the newest state of a stretch of unknown sound."""
        with self._lock:
            self._batch.unknown[kept.id] = kept

    def take(self) -> Batch:
        """Take everything collected so far."""
        with self._lock:
            batch, self._batch = self._batch, Batch()
            return batch

    def put_back(self, batch: Batch) -> None:
        """Return what could not be stored; newer states stay on top."""
        with self._lock:
            self._batch = batch.older_than(self._batch)


def to_json(batch: Batch) -> dict[str, Any]:
    """Write plays, coverage and unknown sound as JSON, for the spool; the rest is only of the moment."""
    return {
        "plays": [asdict(heard) for heard in batch.plays.values()],
        "coverage": [
            {"target": asdict(target), "stretch": asdict(stretch)} for target, stretch in batch.coverage.values()
        ],
        "unknown": [asdict(kept) for kept in batch.unknown.values()],
    }


def from_json(data: dict[str, Any]) -> Batch:
    """Read what `to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It was written by another version, or cut off.
    """
    plays = [
        HeardPlay(
            _target(row["target"]),
            Hypothesis(
                **{
                    **row["hypothesis"],
                    "id": UUID(row["hypothesis"]["id"]),
                    "recording_id": UUID(row["hypothesis"]["recording_id"]),
                }
            ),
            row["started_s"],
            row["ended_s"],
            row["cpu_ms"],
        )
        for row in data["plays"]
    ]
    coverage = [
        (_target(row["target"]), Stretch(**{**row["stretch"], "id": UUID(row["stretch"]["id"])}))
        for row in data["coverage"]
    ]
    unknown = [kept_from_row(row) for row in data.get("unknown", ())]  # spools of earlier versions have none
    return Batch(
        {heard.hypothesis.id: heard for heard in plays},
        {pair[1].id: pair for pair in coverage},
        unknown={one.id: one for one in unknown},
    )


def _target(row: dict[str, Any]) -> Target:
    return Target(**{**row, "session_id": UUID(row["session_id"]), "organisation_id": UUID(row["organisation_id"])})
