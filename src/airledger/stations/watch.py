"""Watching the catalogue: which streams are due, and writing down what a proof found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.stations.events import StreamChecked, StreamStateChanged
from airledger.stations.models import FAILING, RETIRED, Stream, StreamMetric, Verification
from airledger.stations.probe import LOOPBACK_HOSTS, ProofJob
from airledger.stations.proof import LONG_PROOF_S, Proof
from airledger.stations.score import Evidence, lower_bound, quality, reliability
from airledger.stations.self_told import adopt_own_words
from airledger.stations.standing import Pace, Standing, after, pause_s
from airledger.stations.submit import OPTED_OUT, retire_stream

BATCH = 32
PER_HOST_AT_ONCE = 16
CLAIM_S = 900.0
MAX_TITLE_CHARS = 500


@dataclass(frozen=True)
class Due:
    """Streams that shall be proven together."""

    stream_ids: list[int]
    is_long: bool


def find_due(session: Session, now: datetime, *, limit: int) -> list[int]:
    """List streams that are due, those that have waited longest first, at most 16 of one host but this machine."""
    place = func.row_number().over(partition_by=Stream.host, order_by=Stream.next_check_at).label("place")
    due = (
        select(Stream.id, Stream.host, Stream.next_check_at, place)
        .where(Stream.is_active, Stream.state != RETIRED, Stream.next_check_at <= now)
        .subquery()
    )
    is_polite = or_(due.c.place <= PER_HOST_AT_ONCE, due.c.host.in_(LOOPBACK_HOSTS), due.c.host.startswith("127."))
    polite = select(due.c.id).where(is_polite).order_by(due.c.next_check_at, due.c.id)
    return list(session.scalars(polite.limit(limit)))


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


def record_proof(unit: Unit, stream_id: int, proof: Proof, *, now: datetime, pace: Pace) -> str | None:
    """Write a proof: the stream's row, its history, its metrics, and the events that tell of it.

    Returns:
        The state of the stream now; None when it is gone.
    """
    stream = unit.session.get(Stream, stream_id)
    if stream is None or stream.state == RETIRED:
        return None
    before = stream.state
    elapsed_s = (now - stream.last_checked).total_seconds() if stream.last_checked else 0.0
    standing = after(_standing(stream), proof, elapsed_s)
    _write_standing(stream, standing, proof, now)
    stream.next_check_at = now + timedelta(seconds=pause_s(standing, proof, pace, stream_id))
    _write_findings(stream, proof)
    adopt_own_words(unit, stream, proof, now)
    unit.session.add(_verification(stream_id, proof, now))
    unit.session.add(_metric(stream, proof, now))
    if proof.do_not_index:
        retire_stream(unit, stream, OPTED_OUT, now)
    elif before != stream.state:
        change = StreamStateChanged(stream_id=stream_id, from_state=before, to_state=stream.state, cause=stream.cause)
        publish(unit, change, at=now)
    publish(unit, _checked(stream, proof), at=now)
    return stream.state


def _is_long_due(checks: int, long_proof_at: datetime | None) -> bool:
    """Tell whether the next proof shall be long: the second of every stream is, only much sound tells a loop."""
    return checks > 0 and long_proof_at is None


def _batches(ids: list[int], *, is_long: bool) -> list[Due]:
    return [Due(ids[start : start + BATCH], is_long) for start in range(0, len(ids), BATCH)]


def _standing(stream: Stream) -> Standing:
    return Standing(
        state=stream.state,
        evidence=Evidence(stream.successes, stream.failures),
        failures_in_row=stream.failures_in_row,
        successes_in_row=stream.successes_in_row,
        needs_long_proof=stream.long_proof_at is None,
    )


def _write_standing(stream: Stream, standing: Standing, proof: Proof, now: datetime) -> None:
    stream.state = standing.state
    stream.successes, stream.failures = standing.evidence.successes, standing.evidence.failures
    stream.failures_in_row, stream.successes_in_row = standing.failures_in_row, standing.successes_in_row
    stream.reliability_score = reliability(standing.evidence)
    stream.reliability_lower_bound = lower_bound(standing.evidence)
    stream.checks += 1
    stream.last_checked = stream.updated_at = now
    stream.cause = None if proof.is_healthy and standing.state != FAILING else proof.cause or stream.cause
    stream.failing_since = (stream.failing_since or now) if standing.state == FAILING else None
    if not standing.needs_long_proof and stream.long_proof_at is None:
        stream.long_proof_at = now
    elif standing.needs_long_proof:
        stream.long_proof_at = None
    if proof.is_healthy:
        stream.last_success = now
    else:
        stream.errors += 1
        stream.last_error = proof.cause.value if proof.cause else ""


def _write_findings(stream: Stream, proof: Proof) -> None:
    """Take over what was measured; what this proof could not see stays as it was."""
    stream.warnings = list(proof.warnings) if proof.sound_s or not stream.warnings else stream.warnings
    stream.codec = proof.codec or stream.codec
    stream.bitrate_measured_kbps = proof.bandwidth_kbps or stream.bitrate_measured_kbps
    if proof.has_sound is not None:
        stream.has_sound = proof.has_sound
    if proof.has_picture is not None:
        stream.has_picture = proof.has_picture
        stream.type = stream.type or ("tv" if proof.has_picture else "radio")
    if proof.connected is not None:
        stream.is_hls, stream.is_wrapped, stream.url_resolved = proof.is_hls, proof.is_wrapped, proof.url_final
    if proof.stream_title:
        stream.stream_title = proof.stream_title[:MAX_TITLE_CHARS]
    if proof.is_healthy:
        stream.quality_score = quality(proof.codec, proof.bandwidth_kbps, proof.sample_rate_hz, len(proof.warnings))


def _verification(stream_id: int, proof: Proof, now: datetime) -> Verification:
    return Verification(
        stream_id=stream_id,
        checked_at=now,
        level=proof.level,
        is_healthy=proof.is_healthy,
        cause=proof.cause.value if proof.cause else None,
        is_permanent=proof.permanent,
        detail=proof.detail,
        http_status=proof.http_status,
        response_time_ms=proof.response_time_ms,
        bandwidth_kbps=proof.bandwidth_kbps,
        bitrate_claimed_kbps=proof.bitrate_claimed_kbps,
        codec=proof.codec,
        sample_rate_hz=proof.sample_rate_hz,
        channels=proof.channels,
        sound_s=proof.sound_s,
        stream_title=proof.stream_title,
        warnings=list(proof.warnings),
    )


def _metric(stream: Stream, proof: Proof, now: datetime) -> StreamMetric:
    return StreamMetric(
        stream_id=stream.id,
        response_time_ms=proof.response_time_ms or 0,
        uptime_percentage=round(100 * (1 - stream.errors / stream.checks), 2),
        error_count=stream.errors,
        last_error_type=stream.last_error,
        bandwidth_kbps=proof.bandwidth_kbps or 0,
        check_timestamp=now,
    )


def _checked(stream: Stream, proof: Proof) -> StreamChecked:
    return StreamChecked(
        stream_id=stream.id,
        state=stream.state,
        cause=stream.cause,
        is_healthy=proof.is_healthy,
        level=proof.level,
        response_time_ms=proof.response_time_ms,
        bitrate_measured_kbps=stream.bitrate_measured_kbps,
        codec=stream.codec,
        has_picture=stream.has_picture,
        is_hls=stream.is_hls,
        stream_title=stream.stream_title,
        reliability_score=stream.reliability_score,
        reliability_lower_bound=stream.reliability_lower_bound,
        quality_score=stream.quality_score,
        last_checked=stream.last_checked.isoformat() if stream.last_checked else "",
        last_success=stream.last_success.isoformat() if stream.last_success else None,
        warnings=stream.warnings,
    )
