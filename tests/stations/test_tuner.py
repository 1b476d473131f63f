"""The tuner against real servers on loopback: every way of sending, every way of failing."""

import json
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from airledger.audio.decoder_frames import WINDOW_BYTES
from airledger.audio.stream_format import PictureFormat, StreamFormat
from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.tuner import TuneEnded, Tuner, TunerLimits
from hearing import WAIT_S, Recorder, cause, hear
from made_sound import encoded, melody, television
from raw_http import Answer, RawServer, Talk, raw_server
from servers.process import wait_until

SECONDS = 6.0
SOUND = melody(SECONDS)
MP3 = encoded(SOUND, "mp3")
# Only the streams that hang meet the impatient tuner: a busy machine must not make the others look as if they did.
IMPATIENT = TunerLimits(answer_s=1.0, stall_s=0.6, sniff_s=0.6)


@pytest.fixture(scope="module")
def tuner() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")]), user_agent="Airledger-test") as running:
        yield running


@pytest.fixture(scope="module")
def impatient() -> Iterator[Tuner]:
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")]), limits=IMPATIENT) as running:
        yield running


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server() as running:
        yield running


def in_pieces(data: bytes, size: int = 1400) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def endless(data: bytes, **headers: str) -> Answer:
    """Send `data` as a body without end, then close."""

    def answer(talk: Talk) -> None:
        talk.begin(**headers)
        for piece in in_pieces(data):
            talk.send(piece)

    return answer


def whole(body: bytes, **headers: str) -> Answer:
    return lambda talk: talk.answer(body, **headers)


