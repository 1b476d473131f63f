"""ISRCs are looked up at real services on loopback, kept for a week, and never asked for what is none."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from airledger.platform.errors import LimitError
from airledger.recognition.outside.acrcloud_metadata import AcrCloudMetadata
from airledger.recognition.outside.budget import take_turn
from airledger.recognition.outside.http_call import HttpDoor
from airledger.recognition.outside.isrc import IsrcDesk
from airledger.recognition.outside.musicbrainz import MusicBrainz
from airledger.testing.scripted_acrcloud import ScriptedAcrCloud
from airledger.testing.scripted_http import Scripted, as_json
from airledger.testing.scripted_musicbrainz import ScriptedMusicBrainz, recording
from outside_house import AGENT, House

ISRC = "GHA012600001"


@dataclass
class Sources:
    """Both sources on loopback, and a desk that asks them."""

    house: House
    brainz: ScriptedMusicBrainz
    cloud: ScriptedAcrCloud
    desk: IsrcDesk
    waits_s: list[float] = field(default_factory=list)

    def counts(self) -> dict[str, float]:
        found: dict[str, float] = self.house.counts.snapshot()["counts"]
        return found


@pytest.fixture
def sources(house: House, door: HttpDoor) -> Iterator[Sources]:
    brainz, cloud, waits = ScriptedMusicBrainz(), ScriptedAcrCloud(), []

    def book_turn(every_s: float) -> float:
        with house.database.unit() as unit:
            return take_turn(unit, "musicbrainz", every_s, house.clock.now())

    def pause(seconds: float) -> None:
        waits.append(seconds)
        house.clock.step(seconds)

    with brainz.service, cloud.service:
        asked = (
            AcrCloudMetadata(door, cloud.service.url, "token"),
            MusicBrainz(door, brainz.service.url, book_turn, pause),
        )
        yield Sources(house, brainz, cloud, IsrcDesk(house.database, house.clock, house.counts, asked), waits)


def test_works_writers_and_publishers_are_found(sources: Sources) -> None:
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    answer = sources.desk.look_up("gh-a01-26-00001")
    assert (answer.isrc, answer.outcome, answer.is_cached) == (ISRC, "found", False)
    (found,) = answer.candidates
    assert (found.source, found.title, found.artists, found.album) == (
        "musicbrainz", "Harmattan", ("Ama Serwaa",), "Dust",
    )  # fmt: skip
    assert (found.iswcs, found.work_title, found.publishers) == (
        ("T-034.524.680-1",),
        "Harmattan",
        ("Adom Publishing",),
    )
    assert [(one.name, one.role, one.ipi) for one in found.writers] == [
        ("Kofi Mensah", "composer", "00012345678"),
        ("Kofi Mensah", "lyricist", "00012345678"),
    ]
    assert found.country == "GH"


def test_an_isrc_on_two_recordings_keeps_both(sources: Sources) -> None:
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    sources.brainz.recordings["m2"] = recording("m2", "Harmattan (Live)", "Ama Serwaa", ISRC)
    sources.cloud.tracks[ISRC] = [{"name": "Harmattan", "isrc": ISRC, "artists": [{"name": "Ama Serwaa"}], "id": "t1"}]
    assert [(one.source, one.title) for one in sources.desk.look_up(ISRC).candidates] == [
        ("acrcloud", "Harmattan"), ("musicbrainz", "Harmattan"), ("musicbrainz", "Harmattan (Live)"),
    ]  # fmt: skip


def test_requests_to_musicbrainz_are_a_second_apart_and_say_who_asks(sources: Sources) -> None:
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    sources.desk.look_up(ISRC)
    assert sources.waits_s == [0.0, 1.0]
    assert all(asked.headers["user-agent"] == AGENT for asked in sources.brainz.service.asked)


def test_what_was_found_is_kept_a_week_and_what_was_not_an_hour(sources: Sources) -> None:
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    sources.desk.look_up(ISRC)
    asked = len(sources.brainz.service.asked)
    again = sources.desk.look_up(ISRC)
    assert (again.is_cached, again.outcome) == (True, "found")
    assert len(sources.brainz.service.asked) == asked
    sources.house.clock.step(3_601)  # ACRCloud knew nothing: that is asked again, MusicBrainz is not
    assert not sources.desk.look_up(ISRC).is_cached
    assert (len(sources.brainz.service.asked), len(sources.cloud.service.asked)) == (asked, 2)
    sources.house.clock.step(7 * 86_400)
    sources.desk.look_up(ISRC)
    assert len(sources.brainz.service.asked) > asked
    assert sources.counts()["isrc_cache_hits"] == 3


@pytest.mark.parametrize("text", ["", "GHA01260001", "GHA0126000011", "ÄÄA012600001", "'; DROP TABLE", "x" * 10_000])
def test_what_is_none_is_not_asked_for(sources: Sources, text: str) -> None:
    answer = sources.desk.look_up(text)
    assert (answer.outcome, answer.candidates) == ("invalid", ())
    assert len(answer.isrc) <= 40
    assert sources.brainz.service.asked == sources.cloud.service.asked == []


def test_a_batch_keeps_its_order_and_asks_once_each(sources: Sources) -> None:
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    answers = sources.desk.look_up_many([ISRC, "none", "GBAAA0000001", ISRC])
    assert [one.outcome for one in answers] == ["found", "invalid", "none", "found"]
    assert len(sources.cloud.service.asked) == 2
    with pytest.raises(LimitError, match="at most 50"):
        sources.desk.look_up_many([ISRC] * 51)


@pytest.mark.parametrize(
    "scripted",
    [Scripted(503), Scripted(429), Scripted(body=b"<html>"), Scripted(is_cut=True, body=b"xxxx"), Scripted(401)],
    ids=["503", "429", "html", "cut", "401"],
)
def test_a_source_that_fails_is_named_and_an_old_answer_stands_in(sources: Sources, scripted: Scripted) -> None:
    sources.cloud.service.then(scripted)
    sources.brainz.service.then(Scripted(503))
    answer = sources.desk.look_up(ISRC)
    assert answer.outcome == "failed"
    assert [fault.split(":")[0] for fault in answer.faults] == ["acrcloud", "musicbrainz"]
    sources.brainz.recordings["m1"] = recording("m1", "Harmattan", "Ama Serwaa", ISRC)
    assert sources.desk.look_up(ISRC).outcome == "found"
    sources.house.clock.step(8 * 86_400)
    sources.cloud.service.then(scripted)
    sources.brainz.service.then(Scripted(503))
    late = sources.desk.look_up(ISRC)
    assert (late.outcome, late.candidates[0].title, len(late.faults)) == ("found", "Harmattan", 2)


def test_rows_of_any_shape_are_read(sources: Sources) -> None:
    sources.cloud.service.then(
        as_json({"data": [None, 5, {}, {"name": ["x"]}, {"name": "T", "artists": "A", "album": 3}]})
    )
    odd = {"id": "m1", "title": 7, "isrcs": [ISRC], "relations": [{"type": "performance", "work": "x"}, "y"]}
    sources.brainz.recordings["m1"] = odd
    assert [one.title for one in sources.desk.look_up(ISRC).candidates] == ["T", "7"]


def test_a_strangers_id_never_becomes_a_path(sources: Sources) -> None:
    sources.brainz.service.then(as_json({"recordings": [{"id": "../../isrc/x?y=", "title": "T"}]}))
    assert [one.title for one in sources.desk.look_up(ISRC).candidates] == ["T"]
    assert len(sources.brainz.service.asked) == 1
