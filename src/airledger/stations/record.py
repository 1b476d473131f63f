"""Writing down what proofs found: rows, history, metrics, habits, and the events that tell of it. Many in one unit."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.stations.changes import note_change
from airledger.stations.events import StreamChecked, StreamFlapping, StreamStateChanged
from airledger.stations.models import FAILING, OFF_HOURS, PLAYING, RETIRED, Station, Stream, StreamMetric, Verification
from airledger.stations.proof import Proof
from airledger.stations.score import Evidence, lower_bound, quality, reliability
from airledger.stations.self_told import adopt_own_words
from airledger.stations.standing import Pace, Standing, after, pause_s
from airledger.stations.submit import OPTED_OUT, retire_stream
from airledger.stations.watching import habit as habits
from airledger.stations.watching.models import StreamHabit

MAX_TITLE_CHARS = 500
UTC_ZONE = "UTC"


def record_proof(unit: Unit, stream_id: int, proof: Proof, *, now: datetime, pace: Pace) -> str | None:
    """Write one proof; see `record_proofs`.

    Returns:
        The state of the stream now; None when it is gone.
    """
    return record_proofs(unit, [(stream_id, proof)], now=now, pace=pace).get(stream_id)


def record_proofs(unit: Unit, proofs: Sequence[tuple[int, Proof]], *, now: datetime, pace: Pace) -> dict[int, str]:
    """Write proofs: each stream's row, its history, its metrics, its habit, and the events that tell of it.

    A host that asks to be left alone (`Retry-After`) is: none of its streams comes before that.

    Args:
        unit: Of all of them; some hundred proofs hold the lock for less than 0.1 s.
        proofs: By stream.
        now: When they were made.
        pace: How often checks come.

    Returns:
        The state of each stream now; those that are gone or retired are left out.
    """
    ids = sorted({stream_id for stream_id, _ in proofs})
    session = unit.session
    with session.no_autoflush:
        streams = {row.id: row for row in session.scalars(select(Stream).where(Stream.id.in_(ids)))}
        learnt = _Habits(session, ids, now)
        states = {}
        for stream_id, proof in proofs:
            stream = streams.get(stream_id)
            if stream is None or stream.state == RETIRED:
                continue
            _record(unit, stream, proof, learnt, now=now, pace=pace)
            states[stream_id] = stream.state
    _rest_hosts(session, [(streams[one].host, proof) for one, proof in proofs if one in states], now)
    return states


def _record(unit: Unit, stream: Stream, proof: Proof, learnt: "_Habits", *, now: datetime, pace: Pace) -> None:
    before, was_flapping = stream.state, stream.is_flapping
    elapsed_s = (now - stream.last_checked).total_seconds() if stream.last_checked else 0.0
    is_expected_off = not proof.is_healthy and learnt.is_expected_off(stream.id)
    standing = after(_standing(stream), proof, elapsed_s, is_expected_off=is_expected_off)
    learnt.note(stream, standing, proof)
    expected_on_in_s = learnt.expected_on_in_s(stream.id) if standing.state == OFF_HOURS else None
    _write_standing(stream, standing, proof, now)
    wait_s = pause_s(standing, proof, pace, stream.id, expected_on_in_s=expected_on_in_s)
    stream.next_check_at = now + timedelta(seconds=max(wait_s, proof.retry_after_s or 0.0))
    _write_findings(stream, proof)
    adopt_own_words(unit, stream, proof, now)
    note_change(stream, now)
    unit.session.add(_verification(stream.id, proof, now))
    down_s = round(elapsed_s) if before == FAILING else 0
    unit.session.add(_metric(stream, proof, down_s, now))
    if proof.do_not_index:
        retire_stream(unit, stream, OPTED_OUT, now)
    elif before != stream.state:
        change = StreamStateChanged(stream_id=stream.id, from_state=before, to_state=stream.state, cause=stream.cause)
        publish(unit, change, at=now)
    if was_flapping != stream.is_flapping:
        publish(unit, StreamFlapping(stream_id=stream.id, is_flapping=stream.is_flapping), at=now)
    publish(unit, _checked(stream, proof), at=now)


class _Habits:
    """The habits of some streams, loaded once and written back where something new was seen."""

    def __init__(self, session: Session, stream_ids: Collection[int], now: datetime) -> None:
        self._session = session
        self._now = now
        query = select(StreamHabit).where(StreamHabit.stream_id.in_(stream_ids))
        self._rows = {row.stream_id: row for row in session.scalars(query)}
        self._habits = {stream_id: habits.unpacked(row.days) for stream_id, row in self._rows.items()}

    def is_expected_off(self, stream_id: int) -> bool:
        row = self._rows.get(stream_id)
        return row is not None and habits.is_expected_off(self._habits[stream_id], local_s(self._now, row.time_zone))

    def expected_on_in_s(self, stream_id: int) -> float:
        row = self._rows[stream_id]
        return habits.expected_on_in_s(self._habits[stream_id], local_s(self._now, row.time_zone))

    def note(self, stream: Stream, standing: Standing, proof: Proof) -> None:
        """Note that a stream plays or is off; one that has never failed needs no row. Before the row is written."""
        is_off = not proof.is_healthy and standing.state in {FAILING, OFF_HOURS}
        is_on = proof.is_healthy and standing.state == PLAYING
        row = self._rows.get(stream.id)
        if not (is_off or (is_on and row is not None)):
            return
        zone = row.time_zone if row is not None else self._zone(stream)
        was_alike = (
            stream.state in {FAILING, OFF_HOURS} if is_off else stream.state == PLAYING and not stream.failures_in_row
        )
        since_s = local_s(stream.last_checked, zone) if was_alike and stream.last_checked else None
        known = self._habits.get(stream.id, habits.NO_HABIT)
        habit = habits.seen(known, local_s(self._now, zone), is_on=is_on, since_s=since_s)
        if habit != known:
            self._write(stream.id, zone, habit)

    def _write(self, stream_id: int, zone: str, habit: habits.Habit) -> None:
        row = self._rows.get(stream_id)
        self._habits[stream_id] = habit
        if row is None:
            row = StreamHabit(stream_id=stream_id, time_zone=zone, days=habits.packed(habit), updated_at=self._now)
            self._session.add(row)
            self._rows[stream_id] = row
        elif habits.has_been_off(habit):
            row.days, row.updated_at = habits.packed(habit), self._now
        else:
            self._session.delete(row)
            del self._rows[stream_id], self._habits[stream_id]

    def _zone(self, stream: Stream) -> str:
        if stream.station_id is None:
            return UTC_ZONE
        return self._session.scalar(select(Station.time_zone).where(Station.id == stream.station_id)) or UTC_ZONE


def local_s(moment: datetime, zone: str) -> float:
    """Return what a clock of a zone shows, as seconds since 1970; an unknown zone's clock shows UTC."""
    try:
        offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    except (KeyError, ValueError, OSError):
        offset = None
    return moment.timestamp() + (offset.total_seconds() if offset else 0.0)