def with_titles(audio: bytes, metaint: int, titles: list[str]) -> bytes:
    blocks = []
    for index, piece in enumerate(in_pieces(audio, metaint)):
        text = f"StreamTitle='{titles[index]}';".encode() if index < len(titles) and titles[index] else b""
        units = -(-len(text) // 16)
        blocks.append(piece + (bytes([units]) + text.ljust(units * 16, b"\0") if len(piece) == metaint else b""))
    return b"".join(blocks)


# Ways of sending.


@pytest.mark.parametrize("status", ["ICY 200 OK", "HTTP/1.0 200 OK"])
def test_a_station_with_icy_metadata_is_heard_with_its_titles(tuner: Tuner, server: RawServer, status: str) -> None:
    body = with_titles(MP3, 8192, ["First", "", "It's a 'quoted' one", "Ünïcode"])
    headers = {
        "icy_name": "Radio Test",
        "icy_br": "96,96",
        "icy_metaint": "8192",
        "icy_pub": "1",
        "Content_Type": "audio/mpeg",
    }

    def answer(talk: Talk) -> None:
        talk.begin(status=status, **headers)
        for piece in in_pieces(body, 999):
            talk.send(piece)

    heard = hear(tuner, server.on("/live", answer))
    assert server.requests[0].headers["icy-metadata"] == "1"
    assert server.requests[0].headers["user-agent"] == "Airledger-test"
    info = heard.info
    assert info is not None
    assert (info.kind, info.container, info.status, info.content_type) == ("icy", "mp3", 200, "audio/mpeg")
    assert (info.icy.name, info.icy.bitrate_kbps, info.icy.metaint_bytes) == ("Radio Test", 96, 8192)
    assert (info.icy.public, info.icy.do_not_index, info.remote_address) == (True, False, "127.0.0.1")
    assert 0 < info.response_time_ms < 5000
    assert [title for title, _ in heard.titles] == ["First", "It's a 'quoted' one", "Ünïcode"]
    expected_s = [8192 * block * 8 / 96000 for block in (1, 3, 4)]
    assert [at_s for _, at_s in heard.titles] == pytest.approx(expected_s, abs=0.4)
    assert heard.received == len(MP3)
    assert heard.seconds == pytest.approx(SECONDS, abs=0.1)
    assert heard.positions == list(np.cumsum([0, *(len(piece) for piece in heard.pieces)])[:-1])
    assert heard.order[0] == "connected"
    assert heard.order[-1] == "ended"
    assert heard.order.index("format") < heard.order.index("sound")
    assert heard.threads == {"tuner"}
    assert heard.end == TuneEnded(Cause.ENDED, False, "The server ended the stream.")


@pytest.mark.parametrize(("kind", "codec"), [("aac", "aac"), ("ogg", "vorbis"), ("opus", "opus"), ("flac", "flac")])
def test_every_codec_is_heard_whatever_the_content_type_says(
    tuner: Tuner, server: RawServer, kind: str, codec: str
) -> None:
    heard = hear(tuner, server.on("/a", endless(encoded(SOUND, kind), Content_Type="application/octet-stream")))
    assert [found.codec for found in heard.formats] == [codec]
    assert heard.seconds == pytest.approx(SECONDS, abs=0.1)
    assert heard.info is not None
    assert heard.info.kind == "http"


def test_an_ogg_station_tells_each_new_track(tuner: Tuner, server: RawServer) -> None:
    tracks = [encoded(SOUND, "ogg", tags={"title": title, "artist": "A"}) for title in ("One", "Two")]
    heard = hear(tuner, server.on("/ogg", endless(b"".join(tracks))))
    assert [title for title, _ in heard.titles] == ["A - One", "A - Two"]
    assert [at_s for _, at_s in heard.titles] == pytest.approx([0.0, SECONDS], abs=0.4)
    assert heard.seconds == pytest.approx(2 * SECONDS, abs=0.2)


def test_a_stream_entered_in_the_middle_is_heard(tuner: Tuner, server: RawServer) -> None:
    heard = hear(tuner, server.on("/m", endless(MP3[20_011:])))
    assert heard.seconds == pytest.approx(SECONDS * (1 - 20_011 / len(MP3)), abs=0.3)


def test_sound_comes_while_the_stream_still_runs_and_closing_silences_it(tuner: Tuner, server: RawServer) -> None:
    gone = threading.Event()

    def live(talk: Talk) -> None:
        talk.begin()
        talk.send(MP3[:40_000])
        talk.hang()
        gone.set()

    heard = Recorder()
    tuned = tuner.tune(server.on("/live", live), heard)
    assert heard.sounding.wait(WAIT_S)
    tuned.close()
    told = list(heard.order)
    assert tuned.over
    assert gone.wait(WAIT_S), "the connection was left open"
    assert heard.order == told
    assert heard.end is None
    tuned.close()


def test_a_listener_may_close_from_within_its_own_call(tuner: Tuner, server: RawServer) -> None:
    handed: queue.Queue[Callable[[], None]] = queue.Queue()

    class Once(Recorder):
        def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
            super().sound(pcm, position, at, air_time)
            handed.get()()

    heard = Once()
    tuned = tuner.tune(server.on("/live", endless(MP3)), heard)
    handed.put(tuned.close)
    assert tuned.wait(WAIT_S)
    assert len(heard.pieces) == 1
    assert heard.end is None


def test_a_listener_that_fails_ends_its_own_stream_alone(tuner: Tuner, server: RawServer) -> None:
    class Broken(Recorder):
        def format(self, found: StreamFormat) -> None:
            raise RuntimeError(f"a bug of the listener's, on meeting {found.codec}")

    url = server.on("/live", endless(MP3))
    tuned = tuner.tune(url, Broken())
    assert tuned.wait(WAIT_S)
    assert hear(tuner, url).seconds == pytest.approx(SECONDS, abs=0.1)


def test_headers_that_a_list_asks_for_are_sent(tuner: Tuner, server: RawServer) -> None:
    hear(tuner, server.on("/h", endless(MP3)), headers={"User-Agent": "VLC", "Referer": "http://r.example/"})
    assert server.requests[0].headers["user-agent"] == "VLC"
    assert server.requests[0].headers["referer"] == "http://r.example/"


# Playlists in front.


@pytest.mark.parametrize(
    "text",
    [
        "[playlist]\nNumberOfEntries=2\nFile1={base}/gone\nTitle1=x\nFile2={base}/live\n",
        "#EXTM3U\n#EXTINF:-1,Dead\n{base}/gone\n#EXTINF:-1,Alive\n{base}/live\n",
        "{base}/gone\r\n/live\r\n",
        '<ASX version="3.0"><Entry><Ref HREF="{base}/gone"/></Entry><entry><ref href = "{base}/live" /></entry></ASX>',
        (
            '<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>\n'
            "<location>{base}/gone</location></track><track><location>{base}/live</location></track></trackList></playlist>"
        ),
        "[Reference]\nRef1={base}/live\n",
    ],
)
def test_playlists_are_unwrapped_and_their_dead_entries_passed_over(tuner: Tuner, server: RawServer, text: str) -> None:
    server.on("/live", endless(MP3))
    body = text.format(base=server.base).encode()
    url = server.on("/list", lambda talk: talk.answer(body, Content_Type="audio/x-scpls"))
    heard = hear(tuner, url)
    assert heard.info is not None
    assert (heard.info.url, heard.info.via) == (server.base + "/live", (url,))
    assert heard.seconds == pytest.approx(SECONDS, abs=0.1)


def test_playlists_that_lead_round_in_a_circle_are_told(tuner: Tuner, server: RawServer) -> None:
    server.on("/a.pls", lambda talk: talk.answer(b"[playlist]\nFile1=/b.m3u\n"))
    server.on("/b.m3u", lambda talk: talk.answer(b"#EXTM3U\n/a.pls\n"))
    assert cause(tuner, server.base + "/a.pls") is Cause.REDIRECT_LOOP
    for depth in range(6):
        server.on(f"/{depth}.m3u", whole(f"#EXTM3U\n/{depth + 1}.m3u\n".encode()))
    assert cause(tuner, server.base + "/0.m3u") is Cause.REDIRECT_LOOP


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"#EXTM3U\nrtmp://a.example/live\n", Cause.UNSUPPORTED),
        (b"#EXTM3U\n# nothing\n", Cause.NOT_MEDIA),
        (b"#EXTM3U\n" + b"http://a.example/x\n" * 60_000, Cause.TOO_LARGE),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><playlist xmlns="xspf">&a;</playlist>', Cause.NOT_MEDIA),
    ],
)
def test_playlists_that_lead_nowhere_are_told(tuner: Tuner, server: RawServer, text: bytes, expected: Cause) -> None:
    assert cause(tuner, server.on("/p", lambda talk: talk.answer(text))) is expected


