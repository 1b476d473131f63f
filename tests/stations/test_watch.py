from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.events import EventRow
from airledger.stations.cause import Cause
from airledger.stations.cleanup import retire_dead
from airledger.stations.models import (
    FAILING,
    OFF_HOURS,
    PLAYING,
    RETIRED,
    UNPROVEN,
    Listing,
    Station,
    Stream,
    StreamMetric,
    Verification,
)
from airledger.stations.proof import LONG_PROOF_S, Proof
from airledger.stations.record import record_proof, record_proofs
from airledger.stations.standing import Pace
from airledger.stations.tuner.listening import Connected, IcyInfo
from airledger.stations.watch import CLAIM_S, PER_HOST_AT_ONCE, check_jobs, claim_due, find_due
from airledger.stations.watching.models import StreamHabit
from stations.rows import GOOD, LONG, add_stream, bad

PACE = Pace(3_600, 7_200)


def told_by(icy: IcyInfo, **headers: str) -> Connected:
    return Connected(
        url="http://a.example/live",
        via=(),
        status=200,
        headers=headers,
        icy=icy,
        content_type="audio/mpeg",
        container="mp3",
        kind="icy",
        response_time_ms=5.0,
        remote_address="192.0.2.1",
        at=0.0,
    )


def write(database: Database, clock: SteppedClock, stream_id: int, *proofs: Proof) -> Stream:
    for proof in proofs:
        clock.step(60)
        with database.unit() as unit:
            record_proof(unit, stream_id, proof, now=clock.now(), pace=PACE)
    with database.read() as session:
        return session.get_one(Stream, stream_id)


