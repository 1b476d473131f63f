import pytest

from airledger.stations.joining.clues import Clues, address_key, clues_of, home_key, name_key
from airledger.stations.joining.why import (
    HEARD_DIFFERENT,
    HEARD_RELATED,
    HEARD_SAME,
    HOSTED,
    OWN_HOME,
    SAME_ADDRESS,
    SAME_HOME,
    SAME_SERVER,
    SAME_SOUND,
    SAME_TARGET,
    SHARED_TARGET,
    Carried,
    Heard,
    StreamFacts,
    why_one,
)

ALONE = Carried()


def stream(
    url: str,
    name: str | None = "Blue Harbour Radio",
    website: str | None = None,
    *,
    country: str | None = None,
    resolved: str | None = None,
    kind: str | None = "radio",
) -> StreamFacts:
    number = abs(hash((url, name))) % 1_000_000
    return StreamFacts(number, number, name, country, kind, clues_of(url, resolved, name, website))


@pytest.mark.parametrize(
    "spelling",
    [
        "https://a.example/live",
        "http://a.example:80/live",
        "http://a.example/live.m3u",
        "http://a.example/live.pls",
        "http://a.example/live;",
        "http://a.example/live/;",
        "http://a.example/live?nocache=812",
        "http://a.example/live?_=17123",
    ],
)
def test_spellings_of_one_mount_are_one_address(spelling: str) -> None:
    assert address_key(spelling) == address_key("http://a.example/live")


