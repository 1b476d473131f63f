import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.icy import IcyDemuxer, IcyTitle, parse_metadata


def block(text: bytes) -> bytes:
    units = -(-len(text) // 16)
    return bytes([units]) + text.ljust(units * 16, b"\x00")


@st.composite
def streams(draw: st.DrawFn) -> tuple[int, bytes, bytes, list[str]]:
    """A metaint, the stream as sent, its audio, and the titles that changed."""
    metaint = draw(st.integers(1, 40))
    words = st.text(st.characters(blacklist_characters="\x00;", blacklist_categories=["Cs"]), max_size=20).map(
        str.strip
    )
    raw, audio = b"", b""
    titles: list[str] = []
    for title in draw(st.lists(st.none() | words, max_size=8)):
        piece = draw(st.binary(min_size=metaint, max_size=metaint))
        audio += piece
        raw += piece + (block(b"") if title is None else block(f"StreamTitle='{title}';StreamUrl='';".encode()))
        if title is not None and [title] != (titles[-1:] or [""]):
            titles.append(title)
    return metaint, raw, audio, titles


@given(streams(), st.data())
def test_any_way_of_cutting_gives_the_same_sound_and_titles(
    stream: tuple[int, bytes, bytes, list[str]], data: st.DataObject
) -> None:
    metaint, raw, audio, titles = stream
    demuxer = IcyDemuxer(metaint)
    heard, at = b"", 0
    told: list[IcyTitle] = []
    while at < len(raw):
        step = data.draw(st.integers(1, 60))
        sound, new = demuxer.feed(raw[at : at + step])
        heard, told, at = heard + sound, told + new, at + step
    assert heard == audio
    assert [title.text for title in told] == titles
    assert (heard, told) == IcyDemuxer(metaint).feed(raw)
    assert all(title.byte_position % metaint == 0 for title in told)


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_noise_in_place_of_metadata_is_survived(noise: bytes, metaint: int) -> None:
    sound, _ = IcyDemuxer(metaint).feed(noise)
    assert len(sound) <= len(noise)


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"StreamTitle='Guns N' Roses - Don't Cry';StreamUrl='';", "Guns N' Roses - Don't Cry"),
        ("StreamTitle='Björk - Jóga';".encode(), "Björk - Jóga"),
        ("StreamTitle='Café del Mar';".encode("latin-1"), "Café del Mar"),
        (b"StreamTitle='cut off by the limit", "cut off by the limit"),
        (b"StreamTitle='no semicolon'", "no semicolon"),
        (b"StreamTitle='';StreamUrl='http://x/';", ""),
        (b"StreamUrl='http://x/';StreamTitle='second';", "second"),
    ],
)
def test_titles_as_servers_write_them(raw: bytes, title: str) -> None:
    assert parse_metadata(raw + b"\x00" * 5)["streamtitle"] == title


def test_a_title_knows_its_place_and_is_told_once() -> None:
    demuxer = IcyDemuxer(10)
    same = block(b"StreamTitle='A';")
    _, titles = demuxer.feed(b"." * 10 + same + b"." * 10 + same + b"." * 10 + block(b"StreamTitle='B';"))
    assert titles == [IcyTitle("A", 10), IcyTitle("B", 30)]


def test_an_empty_title_is_told_only_where_one_was_before() -> None:
    empty, title = block(b"StreamTitle='';"), block(b"StreamTitle='A';")
    _, titles = IcyDemuxer(2).feed(b"..".join([b"", empty, title, empty, empty]))
    assert [each.text for each in titles] == ["A", ""]


@pytest.mark.parametrize("metaint", [0, -1, (1 << 20) + 1])
def test_an_absurd_interval_is_refused(metaint: int) -> None:
    with pytest.raises(ValueError, match="icy-metaint"):
        IcyDemuxer(metaint)
