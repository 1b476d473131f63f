"""What we make of announcements: whose word is believed, who may end one, and that none lasts without a touch."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.errors import ConflictError, InputError, LimitError
from airledger.platform.guard import AddressGuard
from airledger.stations.announcing import announce
from airledger.stations.announcing.models import YpAnnouncement
from airledger.stations.models import PLAYING, RETIRED, UNPROVEN, Listing, Stream
from airledger.stations.submit import OPTED_OUT

OURS, THEIRS = "192.0.2.7", "198.51.100.9"
FORM = {
    "action": "add",
    "sn": "Radio T",
    "genre": "jazz rock",
    "desc": "Unspecified description",
    "url": "http://t.example/",
    "listenurl": "http://ice.example:8000/t.mp3",
    "type": "audio/mpeg",
    "b": "128",
}


def add(database: Database, clock: SteppedClock, form: dict[str, str] = FORM, came_from: str = OURS) -> str:
    with database.unit() as unit:
        return announce.add(unit, form, announced_from=came_from, host_addresses={OURS}, now=clock.now()).sid


def touch(database: Database, clock: SteppedClock, sid: str, **more: str) -> None:
    with database.unit() as unit:
        announce.touch(unit.session, {"sid": sid, **more}, clock.now())


def remove(database: Database, clock: SteppedClock, sid: str) -> None:
    with database.unit() as unit:
        announce.remove(unit, {"sid": sid}, clock.now())


def expire(database: Database, clock: SteppedClock) -> int:
    with database.unit() as unit:
        return announce.expire(unit, clock.now())


def the_stream(database: Database) -> Stream:
    with database.read() as session:
        return session.scalars(select(Stream)).one()


def change(database: Database, **columns: Any) -> None:
    with database.unit() as unit:
        stream = unit.session.scalars(select(Stream)).one()
        for name, value in columns.items():
            setattr(stream, name, value)


def test_an_announced_stream_is_listed_but_unproven(either_database: Database, clock: SteppedClock) -> None:
    add(either_database, clock)
    stream = the_stream(either_database)
    assert (stream.url, stream.state, stream.name, stream.bitrate) == (FORM["listenurl"], UNPROVEN, "Radio T", 128)
    assert (stream.description, stream.tags, stream.next_check_at) == (None, ["jazz", "rock"], clock.now())
    with either_database.read() as session:
        assert session.scalars(select(Listing.source)).all() == ["yp"]


def test_of_a_strangers_stream_only_the_address_is_believed(database: Database, clock: SteppedClock) -> None:
    add(database, clock, came_from=THEIRS)
    stream = the_stream(database)
    assert (stream.name, stream.website, stream.bitrate) == (None, None, None)
    with database.read() as session:
        assert not session.scalars(select(YpAnnouncement.is_own)).one()


def test_touches_keep_it_and_their_absence_ends_it(database: Database, clock: SteppedClock) -> None:
    sid = add(database, clock)
    clock.step(announce.TOUCH_EVERY_S * 2)
    touch(database, clock, sid, st="A - B", listeners="7")
    clock.step(announce.TOUCH_EVERY_S * 2)
    assert expire(database, clock) == 0
    clock.step(announce.TOUCH_EVERY_S * 2)
    assert expire(database, clock) == 1
    with database.read() as session:
        row = session.scalars(select(YpAnnouncement)).one()
        assert (row.ended_by, row.current_song, row.listeners, row.touches) == ("expired", "A - B", 7, 1)
    stream = the_stream(database)
    assert (stream.state, stream.retired_reason) == (RETIRED, announce.ANNOUNCEMENT_ENDED)
    with pytest.raises(InputError, match="add it again"):
        touch(database, clock, sid)


def test_a_proven_stream_outlives_its_announcement_and_is_looked_at(database: Database, clock: SteppedClock) -> None:
    sid = add(database, clock)
    change(database, state=PLAYING, next_check_at=clock.now() + timedelta(hours=2))
    remove(database, clock, sid)
    stream = the_stream(database)
    assert (stream.state, stream.next_check_at) == (PLAYING, clock.now())
    with pytest.raises(InputError, match="add it again"):
        remove(database, clock, sid)


def test_announcing_again_replaces_and_brings_back(database: Database, clock: SteppedClock) -> None:
    first = add(database, clock)
    second = add(database, clock)
    assert first != second
    with pytest.raises(InputError):
        touch(database, clock, first)
    remove(database, clock, second)
    assert the_stream(database).state == RETIRED
    add(database, clock)
    assert the_stream(database).state == UNPROVEN


def test_an_owner_who_opted_out_stays_out(database: Database, clock: SteppedClock) -> None:
    add(database, clock)
    change(database, state=RETIRED, retired_reason=OPTED_OUT)
    with pytest.raises(ConflictError):
        add(database, clock)


def test_one_address_has_so_many_announcements(
    database: Database, clock: SteppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "MAX_OPEN_PER_ADDRESS", 2)
    for number in range(2):
        add(database, clock, {**FORM, "listenurl": f"http://ice.example:8000/{number}"})
    with pytest.raises(LimitError, match="more than 2"):
        add(database, clock, {**FORM, "listenurl": "http://ice.example:8000/3"})
    add(database, clock, {**FORM, "listenurl": "http://ice.example:8000/3"}, THEIRS)


def test_what_only_the_server_itself_reaches_is_refused() -> None:
    guard = AddressGuard()
    for addresses in ((), ("127.0.0.1",), ("93.184.216.34", "10.0.0.1")):
        with pytest.raises(InputError, match="hostname"):
            announce.check_reachable(guard, addresses)
    announce.check_reachable(AddressGuard([ip_network("127.0.0.0/8")]), {"127.0.0.1"})
