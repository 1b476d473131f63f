"""Two names for one recording, and one name for two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.recognition.outside.compare import is_same, normal_artists, normal_title


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello", "HELLO!"),
        ("Hello (feat. Someone)", "Hello"),
        ("Hello ft. Someone", "Hello"),
        ("Hello - Radio Edit", "Hello"),
        ("Hello – 2011 Remastered Version", "Hello"),
        ("Hello [Remastered 2015]", "Hello"),
        ("Café del Mar", "Cafe Del Mar"),
        ("Ọmọ Naija", "Omo Naija"),
        ("Don't Stop", "Don\u2019t Stop"),
        ("(Remastered)", "(remastered)"),
    ],
)
def test_the_same_title(one: str, other: str) -> None:
    assert normal_title(one) == normal_title(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hello", "Hello (Live)"), ("Hello", "Hello (Club Remix)"), ("Hello", "Hello (Instrumental)"), ("Hello", "Halo")],
)
def test_another_recording(one: str, other: str) -> None:
    assert normal_title(one) != normal_title(other)


def test_scripts_without_latin_letters_keep_their_words() -> None:
    assert normal_title("夜に駆ける") == "夜に駆ける"
    assert normal_artists("أم كلثوم") == normal_artists("ام كلثوم") != frozenset()


def test_artists_in_one_line_or_many() -> None:
    assert normal_artists("The Beatles") == normal_artists("beatles")
    assert normal_artists("Ama & Kojo feat. Yaw") == normal_artists("Yaw", "Kojo", "Ama")


def test_a_shared_isrc_decides_and_different_ones_do_not() -> None:
    assert is_same(("A", "B", "GHA012600001"), "X", ["Y"], ["ISRC GH-A01-26-00001"])
    assert is_same(("A", "B", "GHA012600001"), "a", ["b"], ["GBAAA0000001"])
    assert not is_same(("A", "B", "GHA012600001"), "X", ["Y"], ["GBAAA0000001"])


def test_a_title_without_a_performer_is_not_enough() -> None:
    assert not is_same(("Hello", "", None), "Hello", ["Adele"], [])
    assert not is_same(("Hello", "Lionel Richie", None), "Hello", ["Adele"], [])
    assert not is_same(("", "Adele", None), "", ["Adele"], [])


@given(title=st.text(max_size=60), artist=st.text(max_size=60))
def test_whatever_has_a_name_is_the_same_as_itself(title: str, artist: str) -> None:
    if normal_title(title) and normal_artists(artist):
        assert is_same((title, artist, None), title, [artist], [])
