"""Following the library by numbered changes: never less than the whole, whatever came in between."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.recognition import changes
from airledger.recognition.changes import forget_tracks, next_revision, read_changes, touch_tracks
from airledger.recognition.models import Fingerprint
from airledger.recognition.profiles import usable_hashes
from airledger.recognition.tracks import TrackTable
from library_house import Library
from made_tracks import enrol_made
from servers.postgres import PostgresServer


class Reader:
    """Follows the library as an index does."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.table = TrackTable.empty()
        self.revision = -1

    def read(self) -> list[int]:
        with self.library.database.read() as session:
            found = read_changes(session, self.revision, usable_hashes(self.library.enroller.params))
            if found is not None:
                self.table = self.table.without(found.removed).with_rows(found.pages)
                self.revision = found.revision
        return [int(number) for number in self.table.numbers]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["enrol", "remove", "touch", "read"]), max_size=12))
def test_a_follower_sees_what_a_newcomer_sees(
    library: Library, monkeypatch: pytest.MonkeyPatch, steps: list[str]
) -> None:
    monkeypatch.setattr(changes, "PAGE_ROWS", 2)
    follower, now = Reader(library), library.enroller.clock.now()
    for step in steps:
        with library.database.read() as session:
            tracks = list(session.execute(select(Fingerprint.track, Fingerprint.recording_id)))
        if step == "enrol":
            first = library.count(Fingerprint) + 1_000 * (tracks[-1][0] if tracks else 0)
            enrol_made(library, range(first, first + 3), sound=1)
        elif step == "remove" and tracks:
            with library.database.unit() as unit:
                forget_tracks(unit, [tracks[0][0], tracks[-1][0]][: len(tracks)], now)
        elif step == "touch" and tracks:
            with library.database.unit() as unit:
                touch_tracks(unit, [tracks[len(tracks) // 2][1]])
        elif step == "read":
            follower.read()
    assert follower.read() == Reader(library).read()


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/a.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.start()
        database = Database(server.url(server.create_database()))
    upgrade(database)
    yield database
    database.close()


def test_numbers_commit_in_their_order(either: Database) -> None:
    taken: list[tuple[str, int]] = []
    has_begun, may_commit = threading.Event(), threading.Event()

    def hold() -> None:
        with either.unit() as unit:
            number = next_revision(unit.session)
            has_begun.set()
            may_commit.wait(30)
        taken.append(("first", number))

    def follow() -> None:
        with either.unit() as unit:
            number = next_revision(unit.session)
        taken.append(("second", number))

    with either.unit() as unit:
        start = next_revision(unit.session)
    threads = [threading.Thread(target=hold), threading.Thread(target=follow)]
    threads[0].start()
    assert has_begun.wait(30)
    threads[1].start()
    threads[1].join(0.5)
    assert taken == []  # the second waits, or it could be seen before the first
    may_commit.set()
    for thread in threads:
        thread.join(30)
    assert sorted(taken, key=lambda one: one[1]) == [("first", start + 1), ("second", start + 2)]
