from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airledger.audio.hls import ByteRange, Follower, MediaPlaylist, Piece, PlaylistError, Rendition, Segment, parse

URL = "https://radio.example/live/index.m3u8"
HEAD = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n"


def media(text: str) -> MediaPlaylist:
    found = parse(text, URL)
    assert isinstance(found, MediaPlaylist)
    return found


def segment(sequence: int, *, aired_at: float | None = None, discontinuity: bool = False) -> Segment:
    return Segment(sequence, Piece(f"{sequence}.ts"), 6.0, aired_at=aired_at, discontinuity=discontinuity)


def playlist(*segments: Segment, ended: bool = False) -> MediaPlaylist:
    return MediaPlaylist(segments, 6.0, ended)


def test_segments_have_addresses_numbers_times_and_ranges() -> None:
    text = HEAD + (
        "#EXT-X-MEDIA-SEQUENCE:41\n"
        '#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-20T12:00:00.500Z\n"
        "#EXTINF:6.006,\n#EXT-X-BYTERANGE:1000@700\nall.mp4\n"
        "#EXTINF:5.5,\n#EXT-X-BYTERANGE:500\nall.mp4\n"
        "#EXT-X-DISCONTINUITY\n#EXTINF:6,\n/other/b.mp4?x=1\n"
    )
    first, second, third = media(text).segments
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
    assert (first.sequence, first.duration_s, first.aired_at) == (41, 6.006, noon + 0.5)
    assert first.piece == Piece("https://radio.example/live/all.mp4", ByteRange(700, 1000))
    assert first.piece.byte_range is not None
    assert first.piece.byte_range.header == "bytes=700-1699"
    assert first.init == Piece("https://radio.example/live/init.mp4", ByteRange(0, 700))
    assert second.piece.byte_range == ByteRange(1700, 500)
    assert second.aired_at == pytest.approx(noon + 6.506)
    assert (third.sequence, third.discontinuity) == (43, True)
    assert third.piece == Piece("https://radio.example/other/b.mp4?x=1")
    assert not media(text).ended
    assert media(text + "#EXT-X-ENDLIST\n").ended


def test_the_cheapest_rendition_with_sound_is_chosen() -> None:
    video = '#EXT-X-STREAM-INF:BANDWIDTH={},RESOLUTION=640x360,CODECS="avc1.4d401e,mp4a.40.2"{}\n{}\n'
    both = "#EXTM3U\n" + video.format(900000, "", "mid.m3u8") + video.format(300000, "", "low.m3u8")
    mid, low = (
        Rendition(f"https://radio.example/live/{name}.m3u8", bits, False, "avc1.4d401e,mp4a.40.2", 640, 360)
        for name, bits in (("mid", 900000), ("low", 300000))
    )
    assert parse(both, URL) == replace(low, others=(mid,))
    sound_only = both + '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.5"\nradio.m3u8\n'
    chosen = parse(sound_only, URL)
    assert isinstance(chosen, Rendition)
    assert (chosen.url, chosen.audio_only) == ("https://radio.example/live/radio.m3u8", True)
    separate = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",DEFAULT=NO,URI="en.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="de",DEFAULT=YES,URI="de.m3u8"\n'
    ) + video.format(300000, ',AUDIO="a"', "v.m3u8")
    chosen = parse(separate, URL)
    assert isinstance(chosen, Rendition)
    assert (chosen.url, chosen.audio_only, chosen.width_px) == ("https://radio.example/live/de.m3u8", True, 640)
    assert [other.url for other in chosen.others] == ["https://radio.example/live/v.m3u8"]


