"""Clusters do not depend on the order in which pairs are found; runs tell the same sound here and there."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from airledger.listening.models import MERGED, NAMED, NEW, UnknownOccurrence, UnknownRecording, UnknownSound
from airledger.listening.unknown_clusters import Pair, join_pairs, suggested_class
from airledger.listening.unknown_join import Span, airings, are_alike, extent, touched
from airledger.listening.unknown_kept import KeptSound, store_kept
from airledger.listening.unknown_runs import LONGEST_RUN_S, WindowMatch, join_runs
from listening_house import House
from unknown_house import YESTERDAY_S, open_air

spans = st.builds(
    lambda stream, first, length: Span(stream, first, first + length),
    st.integers(1, 3),
    st.integers(0, 60),
    st.integers(5, 40),
)
pairs = st.lists(st.tuples(spans, spans), max_size=12)


def incrementally(found: list[tuple[Span, Span]]) -> set[frozenset[Span]]:
    """Join pairs one after the other, as the rows are joined."""
    clusters: dict[Span, int] = {}
    for number, pair in enumerate(found):
        belongs = {one for span in pair for one in touched(span, clusters.items())}
        clusters = {span: number if cluster in belongs else cluster for span, cluster in clusters.items()}
        clusters |= dict.fromkeys(pair, number)
    return {frozenset(span for span, one in clusters.items() if one == name) for name in set(clusters.values())}


def components(found: list[tuple[Span, Span]]) -> set[frozenset[Span]]:
    """The same by definition: connected components of the graph of spans."""
    nodes = {span for pair in found for span in pair}
    edges = {(one, other) for one in nodes for other in nodes if are_alike(one, other)} | set(found)
    left, result = set(nodes), set()
    while left:
        reached, queue = set(), [left.pop()]
        while queue:
            node = queue.pop()
            reached.add(node)
            queue += [b if a == node else a for a, b in edges if node in {a, b} and {a, b} - reached - set(queue)]
        left -= reached
        result.add(frozenset(reached))
    return result


@settings(max_examples=150, deadline=None)
@given(found=pairs, data=st.data())
def test_clusters_are_connected_components_in_any_order(found: list[tuple[Span, Span]], data: st.DataObject) -> None:
    shuffled = [(b, a) for a, b in data.draw(st.permutations(found))]
    assert incrementally(found) == incrementally(shuffled) == components(found)


@given(one=spans, other=spans)
def test_being_alike_is_mutual_and_needs_half(one: Span, other: Span) -> None:
    assert are_alike(one, other) == are_alike(other, one)
    assert are_alike(one, one)
    if one.stream_id != other.stream_id:
        assert not are_alike(one, other)


def test_a_jingle_within_a_block_is_not_the_block() -> None:
    assert not are_alike(Span.of(1, 100, 190), Span.of(1, 120, 130))
    assert are_alike(Span.of(1, 100, 190), Span.of(1, 100, 180))


@given(found=st.lists(spans, min_size=1, max_size=20))
def test_airings_do_not_overlap_and_lose_nothing(found: list[Span]) -> None:
    sorted_ = airings(found)
    assert sorted(span for airing in sorted_ for span in airing) == sorted(found)
    whole = [(min(s.first for s in one), max(s.last for s in one), one[0].stream_id) for one in sorted_]
    for a in whole:
        for b in whole:
            assert a is b or a[2] != b[2] or a[1] <= b[0] or b[1] <= a[0]
    for airing in sorted_:
        found_extent = extent(airing)
        assert min(s.first for s in airing) <= found_extent.first < found_extent.last <= max(s.last for s in airing)


def said(start_s: float, there_s: float, *, score: float = 0.99, speed: float = 1.0, stream: int = 9) -> WindowMatch:
    return WindowMatch(start_s, start_s + 0.5, start_s + 9.5, 77, stream, there_s, speed, score)


def test_windows_that_agree_are_one_run() -> None:
    (run,) = join_runs([said(100 + 5 * k, 500 + 5 * k) for k in range(10)])
    assert (run.from_s, run.to_s) == (100.5, 154.5)
    assert (run.there_from_s, run.there_to_s) == (500.5, 554.5)
    assert run.votes == 10


def test_another_speed_does_not_tear_a_run() -> None:
    matches = [said(100 + 5 * k, 500 + 5 * k * 1.02, speed=1.02) for k in range(40)]
    (run,) = join_runs(matches)
    assert run.there_to_s - run.there_from_s == pytest.approx((run.to_s - run.from_s) * 1.02, abs=0.1)


def test_two_places_are_two_runs_and_a_doubtful_window_is_none() -> None:
    assert len(join_runs([said(100, 500), said(105, 505), said(100, 800), said(105, 805)])) == 2
    assert join_runs([said(100, 500, score=0.7)]) == []
    assert join_runs([said(100, 500, score=0.4), said(105, 505, score=0.4)]) == []
    assert len(join_runs([said(100, 500, score=0.7), said(105, 505, score=0.7)])) == 1


def test_two_stations_with_one_programme_teach_nothing() -> None:
    count = int(LONGEST_RUN_S / 5) + 5
    assert join_runs([said(100 + 5 * k, 500 + 5 * k) for k in range(count)]) == []


def kept(house: House, stream_id: int, start_s: float, end_s: float) -> UUID:
    one = KeptSound(
        uuid4(), house.organisation_id, house.session_id, stream_id, None, start_s, end_s, True, 1, "unknown/x.npz",
        None, None,
    )  # fmt: skip
    with house.database.unit() as unit:
        assert store_kept(unit.session, [one]) == 1
        assert store_kept(unit.session, [one]) == 0
    return one.id


def test_clusters_that_turn_out_to_be_one_are_merged_and_say_why(house: House) -> None:
    air = open_air(house)
    streams = [house.stream_id, air.stream(2), air.stream(3), air.stream(4)]
    sounds = [kept(house, stream, YESTERDAY_S, YESTERDAY_S + 300) for stream in streams]
    sides = [(stream, YESTERDAY_S + 10, YESTERDAY_S + 70, sound) for stream, sound in zip(streams, sounds, strict=True)]

    def pair(a: int, b: int) -> Pair:
        return Pair(sides[a], sides[b], house.organisation_id, 0.99)

    orders = [(pair(0, 1), pair(2, 3), pair(1, 2)), (pair(1, 2), pair(2, 3), pair(0, 1))]
    for order in orders:
        for one in order:
            with house.database.unit() as unit:
                join_pairs(unit, [one], house.clock.now())
        with house.database.read() as session:
            (alive,) = session.scalars(select(UnknownRecording).where(UnknownRecording.state == NEW))
            merged = session.scalars(select(UnknownRecording).where(UnknownRecording.state == MERGED)).all()
            members = session.scalars(select(UnknownOccurrence.unknown_id)).all()
        assert (alive.times_heard, alive.stations) == (4, 4)
        assert members == [alive.id] * 4
        assert all(one.merged_into == alive.id and "belongs to both" in str(one.merged_because) for one in merged)
        with house.database.unit() as unit:
            unit.session.execute(delete(UnknownOccurrence))
            unit.session.execute(delete(UnknownRecording))


def test_two_names_are_not_merged(house: House) -> None:
    air = open_air(house)
    streams = [house.stream_id, air.stream(2), air.stream(3), air.stream(4)]
    sounds = [kept(house, stream, YESTERDAY_S, YESTERDAY_S + 300) for stream in streams]
    sides = [(stream, YESTERDAY_S + 10, YESTERDAY_S + 70, sound) for stream, sound in zip(streams, sounds, strict=True)]
    for a, b, recording in ((0, 1, house.recordings[0]), (2, 3, house.recordings[1])):
        with house.database.unit() as unit:
            (found,) = join_pairs(unit, [Pair(sides[a], sides[b], house.organisation_id, 0.99)], house.clock.now())
            row = unit.session.get_one(UnknownRecording, found)
            row.state, row.recording_id = NAMED, recording
    with house.database.unit() as unit:
        assert join_pairs(unit, [Pair(sides[1], sides[2], house.organisation_id, 0.99)], house.clock.now()) == set()
    with house.database.read() as session:
        assert {row.state for row in session.scalars(select(UnknownRecording))} == {NAMED}
        assert session.scalar(select(UnknownSound.id).limit(1)) is not None


def test_what_a_repeated_sound_looks_like() -> None:
    def heard(length_s: float, times: int, streams: int = 1, apart_s: float = 3600) -> list[Span]:
        return [
            Span.of(1 + k % streams, YESTERDAY_S + k * apart_s, YESTERDAY_S + k * apart_s + length_s)
            for k in range(times)
        ]

    assert suggested_class(heard(30, 3)) == "advert"
    assert suggested_class(heard(8, 3)) == "jingle"
    assert suggested_class(heard(8, 4, streams=2)) == "advert"
    assert suggested_class(heard(30, 2)) == "music"
    assert suggested_class(heard(200, 9)) == "music"
    assert suggested_class(heard(30, 3, apart_s=timedelta(days=1).total_seconds())) == "music"
