"""Many sounds asked for at once: one task per shard of the index, joined by whoever is last.

A task never waits for another: each shard's answer is a row, and the one that brings the last of them has the answers
joined. So it works with one worker as with a hundred, and a worker that dies costs its part again, nothing more.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import thread_time
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from airledger.fingerprint.index import Index
from airledger.fingerprint.match import Candidate, match
from airledger.fingerprint.params import Params
from airledger.fingerprint.peaks import Peaks
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.errors import InputError, NotFoundError
from airledger.platform.storage import Storage
from airledger.recognition import peaks_batch
from airledger.recognition.local_segments import read_peaks
from airledger.recognition.models import FINISHED, RUNNING, Fingerprint, RecognitionBatch, RecognitionPart
from airledger.recognition.profiles import usable_hashes
from airledger.repertoire.models import Recording

MOST_QUERIES = 10_000
CANDIDATES = 5
LEAST_SCORE = 0.01  # below, a shard's candidate is not worth telling
LEAST_ANSWER = 0.5
IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Batches:
    """Asks, answers parts, and joins.

    Attributes:
        database: Rows.
        storage: The queries while they wait.
        clock: The time.
        params: Of the index.
        shards: Into how many it is cut.
        index_of: Gives a shard's index, up to date.
        worker: Name of this process.
    """

    database: Database
    storage: Storage
    clock: Clock
    params: Params
    shards: int
    index_of: Callable[[int], Index]
    worker: str = ""

    def ask(self, organisation_id: UUID, queries: Sequence[Peaks], enqueue: Callable[[Session, UUID], object]) -> UUID:
        """Store queries and have them answered.

        Args:
            organisation_id: Whose recordings may answer.
            queries: Peaks of "query" density.
            enqueue: Writes the task for this batch.

        Raises:
            InputError: They are too many.
        """
        if not 0 < len(queries) <= MOST_QUERIES:
            raise InputError(f"a batch has 1 to {MOST_QUERIES:,} sounds; these are {len(queries):,}")
        with self.database.read() as session:
            counted = select(func.count()).select_from(Fingerprint)
            tracks = session.scalar(counted.where(Fingerprint.params_hash.in_(usable_hashes(self.params)))) or 0
        row = RecognitionBatch(
            organisation_id=organisation_id,
            status=RUNNING,
            queries=len(queries),
            shards=self.shards,
            tracks=tracks,
            parts_left=self.shards,
            created_at=self.clock.now(),
        )
        with self.database.unit() as unit:
            unit.session.add(row)
            unit.session.flush()
        self.storage.put(_key(row.id), peaks_batch.to_bytes(queries))
        with self.database.unit() as unit:
            enqueue(unit.session, row.id)
        return row.id

    def answer_part(self, batch_id: UUID, shard: int, join: Callable[[Session], object]) -> dict[str, Any]:
        """Look all queries of a batch up in one shard, and have the answers joined if this was the last.

        Args:
            batch_id: Which batch.
            shard: Which shard.
            join: Writes the task that joins the answers.

        Raises:
            NotFoundError: There is no such batch, or it is over.
        """
        with self.database.read() as session:
            batch = session.get(RecognitionBatch, batch_id)
        if batch is None or batch.status != RUNNING:
            raise NotFoundError(f"there is no recognition batch {batch_id} to answer")
        queries = self._queries(batch_id)
        began = thread_time()
        index = self.index_of(shard)
        answers = [match(index, peaks, limit=CANDIDATES, among=batch.tracks) for peaks in queries]
        found = [[asdict(one) for one in answer if one.score >= LEAST_SCORE] for answer in answers]
        cpu_ms = (thread_time() - began) * 1000
        part = {
            "batch_id": batch_id,
            "shard": shard,
            "tracks": len(index),
            "candidates": found,
            "cpu_ms": cpu_ms,
            "worker": self.worker,
            "created_at": self.clock.now(),
        }
        with self.database.unit() as unit:
            insert = insert_sqlite if unit.session.get_bind().dialect.name == "sqlite" else insert_postgresql
            adding = insert(RecognitionPart).values(part).on_conflict_do_nothing().returning(RecognitionPart.shard)
            if unit.session.execute(adding).first() is not None:
                left = unit.session.scalar(
                    update(RecognitionBatch)
                    .where(RecognitionBatch.id == batch_id)
                    .values(parts_left=RecognitionBatch.parts_left - 1)
                    .returning(RecognitionBatch.parts_left)
                )
                if left == 0:
                    join(unit.session)
        return {"shard": shard, "tracks": len(index), "queries": len(queries), "cpu_ms": round(cpu_ms, 1)}

    def join(self, batch_id: UUID) -> dict[str, Any]:
        """Make one answer of what the shards said.

        Scores are for the library as a whole already. Where more than one shard has something to say, their
        candidates are weighed against each other once more, as one small index: what the best of them explains is
        not counted for the others, whichever shards they lie in.
        """
        with self.database.read() as session:
            batch = session.get_one(RecognitionBatch, batch_id)
            parts = session.scalars(
                select(RecognitionPart).where(RecognitionPart.batch_id == batch_id).order_by(RecognitionPart.shard)
            ).all()
        if batch.status != RUNNING:
            return {"queries": batch.queries, "answered": len(batch.answers or [])}
        queries = self._queries(batch_id)
        answers = []
        for number, peaks in enumerate(queries):
            said = [part.candidates[number] for part in parts if part.candidates[number]]
            found = [Candidate(**one) for shard in said for one in shard]
            if len(said) > 1:
                found = self._weigh(peaks, found, batch.tracks)
            answers.append(sorted((one for one in found if one.score >= LEAST_ANSWER), key=lambda one: -one.score))
        told = self._told(batch.organisation_id, answers)
        with self.database.unit() as unit:
            row = unit.session.get_one(RecognitionBatch, batch_id)
            row.answers, row.status, row.finished_at = told, FINISHED, self.clock.now()
        self.storage.delete(_key(batch_id))
        return {"queries": len(queries), "answered": sum(bool(one) for one in told)}

    def _weigh(self, peaks: Peaks, found: list[Candidate], tracks: int) -> list[Candidate]:
        numbers = sorted({one.track for one in found})
        with (
            tempfile.TemporaryDirectory(prefix="airledger-join-") as folder,
            Index.create(Path(folder) / "index", self.params) as index,
        ):
            index.add(dict(read_peaks(self.database, self.storage, self.params, numbers)))
            return match(index, peaks, limit=CANDIDATES, among=tracks)

    def _queries(self, batch_id: UUID) -> list[Peaks]:
        with self.storage.open(_key(batch_id)) as file:
            return peaks_batch.from_bytes(file.read())

    def _told(self, organisation_id: UUID, answers: list[list[Candidate]]) -> list[list[dict[str, Any]]]:
        """Name the recordings that the tracks stand for; other organisations' do not answer."""
        numbers = sorted({one.track for found in answers for one in found})
        named: dict[int, tuple[UUID, str]] = {}
        with self.database.read() as session:
            for start in range(0, len(numbers), IDS_AT_ONCE):
                query = (
                    select(Fingerprint.track, Fingerprint.recording_id, Recording.title)
                    .join(Recording, Recording.id == Fingerprint.recording_id)
                    .where(Fingerprint.track.in_(numbers[start : start + IDS_AT_ONCE]))
                    .where(Fingerprint.organisation_id == organisation_id)
                )
                named.update({row.track: (row.recording_id, row.title) for row in session.execute(query)})
        return [
            [
                {
                    "recording_id": str(named[one.track][0]),
                    "title": named[one.track][1],
                    **{name: value for name, value in asdict(one).items() if name != "track"},
                }
                for one in found
                if one.track in named
            ]
            for found in answers
        ]


def get_batch(session: Session, organisation_id: UUID, batch_id: UUID) -> RecognitionBatch:
    """Fetch a batch of an organisation.

    Raises:
        NotFoundError: There is none with this id, or it is another organisation's.
    """
    row = session.get(RecognitionBatch, batch_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFoundError(f"there is no recognition batch {batch_id}")
    return row


def parts_by_worker(session: Session, batch_id: UUID) -> dict[str, int]:
    """Count the parts of a batch by the process that answered them."""
    counts: defaultdict[str, int] = defaultdict(int)
    for worker in session.scalars(select(RecognitionPart.worker).where(RecognitionPart.batch_id == batch_id)):
        counts[worker] += 1
    return dict(counts)


def _key(batch_id: UUID) -> str:
    return f"batches/{batch_id.hex}.npz"
