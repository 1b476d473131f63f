"""What is told, when, and together with what: rules over values."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.errors import InputError
from airledger.stations.alerts.gather import (
    EVERYTHING,
    GROUP_WAIT,
    HOST,
    HOUR,
    NETWORK,
    STREAM,
    SUMMARY,
    Notice,
    gather,
    keys_of,
)
from airledger.stations.alerts.quiet import checked_hours, is_quiet, quiet_ended
from airledger.stations.alerts.words import Subject, subject_of, text_of
from airledger.stations.watching.network import network_of

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def notice(
    number: int, *, host: str = "a", network: str | None = None, what: str = "opened", **fields: object
) -> Notice:
    defaults: dict[str, object] = {
        "id": number,
        "alert_id": number,
        "kind": "down",
        "what": what,
        "at": BEGIN,
        "opened_at": BEGIN,
        "stream_id": number,
        "host": host,
        "network": network,
    }
    return Notice(**{**defaults, **fields})  # type: ignore[arg-type]


def scopes(*waiting: Notice, told: dict[str, datetime] | None = None, after: timedelta = GROUP_WAIT) -> list[str]:
    return [one.scope for one in gather(waiting, told or {}, BEGIN + after).bundles]


def test_a_single_fault_is_told_after_a_short_wait() -> None:
    assert scopes(notice(1), after=GROUP_WAIT - MINUTE) == []
    assert scopes(notice(1)) == [STREAM]


def test_what_is_over_before_it_was_told_is_not_told() -> None:
    blip = notice(1, is_over=True), notice(2, alert_id=1, what="closed", stream_id=1)
    found = gather(blip, {}, BEGIN + HOUR)
    assert found.bundles == ()
    assert found.dropped == (1, 2)


def test_a_recovery_is_told_to_those_who_heard_of_the_fault() -> None:
    over = notice(2, alert_id=1, what="closed", is_over=True)
    assert scopes(over) == [STREAM]
    assert scopes(notice(3, what="still 1", is_over=True)) == []


def test_the_streams_of_a_host_are_told_together() -> None:
    crowd = [notice(n) for n in range(40)]
    [bundle] = gather([*crowd, notice(99, host="b")], {}, BEGIN + GROUP_WAIT).bundles[:1]
    assert (bundle.scope, bundle.key, len(bundle.notices)) == (HOST, "a", 40)


def test_hosts_of_a_network_are_told_together_and_many_networks_are_our_own_line() -> None:
    assert scopes(*(notice(n, host=f"h{n}", network="192.0.2.0/24") for n in range(3))) == [NETWORK]
    everywhere = [notice(n, host=f"h{n}", network=f"192.0.{n}.0/24") for n in range(30)]
    assert scopes(*everywhere) == [EVERYTHING]
    assert len(gather(everywhere, {}, BEGIN + GROUP_WAIT, watched_hosts=10_000).bundles) == 30


def test_a_stream_is_told_of_once_an_hour_and_so_is_its_host() -> None:
    told = {key: BEGIN - timedelta(minutes=30) for key in keys_of(STREAM, [notice(1)])}
    assert scopes(notice(1), notice(2), told=told) == []
    assert scopes(notice(1), notice(2), told=told, after=timedelta(minutes=30)) == [HOST]
    assert scopes(notice(3, host="b"), told=told) == [STREAM]


def test_a_flapping_streams_outages_are_told_only_when_they_last() -> None:
    assert scopes(notice(1, is_flapping=True)) == []
    assert scopes(notice(1, is_flapping=True), after=HOUR) == [STREAM]
    assert scopes(notice(1, is_flapping=True, kind="flapping")) == [STREAM]


def test_what_was_held_is_summed_up_whatever_became_of_it() -> None:
    held = notice(1, is_over=True), notice(2, alert_id=1, what="closed", stream_id=1), notice(3, host="b")
    [bundle] = gather(held, {}, BEGIN + HOUR, quiet_ended=BEGIN + HOUR).bundles
    assert (bundle.scope, len(bundle.notices)) == (SUMMARY, 3)
    about = {n: Subject(f"Radio {n}", "timeout", "") for n in (1, 3)}
    assert subject_of(bundle, about).startswith("While it was quiet: 2 streams")
    assert "Radio 1 is back" in text_of(bundle, about, "Africa/Accra")


FLIPS = st.lists(
    st.tuples(st.integers(0, 600), st.integers(1, 6), st.sampled_from(["down", "silence", "flapping"])),
    min_size=1,
    max_size=60,
)


@given(FLIPS, st.booleans())
def test_whatever_happens_nobody_is_told_of_a_stream_or_host_twice_within_the_hour(
    flips: list[tuple[int, int, str]], is_flapping: bool
) -> None:
    """Each flip opens or closes an alert of its stream; the planner looks every half minute for twelve hours."""
    told: dict[str, datetime] = {}
    tellings: dict[str, list[datetime]] = defaultdict(list)
    rows: dict[int, Notice] = {}
    open_alerts: dict[tuple[int, str], int] = {}
    ended, gone, number = set(), set(), 0
    pending = sorted(flips)
    for step in range(24 * 60):
        now = BEGIN + step * timedelta(seconds=30)
        while pending and BEGIN + pending[0][0] * MINUTE <= now:
            _, stream_id, kind = pending.pop(0)
            number += 1
            begun = open_alerts.pop((stream_id, kind), None)
            if begun is None:
                open_alerts[stream_id, kind] = number
            else:
                ended.add(begun)
            what = "opened" if begun is None else "closed"
            rows[number] = notice(
                number,
                host=f"h{stream_id % 3}",
                what=what,
                at=now,
                opened_at=now,
                stream_id=stream_id,
                alert_id=begun or number,
                kind=kind,
                is_flapping=is_flapping,
            )
        waiting = [one._replace(is_over=one.alert_id in ended) for one in rows.values()]
        found = gather(waiting, told, now)
        for bundle in found.bundles:
            for key in keys_of(bundle.scope, bundle.notices):
                told[key] = now
                tellings[key].append(now)
            for one in bundle.notices:
                del rows[one.id]
        for dropped in found.dropped:
            gone.add(rows.pop(dropped).alert_id)
    for moments in tellings.values():
        assert all(later - earlier >= HOUR for earlier, later in pairwise(moments))
    assert not [one for one in rows.values() if one.what == "opened" and one.at < BEGIN + 10 * HOUR], "all is told"


def test_quiet_hours_are_those_of_the_owners_clock() -> None:
    night = ("America/New_York", "22:00", "07:00")
    at_three_there = datetime(2026, 7, 1, 7, tzinfo=UTC)
    assert is_quiet(at_three_there, *night)
    assert not is_quiet(at_three_there + 5 * HOUR, *night)
    assert quiet_ended(at_three_there + 5 * HOUR, *night) == datetime(2026, 7, 1, 11, tzinfo=UTC)
    assert not is_quiet(at_three_there, "UTC", None, None)
    for wrong in (("Mars/Base", None, None), ("UTC", "22:00", None), ("UTC", "22:00", "22:00")):
        with pytest.raises(InputError):
            checked_hours(*wrong)


def test_networks_are_what_is_routed_together() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::5") == "2001:db8:1::/48"
    assert network_of("127.0.0.1") is None
    assert network_of(None) is None