# Ways of failing.


def status(code: int) -> Answer:
    return lambda talk: talk.answer(b"no", status=f"HTTP/1.1 {code} No")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (404, Cause.NOT_FOUND),
        (410, Cause.NOT_FOUND),
        (401, Cause.AUTH),
        (403, Cause.FORBIDDEN),
        (451, Cause.GEO_BLOCKED),
        (503, Cause.SERVER_ERROR),
        (429, Cause.RATE_LIMITED),
        (400, Cause.HTTP_ERROR),
    ],
)
def test_statuses_have_their_causes(tuner: Tuner, server: RawServer, code: int, expected: Cause) -> None:
    heard = hear(tuner, server.on("/x", status(code)))
    assert heard.end is not None
    assert (heard.end.cause, heard.end.http_status) == (expected, code)
    assert heard.order == ["ended"]


def test_a_shoutcast_server_without_source_is_no_matter_of_passwords(tuner: Tuner, server: RawServer) -> None:
    url = server.on("/", lambda talk: talk.begin(status="ICY 401 Service Unavailable"))
    assert cause(tuner, url) is Cause.SOURCE_OFFLINE


def test_a_hang_after_the_headers_is_a_stall_and_one_before_is_a_timeout(impatient: Tuner, server: RawServer) -> None:
    def after(talk: Talk) -> None:
        talk.begin(Content_Type="audio/mpeg", icy_metaint="16000")
        talk.hang()

    def midway(talk: Talk) -> None:
        talk.begin()
        talk.send(MP3[:30_000])
        talk.hang()

    assert cause(impatient, server.on("/after", after)) is Cause.STALLED
    assert cause(impatient, server.on("/before", Talk.hang)) is Cause.TIMEOUT
    heard = hear(impatient, server.on("/midway", midway))
    assert heard.end is not None
    assert heard.end.cause is Cause.STALLED
    assert heard.seconds > 1, "what came before the stall is heard"


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html><h1>Welcome</h1>", b"Sorry, we are full.", b'{"a": 1}'])
def test_a_page_that_claims_to_be_sound_is_no_media(tuner: Tuner, server: RawServer, body: bytes) -> None:
    url = server.on("/page", lambda talk: talk.answer(body, Content_Type="audio/mpeg"))
    assert cause(tuner, url) is Cause.NOT_MEDIA


