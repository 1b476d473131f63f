"""Watching the catalogue: which streams are due, and who takes them. `record.py` writes down what was found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.stations.models import RETIRED, Stream
from airledger.stations.proof import LONG_PROOF_S
from airledger.stations.proof_job import ProofJob, is_loopback

BATCH = 32
PER_HOST_AT_ONCE = 16
CLAIM_S = 900.0
PAGE = 2_000


@dataclass(frozen=True)
class Due:
    """Streams that shall be proven together."""

    stream_ids: list[int]
    is_long: bool


def find_due(session: Session, now: datetime, *, limit: int) -> list[int]:
    """List streams that are due, those that have waited longest first, at most 16 of one host but this machine.

    Reads along the index of what is due and counts hosts on the way, so it reads little however many are due.
    """
    chosen: list[int] = []
    hosts: Counter[str] = Counter()
    query = select(Stream.id, Stream.host, Stream.next_check_at).where(Stream.next_check_at <= now)
    query = query.order_by(Stream.next_check_at, Stream.id).limit(PAGE)
    page = session.execute(query).all()
    while page:
        for row in page:
            hosts[row.host] += 1
            if hosts[row.host] <= PER_HOST_AT_ONCE or is_loopback(row.host):
                chosen.append(row.id)
                if len(chosen) == limit:
                    return chosen
        last = page[-1]
        page = session.execute(
            query.where(tuple_(Stream.next_check_at, Stream.id) > (last.next_check_at, last.id))
        ).all()
    return chosen


def claim_due(unit: Unit, stream_ids: Sequence[int], now: datetime) -> list[Due]:
    """Take streams that are still due; nobody else gets them for 15 minutes, by when their proof is written or lost.

    Streams of one host come in one batch, so that whoever proves it can be polite to the host.
    """
    rows = unit.session.execute(
        update(Stream)
        .where(Stream.id.in_(list(stream_ids)), Stream.next_check_at <= now)
        .values(next_check_at=now + timedelta(seconds=CLAIM_S))
        .returning(Stream.id, Stream.host, Stream.checks, Stream.long_proof_at)
        .execution_options(synchronize_session=False)
    ).all()
    rows = sorted(rows, key=lambda row: (row.host, row.id))
    long_ones = [row.id for row in rows if _is_long_due(row.checks, row.long_proof_at)]
    short_ones = [row.id for row in rows if not _is_long_due(row.checks, row.long_proof_at)]
    return [*_batches(short_ones, is_long=False), *_batches(long_ones, is_long=True)]


def proof_jobs(
    session: Session, stream_ids: Sequence[int], *, seconds: float, not_since: datetime | None = None
) -> list[ProofJob]:
    """Load what is to be proven, leaving out what was checked since `not_since` (a repeated task) or is retired."""
    query = select(
        Stream.id,
        Stream.url,
        Stream.request_headers,
        Stream.bitrate,
        Stream.checks,
        Stream.long_proof_at,
    ).where(Stream.id.in_(list(stream_ids)), Stream.state != RETIRED)
    if not_since is not None:
        query = query.where(or_(Stream.last_checked.is_(None), Stream.last_checked < not_since))
    return [
        ProofJob(
            row.id,
            row.url,
            max(seconds, LONG_PROOF_S) if _is_long_due(row.checks, row.long_proof_at) else seconds,
            row.request_headers or {},
            row.bitrate,
        )
        for row in session.execute(query)
    ]


def _is_long_due(checks: int, long_proof_at: datetime | None) -> bool:
    """Tell whether the next proof shall be long: the second of every stream is, only much sound tells a loop."""
    return checks > 0 and long_proof_at is None


def _batches(ids: list[int], *, is_long: bool) -> list[Due]:
    return [Due(ids[start : start + BATCH], is_long) for start in range(0, len(ids), BATCH)]
