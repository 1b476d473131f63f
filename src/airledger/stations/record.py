"""Writing down what proofs found: rows, history, metrics, habits, and the events that tell of it. Many in one unit."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from airledger.platform.db import Unit
from airledger.platform.events import publish
from airledger.stations.changes import note_change
from airledger.stations.decide import decide
from airledger.stations.events import StreamChecked, StreamFlapping, StreamStateChanged
from airledger.stations.models import FAILING, OFF_HOURS, RETIRED, Station, Stream, StreamMetric, Verification
from airledger.stations.probing.playable import StreamFacts, as_text, playable_in
from airledger.stations.proof import Proof
from airledger.stations.score import Evidence, lower_bound, quality, reliability
from airledger.stations.self_told import adopt_own_words
from airledger.stations.standing import Pace, Standing
from airledger.stations.submit import OPTED_OUT, retire_stream
from airledger.stations.watching import habit as habits
from airledger.stations.watching.models import StreamHabit

MAX_TITLE_CHARS = 500
UTC_ZONE = "UTC"
OURS_AGAIN_SHARE = 0.25  # of the usual pause, after a check that told nothing of the stream


def record_proof(unit: Unit, stream_id: int, proof: Proof, *, now: datetime, pace: Pace) -> str | None:
    """Write one proof; see `record_proofs`.

    Returns:
        The state of the stream now; None when it is gone.
    """
    return record_proofs(unit, [(stream_id, proof)], now=now, pace=pace).get(stream_id)


def record_proofs(unit: Unit, proofs: Sequence[tuple[int, Proof]], *, now: datetime, pace: Pace) -> dict[int, str]:
    """Write proofs, deep or light: each stream's row, its history, metrics and habit, and the events that tell of it.

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
            if proof.cause is not None and proof.cause.is_ours:
                _record_our_own_trouble(unit, stream, proof, now=now, pace=pace)
            else:
                _record(unit, stream, proof, learnt, now=now, pace=pace)
            states[stream_id] = stream.state
    _rest_hosts(session, [(streams[one].host, proof) for one, proof in proofs if one in states], now)
    return states


def _record(unit: Unit, stream: Stream, proof: Proof, learnt: "_Habits", *, now: datetime, pace: Pace) -> None:
    before, was_flapping = stream.state, stream.is_flapping
    elapsed_s = (now - stream.last_checked).total_seconds() if stream.last_checked else 0.0
    decided = decide(
        _standing(stream),
        learnt.of(stream.id),
        proof,
        elapsed_s=elapsed_s,
        clock_s=learnt.clock_s(stream),
        pace=pace,
        stream_id=stream.id,
    )
    learnt.learn(stream, decided.habit)
    _write_standing(stream, decided.standing, proof, now)
    stream.next_check_at = now + timedelta(seconds=max(decided.pause_s, proof.retry_after_s or 0.0))
    _write_findings(stream, proof, now)
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


def _record_our_own_trouble(unit: Unit, stream: Stream, proof: Proof, *, now: datetime, pace: Pace) -> None:
    """Note that we could not judge (banned, asked to wait, no network of ours); the stream stands as it stood."""
    wait_s = max(proof.retry_after_s or 0.0, pace.nominal_s * OURS_AGAIN_SHARE)
    stream.next_check_at = now + timedelta(seconds=wait_s)
    unit.session.add(_verification(stream.id, proof, now))


class _Habits:
    """The habits of some streams, loaded once and written back where something new was seen."""

    def __init__(self, session: Session, stream_ids: Collection[int], now: datetime) -> None:
        self._session = session
        self._now = now
        query = select(StreamHabit).where(StreamHabit.stream_id.in_(stream_ids))
        self._rows = {row.stream_id: row for row in session.scalars(query)}
        zones = select(Stream.id, Station.time_zone).join(Station, Station.id == Stream.station_id)
        self._zones: dict[int, str | None] = {
            row[0]: row[1] for row in session.execute(zones.where(Stream.id.in_(stream_ids)))
        }
        self._habits = {stream_id: habits.unpacked(row.days) for stream_id, row in self._rows.items()}

    def of(self, stream_id: int) -> habits.Habit:
        return self._habits.get(stream_id, habits.NO_HABIT)

    def clock_s(self, stream: Stream) -> float:
        row = self._rows.get(stream.id)
        return local_s(self._now, row.time_zone if row is not None else self._zone(stream))

    def learn(self, stream: Stream, habit: habits.Habit) -> None:
        """Keep what was seen; a stream that has not failed for eight weeks needs no row any more."""
        if habit is self.of(stream.id):
            return
        row = self._rows.get(stream.id)
        self._habits[stream.id] = habit
        if row is None:
            zone = self._zone(stream)
            row = StreamHabit(stream_id=stream.id, time_zone=zone, days=habits.packed(habit), updated_at=self._now)
            self._session.add(row)
            self._rows[stream.id] = row
        elif habits.has_been_off(habit):
            row.days, row.updated_at = habits.packed(habit), self._now
        else:
            self._session.delete(row)
            del self._rows[stream.id], self._habits[stream.id]

    def _zone(self, stream: Stream) -> str:
        """The station's zone; asked for all streams at once, since most have no row that names it."""
        return self._zones.get(stream.id) or UTC_ZONE


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


def _write_findings(stream: Stream, proof: Proof, now: datetime) -> None:
    """Take over what was measured; what this proof could not see stays as it was."""
    if not proof.is_deep:
        return
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
        stream.deep_proof_at = now
        _write_players(stream, proof)


def _write_players(stream: Stream, proof: Proof) -> None:
    """Say which clients can play a stream that was just heard."""
    if proof.allows_any_origin is not None:
        stream.allows_any_origin = proof.allows_any_origin
    stream.playable_in = as_text(
        playable_in(
            StreamFacts(
                url=proof.url_final or stream.url,
                https_url=stream.https_url,
                codec=proof.codec,
                picture_codec=proof.picture_codec,
                container="" if proof.is_hls else proof.container,
                is_hls=proof.is_hls,
                allows_any_origin=stream.allows_any_origin,
                needs_headers=bool(stream.request_headers),
            )
        )
    )


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
        cause_confidence=proof.cause_confidence,
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
