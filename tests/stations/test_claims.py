from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.claims import Claim, claim, identity, lay_on, new_draft, search_text
from airledger.stations.sources.base import Entry

NAMES = st.sampled_from([None, "A", "B"])
ENTRIES = st.builds(
    lambda name, genre, bitrate, codec, city: Entry(
        "http://a.example/", name=name, genre=genre, bitrate=bitrate, codec=codec, city=city
    ),
    NAMES,
    NAMES,
    st.sampled_from([None, 64, 128]),
    NAMES,
    NAMES,
)


def made(**fields: Any) -> Claim:
    return claim(Entry("http://a.example/", **fields))


def test_the_first_word_stands_and_gaps_are_filled() -> None:
    draft = new_draft(made(name="First", bitrate=128), "one")
    lay_on(draft, made(name="Second", genre="Jazz"), None)
    assert draft.values["name"] == "First"
    assert draft.values["genre"] == "Jazz"


def test_a_directory_may_correct_its_own_word() -> None:
    first = made(name="Frist")
    draft = new_draft(first, "one")
    lay_on(draft, made(name="First"), before=first.fields)
    assert draft.values["name"] == "First"


def test_a_directory_cannot_correct_anothers_word() -> None:
    draft = new_draft(made(name="Theirs"), "one")
    lay_on(draft, made(name="Mine, new"), before=made(name="Mine, old").fields)
    assert draft.values["name"] == "Theirs"


@given(ENTRIES, ENTRIES)
def test_laying_the_same_claim_again_changes_nothing(one: Entry, other: Entry) -> None:
    draft = new_draft(claim(one), "s")
    lay_on(draft, claim(other), None)
    draft.changes, draft.position = {}, None
    for entry in (one, other):
        lay_on(draft, claim(entry), claim(entry).fields)
        lay_on(draft, claim(entry), None)
    assert draft.changes == {}
    assert draft.position is None


def test_a_better_position_replaces_a_worse_one_but_no_verified_one() -> None:
    draft = new_draft(made(country_code="GH"), "s")
    assert draft.position is not None
    assert draft.position.method == "country"
    assert draft.values["country_name"] == "Ghana"
    lay_on(draft, made(latitude=5.6, longitude=-0.2), None)
    assert (draft.position.latitude, draft.method) == (5.6, "source")
    lay_on(draft, made(country_code="GH"), None)
    assert draft.method == "source"
    verified = new_draft(made(country_code="GH"), "s")
    verified.is_verified, verified.position = True, None
    lay_on(verified, made(latitude=5.6, longitude=-0.2), None)
    assert verified.position is None


def test_same_homepage_name_and_country_are_one_station() -> None:
    def station(url: str, **fields: Any) -> str:
        return identity(claim(Entry(url, **fields)))

    home = {"name": "Radio X", "website": "https://www.x.example/", "country_code": "DE"}
    assert station("http://a/1", **home) == station("http://b/2", **{**home, "website": "http://x.example"})
    assert station("http://a/1", **home) != station("http://a/1", **{**home, "country_code": "AT"})
    assert station("http://a/1", **home) != station("http://a/1", **{**home, "name": "Radio Y"})
    assert station("http://a/1", name="Radio X") != station("http://a/2", name="Radio X")


def test_people_find_it_in_any_case() -> None:
    words = search_text({"name": "Радио ÄÖ", "city": "Straße", "tags": ["Jazz"], "url": "http://a/"})
    assert all(word in words.split() for word in ("=радио=ao=", "радио", "ao", "strasse", "jazz"))