@pytest.mark.parametrize("method", ["AES-128", "SAMPLE-AES"])
def test_encrypted_sound_is_told(method: str) -> None:
    text = HEAD + f'#EXT-X-KEY:METHOD={method},URI="key"\n#EXTINF:6,\na.ts\n'
    with pytest.raises(PlaylistError) as caught:
        parse(text, URL)
    assert caught.value.encrypted
    assert media(text.replace(f'METHOD={method},URI="key"', "METHOD=NONE")).segments


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "#EXTM3U\n",
        "#EXTM3U\n" + "#EXTINF:1,\na.ts\n" * 5001,
        "#EXTM3U\n" + "#EXT-X-STREAM-INF:BANDWIDTH=1\na\n" * 501,
        "#EXTM3U\n" + "x" * (1 << 20),
        HEAD + "#EXTINF:6,\n#EXT-X-BYTERANGE:-5@3\na.ts\n",
        HEAD + "#EXT-X-MEDIA-SEQUENCE:many\n#EXTINF:6,\na.ts\n",
    ],
)
def test_what_cannot_be_followed_is_refused(text: str) -> None:
    with pytest.raises(PlaylistError):
        parse(text, URL)


TAGS = st.sampled_from(
    [
        "#EXTINF:6,",
        "#EXTINF:x",
        "#EXTINF:-1e400,",
        "#EXT-X-KEY:METHOD",
        "#EXT-X-MAP:URI=",
        "#EXT-X-MAP",
        "#EXT-X-BYTERANGE:9@",
        "#EXT-X-BYTERANGE:",
        "#EXT-X-STREAM-INF:",
        "#EXT-X-STREAM-INF:RESOLUTION=axb,BANDWIDTH=-",
        "#EXT-X-MEDIA:TYPE=AUDIO",
        "#EXT-X-PROGRAM-DATE-TIME:soon",
        "#EXT-X-PROGRAM-DATE-TIME:9999-99-99T99:99:99Z",
        "#EXT-X-TARGETDURATION:1e999",
        "#EXT-X-MEDIA-SEQUENCE:",
        "#EXT-X-DATERANGE:ID",
        "#EXT-X-PART:URI",
        "#EXT-X-SKIP:SKIPPED-SEGMENTS=9",
        "#EXT-X-SERVER-CONTROL:X",
        "#EXT-X-DEFINE",
        "#EXT-X-ENDLIST",
        "a.ts",
        "http://[::1",
        "",
    ]
)


@given(st.lists(TAGS | st.text(max_size=40), max_size=12))
def test_no_playlist_breaks_the_parser(lines: list[str]) -> None:
    try:
        found = parse("#EXTM3U\n" + "\n".join(lines), URL)
    except PlaylistError:
        return
    if isinstance(found, MediaPlaylist):
        assert found.target_duration_s > 0
        assert all(each.duration_s >= 0 for each in found.segments)


def test_hearing_begins_near_the_live_edge_and_at_the_start_of_what_has_ended() -> None:
    ten = [segment(n) for n in range(10)]
    assert [each.segment.sequence for each in Follower(3).update(playlist(*ten))] == [7, 8, 9]
    assert len(Follower(3).update(playlist(*ten, ended=True))) == 10


@given(st.lists(st.integers(0, 4), max_size=20), st.integers(3, 8))
def test_every_segment_is_heard_once_and_in_order(steps: list[int], window: int) -> None:
    follower, heard, edge = Follower(3), [], window
    for step in [0, *steps]:
        edge += min(step, window)
        fresh = follower.update(playlist(*(segment(n) for n in range(edge - window, edge))))
        assert all(not each.break_reason for each in fresh)
        heard += [each.segment.sequence for each in fresh]
    assert heard == list(range(window - 3, edge))


def test_breaks_are_told_with_their_reason() -> None:
    follower = Follower(3)
    follower.update(playlist(segment(1, aired_at=100.0), segment(2, aired_at=106.0)))
    (missed, plain) = follower.update(playlist(segment(5), segment(6)))
    assert "2 segments were missed" in missed.break_reason
    assert not plain.break_reason
    (switched,) = follower.update(playlist(segment(7, discontinuity=True)))
    assert "DISCONTINUITY" in switched.break_reason
    (restarted,) = follower.update(playlist(segment(1, aired_at=500.0)))
    assert "anew" in restarted.break_reason
    (smooth,) = follower.update(playlist(segment(2, aired_at=506.2)))
    assert not smooth.break_reason
    (jumped,) = follower.update(playlist(segment(3, aired_at=540.0)))
    assert "clock" in jumped.break_reason
    assert follower.update(playlist(segment(3, aired_at=540.0))) == []
