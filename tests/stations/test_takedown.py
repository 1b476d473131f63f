"""The block list and takedown requests: refused at crawl and submission, retired, audit-logged, undone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from airledger.platform.audit import Actor, AuditEntry
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import ConflictError, InputError, NotFoundError
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.stations.blocking.blocked import BlockList
from airledger.stations.crawl import crawl
from airledger.stations.models import RETIRED, UNPROVEN, Stream
from airledger.stations.reading import CrawlTarget
from airledger.stations.sources.base import Entry
from airledger.stations.submit import submit_entry
from airledger.stations.takedown import (
    TAKEN_DOWN,
    block,
    decline,
    delete_requests,
    export_requests,
    find_blocked,
    find_requests,
    grant,
    request_takedown,
    unblock,
)
from stations.rows import add_stream

US = Actor("user:moderator")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ask(database: Database, url: str = "http://radio.example/live", *, whole_host: bool = False, **fields: Any) -> Any:
    with database.unit() as unit:
        contact = fields.get("contact", "owner@radio.example")
        return request_takedown(unit, url, "It is ours.", contact, whole_host=whole_host, now=NOW)


def states(database: Database) -> dict[str, tuple[str, str | None]]:
    with database.read() as session:
        return {row.url: (row.state, row.retired_reason) for row in session.scalars(select(Stream))}


def test_a_list_fits_addresses_hosts_and_patterns() -> None:
    listed = BlockList.of([("url", "http://a.example/1"), ("host", "b.example"), ("pattern", "*/adult-radio/*")])
    assert listed.is_blocked("http://a.example/1")
    assert not listed.is_blocked("http://a.example/12")
    assert listed.is_blocked("https://stream.B.example:8000/x")
    assert not listed.is_blocked("http://notb.example/")
    assert listed.is_blocked("http://c.example/Adult-Radio/live")
    assert not BlockList().is_blocked("http://a.example/1")


@given(st.from_regex(r"[a-z]{1,8}(\.[a-z]{2,5}){1,3}", fullmatch=True), st.sampled_from(["", "x.", "y.z."]))
def test_a_blocked_host_blocks_what_is_below_it_and_nothing_beside_it(host: str, below: str) -> None:
    listed = BlockList.of([("host", host)])
    assert listed.is_blocked(f"http://{below}{host}:8000/live")
    assert not listed.is_blocked(f"http://my{host}/live")


def test_a_granted_request_retires_and_keeps_out(
    either_database: Database, clock: SteppedClock, tmp_path: Path
) -> None:
    add_stream(either_database, clock, "http://radio.example/live")
    add_stream(either_database, clock, "http://other.example/live")
    request = ask(either_database)
    with either_database.unit() as unit:
        assert grant(unit, US, request.id, "Done.", now=NOW).retired == 1
    assert states(either_database)["http://radio.example/live"] == (RETIRED, TAKEN_DOWN)
    assert states(either_database)["http://other.example/live"] == (UNPROVEN, None)
    with pytest.raises(ConflictError), either_database.unit() as unit:
        submit_entry(unit, Entry(url="http://radio.example/live"), US, now=NOW)
    playlist = tmp_path / "list.m3u"
    playlist.write_text("#EXTM3U\n#EXTINF:-1,A\nhttp://radio.example/live\n#EXTINF:-1,B\nhttp://new.example/\n")
    report = crawl(either_database, clock, Fetcher(AddressGuard(), "test"), CrawlTarget.of(str(playlist), "m3u"))
    assert (report.added, dict(report.refused)) == (1, {"blocked": 1})
    with pytest.raises(ConflictError), either_database.unit() as unit:
        grant(unit, US, request.id, "", now=NOW)
    with either_database.read() as session:
        done = set(session.scalars(select(AuditEntry.action)))
    assert {"granted", "blocked", "retired"} <= done


def test_a_whole_host_is_taken_down_and_comes_back(database: Database, clock: SteppedClock) -> None:
    for url in ("http://radio.example/1", "http://s2.radio.example/2", "http://myradio.example/3"):
        add_stream(database, clock, url)
    request = ask(database, whole_host=True)
    with database.unit() as unit:
        assert grant(unit, US, request.id, "", now=NOW).retired == 2
    with database.unit() as unit:
        [entry] = find_blocked(unit.session)
        unblock(unit, US, entry.id, now=NOW)
    assert {state for state, _ in states(database).values()} == {UNPROVEN}
    with pytest.raises(NotFoundError), database.unit() as unit:
        unblock(unit, US, entry.id, now=NOW)


def test_a_declined_request_changes_nothing(database: Database, clock: SteppedClock) -> None:
    add_stream(database, clock, "http://radio.example/live")
    request = ask(database)
    assert ask(database).id == request.id
    with database.unit() as unit:
        decline(unit, US, request.id, "You are not its owner.", now=NOW)
    assert states(database)["http://radio.example/live"][0] == UNPROVEN
    with database.read() as session:
        assert [row.status for row in find_requests(session)] == ["declined"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("pattern", "*"), ("pattern", "http://*"), ("url", "radio"), ("host", "a b"), ("tag", "radio.example")],
)
def test_what_fits_nothing_or_everything_is_refused(database: Database, kind: str, value: str) -> None:
    with pytest.raises(InputError), database.unit() as unit:
        block(unit, US, kind, value, "", now=NOW)


def test_who_asks_can_see_and_withdraw_what_is_kept_of_them(database: Database) -> None:
    ask(database)
    with pytest.raises(InputError):
        ask(database, contact="nobody")
    with database.unit() as unit:
        assert [one["url"] for one in export_requests(unit.session, "Owner@radio.example")] == [
            "http://radio.example/live"
        ]
        assert delete_requests(unit, US, "owner@radio.example", now=NOW) == 1
        assert export_requests(unit.session, "owner@radio.example") == []
