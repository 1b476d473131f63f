import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.stations.probing.playable import Client, StreamFacts, as_text, from_text, pattern, playable_in

EVERYWHERE = {client.value for client in Client}
HTTP, HTTPS = "http://radio.example/live", "https://radio.example/live"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (StreamFacts(HTTPS, codec="mp3"), EVERYWHERE),
        (StreamFacts(HTTP, codec="mp3"), {"native", "browser_http", "chromecast"}),
        (StreamFacts(HTTP, https_url=HTTPS, codec="AAC+"), EVERYWHERE),
        (StreamFacts(HTTPS, codec="opus", container="ogg"), EVERYWHERE - {"safari"}),
        (StreamFacts(HTTPS, codec="aac", is_hls=True), {"native", "safari"}),
        (StreamFacts(HTTPS, codec="aac", is_hls=True, allows_any_origin=True), EVERYWHERE),
        (StreamFacts(HTTPS, codec="aac", picture_codec="hevc", is_hls=True), {"native", "safari"}),
        (StreamFacts(HTTPS, codec="mp2", container="mpegts", picture_codec="mpeg2video"), {"native"}),
        (StreamFacts(HTTPS, codec="mp3", needs_headers=True), {"native"}),
        (StreamFacts(HTTPS), {"native"}),
    ],
)
def test_who_can_play(facts: StreamFacts, expected: set[str]) -> None:
    assert playable_in(facts) == expected


facts = st.builds(
    StreamFacts,
    url=st.sampled_from([HTTP, HTTPS]),
    https_url=st.sampled_from([None, HTTPS]),
    codec=st.sampled_from([None, "mp3", "aac", "opus", "mp2", "flac"]),
    picture_codec=st.sampled_from([None, "h264", "hevc"]),
    container=st.sampled_from(["", "mp3", "ogg", "mpegts"]),
    is_hls=st.booleans(),
    allows_any_origin=st.sampled_from([None, False, True]),
    needs_headers=st.booleans(),
)


@given(facts)
def test_https_pages_play_no_more_than_http_pages_and_a_player_program_plays_all(stream: StreamFacts) -> None:
    clients = playable_in(stream)
    assert "native" in clients
    assert "browser_https" not in clients or "browser_http" in clients
    if stream.url == HTTP and stream.https_url is None:
        assert not clients & {"browser_https", "safari"}


@given(st.sets(st.sampled_from(sorted(EVERYWHERE))))
def test_what_is_stored_can_be_read_and_searched(clients: set[str]) -> None:
    stored = as_text(clients)
    assert set(from_text(stored)) == clients
    assert {client for client in EVERYWHERE if pattern(client) in stored} == clients
