import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.platform.fetch_error import FetchCause
from airledger.stations.cause import Cause, cause_of_fetch, cause_of_status
from airledger.stations.tuner.playlists import decode_text, entries, is_hls


@pytest.mark.parametrize("fetch_cause", FetchCause)
def test_every_failed_fetch_has_a_cause(fetch_cause: FetchCause) -> None:
    assert isinstance(cause_of_fetch(fetch_cause, 404), Cause)


@given(st.integers(300, 999))
def test_every_status_has_a_cause(status: int) -> None:
    assert isinstance(cause_of_status(status), Cause)


def test_what_comes_and_goes_is_not_permanent() -> None:
    passing = {Cause.TIMEOUT, Cause.STALLED, Cause.SERVER_ERROR, Cause.FORBIDDEN, Cause.ENDED, Cause.DECODER_CRASHED}
    lasting = {Cause.NOT_FOUND, Cause.REFUSED, Cause.DEAD_HOST, Cause.TLS, Cause.GEO_BLOCKED, Cause.NOT_MEDIA}
    assert not any(cause.permanent for cause in passing)
    assert all(cause.permanent for cause in lasting)


@given(st.sampled_from(["m3u", "pls", "asx", "xspf"]), st.text(max_size=300))
def test_no_text_breaks_a_playlist_reader(kind: str, text: str) -> None:
    found = entries(kind, text, "http://a.example/list")
    assert len(found) == len(set(found))
    assert all(found)


def test_an_xml_bomb_in_a_playlist_is_no_bomb() -> None:
    rounds = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{rounds}]><playlist><location>&l11;</location></playlist>'
    assert entries("xspf", bomb, "http://a.example/") == []


def test_entries_are_absolute_and_lists_that_are_hls_are_not_lists() -> None:
    text = "#EXTM3U\r\n#EXTINF:-1,A, B\r\nlive?x=1|User-Agent=VLC\r\n\r\n//b.example/c\r\nlive?x=1\r\n"
    assert entries("m3u", text, "https://a.example/d/list.m3u") == [
        "https://a.example/d/live?x=1",
        "https://b.example/c",
    ]
    assert not is_hls(text)
    assert is_hls("#EXTM3U\n#EXT-X-TARGETDURATION:6\n")
    assert decode_text("\ufeffÄ".encode()) == "Ä"
    assert decode_text(b"\xc4") == "Ä"