def test_a_circle_of_redirects_is_told(tuner: Tuner, server: RawServer) -> None:
    server.on("/a", lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location="/b"))
    server.on("/b", lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location="/a"))
    assert cause(tuner, server.base + "/a") is Cause.REDIRECT_LOOP


def test_a_redirect_to_the_stream_is_followed(tuner: Tuner, server: RawServer) -> None:
    server.on("/live", endless(MP3))
    heard = hear(tuner, server.on("/go", lambda talk: talk.answer(b"", status="HTTP/1.1 302 Found", Location="/live")))
    assert heard.info is not None
    assert heard.info.url == server.base + "/live"


def test_dead_addresses_are_told_apart(tuner: Tuner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    assert cause(tuner, f"http://127.0.0.1:{port}/") is Cause.REFUSED
    assert cause(tuner, "http://no-such-host.invalid/") is Cause.DEAD_HOST
    assert cause(tuner, "http://10.0.0.1/") is Cause.ADDRESS_REFUSED
    assert cause(tuner, "rtmp://a.example/live") is Cause.UNSUPPORTED
    assert cause(tuner, "http://a b\n/") is Cause.UNSUPPORTED


def test_bytes_that_are_no_sound_are_undecodable(tuner: Tuner, server: RawServer) -> None:
    noise = np.random.default_rng(1).bytes(100_000)
    assert cause(tuner, server.on("/noise", endless(noise))) is Cause.UNDECODABLE
    lie = b"\x00\x00\x00\x18ftypisom" + noise
    assert cause(tuner, server.on("/lie", endless(lie))) is Cause.UNDECODABLE
    assert cause(tuner, server.on("/none", endless(b""))) is Cause.ENDED
    assert cause(tuner, server.on("/video", endless(television(None)))) is Cause.NO_SOUND


def test_sound_that_never_comes_ends_the_wait(server: RawServer) -> None:
    def drip(talk: Talk) -> None:
        talk.begin()
        talk.send(b"OggS")
        while not talk.closing.wait(0.05):
            talk.send(b"\x00")

    limits = TunerLimits(first_sound_s=0.5, sniff_s=0.5, stall_s=5)
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")]), limits=limits) as tuner:
        assert cause(tuner, server.on("/drip", drip)) is Cause.UNDECODABLE


def test_a_dead_decoder_ends_its_streams_and_the_next_stream_gets_a_new_one(tuner: Tuner, server: RawServer) -> None:
    def live(talk: Talk) -> None:
        talk.begin()
        while not talk.closing.wait(0.01):
            talk.send(MP3[:30_000])

    heard = [Recorder(), Recorder()]
    for each in heard:
        tuner.tune(server.on("/live", live), each)
    assert all(each.sounding.wait(WAIT_S) for each in heard)
    (pid,) = tuner.child_pids()
    os.kill(pid, signal.SIGKILL)
    for each in heard:
        assert each.over.wait(WAIT_S)
        assert each.end is not None
        assert (each.end.cause, each.end.permanent) == (Cause.DECODER_CRASHED, False)
    assert hear(tuner, server.on("/again", endless(MP3))).seconds == pytest.approx(SECONDS, abs=0.1)
    assert tuner.child_pids() != [pid]


def test_a_decoder_that_stands_still_slows_the_server_and_nothing_grows(server: RawServer) -> None:
    sent = [0]

    def fast(talk: Talk) -> None:
        talk.begin()
        while not talk.closing.is_set():
            talk.send(MP3)
            sent[0] += len(MP3)

    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as tuner:
        heard = Recorder()
        tuned = tuner.tune(server.on("/fast", fast), heard)
        assert heard.sounding.wait(WAIT_S)
        (pid,) = tuner.child_pids()
        os.kill(pid, signal.SIGSTOP)  # a decoder that does nothing for a while
        before, deadline = -1, time.monotonic() + WAIT_S
        while before != sent[0]:
            assert time.monotonic() < deadline, "the server was never slowed"
            before = sent[0]
            time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)
        while sent[0] == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        tuned.close()


