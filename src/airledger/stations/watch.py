"""Watching the catalogue: which streams are due, and who takes them. `record.py` writes down what was found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.stations.models import PLAYING, RETIRED, Stream
from airledger.stations.probing.stages import CheckJob, Known, Stage, first_stage
from airledger.stations.proof import LONG_PROOF_S
from airledger.stations.proof_job import ProofJob, is_loopback

BATCH = 32
ASKED_IN_BATCH = 1_000
LOOKED_AT_IN_BATCH = 256
_IN_BATCH = {Stage.ASK: ASKED_IN_BATCH, Stage.LOOK: LOOKED_AT_IN_BATCH, Stage.LISTEN: BATCH}
_KNOWN = (
    Stream.state,
    Stream.failures_in_row,
    Stream.deep_proof_at,
    Stream.checks,
    Stream.long_proof_at,
    Stream.is_wrapped,
)
PER_HOST_AT_ONCE = 16
CLAIM_S = 900.0
PAGE = 2_000


@dataclass(frozen=True)
class Due:
    """Streams that shall be checked together."""

    stream_ids: list[int]
    is_long: bool
    stage: Stage = Stage.LISTEN


def find_due(session: Session, now: datetime, *, limit: float, deep_every_s: float = 0.0) -> list[int]:
    """List streams that are due, those that have waited longest first, at most 16 of one host but this machine.

    Reads along the index of what is due and counts hosts on the way, so it reads little however many are due.

    Args:
        session: To read with.
        now: The present.
        limit: How many batches' worth, as so many streams to listen to; a stream that is only asked costs less.
        deep_every_s: How old a deep proof may be before a stream is listened to again.
    """
    chosen: list[int] = []
    hosts: Counter[str] = Counter()
    spent = 0.0
    query = select(Stream.id, Stream.host, Stream.next_check_at, *_KNOWN).where(Stream.next_check_at <= now)
    query = query.order_by(Stream.next_check_at, Stream.id).limit(PAGE)
    page = session.execute(query).all()
    while page:
        for row in page:
            hosts[row.host] += 1
            if hosts[row.host] <= PER_HOST_AT_ONCE or is_loopback(row.host):
                chosen.append(row.id)
                spent += BATCH / _IN_BATCH[_stage(row, now, deep_every_s)]
                if spent >= limit:
                    return chosen
        last = page[-1]
        page = session.execute(
            query.where(tuple_(Stream.next_check_at, Stream.id) > (last.next_check_at, last.id))
        ).all()
    return chosen


def claim_due(unit: Unit, stream_ids: Sequence[int], now: datetime, *, deep_every_s: float = 0.0) -> list[Due]:
    """Take streams that are still due; nobody else gets them for 15 minutes, by when their proof is written or lost.

    Streams of one host come in one batch, so that whoever proves it can be polite to the host.
    """
    rows = unit.session.execute(
        update(Stream)
        .where(Stream.id.in_(list(stream_ids)), Stream.next_check_at <= now)
        .values(next_check_at=now + timedelta(seconds=CLAIM_S))
        .returning(Stream.id, Stream.host, *_KNOWN)
        .execution_options(synchronize_session=False)
    ).all()
    rows = sorted(rows, key=lambda row: (row.host, row.id))
    kinds: dict[tuple[Stage, bool], list[int]] = {}
    for row in rows:
        stage = _stage(row, now, deep_every_s)
        is_long = stage is not Stage.ASK and _is_long_due(row.checks, row.long_proof_at)
        kinds.setdefault((stage, is_long), []).append(row.id)
    return [
        Due(ids[start : start + _IN_BATCH[stage]], is_long, stage)
        for (stage, is_long), ids in kinds.items()
        for start in range(0, len(ids), _IN_BATCH[stage])
    ]


def check_jobs(
    session: Session,
    stream_ids: Sequence[int],
    *,
    seconds: float,
    now: datetime,
    deep_every_s: float = 0.0,
    not_since: datetime | None = None,
) -> list[CheckJob]:
    """Load what is to be checked, leaving out what was checked since `not_since` (a repeated task) or is retired."""
    query = select(Stream.id, Stream.url, Stream.request_headers, Stream.bitrate, *_KNOWN).where(
        Stream.id.in_(list(stream_ids)), Stream.state != RETIRED
    )
    if not_since is not None:
        query = query.where(or_(Stream.last_checked.is_(None), Stream.last_checked < not_since))
    return [
        CheckJob(
            ProofJob(
                row.id,
                row.url,
                max(seconds, LONG_PROOF_S) if _is_long_due(row.checks, row.long_proof_at) else seconds,
                row.request_headers or {},
                row.bitrate,
            ),
            _stage(row, now, deep_every_s),
            row.state == PLAYING,
        )
        for row in session.execute(query)
    ]


def _stage(row: Any, now: datetime, deep_every_s: float) -> Stage:
    is_long_due = _is_long_due(row.checks, row.long_proof_at)
    known = Known(row.state, row.failures_in_row, row.deep_proof_at, is_long_due, row.is_wrapped)
    return first_stage(known, now, deep_every_s)


def _is_long_due(checks: int, long_proof_at: datetime | None) -> bool:
    """Tell whether the next proof shall be long: the second of every stream is, only much sound tells a loop."""
    return checks > 0 and long_proof_at is None
