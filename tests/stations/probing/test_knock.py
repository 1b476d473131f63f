"""First looks at streams on loopback servers, with their causes, and what decodes of the first bytes."""

import gzip
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause
from airledger.stations.probing.first_frames import FirstFrames, FramesDecoder
from airledger.stations.probing.knock import LOOK_BYTES, Knock, Knocker
from airledger.stations.proof_job import ProofJob
from made_sound import encoded, melody
from raw_http import Answer, RawServer, Talk

SOUND = encoded(melody(8), "mp3")
LOOPBACK = AddressGuard([ip_network("127.0.0.0/8")])


@pytest.fixture
def knocker() -> Iterator[Knocker]:
    made = Knocker(LOOPBACK, "Airledger-test/1", timeout_s=1.0)
    yield made
    made.close()


@pytest.fixture(scope="module")
def decoder() -> Iterator[FramesDecoder]:
    made = FramesDecoder(patience_s=2.0)
    yield made
    made.close()


def endless(body: bytes, **headers: str) -> Answer:
    def answer(talk: Talk) -> None:
        talk.begin(**headers)
        talk.send(body)
        talk.hang()

    return answer


def status(line: str, **headers: str) -> Answer:
    return lambda talk: talk.answer(b"no", status=line, **headers)


def one(knocker: Knocker, url: str, **headers: str) -> Knock:
    return next(knocker.knock([ProofJob(7, url, 0, headers)], wanted_bytes=LOOK_BYTES))


def test_media_is_known_by_its_bytes(knocker: Knocker, server: RawServer) -> None:
    server.on("/mp3", endless(SOUND, Content_Type="text/html", icy_br="96", Access_Control_Allow_Origin="*"))
    seen = one(knocker, server.base + "/mp3", Referer="http://a.example/")
    assert (seen.is_media, seen.what.name, seen.level, seen.cause) == (True, "mp3", 1, None)
    assert seen.found.head is not None
    assert seen.found.head.headers["access-control-allow-origin"] == "*"
    sent = server.requests[0].headers
    assert (sent["icy-metadata"], sent["referer"], "origin" in sent) == ("1", "http://a.example/", True)


def test_titles_are_taken_out_before_the_bytes_are_judged(knocker: Knocker, server: RawServer) -> None:
    title = b"StreamTitle='A';".ljust(32, b"\x00")
    body = b"".join(SOUND[at : at + 1000] + bytes([2]) + title for at in range(0, 60_000, 1000))
    seen = one(knocker, server.on("/icy", endless(body, icy_metaint="1000")))
    assert SOUND.startswith(seen.sound[:50_000])
    assert len(seen.sound) >= 50_000


@pytest.mark.parametrize(
    ("answer", "cause", "level"),
    [
        (status("HTTP/1.1 404 Not Found"), Cause.NOT_FOUND, 0),
        (status("HTTP/1.1 451 Unavailable"), Cause.GEO_BLOCKED, 0),
        (status("HTTP/1.1 403 Forbidden"), Cause.FORBIDDEN, 0),
        (status("ICY 401 Service Unavailable"), Cause.SOURCE_OFFLINE, 0),
        (lambda talk: talk.answer(b"<!DOCTYPE html><html>" + b" " * 600), Cause.NOT_MEDIA, 1),
        (lambda talk: talk.answer(bytes(range(256)) * 64), Cause.UNDECODABLE, 1),
        (lambda talk: talk.begin(), Cause.ENDED, 1),
        (endless(b""), Cause.STALLED, 1),
        (Talk.hang, Cause.TIMEOUT, 0),
        (status("HTTP/1.1 302 Found", Location="/x"), Cause.REDIRECT_LOOP, 0),
    ],
)
def test_what_is_wrong_has_a_cause(
    knocker: Knocker, server: RawServer, answer: Answer, cause: Cause, level: int
) -> None:
    seen = one(knocker, server.on("/x", answer))
    assert (seen.cause, seen.level, seen.is_media) == (cause, level, False)
    assert seen.detail