def test_a_decoder_that_never_moves_again_is_killed(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fast(talk: Talk) -> None:
        talk.begin()
        while not talk.closing.is_set():
            talk.send(MP3)

    def slow(talk: Talk) -> None:
        talk.begin()
        talk.send(MP3)
        talk.hang()

    monkeypatch.setattr("airledger.stations.tuner.decoders.STUCK_S", 0.5)
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as tuner:
        stuck, neighbour = Recorder(), Recorder()
        tuner.tune(server.on("/slow", slow), neighbour)
        assert neighbour.sounding.wait(WAIT_S)
        (pid,) = tuner.child_pids()
        os.kill(pid, signal.SIGSTOP)
        tuner.tune(server.on("/fast", fast), stuck)
        assert stuck.over.wait(WAIT_S)
        assert neighbour.over.wait(WAIT_S)
        assert not psutil.pid_exists(pid)
    assert stuck.end is not None
    assert neighbour.end is not None
    assert (stuck.end.cause, neighbour.end.cause) == (Cause.UNDECODABLE, Cause.DECODER_CRASHED)


def test_a_server_that_floods_us_is_held_back(server: RawServer) -> None:
    def flood(talk: Talk) -> None:
        talk.begin()
        while not talk.closing.is_set():
            talk.send(MP3)

    # What was sent to the decoder and what it has read but not decoded are both on the way when the tuner holds back.
    on_the_way_s = 2 * WINDOW_BYTES * 8 / 96_000
    limits = TunerLimits(head_start_s=10.0, max_speed=20.0)
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")]), limits=limits) as tuner:
        heard = Recorder()
        began = time.monotonic()
        tuned = tuner.tune(server.on("/flood", flood), heard)
        wait_until(lambda: heard.seconds > 120.0, "far more than the head start came")
        tuned.close()
        most_s = 10.0 + 20.0 * (time.monotonic() - began) + on_the_way_s
    assert heard.seconds <= most_s


def test_closing_the_tuner_leaves_no_process_and_no_thread(server: RawServer) -> None:
    def live(talk: Talk) -> None:
        talk.begin()
        talk.send(MP3)
        talk.hang()

    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as tuner:
        heard = [Recorder() for _ in range(5)]
        for each in heard:
            tuner.tune(server.on("/live", live), each)
        assert all(each.sounding.wait(WAIT_S) for each in heard)
        pids = tuner.child_pids()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert all(each.end is None for each in heard)
    with pytest.raises(RuntimeError, match="not running"):
        tuner.tune("http://a.example/", Recorder())


def test_forty_streams_share_two_decoders(server: RawServer) -> None:
    def live(talk: Talk) -> None:
        talk.begin()
        talk.send(MP3)
        talk.hang()

    url = server.on("/live", live)
    with Tuner(AddressGuard([ip_network("127.0.0.0/8")])) as tuner:
        heard = [Recorder() for _ in range(40)]
        for each in heard:
            tuner.tune(url, each)
        deadline = time.monotonic() + WAIT_S
        while min(each.seconds for each in heard) < SECONDS - 1:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(tuner.child_pids()) == 2


def test_a_television_stream_is_heard_and_its_picture_told(tuner: Tuner, server: RawServer) -> None:
    heard = hear(tuner, server.on("/tv", endless(television(SOUND, SECONDS))))
    assert heard.seconds == pytest.approx(SECONDS, abs=0.1)
    assert heard.formats[-1].picture == PictureFormat("mpeg2video", 320, 180)
    assert json.loads(json.dumps(heard.formats[-1].to_json()))["picture"]["width_px"] == 320