def test_a_proof_fills_the_row_the_history_and_every_metric(either_database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(either_database, clock, type=None)
    row = write(either_database, clock, stream_id, GOOD)
    assert (row.state, row.codec, row.type, row.has_sound, row.stream_title) == (PLAYING, "mp3", "radio", True, "A - B")
    assert row.reliability_score > 0.7
    assert (row.last_checked, row.last_success, row.checks, row.errors) == (clock.now(), clock.now(), 1, 0)
    with either_database.read() as session:
        metric = session.scalars(select(StreamMetric)).one()
        assert all(getattr(metric, column.key) is not None for column in StreamMetric.__table__.columns)
        assert session.scalars(select(Verification)).one().sample_rate_hz == 44_100
        events = session.execute(select(EventRow.type, EventRow.payload).order_by(EventRow.id)).all()
    assert [kind for kind, _ in events] == ["stream.state_changed", "stream.checked"]
    assert events[0][1] == {"stream_id": stream_id, "from_state": "unproven", "to_state": "playing", "cause": None}
    assert events[1][1]["bitrate_measured_kbps"] == 128


def test_failures_are_written_down_with_every_metric(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    row = write(database, clock, stream_id, GOOD, *[bad(Cause.TIMEOUT)] * 3)
    assert (row.state, row.cause, row.failing_since, row.errors) == (FAILING, "timeout", clock.now(), 3)
    assert row.codec == "mp3"  # what was seen before stays
    with database.read() as session:
        last = session.scalars(select(StreamMetric).order_by(StreamMetric.id.desc())).first()
        assert last is not None
        assert (last.uptime_percentage, last.error_count, last.last_error_type) == (25.0, 3, "timeout")
        assert all(getattr(last, column.key) is not None for column in StreamMetric.__table__.columns)
    again = write(database, clock, stream_id, GOOD, GOOD)
    assert (again.state, again.cause, again.failing_since) == (PLAYING, None, None)


def test_a_second_proof_is_long(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock, bitrate=128, request_headers={"User-Agent": "V"})

    def seconds() -> float:
        with database.read() as session:
            [check] = check_jobs(session, [stream_id], seconds=12, now=clock.now())
            job = check.job
            assert (job.headers, job.claimed_kbps) == ({"User-Agent": "V"}, 128)
            return job.seconds

    assert seconds() == 12
    row = write(database, clock, stream_id, GOOD)
    assert row.next_check_at is not None
    assert row.next_check_at - clock.now() < timedelta(seconds=10)
    assert seconds() == LONG_PROOF_S
    row = write(database, clock, stream_id, LONG)
    assert row.long_proof_at == clock.now()
    assert seconds() == 12


def test_a_repeated_task_leaves_out_what_was_proven(database: Database, clock: SteppedClock) -> None:
    done, open_one = add_stream(database, clock), add_stream(database, clock, "http://b.example/")
    planned_at = clock.now()
    write(database, clock, done, GOOD)
    with database.read() as session:
        jobs = check_jobs(session, [done, open_one], seconds=12, now=clock.now(), not_since=planned_at)
    assert [one.job.id for one in jobs] == [open_one]


def test_due_streams_are_claimed_once(either_database: Database, clock: SteppedClock) -> None:
    ids = {add_stream(either_database, clock, f"http://h{n % 3}.example/{n}") for n in range(6)}
    add_stream(either_database, clock, "http://later.example/", next_check_at=clock.now() + timedelta(hours=1))
    with either_database.read() as session:
        due = find_due(session, clock.now(), limit=100)
    assert set(due) == ids
    with either_database.unit() as unit:
        [batch] = claim_due(unit, due, clock.now())
    assert set(batch.stream_ids) == ids
    with either_database.unit() as unit:
        assert claim_due(unit, due, clock.now()) == []
    clock.step(CLAIM_S + 1)  # the worker died without a word
    with either_database.read() as session:
        assert set(find_due(session, clock.now(), limit=100)) == ids


def test_one_host_does_not_crowd_out_the_others(database: Database, clock: SteppedClock) -> None:
    crowd = [add_stream(database, clock, f"http://crowd.example/{n}") for n in range(PER_HOST_AT_ONCE + 10)]
    own = {add_stream(database, clock, f"http://127.0.0.1:8000/{n}") for n in range(PER_HOST_AT_ONCE + 10)}
    clock.step(5)
    other = add_stream(database, clock, "http://other.example/")
    with database.read() as session:
        due = find_due(session, clock.now(), limit=1_000)
    assert other in due
    assert len(set(due) & set(crowd)) == PER_HOST_AT_ONCE
    assert own <= set(due)  # this machine needs no politeness


def test_the_owners_wish_is_respected(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    wish = Proof(level=4, is_healthy=True, sound_s=12, connected=told_by(IcyInfo(do_not_index=True)))
    row = write(database, clock, stream_id, wish)
    assert (row.state, row.is_active, row.retired_reason, row.next_check_at) == (RETIRED, False, "opted_out", None)
    with database.unit() as unit:
        assert record_proof(unit, stream_id, GOOD, now=clock.now(), pace=PACE) is None


def test_a_streams_own_words_fill_gaps(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock, name="Listed")
    icy = IcyInfo(name="Own", genre="Jazz", description="Unspecified description", bitrate_kbps=96)
    words = told_by(icy, **{"icy-country-code": "gh", "icy-geo-lat-long": "5.6,-0.2"})
    row = write(database, clock, stream_id, Proof(level=4, is_healthy=True, sound_s=12, connected=words))
    assert (row.name, row.genre, row.bitrate, row.country_code, row.description) == ("Listed", "Jazz", 96, "GH", None)
    assert "jazz" in row.search_text
    with database.read() as session:
        listing = session.scalars(select(Listing)).one()
        assert (listing.source, listing.claims["name"]) == ("stream", "Own")


def test_the_long_dead_are_retired_and_the_merely_absent_are_not(database: Database, clock: SteppedClock) -> None:
    gone = add_stream(database, clock, "http://gone.example/")
    slow = add_stream(database, clock, "http://slow.example/")
    write(database, clock, gone, bad(Cause.NOT_FOUND))
    write(database, clock, slow, *[bad(Cause.TIMEOUT)] * 3)
    clock.step(29 * 86_400)
    with database.unit() as unit:
        assert retire_dead(unit, clock.now()) == 0
    clock.step(2 * 86_400)
    with database.unit() as unit:
        assert retire_dead(unit, clock.now()) == 1
    with database.read() as session:
        assert session.get_one(Stream, gone).retired_reason == "dead"
        assert session.get_one(Stream, slow).state == FAILING


def test_many_proofs_are_written_in_one_unit(either_database: Database, clock: SteppedClock) -> None:
    ids = [add_stream(either_database, clock, f"http://h{n}.example/") for n in range(5)]
    proofs = [(stream_id, GOOD if n % 2 else bad(Cause.NOT_FOUND)) for n, stream_id in enumerate(ids)]
    with either_database.unit() as unit:
        states = record_proofs(unit, [*proofs, (999, GOOD)], now=clock.now(), pace=PACE)
    assert states == {stream_id: PLAYING if n % 2 else FAILING for n, stream_id in enumerate(ids)}
    with either_database.read() as session:
        assert session.scalar(select(func.count()).select_from(Verification)) == 5


def test_a_host_that_asks_for_a_rest_gets_it_for_all_its_streams(
    either_database: Database, clock: SteppedClock
) -> None:
    asked, beside = (add_stream(either_database, clock, f"http://busy.example/{n}") for n in range(2))
    elsewhere = add_stream(either_database, clock, "http://calm.example/")
    busy = replace(bad(Cause.RATE_LIMITED), retry_after_s=1_800.0)
    with either_database.unit() as unit:
        record_proofs(unit, [(asked, busy)], now=clock.now(), pace=PACE)
    clock.step(1_799)
    with either_database.read() as session:
        assert find_due(session, clock.now(), limit=10) == [elsewhere]
    clock.step(1)
    with either_database.read() as session:
        assert set(find_due(session, clock.now(), limit=10)) == {asked, beside, elsewhere}


def test_a_stream_that_closes_at_night_is_off_and_not_failing(database: Database, clock: SteppedClock) -> None:
    with database.unit() as unit:
        station = Station(identity="s", name="S", time_zone="America/New_York", created_at=clock.now())
        unit.session.add(station)
        unit.session.flush()
        station_id = station.id
    stream_id = add_stream(database, clock, station_id=station_id)
    clock.step(5 * 3_600)  # midnight there
    states: list[list[str]] = []
    for hour in range(24 * 8):
        is_on = hour % 24 >= 6
        with database.unit() as unit:
            for _ in range(1 if is_on else 3):
                state = record_proof(unit, stream_id, GOOD if is_on else bad(Cause.TIMEOUT), now=clock.now(), pace=PACE)
        states += [[]] if hour % 24 == 0 else []
        states[-1].append(str(state))
        clock.step(3_600)
    assert states[0][:6] == states[1][:6] == [FAILING] * 6
    assert states[-1] == [OFF_HOURS] * 6 + [PLAYING] * 18
    with database.read() as session:
        stream = session.get_one(Stream, stream_id)
        habit = session.get_one(StreamHabit, stream_id)
        assert habit.time_zone == "America/New_York"
        excused = session.scalar(select(func.count()).where(StreamMetric.is_healthy.is_(None)))
    assert excused == stream.checks - stream.errors - 8 * 18
    assert excused > 3 * 18


def test_what_has_always_played_needs_no_habit(database: Database, clock: SteppedClock) -> None:
    write(database, clock, add_stream(database, clock), *[GOOD] * 5)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(StreamHabit)) == 0


def test_flapping_is_told_once_each_way(database: Database, clock: SteppedClock) -> None:
    stream_id = add_stream(database, clock)
    row = write(database, clock, stream_id, *[GOOD] * 10, *[GOOD, bad(Cause.TIMEOUT)] * 6)
    assert row.is_flapping
    assert not write(database, clock, stream_id, *[GOOD] * 30).is_flapping
    with database.read() as session:
        told = session.scalars(select(EventRow.payload).where(EventRow.type == "stream.flapping").order_by(EventRow.id))
        assert [one["is_flapping"] for one in told] == [True, False]


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_can_be_written(database: Database, clock: SteppedClock, cause: Cause) -> None:
    row = write(database, clock, add_stream(database, clock), bad(cause))
    with database.read() as session:
        [check] = session.scalars(select(Verification))
    assert check.cause == cause.value
    if cause.is_ours:  # banned, told to wait, cut off: that is no fault of the stream's
        assert (row.last_error, row.checks, row.failures, row.state) == ("", 0, 0, UNPROVEN)
        assert row.next_check_at is not None
        assert row.next_check_at > clock.now()
    else:
        assert row.last_error == cause.value
