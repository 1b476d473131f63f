"""Who an ISRC belongs to: asked of several sources behind one port, kept for a week.

An ISRC names a recording. Its letters say nothing about who owns it or which society pays (IFPI), so nothing here
derives either from them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.platform.clock import Clock
from airledger.platform.db import Database, Unit
from airledger.platform.errors import LimitError
from airledger.platform.presence import Counts
from airledger.recognition.outside.answer import Writer
from airledger.recognition.outside.models import IsrcMetadata
from airledger.repertoire.describe import normal_isrc

BATCH_LIMIT = 50
KEEP_FOUND = timedelta(days=7)
KEEP_NONE = timedelta(hours=1)

IsrcOutcome = Literal["found", "none", "failed", "invalid"]


@dataclass(frozen=True)
class IsrcCandidate:
    """One recording that bears the ISRC, as one source tells it."""

    source: str
    source_id: str
    title: str
    artists: tuple[str, ...] = ()
    album: str | None = None
    label: str | None = None
    release_date: str | None = None
    duration_ms: int | None = None
    isrcs: tuple[str, ...] = ()
    iswcs: tuple[str, ...] = ()
    work_title: str | None = None
    writers: tuple[Writer, ...] = ()
    publishers: tuple[str, ...] = ()
    country: str | None = None


@dataclass(frozen=True)
class Finding:
    """What one source said: None where it could not be asked."""

    candidates: tuple[IsrcCandidate, ...] | None
    fault: str = ""


@dataclass(frozen=True)
class IsrcAnswer:
    """Everything that is known of an ISRC.

    Attributes:
        isrc: In stored form; as given when it is none.
        outcome: `failed` when no source could be asked and none is remembered.
        candidates: Of all sources, the first source's first. Several are normal: all are kept.
        is_cached: Nobody had to be asked.
        faults: Which source could not be asked, and why.
    """

    isrc: str
    outcome: IsrcOutcome
    candidates: tuple[IsrcCandidate, ...] = ()
    is_cached: bool = False
    faults: tuple[str, ...] = ()


class IsrcSource(Protocol):
    """One service that knows ISRCs."""

    @property
    def name(self) -> str:
        """Under which its answers are kept."""

    def look_up(self, isrc: str) -> Finding:
        """Ask once; waits for its turn where the service wants a pace. Never raises for what the network does."""

    def close(self) -> None:
        """Give back connections."""


@dataclass(frozen=True)
class IsrcDesk:
    """Where ISRCs are looked up; `app.isrc` has it put together."""

    database: Database
    clock: Clock
    counts: Counts
    sources: tuple[IsrcSource, ...]

    def close(self) -> None:
        """Give back the sources' connections."""
        for source in self.sources:
            source.close()

    def look_up(self, isrc: str) -> IsrcAnswer:
        """Look up one ISRC; what is none is said so, and nobody is asked."""
        normal = normal_isrc(isrc)
        if normal is None:
            return IsrcAnswer(
                isrc[:40], "invalid", faults=("an ISRC is two letters, three letters or digits, seven digits",)
            )
        answer = IsrcAnswer(normal, "none", is_cached=True)
        for source in self.sources:
            answer = self._consult(source, answer)
        if not answer.candidates and answer.faults:
            return replace(answer, outcome="failed")
        return answer

    def look_up_many(self, isrcs: Sequence[str]) -> list[IsrcAnswer]:
        """Look up at most 50 ISRCs, in the order given; one that is named twice is asked once.

        Raises:
            LimitError: There are more than 50.
        """
        if len(isrcs) > BATCH_LIMIT:
            raise LimitError(f"at most {BATCH_LIMIT} ISRCs can be looked up at once; these are {len(isrcs)}")
        answers: dict[str, IsrcAnswer] = {}
        for isrc in isrcs:
            answers.setdefault(isrc, self.look_up(isrc))
        return [answers[isrc] for isrc in isrcs]

    def _consult(self, source: IsrcSource, answer: IsrcAnswer) -> IsrcAnswer:
        with self.database.read() as session:
            kept = _recall(session, answer.isrc, source.name)
        if kept is not None and kept.expires_at > self.clock.now():
            self.counts.add("isrc_cache_hits")
            return _merged(answer, _candidates(kept))
        self.counts.add("isrc_cache_misses")
        finding = source.look_up(answer.isrc)
        asked = replace(answer, is_cached=False)
        if finding.candidates is None:
            self.counts.add("isrc_failed")
            old = _candidates(kept) if kept is not None else ()  # an old name beats none
            faults = (*asked.faults, f"{source.name}: {finding.fault}")
            return replace(_merged(asked, old), faults=faults)
        with self.database.unit() as unit:
            _remember(unit, answer.isrc, source.name, finding.candidates, self.clock.now())
        return _merged(asked, finding.candidates)


def candidate_from_json(row: dict[str, Any]) -> IsrcCandidate:
    """Read a candidate that was written as JSON.

    Raises:
        KeyError, TypeError: Another version wrote it.
    """
    many = {name: tuple(row[name]) for name in ("artists", "isrcs", "iswcs", "publishers")}
    return IsrcCandidate(**{**row, **many, "writers": tuple(Writer(**one) for one in row["writers"])})


def _merged(answer: IsrcAnswer, found: tuple[IsrcCandidate, ...]) -> IsrcAnswer:
    if not found:
        return answer
    return replace(answer, outcome="found", candidates=(*answer.candidates, *found))


def _recall(session: Session, isrc: str, source: str) -> IsrcMetadata | None:
    row: IsrcMetadata | None = session.get(IsrcMetadata, (isrc, source))
    return row


def _candidates(row: IsrcMetadata) -> tuple[IsrcCandidate, ...]:
    try:
        return tuple(candidate_from_json(one) for one in row.candidates)
    except (KeyError, TypeError):
        return ()


def _remember(unit: Unit, isrc: str, source: str, found: tuple[IsrcCandidate, ...], now: datetime) -> None:
    values = {
        "candidates": [asdict(one) for one in found],
        "fetched_at": now,
        "expires_at": now + (KEEP_FOUND if found else KEEP_NONE),
    }
    insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
    unit.session.execute(
        insert(IsrcMetadata)
        .values(isrc=isrc, source=source, **values)
        .on_conflict_do_update(index_elements=["isrc", "source"], set_=values)
    )