def test_a_server_that_asks_for_a_rest_gets_it(server: RawServer) -> None:
    server.on("/busy", status("HTTP/1.1 429 Too Many", Retry_After="120"))
    knocker = Knocker(LOOPBACK, "t")
    seen = one(knocker, server.base + "/busy")
    assert (seen.cause, seen.retry_after_s) == (Cause.RATE_LIMITED, 120)
    assert knocker.manners.rests("127.0.0.1")
    knocker.close()


def test_a_live_list_of_segments_is_media_and_a_list_of_addresses_is_not(knocker: Knocker, server: RawServer) -> None:
    hls = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n"
    assert one(knocker, server.on("/hls", lambda talk: talk.answer(hls))).what.name == "hls"
    listed = one(knocker, server.on("/list", lambda talk: talk.answer(b"#EXTM3U\nhttp://a.example/live\n")))
    assert (listed.is_media, listed.cause) == (False, None)


def test_hundreds_at_once_all_come_back(server: RawServer) -> None:
    knocker = Knocker(LOOPBACK, "t", timeout_s=60)
    server.on("/live", endless(SOUND))
    server.on("/gone", status("HTTP/1.1 404 Not Found"))
    jobs = [ProofJob(n, server.base + ("/live" if n % 2 else "/gone"), 0) for n in range(300)]
    seen = {knock.job.id: knock.is_media for knock in knocker.knock([*jobs, ProofJob(300, "ftp://a/", 0)])}
    knocker.close()
    assert seen == {n: bool(n % 2) for n in range(300)} | {300: False}


def frames(knocker: Knocker, decoder: FramesDecoder, url: str) -> FirstFrames:
    return decoder.decode(one(knocker, url))


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "mp3"), ("aac", "aac"), ("opus", "opus"), ("flac", "flac")])
def test_first_bytes_decode(knocker: Knocker, decoder: FramesDecoder, server: RawServer, kind: str, codec: str) -> None:
    found = frames(knocker, decoder, server.on("/x", endless(encoded(melody(8), kind))))
    assert (found.level, found.cause) == (2, None)
    assert found.format is not None
    assert found.format.codec == codec
    assert found.decoded_s > 0.3


def test_what_only_looks_like_sound_does_not_decode(
    knocker: Knocker, decoder: FramesDecoder, server: RawServer
) -> None:
    found = frames(knocker, decoder, server.on("/x", endless(b"OggS" + bytes(range(256)) * 200)))
    assert (found.level, found.cause) == (1, Cause.UNDECODABLE)


def test_a_gzip_bomb_is_bytes_like_any_others(knocker: Knocker, server: RawServer) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    seen = one(knocker, server.on("/bomb", lambda talk: talk.answer(bomb, Content_Encoding="gzip")))
    assert (seen.cause, len(seen.found.body)) == (Cause.UNDECODABLE, min(len(bomb), LOOK_BYTES))


def test_a_dead_child_is_replaced(knocker: Knocker, decoder: FramesDecoder, server: RawServer) -> None:
    knock = one(knocker, server.on("/x", endless(SOUND)))
    assert decoder.decode(knock).level == 2
    import psutil

    psutil.Process(decoder.child_pids()[0]).kill()
    assert decoder.decode(knock).cause is Cause.DECODER_CRASHED
    assert decoder.decode(knock).level == 2


def test_many_are_decoded_while_more_arrive(knocker: Knocker, decoder: FramesDecoder, server: RawServer) -> None:
    server.on("/live", endless(SOUND))
    server.on("/gone", status("HTTP/1.1 404 Not Found"))
    jobs = [ProofJob(n, server.base + ("/live" if n % 2 else "/gone"), 0) for n in range(20)]
    found = list(decoder.decode_all(knocker.knock(jobs, wanted_bytes=LOOK_BYTES)))
    assert {knock.job.id: each is not None and each.level == 2 for knock, each in found} == {
        n: bool(n % 2) for n in range(20)
    }
