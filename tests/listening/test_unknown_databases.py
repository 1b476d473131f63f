"""Unknown sound as rows, the same on SQLite and PostgreSQL: kept, joined, asked about, named, forgotten."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

import airledger.app  # noqa: F401  makes every table known
from airledger.listening.models import COMPARED, AudioDetection, UnknownOccurrence, UnknownRecording, UnknownSound
from airledger.listening.unknown_ask import answered, next_to_ask
from airledger.listening.unknown_clusters import Pair, join_pairs
from airledger.listening.unknown_find import find_unknowns, show_unknown
from airledger.listening.unknown_forget import forget_before, forget_clips
from airledger.listening.unknown_kept import KeptSound, store_kept
from airledger.listening.unknown_names import name_unknown
from airledger.platform.audit import Actor
from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.clock import SystemClock, from_epoch
from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.platform.storage import Folder
from airledger.repertoire.models import Recording
from airledger.stations.models import PLAYING, Stream
from unknown_house import YESTERDAY_S

NOW = from_epoch(YESTERDAY_S + 86_400)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    address = (
        f"sqlite:///{tmp_path}/a.db" if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    )
    found = Database(address)
    upgrade(found)
    yield found
    found.close()


def add_streams(database: Database, organisation_id: UUID, count: int) -> tuple[list[int], UUID]:
    with database.unit() as unit:
        streams = [
            Stream(
                url=f"http://s/{n}", url_key=str(n), host="s", search_text="s", name=f"S{n}", tags=[], warnings=[],
                state=PLAYING, has_sound=True, created_at=NOW, updated_at=NOW,
            )
            for n in range(count)
        ]  # fmt: skip
        recording = Recording(
            organisation_id=organisation_id, title="Song", artist="Band", duration_ms=60_000, source_name="x",
            content_sha256="x", tags={}, created_at=NOW,
        )  # fmt: skip
        unit.session.add_all([*streams, recording])
        unit.session.flush()
        return [stream.id for stream in streams], recording.id


def keep(database: Database, organisation_id: UUID, stream_id: int) -> KeptSound:
    identity = uuid4()
    grown = [
        KeptSound(
            identity, organisation_id, uuid4(), stream_id, None, YESTERDAY_S, YESTERDAY_S + 100 * revision,
            revision == 2, revision, f"unknown/{identity}.npz", f"unknown/{identity}.wav", YESTERDAY_S + 20,
        )
        for revision in (1, 2)
    ]  # fmt: skip
    with database.unit() as unit:
        assert store_kept(unit.session, grown) == 2
        assert store_kept(unit.session, grown[:1]) == 0, "an older state never replaces a newer one"
    return grown[1]


def test_from_stretches_to_plays(database: Database, tmp_path: Path) -> None:
    with database.unit() as unit:
        home = ensure_home(unit, SystemClock())
    streams, recording_id = add_streams(database, home, 3)
    kept = [keep(database, home, stream) for stream in streams]
    sides = [(one.stream_id, YESTERDAY_S + 10, YESTERDAY_S + 70, one.id) for one in kept]
    with database.unit() as unit:
        (unknown,) = join_pairs(unit, [Pair(sides[0], sides[1], home, 0.99), Pair(sides[2], sides[1], home, 0.9)], NOW)
        unit.session.execute(update(UnknownSound).values(state=COMPARED, music_share=0.9))
    with database.read() as session:
        assert session.scalars(select(UnknownSound.cluster_id)).all() == [unknown] * 3
        (ask,) = next_to_ask(session, NOW, limit=5)
        assert (ask.unknown_id, ask.times_heard) == (unknown, 3)
        (listed,) = find_unknowns(session, home)
        assert (listed.times_heard, listed.stations, listed.duration_ms) == (3, 3, 60_000)
        assert find_unknowns(session, home, after=unknown) == []
    with database.unit() as unit:
        answered(unit, ask.sound_id, "none", NOW)
        assert name_unknown(unit, Actor("user:x", home), unknown, recording_id, NOW).plays == 3
    with database.read() as session:
        assert next_to_ask(session, NOW + timedelta(days=2), limit=5) == []
        assert session.scalar(select(func.count()).select_from(AudioDetection)) == 3
        shown = show_unknown(session, home, unknown)
        assert len(shown.airings) == 3
        assert all(one.detection_id for one in shown.airings)
    storage = Folder(tmp_path / "objects")
    assert forget_clips(database, storage, NOW) == 3
    assert forget_before(database, storage, NOW) == 3
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(UnknownOccurrence)) == 0
        assert session.scalars(select(UnknownRecording.state)).all() == ["named"]
