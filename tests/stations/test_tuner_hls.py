"""Hearing HLS stations: live windows that move, both kinds of segments, breaks, clocks and failures."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import numpy as np
import pytest

from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.tuner import Tuner, TunerLimits
from hearing import WAIT_S, Recorder, cause, hear
from made_sound import encoded, fragmented_mp4, melody, ts_segments
from raw_http import RawServer, Talk, raw_server

SEGMENT_S = 2.0
COUNT = 6
SOUND = melody(SEGMENT_S * COUNT)
TS = ts_segments(SOUND, SEGMENT_S)
INIT, CMAF = fragmented_mp4(SOUND)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as running:
        yield running


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


class Station:
    """Serves segments whose window moves by one with each load of the playlist, and ends after the last."""

    def __init__(self, server: RawServer, segments: list[bytes], *, init: bytes = b"", window: int = 3) -> None:
        self.tags: dict[int, str] = {}
        self.loads = 0
        self.dated = True
        self._init, self._window, self._segments = init, window, segments
        self.url = server.on("/live.m3u8", self._playlist)
        server.on("/init.mp4", lambda talk: talk.answer(init))
        for index in range(len(segments)):
            self._serve(server, index)

    def _serve(self, server: RawServer, index: int) -> None:
        server.on(f"/{index}.seg", lambda talk: talk.answer(self._segments[index], Content_Type="text/plain"))

    def _playlist(self, talk: Talk) -> None:
        last = min(self._window + self.loads, len(self._segments))
        first = last - self._window
        self.loads += 1
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:0.5", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        lines += ['#EXT-X-MAP:URI="init.mp4"'] if self._init else []
        for index in range(first, last):
            aired = NOON + timedelta(seconds=index * SEGMENT_S)
            lines += [self.tags[index]] if index in self.tags else []
            lines += [f"#EXT-X-PROGRAM-DATE-TIME:{aired.isoformat()}"] if self.dated else []
            lines += [f"#EXTINF:{SEGMENT_S},", f"{index}.seg"]
        lines += ["#EXT-X-ENDLIST"] if last == len(self._segments) else []
        talk.answer("\n".join(lines).encode(), Content_Type="application/vnd.apple.mpegurl")


@pytest.mark.parametrize(("segments", "init"), [(TS, b""), (CMAF, INIT)], ids=["ts", "cmaf"])
def test_a_live_window_is_followed_without_loss_and_its_clock_read(
    tuner: Tuner, server: RawServer, segments: list[bytes], init: bytes
) -> None:
    station = Station(server, segments, init=init)
    heard = hear(tuner, station.url)
    assert heard.end is not None
    assert heard.end.cause is Cause.ENDED, heard.end
    assert heard.info is not None
    assert (heard.info.kind, heard.info.container) == ("hls", "hls")
    assert heard.seconds == pytest.approx(SEGMENT_S * len(segments), abs=0.5)
    assert not heard.breaks
    # The encoder that made the TS segments began anew with each: 50 ms of its own silence in every one.
    drift_s = 0.1 if init else 0.06 * len(segments)
    for position, air_time in zip(heard.positions, heard.air_times, strict=True):
        assert air_time == pytest.approx(NOON.timestamp() + position / 8000, abs=drift_s)
    sizes = sum(len(segment) for segment in segments) + len(init)
    assert heard.received == sizes


def test_without_dates_there_is_no_air_time(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, TS)
    station.dated = False
    assert set(hear(tuner, station.url).air_times) == {None}


def test_segments_of_bare_aac_and_of_mp3_are_heard(tuner: Tuner, server: RawServer) -> None:
    for kind in ("aac", "mp3"):
        pieces = [encoded(SOUND[n * 88200 : (n + 1) * 88200], kind) for n in range(3)]
        tagged = [b"ID3\x04\x00\x00\x00\x00\x00\x0aTIMESTAMPS" + piece for piece in pieces]
        assert hear(tuner, Station(server, tagged).url).seconds == pytest.approx(6.0, abs=0.4)


def test_a_switch_of_the_encoding_is_heard_on_and_told(tuner: Tuner, server: RawServer) -> None:
    other = [encoded(SOUND[:88200], "mp3"), encoded(SOUND[:88200], "mp3")]
    station = Station(server, [*TS[:4], *other])
    station.tags[4] = "#EXT-X-DISCONTINUITY"
    heard = hear(tuner, station.url)
    assert [found.codec for found in heard.formats] == ["aac", "mp3"]
    assert len(heard.breaks) == 1
    assert heard.seconds == pytest.approx(12.0, abs=0.6)
    assert heard.positions == list(np.cumsum([0, *(len(piece) for piece in heard.pieces)])[:-1])


def test_a_segment_that_is_missing_leaves_a_gap_that_is_told_and_dated(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, TS)
    server.on("/3.seg", lambda talk: talk.answer(b"", status="HTTP/1.1 404 Gone"))
    heard = hear(tuner, station.url)
    assert heard.breaks == ["a segment could not be fetched"]
    assert heard.seconds == pytest.approx(10.0, abs=0.5)
    last = heard.air_times[-1]
    assert last is not None
    assert last == pytest.approx(NOON.timestamp() + 2.0 + heard.positions[-1] / 8000, abs=0.3)


def test_a_station_whose_segments_are_all_missing_is_dead(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, TS)
    for index in range(COUNT):
        server.on(f"/{index}.seg", lambda talk: talk.answer(b"", status="HTTP/1.1 404 Gone"))
    assert cause(tuner, station.url) is Cause.NOT_FOUND


def test_a_playlist_that_stands_still_is_a_stall(server: RawServer) -> None:
    def frozen(talk: Talk) -> None:
        text = "#EXTM3U\n#EXT-X-TARGETDURATION:0.5\n#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\n/0.seg\n"
        talk.answer(text.encode())

    Station(server, TS)
    impatient = TunerLimits(stall_s=0.6)
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")]), limits=impatient) as tuner:
        heard = hear(tuner, server.on("/frozen.m3u8", frozen))
    assert heard.end is not None
    assert heard.end.cause is Cause.STALLED
    assert heard.seconds == pytest.approx(SEGMENT_S, abs=0.2)


def test_masters_lead_to_the_cheapest_sound(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, TS)
    master = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="live.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=1280x720,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"\nvideo.m3u8\n'
    )
    heard = hear(tuner, server.on("/master.m3u8", lambda talk: talk.answer(master.encode())))
    assert heard.seconds == pytest.approx(SEGMENT_S * COUNT, abs=0.5)
    picture = heard.formats[-1].picture
    assert picture is not None
    assert (picture.codec, picture.width_px) == ("h264", 1280)
    assert "/video.m3u8" not in {talk.path for talk in server.requests}
    assert station.loads > 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('#EXT-X-TARGETDURATION:6\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:6,\n/0.seg\n', Cause.ENCRYPTED),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1\n/loop.m3u8\n", Cause.REDIRECT_LOOP),
        ("#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n/page.seg\n", Cause.NOT_MEDIA),
        ("#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://10.0.0.1/0.seg\n#EXT-X-ENDLIST\n", Cause.ADDRESS_REFUSED),
        ("#EXT-X-TARGETDURATION:6\n" + "#EXTINF:6,\n/0.seg\n" * 5001, Cause.UNDECODABLE),
    ],
)
def test_what_cannot_be_heard_is_told(tuner: Tuner, server: RawServer, text: str, expected: Cause) -> None:
    server.on("/page.seg", lambda talk: talk.answer(b"<html>no</html>"))
    url = server.on("/loop.m3u8", lambda talk: talk.answer(b"#EXTM3U\n" + text.encode()))
    assert cause(tuner, url) is expected


def test_byte_ranges_of_one_file_are_heard(tuner: Tuner, server: RawServer) -> None:
    body = INIT + b"".join(CMAF)

    def ranged(talk: Talk) -> None:
        first, last = (int(part) for part in talk.headers["range"].removeprefix("bytes=").split("-"))
        talk.answer(body[first : last + 1], status="HTTP/1.1 206 Partial Content")

    server.on("/honest.mp4", ranged)
    server.on("/ignorant.mp4", lambda talk: talk.answer(body))
    for name in ("honest", "ignorant"):
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", f'#EXT-X-MAP:URI="{name}.mp4",BYTERANGE="{len(INIT)}@0"']
        start = len(INIT)
        for segment in CMAF:
            lines += ["#EXTINF:2,", f"#EXT-X-BYTERANGE:{len(segment)}@{start}", f"{name}.mp4"]
            start += len(segment)
        text = "\n".join([*lines, "#EXT-X-ENDLIST"]).encode()
        heard = hear(tuner, server.on(f"/{name}.m3u8", lambda talk, text=text: talk.answer(text)))  # type: ignore[misc]
        assert heard.seconds == pytest.approx(SEGMENT_S * len(CMAF), abs=0.2), name


def test_closing_stops_the_loading_of_playlists(tuner: Tuner, server: RawServer) -> None:
    still = threading.Event()

    def endless(talk: Talk) -> None:
        if still.is_set():
            raise AssertionError("loaded after close")
        number = len(server.requests)
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:0.5\n#EXT-X-MEDIA-SEQUENCE:{number}\n#EXTINF:2,\n/0.seg?{number}\n"
        talk.answer(text.encode())

    Station(server, TS)
    heard = Recorder()
    tuned = tuner.tune(server.on("/endless.m3u8", endless), heard)
    assert heard.sounding.wait(WAIT_S)
    tuned.close()
    still.set()
    before = len(server.requests)
    assert hear(tuner, server.base + "/0.seg").seconds == pytest.approx(SEGMENT_S, abs=0.2)
    assert len(server.requests) - before == 1