def _rest_hosts(session: Session, proven: Sequence[tuple[str, Proof]], now: datetime) -> None:
    """Move all checks of hosts that asked for a rest behind it."""
    rests: dict[str, float] = {}
    for host, proof in proven:
        if proof.retry_after_s:
            rests[host] = max(rests.get(host, 0.0), proof.retry_after_s)
    for host, rest_s in rests.items():
        until = now + timedelta(seconds=rest_s)
        session.execute(
            update(Stream)
            .where(Stream.host == host, Stream.next_check_at < until)
            .values(next_check_at=until)
            .execution_options(synchronize_session="fetch")
        )


def _standing(stream: Stream) -> Standing:
    return Standing(
        state=stream.state,
        evidence=Evidence(stream.successes, stream.failures),
        failures_in_row=stream.failures_in_row,
        successes_in_row=stream.successes_in_row,
        needs_long_proof=stream.long_proof_at is None,
        recent=stream.recent_checks,
        is_flapping=stream.is_flapping,
        failing_s=_failing_s(stream),
    )


def _failing_s(stream: Stream) -> float:
    if stream.failing_since is None or stream.last_checked is None:
        return 0.0
    return (stream.last_checked - stream.failing_since).total_seconds()


def _write_standing(stream: Stream, standing: Standing, proof: Proof, now: datetime) -> None:
    stream.state = standing.state
    stream.successes, stream.failures = standing.evidence.successes, standing.evidence.failures
    stream.recent_checks, stream.is_flapping = standing.recent, standing.is_flapping
    stream.failures_in_row, stream.successes_in_row = standing.failures_in_row, standing.successes_in_row
    stream.reliability_score = reliability(standing.evidence)
    stream.reliability_lower_bound = lower_bound(standing.evidence)
    stream.checks += 1
    stream.last_checked = now
    stream.cause = None if proof.is_healthy and standing.state != FAILING else proof.cause or stream.cause
    if proof.connected is not None:
        stream.remote_address = proof.connected.remote_address or stream.remote_address
    stream.failing_since = (stream.failing_since or now) if standing.state == FAILING else None
    if not standing.needs_long_proof and stream.long_proof_at is None:
        stream.long_proof_at = now
    elif standing.needs_long_proof:
        stream.long_proof_at = None
    if proof.is_healthy:
        stream.last_success = now
    else:
        stream.errors += standing.state != OFF_HOURS
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


def _metric(stream: Stream, proof: Proof, down_s: int, now: datetime) -> StreamMetric:
    return StreamMetric(
        stream_id=stream.id,
        response_time_ms=proof.response_time_ms or 0,
        uptime_percentage=round(100 * (1 - stream.errors / stream.checks), 2),
        error_count=stream.errors,
        last_error_type=stream.last_error,
        bandwidth_kbps=proof.bandwidth_kbps or 0,
        check_timestamp=now,
        is_healthy=None if stream.state == OFF_HOURS else proof.is_healthy,
        down_s=down_s,
        cause=proof.cause.value if proof.cause else "",
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
