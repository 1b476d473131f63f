"""Votes are joined, people's words stand, and corrections teach."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.learning.where_told import Told
from airledger.platform.audit import SYSTEM
from airledger.platform.clock import SystemClock
from airledger.platform.db import Database
from airledger.platform.errors import InputError
from airledger.platform.geo.lookup import IpPlace
from airledger.platform.migrate import upgrade
from airledger.stations.models import Geolocation, Listing, Stream
from airledger.stations.places import fuse
from airledger.stations.places.correct import Correction, place_by_hand
from airledger.stations.places.fuse import Middle, Vote
from airledger.stations.places.gather import Evidence, is_hosting, votes_of
from airledger.stations.places.read_place import place_of, unsure_places
from airledger.stations.places.trust import Trust
from airledger.stations.places.work_out import locate_due
from stations.rows import add_stream

MIDDLES = {code: Middle(1.0, 2.0, 300) for code in ("GH", "NG", "DE", "US", "FR")}
ACCRA = (5.556, -0.1969)
codes = st.sampled_from(sorted(MIDDLES))
some_votes = st.lists(
    st.builds(Vote, st.sampled_from(fuse.METHODS[1:]), codes, st.floats(0, 1)), max_size=8, unique_by=lambda v: v.method
)


@given(some_votes)
def test_shares_are_probabilities_and_the_first_is_the_answer(votes: list[Vote]) -> None:
    answer = fuse.fuse(votes, MIDDLES)
    if answer is None:
        return
    shares = [share for _, share in answer.candidates]
    assert sum(shares) <= 1 + 1e-3
    assert shares == sorted(shares, reverse=True)
    assert answer.candidates[0][0] == answer.country_code


@given(some_votes, codes)
def test_a_persons_word_beats_every_machine(votes: list[Vote], truth: str) -> None:
    answer = fuse.fuse([*votes, Vote(fuse.MODERATOR, truth, 1.0, 3.0, 4.0, 5)], MIDDLES)
    assert answer is not None
    assert (answer.country_code, answer.probability, answer.method) == (truth, 1.0, fuse.MODERATOR)


def test_what_the_text_model_has_read_is_not_counted_twice() -> None:
    text = Vote(fuse.TEXT, "GH", 0.6, shares={"GH": 0.6, "NG": 0.4})
    alone = fuse.fuse([text], MIDDLES)
    with_domain = fuse.fuse([text, Vote(fuse.HOMEPAGE_TLD, "NG", 0.98)], MIDDLES)
    assert alone is not None
    assert with_domain is not None
    assert alone.candidates == with_domain.candidates


def test_the_address_of_a_hosting_firm_never_gives_the_point() -> None:
    def look_up(address: str) -> IpPlace:
        del address
        return IpPlace("DE", "Falkenstein", 50.5, 12.4, 24_940, "Hetzner Online GmbH")

    evidence = Evidence(
        "http://192.0.2.7/x", "192.0.2.7", claims={"a": {"country_code": "DE"}}, server_address="192.0.2.7"
    )
    votes = votes_of(evidence, (), look_up, Trust())
    server = next(vote for vote in votes if vote.method == fuse.SERVER)
    assert (server.confidence, server.has_point) == (0.0, False)
    answer = fuse.fuse(votes, MIDDLES)
    assert answer is not None
    assert answer.method == "country"


@pytest.mark.parametrize(
    ("name", "hosting"),
    [
        ("Cloudflare, Inc.", True),
        ("OVH SAS", True),
        ("Akamai Technologies", True),
        ("Ghana Telecom", False),
        (None, False),
    ],
)
def test_networks_of_hosting_firms_are_known_by_name(name: str | None, hosting: bool) -> None:
    assert is_hosting(name) is hosting


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(made)
    yield made
    made.close()


def predict(rows: Sequence[Told]) -> Iterator[list[tuple[str, float]]]:
    """A model that holds everything for Nigerian, two to one."""
    for _ in rows:
        yield [("NG", 0.6), ("GH", 0.3)]


def locate(database: Database) -> tuple[int, int]:
    return locate_due(database, predict, lambda _: IpPlace(), SystemClock().now())


def test_places_are_worked_out_once_and_again_when_evidence_changes(database: Database) -> None:
    clock = SystemClock()
    stream_id = add_stream(database, clock, "http://radio.example/live")
    with database.unit() as unit:
        unit.session.add(
            Listing(
                stream_id=stream_id,
                source="a",
                source_key="k",
                claims={"country_code": "GH", "latitude": ACCRA[0], "longitude": ACCRA[1]},
                first_seen=clock.now(),
                last_seen=clock.now(),
            )
        )
    assert locate(database) == (1, 1)
    with database.read() as session:
        view = place_of(session, stream_id)
        assert view.place is not None
        assert (view.place.country_code, view.place.geocoding_method) == ("GH", fuse.SOURCE_POSITION)
        assert {vote.method for vote in view.votes} == {fuse.SOURCE_POSITION, fuse.SOURCE_COUNTRY, fuse.TEXT}
    with database.unit() as unit:
        unit.session.get_one(Stream, stream_id).updated_at = SystemClock().now()
    assert locate(database)[1] == 0


def test_an_unsure_country_is_listed_and_not_written_into_the_catalogue(database: Database) -> None:
    stream_id = add_stream(database, SystemClock(), "http://radio.example/live")
    locate(database)
    with database.read() as session:
        assert session.get_one(Stream, stream_id).country_code is None
        unsure = unsure_places(session, below=0.9, after=-1, after_id=0, limit=10)
        assert [view.stream.id for view in unsure] == [stream_id]


def test_a_correction_stands_and_teaches_its_siblings(database: Database) -> None:
    clock = SystemClock()
    ids = [add_stream(database, clock, f"http://radio.example/{number}") for number in range(8)]
    locate(database)

    def right() -> int:
        with database.read() as session:
            rows = [session.get_one(Geolocation, one) for one in ids[4:]]
            return sum(row.country_code == "GH" for row in rows)

    assert right() == 0
    for one in ids[:4]:
        with database.unit() as unit:
            place_by_hand(unit, one, Correction("GH", "Accra"), SYSTEM, clock.now())
    locate(database)
    assert right() == 4
    with database.read() as session:
        told = session.get_one(Geolocation, ids[0])
        assert (told.verified, told.country_code, told.geocoding_method) == (True, "GH", fuse.MODERATOR)
        assert abs(told.latitude - ACCRA[0]) < 0.1


def test_a_country_that_is_none_is_refused(database: Database) -> None:
    stream_id = add_stream(database, SystemClock())
    with pytest.raises(InputError, match="no country"), database.unit() as unit:
        place_by_hand(unit, stream_id, Correction("QQ"), SYSTEM, SystemClock().now())