@pytest.mark.parametrize(
    "other",
    [
        "http://a.example/Live",
        "http://a.example/live2",
        "http://a.example:8000/live",
        "http://a.example/live?sid=2",
        "http://a.example/live.m3u8",
        "http://b.example/live",
    ],
)
def test_other_mounts_are_other_addresses(other: str) -> None:
    assert address_key(other) != address_key("http://a.example/live")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Blue Harbour Radio 128k MP3", "blue harbour radio"),
        ("BLUE HARBOUR RADIO (AAC+ 64 kbps)", "blue harbour radio"),
        ("Rádio Ação", "radio acao"),
        ("Radio 96", "radio 96"),
        ("Radio 128 FM", "radio 128 fm"),
        ("Радио Волна", "радио волна"),
        ("NRJ+ (Belgique)", "nrj plus belgique"),
        ("Live Radio", ""),
        ("Stream 128 kbps", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_names_are_folded_to_what_they_say(name: str | None, key: str) -> None:
    assert name_key(name) == key


def test_homepages_are_compared_without_what_differs_by_chance() -> None:
    assert home_key("https://www.Blue.example/index.html") == home_key("http://blue.example/") == "blue.example"
    assert home_key("http://portal.example/stations/blue") != home_key("http://portal.example/stations/red")
    assert home_key("http://[broken") == home_key("no address") == ""


def test_each_kind_of_evidence_joins_and_says_so() -> None:
    home = "https://blue.example"
    pairs = {
        SAME_ADDRESS: (stream("http://a.example/live", None), stream("https://a.example/live.m3u", None)),
        SAME_TARGET: (
            stream("http://a.example/live", None),
            stream("http://go.example/1", None, resolved="http://a.example/live"),
        ),
        SAME_HOME: (
            stream("http://a.example/128", "Blue Harbour 128k", home),
            stream("http://b.example/64", "Blue Harbour", home),
        ),
        SAME_SERVER: (
            stream("http://a.example:8000/hi", "Blue Harbour"),
            stream("http://a.example:8000/lo", "Blue Harbour AAC"),
        ),
    }
    for kind, (one, other) in pairs.items():
        for reason in (why_one(one, other, ALONE), why_one(other, one, ALONE)):
            assert reason is not None
            assert reason.kind == kind
            assert 0.9 <= reason.confidence <= 1
            assert reason.evidence


def test_nothing_in_common_joins_nothing() -> None:
    assert why_one(stream("http://a.example/"), stream("http://b.example/"), ALONE) is None
    assert why_one(stream("http://a.example/1", "Red"), stream("http://a.example/2", "Blue"), ALONE) is None
    assert why_one(stream("http://a.example/1", None), stream("http://a.example/2", None), ALONE) is None


def test_countries_or_kinds_that_contradict_each_other_keep_apart() -> None:
    home = "https://blue.example"
    here = stream("http://a.example/1", "Energy", home, country="DE")
    assert why_one(here, stream("http://b.example/2", "Energy", home, country="DE"), ALONE) is not None
    assert why_one(here, stream("http://b.example/2", "Energy", home, country=None), ALONE) is not None
    assert why_one(here, stream("http://b.example/2", "Energy", home, country="AT"), ALONE) is None
    assert why_one(here, stream("http://b.example/2", "Energy", home, country="DE", kind="tv"), ALONE) is None


def test_a_homepage_counts_the_less_the_more_names_share_it() -> None:
    home = "https://hoster.example"
    one, other = stream("http://a.example/", "Sunshine", home), stream("http://b.example/", "Sunshine", home)
    two_words = stream("http://a.example/", "Sunshine Bay", home), stream("http://b.example/", "Sunshine Bay", home)

    def carried(names: int) -> Carried:
        return Carried({("home", "hoster.example"): names})

    assert why_one(one, other, carried(OWN_HOME)) is not None
    assert why_one(one, other, carried(OWN_HOME + 1)) is None
    assert why_one(*two_words, carried(OWN_HOME + 1)) is not None
    assert why_one(*two_words, carried(HOSTED + 1)) is None


def test_a_server_of_hundreds_of_names_joins_nobody() -> None:
    one, other = stream("http://a.example/1", "Blue Harbour"), stream("http://a.example/2", "Blue Harbour")
    assert why_one(one, other, Carried({("server", "a.example"): HOSTED})) is not None
    assert why_one(one, other, Carried({("server", "a.example"): HOSTED + 1})) is None


def test_a_notice_to_which_many_are_led_joins_nobody() -> None:
    off_air = "http://cdn.example/off-air.mp3"
    one, other = (
        stream("http://a.example/", "Red", resolved=off_air),
        stream("http://b.example/", "Blue", resolved=off_air),
    )
    carried = Carried({("target", "cdn.example/off-air.mp3"): SHARED_TARGET + 1})
    assert why_one(one, other, carried) is None


def test_the_ear_overrules_directories() -> None:
    home = "https://blue.example"
    one = stream("http://a.example/1", "Blue", home, country="DE")
    other = stream("http://b.example/2", "Azure", None, country="FR")
    alike = stream("http://b.example/2", "Blue", home, country="DE")
    same, unsure = Heard(HEARD_SAME, 0.99, 4, 3.2), Heard(HEARD_SAME, 0.9, 2, 3.2)
    reason = why_one(one, other, ALONE, same)
    assert reason is not None
    assert reason.kind == SAME_SOUND
    assert reason.evidence["looks"] == 4
    assert why_one(one, other, ALONE, unsure) is None
    assert why_one(one, alike, ALONE) is not None
    for verdict in (HEARD_DIFFERENT, HEARD_RELATED):
        assert why_one(one, alike, ALONE, Heard(verdict, 0.01, 4)) is None


def test_different_sound_does_not_part_two_spellings_of_one_address() -> None:
    one, other = stream("http://a.example/live"), stream("https://a.example/live")
    reason = why_one(one, other, ALONE, Heard(HEARD_DIFFERENT, 0.01, 4))
    assert reason is not None
    assert reason.kind == SAME_ADDRESS


def test_a_stream_without_anything_has_clues_of_its_address_only() -> None:
    assert clues_of("http://a.example/x", None, None, None) == Clues(
        "", {"address": "a.example/x", "server": "a.example"}
    )
