import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.ogg_titles import OggTitles, title_of
from made_sound import encoded, melody

SOUND = melody(2.0)


def chained(kind: str, *tags: dict[str, str]) -> tuple[bytes, list[int]]:
    pieces = [encoded(SOUND, kind, tags=each) for each in tags]
    return b"".join(pieces), [sum(map(len, pieces[:n])) for n in range(len(pieces))]


@pytest.mark.parametrize("kind", ["ogg", "opus", "flac in ogg"])
@pytest.mark.parametrize("step", [61, 5000, 10**9])
def test_each_chained_stream_tells_its_title_and_place(kind: str, step: int) -> None:
    data, places = chained(kind, {"title": "Öne", "artist": "A"}, {"title": "Two"}, {"title": "Two"}, {"album": "x"})
    reader = OggTitles()
    titles = [title for at in range(0, len(data), step) for title in reader.feed(data[at : at + step])]
    assert [(title.text, title.byte_position) for title in titles] == [("A - Öne", places[0]), ("Two", places[1])]


def test_a_stream_entered_in_the_middle_tells_the_next_title() -> None:
    data, places = chained("ogg", {"title": "One"}, {"title": "Two"})
    (title,) = OggTitles().feed(data[1000:])
    assert (title.text, title.byte_position) == ("Two", places[1] - 1000)


def test_a_cover_in_the_comments_is_no_obstacle() -> None:
    data, _ = chained("opus", {"title": "One", "picture": "x" * 150_000})
    assert [title.text for title in OggTitles().feed(data)] == ["One"]


@given(st.lists(st.binary(max_size=80) | st.just(b"OggS") | st.just(b"OggS\x00\x02" + bytes(20)), max_size=20))
def test_no_bytes_break_it_and_nothing_piles_up(pieces: list[bytes]) -> None:
    reader = OggTitles()
    for piece in pieces:
        reader.feed(piece)
    assert len(reader._buffer) < 70_000


@given(st.binary(max_size=100))
def test_no_packet_breaks_the_comments(packet: bytes) -> None:
    for magic in (b"\x03vorbis", b"OpusTags", b"\x84\x00\x00\x00", b""):
        title_of(magic + packet)
