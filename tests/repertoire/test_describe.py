from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.errors import InputError
from airledger.repertoire.describe import from_tags, normal_isrc, read_rows, with_row


@pytest.mark.parametrize("text", ["GBUM71505078", "gb-um7-15-05078", "ISRC GBUM71505078", "isrc:GB UM7 15 05078"])
def test_an_isrc_has_one_stored_form(text: str) -> None:
    assert normal_isrc(text) == "GBUM71505078"


@pytest.mark.parametrize("text", ["", "GBUM7150507", "12UM71505078", "GBUM7150507X", "GBUM715050789"])
def test_what_is_no_isrc_is_none(text: str) -> None:
    assert normal_isrc(text) is None


@given(st.from_regex(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}", fullmatch=True).filter(lambda code: not code.startswith("ISRC")))
def test_normalising_twice_changes_nothing(code: str) -> None:
    assert normal_isrc(code) == code


def test_the_file_name_speaks_where_tags_are_silent() -> None:
    described = from_tags({}, Path("Fela Ade - Lagoon Lights.mp3"))
    assert (described.artist, described.title) == ("Fela Ade", "Lagoon Lights")
    tagged = from_tags({"TITLE": "Right", "artist": "Who\x00Ever"}, Path("x.mp3"))
    assert (tagged.artist, tagged.title) == ("Who Ever", "Right")


def test_a_row_wins_over_tags_and_is_checked() -> None:
    described = from_tags({"title": "Tag"}, Path("x.mp3"))
    assert with_row(described, {"title": "Row", "class": "Jingle"}).recording_class == "jingle"
    with pytest.raises(InputError, match="not an ISRC"):
        with_row(described, {"isrc": "nonsense"})
    with pytest.raises(InputError, match="class"):
        with_row(described, {"class": "opera"})


def test_a_table_needs_its_file_column(tmp_path: Path) -> None:
    good, bad = tmp_path / "a.csv", tmp_path / "b.csv"
    good.write_text("\ufefffile,title\nfolder/x.mp3,Song\n", encoding="utf-8")
    assert read_rows(good) == {"x.mp3": {"file": "folder/x.mp3", "title": "Song"}}
    bad.write_text("name,title\nx.mp3,Song\n", encoding="utf-8")
    with pytest.raises(InputError, match="'file'"):
        read_rows(bad)
    bad.write_bytes(b"file\n\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read_rows(bad)
