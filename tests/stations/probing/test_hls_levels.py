"""What HLS must do to be proven: go on, give a segment from the middle of its window, or another rendition."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from airledger.platform.guard import AddressGuard
from airledger.stations import probe
from airledger.stations.cause import Cause
from airledger.stations.probe import prove
from airledger.stations.tuner import Tuner
from made_sound import melody, ts_segments
from raw_http import RawServer, Talk

SEGMENT_S = 2.0
WINDOW = 6
SEGMENTS = ts_segments(melody(SEGMENT_S * 12), SEGMENT_S)


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as running:
        yield running


class Station:
    """A live window of six segments that moves with each load, or stands still."""

    def __init__(self, server: RawServer, *, moves: bool) -> None:
        self._moves, self._loads = moves, 0
        self.fetched: list[int] = []
        self.url = server.on("/live.m3u8", self._playlist)
        for number in range(len(SEGMENTS)):
            self._serve(server, number)

    def _serve(self, server: RawServer, number: int) -> None:
        def answer(talk: Talk) -> None:
            self.fetched.append(number)
            talk.answer(SEGMENTS[number])

        server.on(f"/{number}.ts", answer)

    def _playlist(self, talk: Talk) -> None:
        first = min(self._loads, len(SEGMENTS) - WINDOW) if self._moves else 0
        self._loads += 1
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:0.5", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        for number in range(first, first + WINDOW):
            lines += [f"#EXTINF:{SEGMENT_S},", f"{number}.ts"]
        talk.answer("\n".join(lines).encode())


def test_a_live_playlist_that_goes_on_is_proven_from_the_middle(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, moves=True)
    proof = prove(station.url, tuner, seconds=1)
    assert (proof.level, proof.cause) == (4, None)
    assert station.fetched[0] == WINDOW // 2


def test_sound_without_a_playlist_that_goes_on_is_no_sustained_rate(
    tuner: Tuner, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "STUCK_LEAST_S", 1.0)
    station = Station(server, moves=False)
    proof = prove(station.url, tuner, seconds=1)
    assert (proof.level, proof.cause, proof.is_healthy) == (2, Cause.STALLED, False)
    assert proof.sound_s > 1  # it sounded well enough for its last segments


def test_another_rendition_is_tried_where_one_is_gone(tuner: Tuner, server: RawServer) -> None:
    station = Station(server, moves=True)
    master = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=32000,CODECS="mp4a.40.5"\ngone.m3u8\n'
        f'#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\n{station.url}\n'
    )
    url = server.on("/master.m3u8", lambda talk: talk.answer(master.encode()))
    assert prove(url, tuner, seconds=1).is_healthy
