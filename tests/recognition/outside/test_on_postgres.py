"""The shared budget on PostgreSQL, where units really run at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import select

from airledger.platform.auth.bootstrap import ensure_home
from airledger.platform.db import Database
from airledger.platform.migrate import upgrade
from airledger.recognition.outside.budget import Refused, reserve
from airledger.recognition.outside.hybrid import identify_hybrid
from airledger.recognition.outside.models import OutsideCall, OutsideProvider
from airledger.recognition.outside.share import Limits
from airledger.recognition.outside.spending import spent, status
from airledger.testing.scripted_acrcloud import music_item
from outside_house import NOON, Cloud, House, sound


@pytest.fixture
def grown(postgres_database: str, house: House) -> Iterator[House]:
    """Give the house with its rows in PostgreSQL."""
    database = Database(postgres_database, pool_size=20)
    upgrade(database)
    with database.unit() as unit:
        organisation_id = ensure_home(unit, house.clock)
    yield replace(house, database=database, organisation_id=organisation_id)
    database.close()


def test_processes_that_ask_at_once_never_take_more_than_there_is(grown: House) -> None:
    start = Barrier(12)

    def take(number: int) -> UUID | Refused:
        start.wait()
        with grown.database.unit() as unit:
            limits = Limits(per_day=7, concurrent=100)
            return reserve(unit, "acrcloud", grown.asker, str(number), limits=limits, attempt=1, now=NOON)

    with ThreadPoolExecutor(12) as pool:
        taken = list(pool.map(take, range(12)))
    assert sum(not isinstance(one, Refused) for one in taken) == 7
    with grown.database.read() as session:
        assert len(session.scalars(select(OutsideCall)).all()) == 7
        assert len(session.scalars(select(OutsideProvider)).all()) == 1


def test_a_sound_is_asked_remembered_and_accounted_for(grown: House, cloud: Cloud) -> None:
    cloud.scripted.everything = [music_item(score=75)]
    parts = grown.parts(cloud.provider)
    first = identify_hybrid(parts, sound(), asker=grown.asker, started_at=NOON)
    again = identify_hybrid(parts, sound(), asker=grown.asker, started_at=NOON)
    assert first.review_id is not None
    assert again.review_id == first.review_id
    assert again.asked[0].is_cached
    with grown.database.read() as session:
        (day,) = spent(session, since=NOON.date(), organisation_id=grown.organisation_id)
        (now,) = status(session, ["acrcloud"], Limits(), NOON)
    assert (day.requests, day.hits, day.billed, day.cost_micros) == (1, 1, 1.0, 4_000)
    assert (now.requests, now.outcomes, now.cost_micros) == (1, {"hit": 1}, 4_000)
